-- Data only. Counts what each stream holds; counting again gives the same.
UPDATE stream_index
SET event_count = (
    SELECT count(*) FROM event_store AS event WHERE event.stream_id = stream_index.stream_id
);
