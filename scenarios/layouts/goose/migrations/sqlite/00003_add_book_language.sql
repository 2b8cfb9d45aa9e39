-- +goose Up
ALTER TABLE books ADD COLUMN language TEXT NOT NULL DEFAULT '';

UPDATE books SET language = 'en';

-- +goose Down
ALTER TABLE books DROP COLUMN language;
