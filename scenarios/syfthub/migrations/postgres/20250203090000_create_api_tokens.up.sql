SET LOCAL lock_timeout = '5s';

CREATE TABLE api_tokens (
    id UUID NOT NULL,
    user_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    last_used_at TIMESTAMPTZ,
    revoked_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT pk_api_tokens PRIMARY KEY (id),
    CONSTRAINT uq_api_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_api_tokens_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_api_tokens_token_hash CHECK (length(token_hash) = 64)
);

-- Only live tokens are ever looked up by their owner.
CREATE INDEX ix_api_tokens_user_id_live ON api_tokens (user_id) WHERE revoked_at IS NULL;
