-- Data only. Streams older than their projection get their entry in stream_index;
-- entries that exist are left alone, so it can be repeated.
INSERT INTO stream_index (stream_id, stream_type, last_event_id, last_version, updated_at)
SELECT newest.stream_id, newest.stream_type, newest.event_id, newest.version, newest.recorded_at
FROM event_store AS newest
WHERE newest.version = (
        SELECT max(version) FROM event_store AS event WHERE event.stream_id = newest.stream_id
    )
    AND NOT EXISTS (
        SELECT 1 FROM stream_index AS entry WHERE entry.stream_id = newest.stream_id
    );
