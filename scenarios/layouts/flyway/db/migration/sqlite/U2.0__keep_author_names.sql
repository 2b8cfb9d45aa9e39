DROP TRIGGER authors_keep_name;
