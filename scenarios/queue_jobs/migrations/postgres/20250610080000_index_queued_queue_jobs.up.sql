-- What a worker asks for: the next due job of its queue, the most urgent first.
CREATE INDEX IF NOT EXISTS ix_queue_jobs_queue_priority_run_at
    ON queue_jobs (queue, priority DESC, run_at) WHERE status = 'queued';
