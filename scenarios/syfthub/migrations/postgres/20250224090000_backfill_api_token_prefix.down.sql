-- Every prefix can be told from its hash again, so none is worth keeping.
SET LOCAL lock_timeout = '5s';

UPDATE api_tokens SET token_prefix = NULL;
