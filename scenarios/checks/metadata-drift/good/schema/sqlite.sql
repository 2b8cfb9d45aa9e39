-- What the application declares.

CREATE TABLE notes (
    id CHAR(36) NOT NULL CONSTRAINT pk_notes PRIMARY KEY,
    title TEXT NOT NULL,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX ix_notes_title ON notes (title);
