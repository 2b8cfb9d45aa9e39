CREATE INDEX ix_logs_level ON logs ((payload ->> 'level'), logged_at DESC);
