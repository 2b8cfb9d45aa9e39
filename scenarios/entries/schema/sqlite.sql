-- What the diary declares. Deleting follows ownership: a notebook goes with its user, an attachment with
-- its entry; an entry outlives its notebook, and keeps its user from being deleted.

CREATE TABLE users (
    id CHAR(36) NOT NULL CONSTRAINT pk_users PRIMARY KEY,
    email TEXT NOT NULL CONSTRAINT uq_users_email UNIQUE,
    birthday DATE,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE notebooks (
    id CHAR(36) NOT NULL CONSTRAINT pk_notebooks PRIMARY KEY,
    user_id CHAR(36) NOT NULL
        CONSTRAINT fk_notebooks_user_id REFERENCES users (id) ON DELETE CASCADE,
    title TEXT NOT NULL,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT uq_notebooks_user_id_title UNIQUE (user_id, title)
);

CREATE TABLE entries (
    id CHAR(36) NOT NULL CONSTRAINT pk_entries PRIMARY KEY,
    user_id CHAR(36) NOT NULL
        CONSTRAINT fk_entries_user_id REFERENCES users (id) ON DELETE RESTRICT,
    notebook_id CHAR(36)
        CONSTRAINT fk_entries_notebook_id REFERENCES notebooks (id) ON DELETE SET NULL,
    written_on DATE NOT NULL,
    body TEXT NOT NULL,
    mood TEXT NOT NULL DEFAULT 'neutral'
        CONSTRAINT ck_entries_mood CHECK (mood IN ('bad', 'neutral', 'good')),
    word_count INTEGER,
    archived_at DATETIME,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX ix_entries_user_created_at ON entries (user_id, created_at);
CREATE INDEX ix_entries_notebook_id_open ON entries (notebook_id, created_at) WHERE archived_at IS NULL;

CREATE TABLE attachments (
    id CHAR(36) NOT NULL CONSTRAINT pk_attachments PRIMARY KEY,
    entry_id CHAR(36) NOT NULL
        CONSTRAINT fk_attachments_entry_id REFERENCES entries (id) ON DELETE CASCADE,
    file_name TEXT NOT NULL,
    size_bytes BIGINT NOT NULL
        CONSTRAINT ck_attachments_size_bytes CHECK (size_bytes >= 0),
    details JSON,
    CONSTRAINT uq_attachments_entry_id_file_name UNIQUE (entry_id, file_name)
);
