DROP TABLE stream_index;
DROP TABLE event_store;
