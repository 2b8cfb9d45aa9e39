-- Step 2 of 3: every release that writes tokens fills the column by now; this fills the older rows.
SET LOCAL lock_timeout = '5s';

UPDATE api_tokens SET token_prefix = substr(token_hash, 1, 8) WHERE token_prefix IS NULL;
