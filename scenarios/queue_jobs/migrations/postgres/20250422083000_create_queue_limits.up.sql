-- How many jobs of a queue may run at once.
CREATE TABLE IF NOT EXISTS queue_limits (
    queue TEXT NOT NULL,
    max_running INTEGER NOT NULL DEFAULT 4,
    is_paused BOOLEAN NOT NULL DEFAULT FALSE,
    note TEXT,
    CONSTRAINT pk_queue_limits PRIMARY KEY (queue),
    CONSTRAINT ck_queue_limits_max_running CHECK (max_running > 0)
);
