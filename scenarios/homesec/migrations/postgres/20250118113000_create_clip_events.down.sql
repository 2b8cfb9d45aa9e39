DROP TABLE clip_events;
