-- Step 1 of 3: nullable, so that the release in production goes on writing tokens without it.
SET LOCAL lock_timeout = '5s';

ALTER TABLE api_tokens ADD COLUMN token_prefix TEXT;
