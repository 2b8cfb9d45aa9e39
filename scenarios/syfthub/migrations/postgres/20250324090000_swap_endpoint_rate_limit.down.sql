-- A limit that only the wide column can hold comes back in the narrow one as the largest it can hold.
SET LOCAL lock_timeout = '5s';

ALTER TABLE endpoints
    DROP CONSTRAINT ck_endpoints_rate_limit,
    ALTER COLUMN rate_limit DROP NOT NULL,
    ALTER COLUMN rate_limit DROP DEFAULT;
ALTER TABLE endpoints RENAME COLUMN rate_limit TO rate_limit_big;
ALTER TABLE endpoints
    ADD COLUMN rate_limit INTEGER NOT NULL DEFAULT 60,
    ADD CONSTRAINT ck_endpoints_rate_limit CHECK (rate_limit > 0);
UPDATE endpoints SET rate_limit = LEAST(rate_limit_big, 2147483647);
