-- A late worker must not take up a job that is done.
CREATE OR REPLACE FUNCTION queue_jobs_keep_finished() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a finished job stays finished';
END;
$$;

DROP TRIGGER IF EXISTS tr_queue_jobs_keep_finished ON queue_jobs;
CREATE TRIGGER tr_queue_jobs_keep_finished BEFORE UPDATE OF status ON queue_jobs
    FOR EACH ROW WHEN (OLD.status = 'done' AND NEW.status <> 'done')
    EXECUTE FUNCTION queue_jobs_keep_finished();
