-- Events of one request share a correlation; earlier events have none and stay as they are.
ALTER TABLE event_store
    ADD COLUMN correlation_id UUID,
    ADD COLUMN causation_id UUID;

CREATE INDEX ix_event_store_correlation_id ON event_store (correlation_id)
    WHERE correlation_id IS NOT NULL;
