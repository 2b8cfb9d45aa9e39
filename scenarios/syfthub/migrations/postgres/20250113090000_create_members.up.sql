SET LOCAL lock_timeout = '5s';

CREATE TABLE members (
    organization_id BIGINT NOT NULL,
    user_id BIGINT NOT NULL,
    role TEXT NOT NULL DEFAULT 'member',
    joined_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT pk_members PRIMARY KEY (organization_id, user_id),
    CONSTRAINT fk_members_organization_id FOREIGN KEY (organization_id)
        REFERENCES organizations (id) ON DELETE CASCADE,
    CONSTRAINT fk_members_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_members_role CHECK (role IN ('owner', 'admin', 'member'))
);

CREATE INDEX ix_members_user_id ON members (user_id);
