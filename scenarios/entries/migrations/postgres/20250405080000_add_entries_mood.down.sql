-- Intent: take the mood away again.
-- Risk: the moods are lost; the lock is short.

ALTER TABLE entries DROP COLUMN mood;
