-- Structured logs of all parts of the pipeline.
CREATE TABLE logs (
    id BIGINT GENERATED ALWAYS AS IDENTITY,
    logged_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    level TEXT NOT NULL DEFAULT 'INFO',
    logger TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '',
    payload JSONB,
    CONSTRAINT pk_logs PRIMARY KEY (id),
    CONSTRAINT ck_logs_level CHECK (level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'))
);

CREATE INDEX ix_logs_logged_at ON logs (logged_at DESC);
CREATE INDEX ix_logs_errors ON logs (logger, logged_at) WHERE level = 'ERROR';
