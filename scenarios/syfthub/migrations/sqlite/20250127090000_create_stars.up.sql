CREATE TABLE stars (
    user_id BIGINT NOT NULL,
    endpoint_id BIGINT NOT NULL,
    starred_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_stars PRIMARY KEY (user_id, endpoint_id),
    CONSTRAINT fk_stars_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT fk_stars_endpoint_id FOREIGN KEY (endpoint_id)
        REFERENCES endpoints (id) ON DELETE CASCADE
);

CREATE INDEX ix_stars_endpoint_id ON stars (endpoint_id);
