-- Readers tell documents of different ages apart; all so far are of version 1.
ALTER TABLE clip_states ADD COLUMN schema_version INTEGER NOT NULL DEFAULT 1
    CONSTRAINT ck_clip_states_schema_version CHECK (schema_version > 0);
