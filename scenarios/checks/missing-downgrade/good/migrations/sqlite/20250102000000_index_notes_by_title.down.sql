DROP INDEX ix_notes_title;
