-- Which worker holds a job; the job is free again when its worker goes.
ALTER TABLE queue_jobs ADD COLUMN IF NOT EXISTS locked_by TEXT;

DO $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_constraint
        WHERE conrelid = 'queue_jobs'::regclass AND conname = 'fk_queue_jobs_locked_by_queue_workers'
    ) THEN
        ALTER TABLE queue_jobs ADD CONSTRAINT fk_queue_jobs_locked_by_queue_workers
            FOREIGN KEY (locked_by) REFERENCES queue_workers (name) ON UPDATE CASCADE ON DELETE SET NULL;
    END IF;
END;
$$;

CREATE INDEX IF NOT EXISTS ix_queue_jobs_locked_by ON queue_jobs (locked_by) WHERE locked_by IS NOT NULL;
