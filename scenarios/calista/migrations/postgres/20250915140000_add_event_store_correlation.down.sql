ALTER TABLE event_store
    DROP COLUMN causation_id,
    DROP COLUMN correlation_id;
