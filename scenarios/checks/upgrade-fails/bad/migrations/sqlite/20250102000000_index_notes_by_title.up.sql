CREATE INDEX ix_notes_created_at ON notes (created_at);
CREATE INDEX ix_notes_title ON notes USING btree (title);
