-- Intent: entries; a user who wrote any is kept (RESTRICT), one whose notebook goes stays without (SET NULL).
-- Risk: none, a new table holds no rows and no release knows it.

CREATE TABLE entries (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    notebook_id UUID,
    written_on DATE NOT NULL,
    body TEXT NOT NULL,
    archived_at TIMESTAMPTZ,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT pk_entries PRIMARY KEY (id),
    CONSTRAINT fk_entries_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT fk_entries_notebook_id FOREIGN KEY (notebook_id)
        REFERENCES notebooks (id) ON DELETE SET NULL
);
