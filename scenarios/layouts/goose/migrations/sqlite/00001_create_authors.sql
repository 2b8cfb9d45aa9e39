-- +goose Up
CREATE TABLE authors (
    id CHAR(36) NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT NOT NULL
);

-- +goose Down
DROP TABLE authors;
