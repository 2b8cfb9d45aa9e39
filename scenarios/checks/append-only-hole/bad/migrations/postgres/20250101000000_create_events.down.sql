DROP TABLE events;
DROP FUNCTION events_forbid_mod();
