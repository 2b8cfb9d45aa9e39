-- Data only. Workers of different ages wrote different words for the same status.
UPDATE queue_jobs SET status = 'done' WHERE status IN ('complete', 'completed', 'success');
UPDATE queue_jobs SET status = 'queued' WHERE status IN ('new', 'pending');
