DROP INDEX IF EXISTS ix_notes_title;
