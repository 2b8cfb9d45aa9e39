ALTER TABLE clip_events DROP COLUMN severity;
