DROP INDEX IF EXISTS ix_queue_jobs_queue_priority_run_at;
