-- Contract: the wide column takes the name, the default and the check of the narrow one.
SET LOCAL lock_timeout = '5s';

ALTER TABLE endpoints DROP COLUMN rate_limit;
ALTER TABLE endpoints RENAME COLUMN rate_limit_big TO rate_limit;
ALTER TABLE endpoints
    ALTER COLUMN rate_limit SET DEFAULT 60,
    ALTER COLUMN rate_limit SET NOT NULL,
    ADD CONSTRAINT ck_endpoints_rate_limit CHECK (rate_limit > 0);
