CREATE INDEX ix_endpoints_visibility_created_at ON endpoints (visibility, created_at);
