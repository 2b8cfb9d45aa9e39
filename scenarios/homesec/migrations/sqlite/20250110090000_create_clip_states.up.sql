-- One row per recorded clip; the pipeline's state is a JSON document.
-- The check refuses what JSONB would refuse.
CREATE TABLE clip_states (
    clip_id TEXT NOT NULL,
    data JSON NOT NULL,
    created_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_clip_states PRIMARY KEY (clip_id),
    CONSTRAINT ck_clip_states_data_json CHECK (json_valid(data))
);

CREATE INDEX ix_clip_states_status ON clip_states (json_extract(data, '$.status'));
CREATE INDEX ix_clip_states_updated_at ON clip_states (updated_at DESC);
