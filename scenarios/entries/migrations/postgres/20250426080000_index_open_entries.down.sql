-- Intent: take the index of open entries away again.
-- Risk: none but a slower notebook page.

DROP INDEX ix_entries_notebook_id_open;
