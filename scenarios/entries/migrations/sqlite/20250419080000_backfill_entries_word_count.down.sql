-- Intent: empty the word counts, as they were before.
-- Risk: none, every count can be told from its body again.

UPDATE entries SET word_count = NULL WHERE word_count IS NOT NULL;
