-- Intent: take the word count away again.
-- Risk: none, it can be counted again.
--   SQLite before 3.35 drops a column by a rebuild only, and dropping entries deletes their
--   attachments (CASCADE), so both are set aside and put back.

CREATE TEMP TABLE kept_entries AS SELECT * FROM entries;
CREATE TEMP TABLE kept_attachments AS SELECT * FROM attachments;
DROP TABLE entries;

CREATE TABLE entries (
    id CHAR(36) NOT NULL,
    user_id CHAR(36) NOT NULL,
    notebook_id CHAR(36),
    written_on DATE NOT NULL,
    body TEXT NOT NULL,
    mood TEXT NOT NULL DEFAULT 'neutral',
    archived_at DATETIME,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_entries PRIMARY KEY (id),
    CONSTRAINT fk_entries_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE RESTRICT,
    CONSTRAINT fk_entries_notebook_id FOREIGN KEY (notebook_id)
        REFERENCES notebooks (id) ON DELETE SET NULL,
    CONSTRAINT ck_entries_mood CHECK (mood IN ('bad', 'neutral', 'good'))
);

INSERT INTO entries (id, user_id, notebook_id, written_on, body, mood, archived_at, created_at)
SELECT id, user_id, notebook_id, written_on, body, mood, archived_at, created_at FROM kept_entries;

CREATE INDEX ix_entries_user_created_at ON entries (user_id, created_at);

INSERT INTO attachments (id, entry_id, file_name, size_bytes, details)
SELECT id, entry_id, file_name, size_bytes, details FROM kept_attachments;

DROP TABLE kept_attachments;
DROP TABLE kept_entries;
