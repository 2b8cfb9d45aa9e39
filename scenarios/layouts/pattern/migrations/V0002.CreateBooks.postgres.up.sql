CREATE TABLE books (
    id UUID NOT NULL CONSTRAINT pk_books PRIMARY KEY,
    author_id UUID NOT NULL CONSTRAINT fk_books_author_id REFERENCES authors (id),
    title TEXT NOT NULL
);

CREATE INDEX ix_books_author_id ON books (author_id);
