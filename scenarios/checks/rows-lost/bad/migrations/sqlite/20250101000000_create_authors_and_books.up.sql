CREATE TABLE authors (
    id CHAR(36) NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT
);

CREATE TABLE books (
    id CHAR(36) NOT NULL CONSTRAINT pk_books PRIMARY KEY,
    author_id CHAR(36) NOT NULL CONSTRAINT fk_books_author_id REFERENCES authors (id) ON DELETE CASCADE,
    title TEXT NOT NULL
);
