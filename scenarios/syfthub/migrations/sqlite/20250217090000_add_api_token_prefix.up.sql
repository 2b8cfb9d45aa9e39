-- Step 1 of 3: nullable, so that the release in production goes on writing tokens without it.
ALTER TABLE api_tokens ADD COLUMN token_prefix TEXT;
