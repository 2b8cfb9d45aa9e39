-- Intent: people who keep a diary.
-- Risk: none, a new table holds no rows and no release knows it.

CREATE TABLE users (
    id CHAR(36) NOT NULL,
    email TEXT NOT NULL,
    birthday DATE,
    created_at DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP,
    CONSTRAINT pk_users PRIMARY KEY (id),
    CONSTRAINT uq_users_email UNIQUE (email)
);
