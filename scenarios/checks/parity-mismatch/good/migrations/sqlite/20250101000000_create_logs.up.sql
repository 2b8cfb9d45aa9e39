CREATE TABLE logs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    message TEXT NOT NULL,
    payload JSON CHECK (payload IS NULL OR json_valid(payload)),
    logged_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
);
