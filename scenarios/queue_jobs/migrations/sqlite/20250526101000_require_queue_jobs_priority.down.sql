-- Rebuilt with the column as it was: SQLite can't alter one in place.
-- DROP TABLE deletes the jobs first, which cascades into their attempts: park them.
CREATE TEMP TABLE parked_attempts AS SELECT * FROM queue_job_attempts;

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
    locked_by TEXT,
    CONSTRAINT pk_queue_jobs PRIMARY KEY (id),
    CONSTRAINT uq_queue_jobs_queue_dedupe_key UNIQUE (queue, dedupe_key),
    CONSTRAINT ck_queue_jobs_kind CHECK (kind <> ''),
    CONSTRAINT ck_queue_jobs_payload_json CHECK (json_valid(payload)),
    CONSTRAINT fk_queue_jobs_locked_by_queue_workers
        FOREIGN KEY (locked_by) REFERENCES queue_workers (name) ON UPDATE CASCADE ON DELETE SET NULL
);

INSERT INTO queue_jobs_new (
    id, queue, kind, payload, status, priority, dedupe_key, run_at, created_at, finished_at, locked_by
)
SELECT
    id, queue, kind, payload, status, priority, dedupe_key, run_at, created_at, finished_at, locked_by
FROM queue_jobs;

DROP TABLE queue_jobs;
ALTER TABLE queue_jobs_new RENAME TO queue_jobs;

INSERT INTO queue_job_attempts (id, job_id, attempt, outcome, error, started_at)
SELECT id, job_id, attempt, outcome, error, started_at FROM parked_attempts;
DROP TABLE parked_attempts;

CREATE INDEX IF NOT EXISTS ix_queue_jobs_status_run_at ON queue_jobs (status, run_at);
CREATE INDEX IF NOT EXISTS ix_queue_jobs_created_at ON queue_jobs (created_at DESC);
CREATE INDEX IF NOT EXISTS ix_queue_jobs_locked_by ON queue_jobs (locked_by) WHERE locked_by IS NOT NULL;

CREATE TRIGGER IF NOT EXISTS tr_queue_jobs_keep_finished BEFORE UPDATE OF status ON queue_jobs
WHEN OLD.status = 'done' AND NEW.status <> 'done'
BEGIN
    SELECT RAISE(ABORT, 'a finished job stays finished');
END;
