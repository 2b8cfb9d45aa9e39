-- Pinned baseline: the whole early schema. It is applied in production and must never be
-- edited; every later change is a revision of its own.

-- Events are appended and never changed: the triggers hold for every role that writes.
CREATE TABLE event_store (
    position BIGINT GENERATED ALWAYS AS IDENTITY,
    event_id UUID NOT NULL,
    stream_id TEXT NOT NULL,
    stream_type TEXT NOT NULL,
    version INTEGER NOT NULL,
    event_type TEXT NOT NULL,
    payload JSONB NOT NULL,
    metadata JSONB NOT NULL DEFAULT '{}',
    recorded_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT pk_event_store PRIMARY KEY (position),
    CONSTRAINT uq_event_store_event_id UNIQUE (event_id),
    CONSTRAINT uq_event_store_stream_id_version UNIQUE (stream_id, version),
    CONSTRAINT ck_event_store_position CHECK (position > 0),
    CONSTRAINT ck_event_store_version CHECK (version > 0)
);

CREATE INDEX ix_event_store_type ON event_store (event_type);
CREATE INDEX ix_event_store_stream_type_recorded_at ON event_store (stream_type, recorded_at);

CREATE FUNCTION event_store_forbid_mod() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'event_store is append-only: % refused', TG_OP;
END;
$$;

CREATE TRIGGER tr_event_store_forbid_update BEFORE UPDATE ON event_store
    FOR EACH ROW EXECUTE FUNCTION event_store_forbid_mod();
CREATE TRIGGER tr_event_store_forbid_delete BEFORE DELETE ON event_store
    FOR EACH ROW EXECUTE FUNCTION event_store_forbid_mod();
CREATE TRIGGER tr_event_store_forbid_truncate BEFORE TRUNCATE ON event_store
    FOR EACH STATEMENT EXECUTE FUNCTION event_store_forbid_mod();
-- Also while rows are replicated or restored.
ALTER TABLE event_store ENABLE ALWAYS TRIGGER tr_event_store_forbid_update;
ALTER TABLE event_store ENABLE ALWAYS TRIGGER tr_event_store_forbid_delete;
ALTER TABLE event_store ENABLE ALWAYS TRIGGER tr_event_store_forbid_truncate;

-- The newest event of each stream: a projection, which may be changed and rebuilt.
CREATE TABLE stream_index (
    stream_id TEXT NOT NULL,
    stream_type TEXT NOT NULL,
    last_event_id UUID NOT NULL,
    last_version INTEGER NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    CONSTRAINT pk_stream_index PRIMARY KEY (stream_id),
    CONSTRAINT uq_stream_index_last_event_id UNIQUE (last_event_id),
    CONSTRAINT fk_stream_index_last_event_id_event_store
        FOREIGN KEY (last_event_id) REFERENCES event_store (event_id),
    CONSTRAINT ck_stream_index_last_version CHECK (last_version > 0)
);

CREATE INDEX ix_stream_index_stream_type ON stream_index (stream_type);
