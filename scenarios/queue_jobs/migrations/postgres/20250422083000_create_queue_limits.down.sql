DROP TABLE IF EXISTS queue_limits;
