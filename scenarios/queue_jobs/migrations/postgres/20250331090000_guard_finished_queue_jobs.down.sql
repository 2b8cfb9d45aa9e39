DROP TRIGGER IF EXISTS tr_queue_jobs_keep_finished ON queue_jobs;
DROP FUNCTION IF EXISTS queue_jobs_keep_finished();
