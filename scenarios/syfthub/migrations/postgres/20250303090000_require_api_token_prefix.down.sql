SET LOCAL lock_timeout = '5s';

ALTER TABLE api_tokens ALTER COLUMN token_prefix DROP NOT NULL;
