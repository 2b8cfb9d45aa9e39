--liquibase formatted sql

--property name:key value:BIGINT dbms:postgresql
--property name:key value:INTEGER

--changeset ada:1
--comment: create authors and books
CREATE TABLE authors (
    id ${key} PRIMARY KEY,
    name TEXT NOT NULL
);

CREATE UNIQUE INDEX ux_authors_name ON authors (name);

CREATE TABLE books (
    id ${key} PRIMARY KEY,
    author_id ${key} NOT NULL REFERENCES authors (id) ON DELETE CASCADE,
    title TEXT NOT NULL
);
--rollback DROP TABLE books;
--rollback DROP TABLE authors;
