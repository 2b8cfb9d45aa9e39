CREATE FUNCTION authors_keep_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the name of an author stays';
END;
$$;

CREATE TRIGGER authors_keep_name BEFORE UPDATE OF name ON authors
    FOR EACH ROW EXECUTE FUNCTION authors_keep_name();
