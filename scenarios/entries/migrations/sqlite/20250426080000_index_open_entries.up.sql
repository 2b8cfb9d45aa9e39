-- Intent: the page of a notebook shows open entries only, so only they are indexed.
-- Risk: writers wait while the index is built; few entries qualify.

CREATE INDEX ix_entries_notebook_id_open ON entries (notebook_id, created_at)
    WHERE archived_at IS NULL;
