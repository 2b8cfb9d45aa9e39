--liquibase formatted sql

--property name:key value:UUID dbms:postgresql
--property name:key value:CHAR(36)

--changeset ada:1
--comment: create authors
CREATE TABLE authors (
    id ${key} NOT NULL CONSTRAINT pk_authors PRIMARY KEY,
    name TEXT NOT NULL
);
--rollback DROP TABLE authors;

--changeset ada:2
--comment: create books
CREATE TABLE books (
    id ${key} NOT NULL CONSTRAINT pk_books PRIMARY KEY,
    author_id ${key} NOT NULL CONSTRAINT fk_books_author_id REFERENCES authors (id),
    title TEXT NOT NULL
);

CREATE INDEX ix_books_author_id ON books (author_id);
--rollback DROP TABLE books;
