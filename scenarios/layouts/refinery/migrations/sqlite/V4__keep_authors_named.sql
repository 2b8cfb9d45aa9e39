CREATE TRIGGER authors_keep_name BEFORE UPDATE OF name ON authors
WHEN NEW.name = ''
BEGIN
    SELECT RAISE(ABORT, 'an author has a name; this one is empty');
END;
