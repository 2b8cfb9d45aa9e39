-- What homesec declares for SQLite.

CREATE TABLE clip_states (
    clip_id TEXT NOT NULL,
    schema_version INTEGER NOT NULL DEFAULT 1,
    data JSON NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_clip_states PRIMARY KEY (clip_id),
    CONSTRAINT ck_clip_states_schema_version CHECK (schema_version > 0),
    CONSTRAINT ck_clip_states_data_json CHECK (json_valid(data))
);

CREATE INDEX ix_clip_states_status ON clip_states (json_extract(data, '$.status'));
CREATE INDEX ix_clip_states_camera ON clip_states (json_extract(data, '$.camera_name'));
CREATE INDEX ix_clip_states_upload_state ON clip_states (json_extract(data, '$.upload.state'));
CREATE INDEX ix_clip_states_updated_at ON clip_states (updated_at DESC);
CREATE INDEX ix_clip_states_failed ON clip_states (updated_at) WHERE json_extract(data, '$.status') = 'failed';

CREATE TABLE clip_events (
    id INTEGER NOT NULL CONSTRAINT pk_clip_events PRIMARY KEY AUTOINCREMENT,
    clip_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    severity TEXT NOT NULL DEFAULT 'info',
    event_data JSON NOT NULL DEFAULT '{}',
    occurred_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT fk_clip_events_clip_id_clip_states
        FOREIGN KEY (clip_id) REFERENCES clip_states (clip_id) ON DELETE CASCADE,
    CONSTRAINT ck_clip_events_event_type CHECK (event_type <> ''),
    CONSTRAINT ck_clip_events_severity CHECK (severity IN ('info', 'warning', 'error')),
    CONSTRAINT ck_clip_events_event_data_json CHECK (json_valid(event_data))
);

CREATE INDEX ix_clip_events_clip_id_occurred_at ON clip_events (clip_id, occurred_at);
CREATE INDEX ix_clip_events_severity_occurred_at ON clip_events (severity, occurred_at DESC);
CREATE INDEX ix_clip_events_error_code ON clip_events (event_type, json_extract(event_data, '$.error.code'));

CREATE TABLE logs (
    id INTEGER NOT NULL CONSTRAINT pk_logs PRIMARY KEY AUTOINCREMENT,
    logged_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    level TEXT NOT NULL DEFAULT 'INFO',
    logger TEXT NOT NULL,
    message TEXT NOT NULL DEFAULT '',
    clip_id TEXT,
    payload JSON,
    CONSTRAINT fk_logs_clip_id_clip_states
        FOREIGN KEY (clip_id) REFERENCES clip_states (clip_id) ON DELETE SET NULL,
    CONSTRAINT ck_logs_level CHECK (level IN ('DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL')),
    CONSTRAINT ck_logs_payload_json CHECK (payload IS NULL OR json_valid(payload))
);

CREATE INDEX ix_logs_logged_at ON logs (logged_at DESC);
CREATE INDEX ix_logs_errors ON logs (logger, logged_at) WHERE level = 'ERROR';
CREATE INDEX ix_logs_clip_id ON logs (clip_id) WHERE clip_id IS NOT NULL;
