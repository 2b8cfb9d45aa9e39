-- Structured logs of all parts of the pipeline.
CREATE TABLE logs (
    id INTEGER NOT NULL CONSTRAINT pk_logs PRIMARY KEY AUTOINCREMENT,
    logged_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    level TEXT NOT NULL DEFAULT 'INFO',
    logger TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '',
    payload JSON,
    CONSTRAINT ck_logs_level CHECK (level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    CONSTRAINT ck_logs_payload_json CHECK (payload IS NULL OR json_valid(payload))
);

CREATE INDEX ix_logs_logged_at ON logs (logged_at DESC);
CREATE INDEX ix_logs_errors ON logs (logger, logged_at) WHERE level = 'ERROR';
