DROP INDEX ix_notes_title;
DROP INDEX ix_notes_created_at;
