-- Rebuilt without the column: SQLite before 3.35 has no DROP COLUMN.
CREATE TABLE queue_jobs_new (
    id TEXT NOT NULL,
    queue TEXT NOT NULL DEFAULT 'default',
    kind TEXT NOT NULL,
    payload JSON NOT NULL DEFAULT '{}',
    status TEXT NOT NULL DEFAULT 'queued',
    priority INTEGER,
    dedupe_key TEXT,
    run_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    finished_at TIMESTAMP,
    CONSTRAINT pk_queue_jobs PRIMARY KEY (id),
    CONSTRAINT uq_queue_jobs_queue_dedupe_key UNIQUE (queue, dedupe_key),
    CONSTRAINT ck_queue_jobs_kind CHECK (kind <> ''),
    CONSTRAINT ck_queue_jobs_payload_json CHECK (json_valid(payload))
);

INSERT INTO queue_jobs_new (
    id, queue, kind, payload, status, priority, dedupe_key, run_at, created_at, finished_at
)
SELECT
    id, queue, kind, payload, status, priority, dedupe_key, run_at, created_at, finished_at
FROM queue_jobs;

DROP TABLE queue_jobs;
ALTER TABLE queue_jobs_new RENAME TO queue_jobs;

CREATE INDEX IF NOT EXISTS ix_queue_jobs_status_run_at ON queue_jobs (status, run_at);
CREATE INDEX IF NOT EXISTS ix_queue_jobs_created_at ON queue_jobs (created_at DESC);
