CREATE TABLE endpoints (
    id INTEGER NOT NULL,
    user_id BIGINT,
    organization_id BIGINT,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    visibility TEXT NOT NULL DEFAULT 'private',
    rate_limit INTEGER NOT NULL DEFAULT 60,
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
