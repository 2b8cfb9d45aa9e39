CREATE INDEX ix_notes_title ON notes (title);
