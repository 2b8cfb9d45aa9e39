-- What queue_jobs declares for SQLite.

CREATE TABLE queue_workers (
    id INTEGER NOT NULL CONSTRAINT pk_queue_workers PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    started_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    heartbeat_at TIMESTAMP,
    CONSTRAINT uq_queue_workers_name UNIQUE (name)
);

CREATE INDEX ix_queue_workers_heartbeat_at ON queue_workers (heartbeat_at) WHERE is_active;

CREATE TABLE queue_jobs (
    id TEXT NOT NULL,
    queue TEXT NOT NULL DEFAULT 'default',
    kind TEXT NOT NULL,
    payload JSON NOT NULL DEFAULT '{}',
    status TEXT NOT NULL DEFAULT 'queued',
    priority INTEGER NOT NULL DEFAULT 100,
    dedupe_key TEXT,
    run_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    finished_at TIMESTAMP,
    locked_by TEXT,
    CONSTRAINT pk_queue_jobs PRIMARY KEY (id),
    CONSTRAINT uq_queue_jobs_queue_dedupe_key UNIQUE (queue, dedupe_key),
    CONSTRAINT ck_queue_jobs_kind CHECK (kind <> ''),
    CONSTRAINT ck_queue_jobs_payload_json CHECK (json_valid(payload)),
    CONSTRAINT ck_queue_jobs_priority CHECK (priority >= 0 AND priority <= 1000),
    CONSTRAINT fk_queue_jobs_locked_by_queue_workers
        FOREIGN KEY (locked_by) REFERENCES queue_workers (name) ON UPDATE CASCADE ON DELETE SET NULL
);

CREATE INDEX ix_queue_jobs_status_run_at ON queue_jobs (status, run_at);
CREATE INDEX ix_queue_jobs_created_at ON queue_jobs (created_at DESC);
CREATE INDEX ix_queue_jobs_locked_by ON queue_jobs (locked_by) WHERE locked_by IS NOT NULL;
CREATE INDEX ix_queue_jobs_queue_priority_run_at
    ON queue_jobs (queue, priority DESC, run_at) WHERE status = 'queued';

CREATE TRIGGER tr_queue_jobs_keep_finished BEFORE UPDATE OF status ON queue_jobs
WHEN OLD.status = 'done' AND NEW.status <> 'done'
BEGIN
    SELECT RAISE(ABORT, 'a finished job stays finished');
END;

CREATE TABLE queue_job_attempts (
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

CREATE INDEX ix_queue_job_attempts_started_at ON queue_job_attempts (started_at DESC);

CREATE TABLE queue_limits (
    queue TEXT NOT NULL,
    max_running INTEGER NOT NULL DEFAULT 4,
    is_paused BOOLEAN NOT NULL DEFAULT FALSE,
    note TEXT,
    CONSTRAINT pk_queue_limits PRIMARY KEY (queue),
    CONSTRAINT ck_queue_limits_max_running CHECK (max_running > 0)
);
