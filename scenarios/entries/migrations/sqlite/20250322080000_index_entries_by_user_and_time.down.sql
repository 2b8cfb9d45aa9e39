-- Intent: take the timeline index away again.
-- Risk: none but a slower timeline.

DROP INDEX ix_entries_user_created_at;
