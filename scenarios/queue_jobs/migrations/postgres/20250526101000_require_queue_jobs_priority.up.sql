-- Every job has a priority from now on. Workers may have written odd ones since the last
-- revision, so these are put right first.
UPDATE queue_jobs
SET priority = CASE WHEN priority IS NULL THEN 100 WHEN priority < 0 THEN 0 ELSE 1000 END
WHERE priority IS NULL OR priority < 0 OR priority > 1000;

ALTER TABLE queue_jobs
    ALTER COLUMN priority SET DEFAULT 100,
    ALTER COLUMN priority SET NOT NULL;

DO $$
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_constraint
        WHERE conrelid = 'queue_jobs'::regclass AND conname = 'ck_queue_jobs_priority'
    ) THEN
        ALTER TABLE queue_jobs ADD CONSTRAINT ck_queue_jobs_priority
            CHECK (priority >= 0 AND priority <= 1000);
    END IF;
END;
$$;
