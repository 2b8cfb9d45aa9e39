CREATE TABLE books (
    id CHAR(36) NOT NULL CONSTRAINT pk_books PRIMARY KEY,
    author_id CHAR(36) NOT NULL CONSTRAINT fk_books_author_id REFERENCES author (id),
    title TEXT NOT NULL
);
