-- What the application declares.

CREATE TABLE notes (
    id UUID NOT NULL CONSTRAINT pk_notes PRIMARY KEY,
    title TEXT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE INDEX ix_notes_title ON notes (title);
