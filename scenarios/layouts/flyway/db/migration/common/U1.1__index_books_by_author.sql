DROP INDEX ix_books_author_id;
