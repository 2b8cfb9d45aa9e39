-- Rebuilt without the columns: SQLite before 3.35 has no DROP COLUMN. The events come back
-- under the table's own name, which settles the deferred references from stream_index.
-- No event is ever deleted, so the AUTOINCREMENT counter comes back with them.
PRAGMA defer_foreign_keys = ON;

CREATE TEMP TABLE parked_events AS SELECT * FROM event_store;
DROP TABLE event_store;

CREATE TABLE event_store (
    position INTEGER NOT NULL CONSTRAINT pk_event_store PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL,
    stream_id TEXT NOT NULL,
    stream_type TEXT NOT NULL,
    version INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    payload JSON NOT NULL,
    metadata JSON NOT NULL DEFAULT '{}',
    recorded_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
    CONSTRAINT uq_event_store_event_id UNIQUE (event_id),
    CONSTRAINT uq_event_store_stream_id_version UNIQUE (stream_id, version),
    CONSTRAINT ck_event_store_position CHECK (position > 0),
    CONSTRAINT ck_event_store_version CHECK (version > 0),
    CONSTRAINT ck_event_store_payload_json CHECK (json_valid(payload)),
    CONSTRAINT ck_event_store_metadata_json CHECK (json_valid(metadata))
);

INSERT INTO event_store (
    position, event_id, stream_id, stream_type, version, event_type, payload, metadata, recorded_at
)
SELECT
    position, event_id, stream_id, stream_type, version, event_type, payload, metadata, recorded_at
FROM parked_events
ORDER BY position;

DROP TABLE parked_events;

CREATE INDEX ix_event_store_type ON event_store (event_type);
CREATE INDEX ix_event_store_stream_type_recorded_at ON event_store (stream_type, recorded_at);

CREATE TRIGGER tr_event_store_forbid_update BEFORE UPDATE ON event_store
BEGIN
    SELECT RAISE(ABORT, 'event_store is append-only: UPDATE refused');
END;

CREATE TRIGGER tr_event_store_forbid_delete BEFORE DELETE ON event_store
BEGIN
    SELECT RAISE(ABORT, 'event_store is append-only: DELETE refused');
END;

-- REPLACE fires no delete trigger unless recursive_triggers is on, so a key that is
-- already there is refused whatever the statement's conflict clause says.
CREATE TRIGGER tr_event_store_forbid_replace BEFORE INSERT ON event_store
WHEN EXISTS (
    SELECT 1 FROM event_store
    WHERE position = NEW.position
        OR event_id = NEW.event_id
        OR (stream_id = NEW.stream_id AND version = NEW.version)
)
BEGIN
    SELECT RAISE(ABORT, 'event_store is append-only: existing key refused');
END;
