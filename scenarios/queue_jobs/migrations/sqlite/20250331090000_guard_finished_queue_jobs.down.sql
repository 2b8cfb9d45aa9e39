DROP TRIGGER IF EXISTS tr_queue_jobs_keep_finished;
