DROP TABLE stream_index;
DROP TABLE event_store;
DROP FUNCTION event_store_forbid_mod();
