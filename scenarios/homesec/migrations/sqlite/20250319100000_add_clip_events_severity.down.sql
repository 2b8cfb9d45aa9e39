-- Rebuilt without the column: SQLite before 3.35 has no DROP COLUMN.
CREATE TABLE clip_events_new (
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

INSERT INTO clip_events_new (id, clip_id, event_type, event_data, occurred_at)
SELECT id, clip_id, event_type, event_data, occurred_at FROM clip_events;

-- Ids of events already deleted stay used.
DELETE FROM sqlite_sequence WHERE name = 'clip_events_new';
INSERT INTO sqlite_sequence (name, seq)
SELECT 'clip_events_new', seq FROM sqlite_sequence WHERE name = 'clip_events';

DROP TABLE clip_events;
ALTER TABLE clip_events_new RENAME TO clip_events;

CREATE INDEX ix_clip_events_clip_id_occurred_at ON clip_events (clip_id, occurred_at);
CREATE INDEX ix_clip_events_error_code ON clip_events (event_type, json_extract(event_data, '$.error.code'));
