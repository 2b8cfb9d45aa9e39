-- +goose Up
CREATE TABLE authors (
    id UUID NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT NOT NULL
);

-- +goose Down
DROP TABLE authors;
