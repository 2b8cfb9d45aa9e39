-- A log line may belong to a clip; it outlives it.
ALTER TABLE logs
    ADD COLUMN clip_id TEXT,
    ADD CONSTRAINT fk_logs_clip_id_clip_states
        FOREIGN KEY (clip_id) REFERENCES clip_states (clip_id) ON DELETE SET NULL;

CREATE INDEX ix_logs_clip_id ON logs (clip_id) WHERE clip_id IS NOT NULL;
