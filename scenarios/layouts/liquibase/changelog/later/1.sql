--liquibase formatted sql

--changeset ada:3
--comment: add book language
ALTER TABLE books ADD COLUMN language TEXT NOT NULL DEFAULT '';

UPDATE books SET language = 'en';
--rollback ALTER TABLE books DROP COLUMN language;
