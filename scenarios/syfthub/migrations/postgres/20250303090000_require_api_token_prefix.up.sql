-- Step 3 of 3: the promise that the two steps before it prepared.
SET LOCAL lock_timeout = '5s';

ALTER TABLE api_tokens ALTER COLUMN token_prefix SET NOT NULL;
