-- The overview lists streams of a type, the busiest first.
CREATE INDEX ix_stream_index_stream_type_event_count ON stream_index (stream_type, event_count DESC);
DROP INDEX ix_stream_index_stream_type;
