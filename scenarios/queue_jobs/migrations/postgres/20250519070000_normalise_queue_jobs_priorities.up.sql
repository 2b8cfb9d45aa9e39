-- Data only. No priority means 100, and priorities run from 0 to 1000.
UPDATE queue_jobs
SET priority = CASE WHEN priority IS NULL THEN 100 WHEN priority < 0 THEN 0 ELSE 1000 END
WHERE priority IS NULL OR priority < 0 OR priority > 1000;
