--liquibase formatted sql

--changeset ada:4 dbms:postgresql splitStatements:false
--comment: keep author names
CREATE FUNCTION authors_keep_name() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the name of an author stays';
END;
$$;

CREATE TRIGGER authors_keep_name BEFORE UPDATE OF name ON authors
    FOR EACH ROW EXECUTE FUNCTION authors_keep_name();
--rollback DROP TRIGGER authors_keep_name ON authors;
--rollback DROP FUNCTION authors_keep_name();

--changeset ada:4 dbms:sqlite
--comment: keep author names
CREATE TRIGGER authors_keep_name BEFORE UPDATE OF name ON authors
BEGIN
    SELECT RAISE(ABORT, 'the name of an author stays');
END;
--rollback DROP TRIGGER authors_keep_name;
