--liquibase formatted sql

--changeset ada:2
--comment: index books by author
CREATE INDEX ix_books_author_id ON books (author_id);
--rollback DROP INDEX ix_books_author_id;

--changeset ada:3
--comment: add books pages
ALTER TABLE books ADD COLUMN pages INTEGER NOT NULL DEFAULT 0;
--rollback ALTER TABLE books DROP COLUMN pages;
