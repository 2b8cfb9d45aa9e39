CREATE INDEX ix_books_author_id ON books (author_id);
