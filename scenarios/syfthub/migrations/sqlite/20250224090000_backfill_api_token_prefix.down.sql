-- Every prefix can be told from its hash again, so none is worth keeping.
UPDATE api_tokens SET token_prefix = NULL;
