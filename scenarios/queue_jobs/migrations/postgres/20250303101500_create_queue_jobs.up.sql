-- Work to be done, oldest due first. Priority is optional at first.
CREATE TABLE IF NOT EXISTS queue_jobs (
    id TEXT NOT NULL,
    queue TEXT NOT NULL DEFAULT 'default',
    kind TEXT NOT NULL,
    payload JSONB NOT NULL DEFAULT '{}',
    status TEXT NOT NULL DEFAULT 'queued',
    priority INTEGER,
    dedupe_key TEXT,
    run_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    finished_at TIMESTAMPTZ,
    CONSTRAINT pk_queue_jobs PRIMARY KEY (id),
    CONSTRAINT uq_queue_jobs_queue_dedupe_key UNIQUE (queue, dedupe_key),
    CONSTRAINT ck_queue_jobs_kind CHECK (kind <> '')
);

CREATE INDEX IF NOT EXISTS ix_queue_jobs_status_run_at ON queue_jobs (status, run_at);
CREATE INDEX IF NOT EXISTS ix_queue_jobs_created_at ON queue_jobs (created_at DESC);
