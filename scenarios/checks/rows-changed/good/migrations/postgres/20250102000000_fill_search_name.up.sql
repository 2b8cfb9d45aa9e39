ALTER TABLE users ADD COLUMN search_name TEXT;
UPDATE users SET search_name = trim(name);
