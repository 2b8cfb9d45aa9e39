-- Copy what was written before the application wrote both columns.
SET LOCAL lock_timeout = '5s';

UPDATE endpoints SET rate_limit_big = rate_limit WHERE rate_limit_big IS NULL;
