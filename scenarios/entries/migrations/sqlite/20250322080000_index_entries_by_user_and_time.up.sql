-- Intent: the timeline of a user without a sort.
-- Risk: writers wait while the index is built, a second or so for a million entries.

CREATE INDEX ix_entries_user_created_at ON entries (user_id, created_at);
