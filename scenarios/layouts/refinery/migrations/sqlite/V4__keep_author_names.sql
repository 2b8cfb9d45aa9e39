CREATE TRIGGER authors_keep_name BEFORE UPDATE OF name ON authors
BEGIN
    SELECT RAISE(ABORT, 'the name of an author stays');
END;
