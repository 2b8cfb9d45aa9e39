-- Data only. The default queue and every queue in use get a limit; limits already set stay.
INSERT INTO queue_limits (queue, max_running)
SELECT 'default', 8
WHERE NOT EXISTS (SELECT 1 FROM queue_limits WHERE queue = 'default');

INSERT INTO queue_limits (queue)
SELECT DISTINCT job.queue
FROM queue_jobs AS job
WHERE NOT EXISTS (SELECT 1 FROM queue_limits AS known WHERE known.queue = job.queue);
