CREATE TABLE new_authors (
    id CHAR(36) NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT NOT NULL
);
INSERT INTO new_authors (id, name) SELECT id, name FROM authors;
DROP TABLE authors;
ALTER TABLE new_authors RENAME TO authors;
