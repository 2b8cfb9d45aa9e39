-- Intent: notebooks, which go when their user goes (CASCADE).
-- Risk: none, a new table holds no rows and no release knows it.

CREATE TABLE notebooks (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    title TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT pk_notebooks PRIMARY KEY (id),
    CONSTRAINT uq_notebooks_user_id_title UNIQUE (user_id, title),
    CONSTRAINT fk_notebooks_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
