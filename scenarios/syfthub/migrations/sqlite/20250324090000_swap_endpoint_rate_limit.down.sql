-- A limit that only the wide column can hold comes back in the narrow one as the largest it can hold.
-- Dropping endpoints deletes its rows, and ON DELETE CASCADE would take the stars along: both are set
-- aside and put back.
CREATE TEMP TABLE kept_endpoints AS SELECT * FROM endpoints;
CREATE TEMP TABLE kept_stars AS SELECT * FROM stars;
DROP TABLE endpoints;

CREATE TABLE endpoints (
    id INTEGER NOT NULL,
    user_id BIGINT,
    organization_id BIGINT,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    visibility TEXT NOT NULL DEFAULT 'private',
    rate_limit INTEGER NOT NULL DEFAULT 60,
    rate_limit_big BIGINT,
    policies JSON NOT NULL DEFAULT '[]',
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_endpoints PRIMARY KEY (id),
    CONSTRAINT uq_endpoints_user_id_slug UNIQUE (user_id, slug),
    CONSTRAINT uq_endpoints_organization_id_slug UNIQUE (organization_id, slug),
    CONSTRAINT fk_endpoints_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_endpoints_organization_id FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT ck_endpoints_owner CHECK ((user_id IS NULL) <> (organization_id IS NULL)),
    CONSTRAINT ck_endpoints_visibility CHECK (visibility IN ('private', 'internal', 'public')),
    CONSTRAINT ck_endpoints_rate_limit CHECK (rate_limit > 0)
);

INSERT INTO endpoints (
    id, user_id, organization_id, slug, name, visibility, rate_limit, rate_limit_big, policies, created_at
)
SELECT
    id, user_id, organization_id, slug, name, visibility, min(rate_limit, 2147483647), rate_limit, policies, created_at
FROM kept_endpoints;

CREATE INDEX ix_endpoints_visibility_created_at ON endpoints (visibility, created_at);

INSERT INTO stars (user_id, endpoint_id, starred_at)
SELECT user_id, endpoint_id, starred_at FROM kept_stars;

DROP TABLE kept_stars;
DROP TABLE kept_endpoints;
