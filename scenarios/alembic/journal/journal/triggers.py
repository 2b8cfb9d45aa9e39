"""The entries of a journal are never changed: triggers refuse it, each backend in its own words."""

POSTGRES = (
    """
    CREATE FUNCTION journal_forbid_mod() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'entries are append-only';
    END;
    $$
    """,
    """
    CREATE TRIGGER tr_entries_append_only BEFORE UPDATE OR DELETE ON entries
    FOR EACH ROW EXECUTE FUNCTION journal_forbid_mod()
    """,
    """
    CREATE TRIGGER tr_entries_no_truncate BEFORE TRUNCATE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION journal_forbid_mod()
    """,
)

# REPLACE deletes without a delete trigger unless recursive triggers are on, so it is refused on its way in.
SQLITE = (
    """
    CREATE TRIGGER tr_entries_no_update BEFORE UPDATE ON entries
    BEGIN
        SELECT RAISE(ABORT, 'entries are append-only');
    END
    """,
    """
    CREATE TRIGGER tr_entries_no_delete BEFORE DELETE ON entries
    BEGIN
        SELECT RAISE(ABORT, 'entries are append-only');
    END
    """,
    """
    CREATE TRIGGER tr_entries_no_replace BEFORE INSERT ON entries
    WHEN EXISTS (SELECT 1 FROM entries WHERE id = NEW.id)
    BEGIN
        SELECT RAISE(ABORT, 'entries are append-only');
    END
    """,
)

BY_DIALECT = {"postgresql": POSTGRES, "sqlite": SQLITE}
