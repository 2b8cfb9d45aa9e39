-- Intent: take the word count away again.
-- Risk: none, it can be counted again.

ALTER TABLE entries DROP COLUMN word_count;
