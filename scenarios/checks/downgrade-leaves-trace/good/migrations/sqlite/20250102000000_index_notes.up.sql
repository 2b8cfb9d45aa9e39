CREATE INDEX IF NOT EXISTS ix_notes_title ON notes (title);
CREATE INDEX IF NOT EXISTS ix_notes_created_at ON notes (created_at);
