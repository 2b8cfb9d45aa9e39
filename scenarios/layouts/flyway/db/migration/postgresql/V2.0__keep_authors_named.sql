CREATE FUNCTION refuse_empty_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name = ${empty} THEN
        RAISE EXCEPTION 'an author has a name; this one is empty';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER authors_keep_name BEFORE UPDATE OF name ON authors
FOR EACH ROW EXECUTE FUNCTION refuse_empty_name();
