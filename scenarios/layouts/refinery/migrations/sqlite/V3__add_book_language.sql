ALTER TABLE books ADD COLUMN language TEXT NOT NULL DEFAULT '';

UPDATE books SET language = 'en';
