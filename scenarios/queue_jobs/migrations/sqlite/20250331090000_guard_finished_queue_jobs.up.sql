-- A late worker must not take up a job that is done.
CREATE TRIGGER IF NOT EXISTS tr_queue_jobs_keep_finished BEFORE UPDATE OF status ON queue_jobs
WHEN OLD.status = 'done' AND NEW.status <> 'done'
BEGIN
    SELECT RAISE(ABORT, 'a finished job stays finished');
END;
