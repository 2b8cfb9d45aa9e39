ALTER TABLE stream_index DROP COLUMN event_count;
