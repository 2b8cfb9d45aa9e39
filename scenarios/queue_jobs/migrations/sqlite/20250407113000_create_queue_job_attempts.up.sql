-- Each try of a job; tries go when their job goes.
CREATE TABLE IF NOT EXISTS queue_job_attempts (
    id INTEGER NOT NULL CONSTRAINT pk_queue_job_attempts PRIMARY KEY AUTOINCREMENT,
    job_id TEXT NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 1,
    outcome TEXT,
    error TEXT,
    started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT uq_queue_job_attempts_job_id_attempt UNIQUE (job_id, attempt),
    CONSTRAINT fk_queue_job_attempts_job_id_queue_jobs
        FOREIGN KEY (job_id) REFERENCES queue_jobs (id) ON DELETE CASCADE,
    CONSTRAINT ck_queue_job_attempts_attempt CHECK (attempt > 0),
    CONSTRAINT ck_queue_job_attempts_outcome CHECK (outcome IN ('ok', 'error', 'timeout'))
);

CREATE INDEX IF NOT EXISTS ix_queue_job_attempts_started_at ON queue_job_attempts (started_at DESC);
