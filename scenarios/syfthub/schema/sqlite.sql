-- What SyftHub declares: people and organizations publish endpoints, star them, and call them with tokens.

CREATE TABLE users (
    id INTEGER NOT NULL CONSTRAINT pk_users PRIMARY KEY,
    username TEXT NOT NULL
        CONSTRAINT uq_users_username UNIQUE
        CONSTRAINT ck_users_username CHECK (length(username) <= 63),
    email TEXT NOT NULL CONSTRAINT uq_users_email UNIQUE,
    is_active BOOLEAN NOT NULL DEFAULT TRUE,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE api_tokens (
    id CHAR(36) NOT NULL CONSTRAINT pk_api_tokens PRIMARY KEY,
    user_id BIGINT NOT NULL
        CONSTRAINT fk_api_tokens_user_id REFERENCES users (id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    token_prefix TEXT NOT NULL,
    token_hash TEXT NOT NULL
        CONSTRAINT uq_api_tokens_token_hash UNIQUE
        CONSTRAINT ck_api_tokens_token_hash CHECK (length(token_hash) = 64),
    last_used_at DATETIME,
    revoked_at DATETIME,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX ix_api_tokens_user_id_live ON api_tokens (user_id) WHERE revoked_at IS NULL;

CREATE TABLE organizations (
    id INTEGER NOT NULL CONSTRAINT pk_organizations PRIMARY KEY,
    slug TEXT NOT NULL CONSTRAINT uq_organizations_slug UNIQUE,
    name TEXT NOT NULL,
    description TEXT,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE members (
    organization_id BIGINT NOT NULL
        CONSTRAINT fk_members_organization_id REFERENCES organizations (id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL
        CONSTRAINT fk_members_user_id REFERENCES users (id) ON DELETE CASCADE,
    role TEXT NOT NULL DEFAULT 'member'
        CONSTRAINT ck_members_role CHECK (role IN ('owner', 'admin', 'member')),
    joined_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_members PRIMARY KEY (organization_id, user_id)
);

CREATE INDEX ix_members_user_id ON members (user_id);

-- An endpoint belongs to one user or to one organization, never to both.
CREATE TABLE endpoints (
    id INTEGER NOT NULL CONSTRAINT pk_endpoints PRIMARY KEY,
    user_id BIGINT
        CONSTRAINT fk_endpoints_user_id REFERENCES users (id) ON DELETE CASCADE,
    organization_id BIGINT
        CONSTRAINT fk_endpoints_organization_id REFERENCES organizations (id) ON DELETE CASCADE,
    slug TEXT NOT NULL,
    name TEXT NOT NULL,
    visibility TEXT NOT NULL DEFAULT 'private'
        CONSTRAINT ck_endpoints_visibility CHECK (visibility IN ('private', 'internal', 'public')),
    rate_limit BIGINT NOT NULL DEFAULT 60
        CONSTRAINT ck_endpoints_rate_limit CHECK (rate_limit > 0),
    policies JSON NOT NULL DEFAULT '[]',
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT uq_endpoints_user_id_slug UNIQUE (user_id, slug),
    CONSTRAINT uq_endpoints_organization_id_slug UNIQUE (organization_id, slug),
    CONSTRAINT ck_endpoints_owner CHECK ((user_id IS NULL) <> (organization_id IS NULL))
);

CREATE INDEX ix_endpoints_visibility_created_at ON endpoints (visibility, created_at);

CREATE TABLE stars (
    user_id BIGINT NOT NULL
        CONSTRAINT fk_stars_user_id REFERENCES users (id) ON DELETE CASCADE,
    endpoint_id BIGINT NOT NULL
        CONSTRAINT fk_stars_endpoint_id REFERENCES endpoints (id) ON DELETE CASCADE,
    starred_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_stars PRIMARY KEY (user_id, endpoint_id)
);

CREATE INDEX ix_stars_endpoint_id ON stars (endpoint_id);
