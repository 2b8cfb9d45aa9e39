DROP INDEX IF EXISTS ix_notes_title;
DROP INDEX IF EXISTS ix_notes_created_at;
