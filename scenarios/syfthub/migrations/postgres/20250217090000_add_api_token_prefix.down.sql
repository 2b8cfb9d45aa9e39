SET LOCAL lock_timeout = '5s';

ALTER TABLE api_tokens DROP COLUMN token_prefix;
