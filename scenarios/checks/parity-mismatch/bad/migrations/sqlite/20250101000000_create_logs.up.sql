CREATE TABLE logs (
    id BIGINT PRIMARY KEY,
    message TEXT NOT NULL,
    payload JSON CHECK (payload IS NULL OR json_valid(payload)),
    logged_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
