ALTER TABLE queue_jobs
    DROP CONSTRAINT IF EXISTS ck_queue_jobs_priority,
    ALTER COLUMN priority DROP NOT NULL,
    ALTER COLUMN priority DROP DEFAULT;
