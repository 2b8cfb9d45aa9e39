-- One row per recorded clip; the pipeline's state is a JSON document.
CREATE TABLE clip_states (
    clip_id TEXT NOT NULL,
    data JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_clip_states PRIMARY KEY (clip_id)
);

CREATE INDEX ix_clip_states_status ON clip_states ((data ->> 'status'));
CREATE INDEX ix_clip_states_updated_at ON clip_states (updated_at DESC);
