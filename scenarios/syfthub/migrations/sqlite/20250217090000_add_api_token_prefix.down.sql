-- SQLite before 3.35 cannot drop a column; nothing references this table, so a rebuild is safe.
CREATE TEMP TABLE kept_api_tokens AS SELECT * FROM api_tokens;
DROP TABLE api_tokens;

CREATE TABLE api_tokens (
    id CHAR(36) NOT NULL,
    user_id BIGINT NOT NULL,
    name TEXT NOT NULL,
    token_hash TEXT NOT NULL,
    last_used_at DATETIME,
    revoked_at DATETIME,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_api_tokens PRIMARY KEY (id),
    CONSTRAINT uq_api_tokens_token_hash UNIQUE (token_hash),
    CONSTRAINT fk_api_tokens_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_api_tokens_token_hash CHECK (length(token_hash) = 64)
);

INSERT INTO api_tokens (id, user_id, name, token_hash, last_used_at, revoked_at, created_at)
SELECT id, user_id, name, token_hash, last_used_at, revoked_at, created_at FROM kept_api_tokens;

CREATE INDEX ix_api_tokens_user_id_live ON api_tokens (user_id) WHERE revoked_at IS NULL;

DROP TABLE kept_api_tokens;
