-- no-transaction
DROP INDEX CONCURRENTLY ix_endpoints_visibility_created_at;
