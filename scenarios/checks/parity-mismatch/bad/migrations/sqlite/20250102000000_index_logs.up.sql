CREATE INDEX ix_logs_level ON logs (json_extract(payload, '$.level'));
