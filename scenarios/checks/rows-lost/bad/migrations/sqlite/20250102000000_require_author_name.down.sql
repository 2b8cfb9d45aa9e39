CREATE TEMP TABLE kept_books AS SELECT * FROM books;

CREATE TABLE new_authors (
    id CHAR(36) NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT
);
INSERT INTO new_authors (id, name) SELECT id, name FROM authors;
DROP TABLE authors;
ALTER TABLE new_authors RENAME TO authors;

INSERT INTO books (id, author_id, title) SELECT id, author_id, title FROM kept_books;
DROP TABLE kept_books;
