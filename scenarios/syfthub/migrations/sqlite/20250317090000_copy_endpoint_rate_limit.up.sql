-- Copy what was written before the application wrote both columns.
UPDATE endpoints SET rate_limit_big = rate_limit WHERE rate_limit_big IS NULL;
