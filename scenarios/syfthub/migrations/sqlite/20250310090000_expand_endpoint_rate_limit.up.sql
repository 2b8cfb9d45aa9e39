-- Expand: rate limits outgrow an integer. From the next release on the application writes both columns.
ALTER TABLE endpoints ADD COLUMN rate_limit_big BIGINT;
