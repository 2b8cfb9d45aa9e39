-- What happened to a clip, in order. Events go when their clip goes.
-- AUTOINCREMENT, so that ids are never used again, as with PostgreSQL's identity.
CREATE TABLE clip_events (
    id INTEGER NOT NULL CONSTRAINT pk_clip_events PRIMARY KEY AUTOINCREMENT,
    clip_id TEXT NOT NULL,
    event_type TEXT NOT NULL,
    event_data JSON NOT NULL DEFAULT '{}',
    occurred_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT fk_clip_events_clip_id_clip_states
        FOREIGN KEY (clip_id) REFERENCES clip_states (clip_id) ON DELETE CASCADE,
    CONSTRAINT ck_clip_events_event_type CHECK (event_type <> ''),
    CONSTRAINT ck_clip_events_event_data_json CHECK (json_valid(event_data))
);

CREATE INDEX ix_clip_events_clip_id_occurred_at ON clip_events (clip_id, occurred_at);
