-- Intent: count the words of entries that nobody has counted yet.
-- Risk: low, a counted entry is left alone, so it can be stopped and run again at any time.

UPDATE entries
SET word_count = CASE
    WHEN trim(body) = '' THEN 0
    ELSE length(trim(body)) - length(replace(trim(body), ' ', '')) + 1
END
WHERE word_count IS NULL;
