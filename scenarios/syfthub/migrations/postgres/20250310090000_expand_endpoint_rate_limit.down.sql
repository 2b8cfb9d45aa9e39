SET LOCAL lock_timeout = '5s';

ALTER TABLE endpoints DROP COLUMN rate_limit_big;
