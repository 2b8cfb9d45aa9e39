-- Rebuilt without the column: SQLite before 3.35 has no DROP COLUMN. Nothing refers to it.
CREATE TABLE stream_index_new (
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

INSERT INTO stream_index_new (stream_id, stream_type, last_event_id, last_version, updated_at)
SELECT stream_id, stream_type, last_event_id, last_version, updated_at FROM stream_index;

DROP TABLE stream_index;
ALTER TABLE stream_index_new RENAME TO stream_index;

CREATE INDEX ix_stream_index_stream_type ON stream_index (stream_type);
