CREATE TABLE authors (
    id CHAR(36) NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE books (
    id CHAR(36) NOT NULL CONSTRAINT pk_books PRIMARY KEY,
    author_id CHAR(36) NOT NULL CONSTRAINT fk_books_author_id REFERENCES authors (id),
    title TEXT NOT NULL
);
