ALTER TABLE clip_states DROP COLUMN schema_version;
