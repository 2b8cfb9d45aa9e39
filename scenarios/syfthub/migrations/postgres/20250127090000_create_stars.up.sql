SET LOCAL lock_timeout = '5s';

CREATE TABLE stars (
    user_id BIGINT NOT NULL,
    endpoint_id BIGINT NOT NULL,
    starred_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    CONSTRAINT pk_stars PRIMARY KEY (user_id, endpoint_id),
    CONSTRAINT fk_stars_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_stars_endpoint_id FOREIGN KEY (endpoint_id)
        REFERENCES endpoints (id) ON DELETE CASCADE
);

CREATE INDEX ix_stars_endpoint_id ON stars (endpoint_id);
