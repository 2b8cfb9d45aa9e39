-- The narrow column is still the one that counts, so the wide one can be emptied.
UPDATE endpoints SET rate_limit_big = NULL;
