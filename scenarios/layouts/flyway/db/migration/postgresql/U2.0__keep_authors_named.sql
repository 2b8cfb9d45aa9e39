DROP TRIGGER authors_keep_name ON authors;

DROP FUNCTION refuse_empty_name();
