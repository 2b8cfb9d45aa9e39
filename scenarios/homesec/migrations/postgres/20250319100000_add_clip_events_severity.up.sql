-- Alerts are sent by severity; events written so far were informational.
ALTER TABLE clip_events
    ADD COLUMN severity TEXT NOT NULL DEFAULT 'info',
    ADD CONSTRAINT ck_clip_events_severity CHECK (severity IN ('info', 'warning', 'error'));

CREATE INDEX ix_clip_events_severity_occurred_at ON clip_events (severity, occurred_at DESC);
