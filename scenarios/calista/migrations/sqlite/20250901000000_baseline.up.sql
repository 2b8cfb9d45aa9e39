-- Pinned baseline: the whole early schema. It is applied in production and must never be
-- edited; every later change is a revision of its own.

-- Events are appended and never changed: the triggers hold for every connection.
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

-- The newest event of each stream: a projection, which may be changed and rebuilt.
CREATE TABLE stream_index (
    stream_id TEXT NOT NULL,
    stream_type TEXT NOT NULL,
    last_event_id TEXT NOT NULL,
    last_version INTEGER NOT NULL,
    updated_at TEXT NOT NULL,
    CONSTRAINT pk_stream_index PRIMARY KEY (stream_id),
    CONSTRAINT uq_stream_index_last_event_id UNIQUE (last_event_id),
    CONSTRAINT fk_stream_index_last_event_id_event_store
        FOREIGN KEY (last_event_id) REFERENCES event_store (event_id),
    CONSTRAINT ck_stream_index_last_version CHECK (last_version > 0)
);

CREATE INDEX ix_stream_index_stream_type ON stream_index (stream_type);
