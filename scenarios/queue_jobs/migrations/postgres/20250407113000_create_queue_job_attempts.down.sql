DROP TABLE IF EXISTS queue_job_attempts;
