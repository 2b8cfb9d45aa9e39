CREATE TABLE books (
    id UUID NOT NULL CONSTRAINT pk_books PRIMARY KEY,
    author_id UUID NOT NULL,
    title TEXT NOT NULL
);

ALTER TABLE books ADD CONSTRAINT fk_books_author_id
    FOREIGN KEY (author_id) REFERENCES authors (id) NOT VALID;
