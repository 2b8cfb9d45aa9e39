ALTER TABLE queue_jobs DROP COLUMN IF EXISTS locked_by;
