-- Intent: every entry has a mood; entries of before are neutral.
-- Risk: low, a constant default rewrites no row; the check reads each row once while writers wait.

ALTER TABLE entries ADD COLUMN mood TEXT NOT NULL DEFAULT 'neutral'
    CONSTRAINT ck_entries_mood CHECK (mood IN ('bad', 'neutral', 'good'));
