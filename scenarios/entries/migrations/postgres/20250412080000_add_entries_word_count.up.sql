-- Intent: room for the number of words, filled by the next release and by a backfill.
-- Risk: none, the column may stay empty.

ALTER TABLE entries ADD COLUMN word_count INTEGER;
