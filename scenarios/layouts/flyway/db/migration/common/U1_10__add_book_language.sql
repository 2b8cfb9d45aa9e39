ALTER TABLE books DROP COLUMN language;
