-- The processes that take jobs, by name.
CREATE TABLE IF NOT EXISTS queue_workers (
    id INTEGER NOT NULL CONSTRAINT pk_queue_workers PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    heartbeat_at TIMESTAMP,
    CONSTRAINT uq_queue_workers_name UNIQUE (name)
);

CREATE INDEX IF NOT EXISTS ix_queue_workers_heartbeat_at ON queue_workers (heartbeat_at) WHERE is_active;
