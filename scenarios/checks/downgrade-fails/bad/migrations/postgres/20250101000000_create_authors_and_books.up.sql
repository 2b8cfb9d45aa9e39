CREATE TABLE authors (
    id UUID NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE TABLE books (
    id UUID NOT NULL CONSTRAINT pk_books PRIMARY KEY,
    author_id UUID NOT NULL CONSTRAINT fk_books_author_id REFERENCES authors (id),
    title TEXT NOT NULL
);
