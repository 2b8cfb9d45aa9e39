CREATE TABLE authors (
    id BIGINT PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE UNIQUE INDEX ux_authors_name ON authors (name);

CREATE TABLE books (
    id BIGINT PRIMARY KEY,
    author_id BIGINT NOT NULL REFERENCES authors (id) ON DELETE CASCADE,
    title TEXT NOT NULL
);
