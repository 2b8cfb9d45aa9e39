-- Rebuilt without the column: SQLite before 3.35 has no DROP COLUMN.
-- DROP TABLE deletes the rows first, which cascades into clip_events and clears
-- logs.clip_id; both are parked and put back.
CREATE TEMP TABLE parked_clip_events AS SELECT * FROM clip_events;
CREATE TEMP TABLE parked_logs AS SELECT id, clip_id FROM logs WHERE clip_id IS NOT NULL;

CREATE TABLE clip_states_new (
    clip_id TEXT NOT NULL,
    data JSON NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_clip_states PRIMARY KEY (clip_id),
    CONSTRAINT ck_clip_states_data_json CHECK (json_valid(data))
);

INSERT INTO clip_states_new (clip_id, data, created_at, updated_at)
SELECT clip_id, data, created_at, updated_at FROM clip_states;

DROP TABLE clip_states;
ALTER TABLE clip_states_new RENAME TO clip_states;

INSERT INTO clip_events (id, clip_id, event_type, event_data, occurred_at, severity)
SELECT id, clip_id, event_type, event_data, occurred_at, severity FROM parked_clip_events;

UPDATE logs
SET clip_id = (SELECT parked.clip_id FROM parked_logs AS parked WHERE parked.id = logs.id)
WHERE id IN (SELECT id FROM parked_logs);

DROP TABLE parked_clip_events;
DROP TABLE parked_logs;

CREATE INDEX ix_clip_states_status ON clip_states (json_extract(data, '$.status'));
CREATE INDEX ix_clip_states_updated_at ON clip_states (updated_at DESC);
CREATE INDEX ix_clip_states_camera ON clip_states (json_extract(data, '$.camera_name'));
CREATE INDEX ix_clip_states_upload_state ON clip_states (json_extract(data, '$.upload.state'));
CREATE INDEX ix_clip_states_failed ON clip_states (updated_at) WHERE json_extract(data, '$.status') = 'failed';
