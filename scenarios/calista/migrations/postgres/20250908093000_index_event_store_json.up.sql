-- Containment queries (payload @> …) over events, for the support console.
CREATE INDEX ix_event_store_payload_gin ON event_store USING gin (payload jsonb_path_ops);
CREATE INDEX ix_event_store_metadata_gin ON event_store USING gin (metadata);
