DROP TRIGGER authors_keep_name ON authors;
DROP FUNCTION authors_keep_name();
