-- no-transaction
-- Writers go on while it builds. An IF NOT EXISTS would take an index that an interrupted build left
-- invalid for a good one, so there is none.
CREATE INDEX CONCURRENTLY ix_endpoints_visibility_created_at ON endpoints (visibility, created_at);
