-- migrate:up
CREATE TABLE authors (
    id UUID NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT NOT NULL
);

-- migrate:down
DROP TABLE authors;
