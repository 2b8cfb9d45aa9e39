DROP TABLE IF EXISTS queue_workers;
