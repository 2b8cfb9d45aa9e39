-- Schema only; the counts follow in the next revision.
ALTER TABLE stream_index
    ADD COLUMN event_count INTEGER NOT NULL DEFAULT 0,
    ADD CONSTRAINT ck_stream_index_event_count CHECK (event_count >= 0);
