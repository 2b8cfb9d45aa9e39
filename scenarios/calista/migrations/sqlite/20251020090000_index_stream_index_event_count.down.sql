CREATE INDEX ix_stream_index_stream_type ON stream_index (stream_type);
DROP INDEX ix_stream_index_stream_type_event_count;
