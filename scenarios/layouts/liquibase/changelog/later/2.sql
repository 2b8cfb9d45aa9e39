--liquibase formatted sql

--changeset ada:4 dbms:postgresql splitStatements:false
--comment: keep authors named
CREATE FUNCTION refuse_empty_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.name = '' THEN
        RAISE EXCEPTION 'an author has a name; this one is empty';
    END IF;
    RETURN NEW;
END;
$$;

CREATE TRIGGER authors_keep_name BEFORE UPDATE OF name ON authors
FOR EACH ROW EXECUTE FUNCTION refuse_empty_name();
--rollback DROP TRIGGER authors_keep_name ON authors;
--rollback DROP FUNCTION refuse_empty_name();

--changeset ada:4 dbms:sqlite
--comment: keep authors named
CREATE TRIGGER authors_keep_name BEFORE UPDATE OF name ON authors
WHEN NEW.name = ''
BEGIN
    SELECT RAISE(ABORT, 'an author has a name; this one is empty');
END;
--rollback DROP TRIGGER authors_keep_name;
