-- Rebuilt without the column: SQLite before 3.35 has no DROP COLUMN.
CREATE TABLE logs_new (
    id INTEGER NOT NULL CONSTRAINT pk_logs PRIMARY KEY AUTOINCREMENT,
    logged_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    level TEXT NOT NULL DEFAULT 'INFO',
    logger TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '',
    payload JSON,
    CONSTRAINT ck_logs_level CHECK (level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    CONSTRAINT ck_logs_payload_json CHECK (payload IS NULL OR json_valid(payload))
);

INSERT INTO logs_new (id, logged_at, level, logger, message, payload)
SELECT id, logged_at, level, logger, message, payload FROM logs;

-- Ids of lines already deleted stay used.
DELETE FROM sqlite_sequence WHERE name = 'logs_new';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'logs_new', seq FROM sqlite_sequence WHERE name = 'logs';

DROP TABLE logs;
ALTER TABLE logs_new RENAME TO logs;

CREATE INDEX ix_logs_logged_at ON logs (logged_at DESC);
CREATE INDEX ix_logs_errors ON logs (logger, logged_at) WHERE level = 'ERROR';
