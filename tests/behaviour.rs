//! What the databases do, whatever they declare: promises are tried on both with the same values.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::command::{Project, Ran};
use support::is_skipped;
use switchback::Backend;

/// The report on one revision for each backend, of the checks about rows alone.
fn report(postgres: &str, sqlite: &str, config: &str) -> Option<Ran> {
    let checks = ["value-not-kept", "sequence-behind", "behaviour-mismatch"];
    checked(postgres, sqlite, config, &checks)
}

fn checked(postgres: &str, sqlite: &str, config: &str, checks: &[&str]) -> Option<Ran> {
    if is_skipped(Backend::Postgres) {
        return None;
    }
    let config = format!(
        "[history]\ntool = \"sqlx\"\npostgres = \"migrations/postgres\"\nsqlite = \"migrations/sqlite\"\n{config}"
    );
    let project = Project::new()
        .with("migrations/postgres/1_first.sql", postgres)
        .with("migrations/sqlite/1_first.sql", sqlite)
        .with("switchback.toml", config);
    Some(project.run(&format!("check --check {}", checks.join(" --check "))))
}

const QUIET: &str = "[rows]\ntypes = false\n";
const KEYS: &str = "[sqlite]\nforeign_keys = true\n[rows]\ntypes = false\n";

#[rstest]
#[case::not_null("a TEXT NOT NULL", "a TEXT", "NULL in column \"a\" of table \"t\" is refused by postgres")]
#[case::check_by_case(
    "a TEXT CHECK (a <> 'X')",
    "a TEXT CHECK (a <> 'X' COLLATE NOCASE)",
    "'x' in column \"a\" of table \"t\" is accepted by postgres and refused by sqlite"
)]
#[case::default(
    "a TEXT DEFAULT 'x'",
    "a TEXT DEFAULT 'y'",
    "a row without column \"a\" of table \"t\" leaves other values"
)]
#[case::unique(
    "a TEXT UNIQUE",
    "a TEXT",
    "the values of another row in \"a\" of table \"t\" is refused by postgres"
)]
#[case::case(
    "a TEXT UNIQUE",
    "a TEXT UNIQUE COLLATE NOCASE",
    "\"Switchback\" as \"sWITCHBACK\" in column \"a\" of table \"t\" leaves other values on postgres than on sqlite"
)]
fn a_difference_is_found_once(#[case] postgres: &str, #[case] sqlite: &str, #[case] says: &str) {
    let table = |column: &str| format!("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, {column});");
    let Some(ran) = report(&table(postgres), &table(sqlite), QUIET) else { return };
    let ran = ran.ends(1).says(says);
    assert!(ran.stdout.contains("\n1 error:"), "{}", ran.stdout);
}

const TEXTS: &str = "[rows]\ntypes = false\nvalues = { \"t.a\" = [\"007\"] }\n";

#[rstest]
fn a_text_that_becomes_a_number_is_found() {
    let table = |spelled: &str| format!("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a {spelled});");
    let Some(ran) = report(&table("TEXT"), &table("STRING"), TEXTS) else { return };
    ran.ends(1)
        .says("column \"a\" of table \"t\" does not keep what is written (sqlite)")
        .says("written '007', read 7");
}

#[rstest]
fn a_table_that_nothing_could_be_asked_about_is_said_not_to_have_been() {
    let table = "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT UNIQUE);";
    let Some(ran) = report(table, table, TEXTS) else { return };
    ran.ends(0).says("behaviour-mismatch").says("nothing was asked about table \"t\"");
}

/// Rows of a table whose children need parents of their own are made up late, and must not be in the
/// way of those that it is asked with.
#[rstest]
fn each_row_that_is_asked_with_is_one_that_would_be_taken() {
    let tables = "CREATE TABLE p (id INTEGER NOT NULL PRIMARY KEY, a TEXT);\n\
                  CREATE TABLE c (id INTEGER NOT NULL PRIMARY KEY, p INTEGER NOT NULL UNIQUE REFERENCES p (id));";
    let Some(ran) = report(tables, tables, KEYS) else { return };
    ran.ends(0).says("clean:").keeps_quiet_about("could not be tried");
}

#[rstest]
#[case::plain("a TEXT", "a TEXT")]
#[case::defaults("a TIMESTAMPTZ NOT NULL DEFAULT now()", "a TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP")]
#[case::seconds(
    "a BIGINT NOT NULL DEFAULT extract(epoch FROM now())::bigint",
    "a INTEGER NOT NULL DEFAULT (strftime('%s', 'now'))"
)]
#[case::json("a JSONB NOT NULL DEFAULT '{}'", "a JSON NOT NULL DEFAULT '{ }' CHECK (json_valid(a))")]
#[case::booleans("a BOOLEAN NOT NULL DEFAULT false", "a BOOLEAN NOT NULL DEFAULT 0 CHECK (a IN (0, 1))")]
#[case::enums("a TEXT CHECK (a = ANY (ARRAY['x', 'y']))", "a TEXT CHECK (a IN ('x', 'y'))")]
#[case::uuids("a UUID UNIQUE", "a BLOB UNIQUE")]
#[case::decimals("a NUMERIC(10, 2)", "a DECIMAL(10, 2)")]
#[case::no_case("a TEXT UNIQUE", "a TEXT UNIQUE COLLATE BINARY")]
fn what_means_the_same_is_silent(#[case] postgres: &str, #[case] sqlite: &str) {
    let table = |column: &str| format!("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, {column});");
    let Some(ran) = report(&table(postgres), &table(sqlite), QUIET) else { return };
    let ran = ran.ends(0);
    assert!(ran.stdout.contains("\nclean:") && !ran.stdout.contains("not run"), "{}", ran.stdout);
}

const REFERENCES: &str = "CREATE TABLE p (id TEXT NOT NULL PRIMARY KEY);\n\
                          CREATE TABLE c (id TEXT NOT NULL PRIMARY KEY, p TEXT NOT NULL REFERENCES p (id));";

#[rstest]
fn foreign_keys_that_nobody_turned_on_are_one_finding() {
    let off = "[sqlite]\nforeign_keys = false\n[rows]\ntypes = false\n";
    let Some(ran) = report(REFERENCES, REFERENCES, off) else { return };
    let ran = ran
        .ends(0)
        .says("sqlite, as this run opens it, enforces none of 1 foreign key that postgres enforces");
    assert!(ran.stdout.contains("\n1 warning:"), "{}", ran.stdout);
    report(REFERENCES, REFERENCES, KEYS).unwrap().ends(0).says("clean:");
}

#[rstest]
fn a_delete_that_cascades_on_one_of_the_two_is_found() {
    let cascading = REFERENCES.replace("REFERENCES p (id)", "REFERENCES p (id) ON DELETE CASCADE");
    let Some(ran) = report(REFERENCES, &cascading, KEYS) else { return };
    ran.ends(1).says(
        "DELETE of the row that \"p\" of table \"c\" refers to is refused by postgres and accepted by sqlite",
    );
}

#[rstest]
#[case::blanks_at_the_end("a TEXT", "a TEXT COLLATE RTRIM")]
#[case::language("a TEXT COLLATE \"und-x-icu\"", "a TEXT")]
#[case::language_of_a_key("a VARCHAR(20) COLLATE \"und-x-icu\" UNIQUE", "a VARCHAR(20) UNIQUE")]
#[case::language_of_a_domain("a title", "a TEXT")]
fn another_order_is_a_warning_at_the_column(#[case] postgres: &str, #[case] sqlite: &str) {
    let table = |column: &str| format!("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, {column});");
    let domain = "CREATE DOMAIN title AS TEXT COLLATE \"und-x-icu\";";
    let Some(ran) = report(&format!("{domain}{}", table(postgres)), &table(sqlite), QUIET) else { return };
    let says = "the place of \"a10\" among other texts in column \"a\" of table \"t\" is another on postgres than on sqlite";
    let ran = ran.ends(0).says(says);
    assert!(ran.stdout.contains("\n1 warning:"), "{}", ran.stdout);
}

#[rstest]
#[case::bytes("a TEXT COLLATE \"C\" UNIQUE", "a TEXT UNIQUE")]
#[case::neither("a TEXT UNIQUE", "a TEXT UNIQUE")]
#[case::posix("a VARCHAR(20) COLLATE \"POSIX\"", "a VARCHAR(20) COLLATE BINARY")]
#[case::too_short("a VARCHAR(3) COLLATE \"und-x-icu\"", "a VARCHAR(3)")]
#[case::no_place_for_it(
    "a TEXT COLLATE \"und-x-icu\" CHECK (a IN ('x', 'y'))",
    "a TEXT CHECK (a IN ('x', 'y'))"
)]
fn the_same_order_is_silent(#[case] postgres: &str, #[case] sqlite: &str) {
    let table = |column: &str| format!("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, {column});");
    let Some(ran) = report(&table(postgres), &table(sqlite), "") else { return };
    ran.ends(0).keeps_quiet_about("the place of").keeps_quiet_about("could not be put");
}

const WAITING: &str = "CREATE TABLE p (id TEXT NOT NULL PRIMARY KEY);\n\
                       CREATE TABLE c (id TEXT NOT NULL PRIMARY KEY, p TEXT NOT NULL REFERENCES p (id)";

#[rstest]
#[case::on_one(
    "DEFERRABLE INITIALLY DEFERRED",
    "",
    "a row before its parent in \"p\" of table \"c\" is accepted by postgres and refused by sqlite"
)]
#[case::on_the_other(
    "",
    "DEFERRABLE INITIALLY DEFERRED",
    "a row before its parent in \"p\" of table \"c\" is refused by postgres and accepted by sqlite"
)]
#[case::when_asked(
    "",
    "DEFERRABLE",
    "a row before its parent in \"p\" of table \"c\" after asking foreign keys to wait is refused by postgres and \
     accepted by sqlite"
)]
fn a_foreign_key_that_waits_on_one_of_the_two_is_found_once(
    #[case] postgres: &str,
    #[case] sqlite: &str,
    #[case] says: &str,
) {
    let table = |waits: &str| format!("{WAITING} {waits});");
    let Some(ran) = report(&table(postgres), &table(sqlite), KEYS) else { return };
    let ran = ran.ends(1).says(says);
    assert!(ran.stdout.contains("\n1 error:"), "{}", ran.stdout);
}

#[rstest]
#[case::both("DEFERRABLE INITIALLY DEFERRED", "DEFERRABLE INITIALLY DEFERRED")]
#[case::both_when_asked("DEFERRABLE", "DEFERRABLE INITIALLY IMMEDIATE")]
#[case::any_waits_on_sqlite_when_asked("DEFERRABLE", "")]
fn foreign_keys_that_wait_alike_are_silent(#[case] postgres: &str, #[case] sqlite: &str) {
    let table = |waits: &str| format!("{WAITING} {waits});");
    let Some(ran) = report(&table(postgres), &table(sqlite), KEYS) else { return };
    ran.ends(0).says("clean:");
}

#[rstest]
#[case::on_one("ON DELETE CASCADE", "", "accepted by postgres and refused by sqlite")]
#[case::on_the_other("", "ON DELETE CASCADE", "refused by postgres and accepted by sqlite")]
fn a_foreign_key_that_waits_is_tried_as_the_end_of_a_transaction_would(
    #[case] postgres: &str,
    #[case] sqlite: &str,
    #[case] says: &str,
) {
    let table = |action: &str| format!("{WAITING} {action} DEFERRABLE INITIALLY DEFERRED);");
    let Some(ran) = report(&table(postgres), &table(sqlite), KEYS) else { return };
    ran.ends(1).says(&format!("DELETE of the row that \"p\" of table \"c\" refers to is {says}"));
}

#[test]
fn a_row_that_waits_for_another_of_its_table_is_asked_about() {
    let table = |waits: &str| {
        let id = "id INTEGER NOT NULL PRIMARY KEY";
        format!("CREATE TABLE t ({id}, above INTEGER REFERENCES t (id) {waits});")
    };
    let Some(ran) = report(&table("DEFERRABLE INITIALLY DEFERRED"), &table(""), KEYS) else { return };
    ran.ends(1).says("a row before its parent in \"above\" of table \"t\" is accepted by postgres");
}

const ROOMS: &str = "CREATE TABLE bookings (id TEXT NOT NULL PRIMARY KEY, room TEXT NOT NULL, \
                     starts TIMESTAMP NOT NULL, ends TIMESTAMP NOT NULL, cancelled BOOLEAN NOT NULL);";
/// What is excluded with operators that need no extension.
const EXCLUDED: &str = "EXCLUDE USING gist (tsrange(starts, ends) WITH &&)";
const REFUSING: &str = "SELECT RAISE(ABORT, 'it overlaps') WHERE EXISTS (SELECT 1 FROM bookings \
                        WHERE starts < NEW.ends AND NEW.starts < ends AND NOT cancelled)";

#[rstest]
#[case::overlap(EXCLUDED, "")]
#[case::of_some_rows(&format!("{EXCLUDED} WHERE (NOT cancelled)"), "")]
#[case::of_equal_values("EXCLUDE USING btree (room WITH =)", "")]
#[case::by_a_trigger_that_says_something_else(
    EXCLUDED,
    "WHEN NEW.room = '' BEGIN SELECT RAISE(ABORT, 'no'); END;"
)]
fn rows_that_only_postgres_excludes_are_found(#[case] postgres: &str, #[case] trigger: &str) {
    let name = "CONSTRAINT ex_bookings";
    let postgres = format!("{ROOMS} ALTER TABLE bookings ADD {name} {postgres};");
    let trigger = match trigger {
        "" => String::new(),
        body => format!("CREATE TRIGGER tr_bookings BEFORE INSERT ON bookings {body}"),
    };
    let Some(ran) = report(&postgres, &format!("{ROOMS}{trigger}"), QUIET) else { return };
    let ran = ran.ends(1).says("a second row that \"ex_bookings\" of table \"bookings\" excludes");
    let ran = ran.says("is refused by postgres and accepted by sqlite");
    assert!(ran.stdout.contains("\n1 error:"), "{}", ran.stdout);
}

#[test]
fn a_trigger_of_sqlite_may_keep_what_an_exclusion_constraint_promises() {
    let postgres =
        format!("{ROOMS} ALTER TABLE bookings ADD CONSTRAINT ex_bookings {EXCLUDED} WHERE (NOT cancelled);");
    let trigger = format!(
        "CREATE TRIGGER tr_bookings BEFORE INSERT ON bookings WHEN NOT NEW.cancelled BEGIN {REFUSING}; END;"
    );
    let Some(ran) = report(&postgres, &format!("{ROOMS}{trigger}"), QUIET) else { return };
    ran.ends(0).says("clean:").keeps_quiet_about("could not be put");
}

#[rstest]
#[case::predicate(
    "(a) WHERE b = 'open'",
    "(a) WHERE b IN ('open', 'new')",
    "the values of another row in \"a\" of table \"t\" with \"b\" 'new' is accepted by postgres and refused by sqlite"
)]
#[case::no_predicate(
    "(a) WHERE gone IS NULL",
    "(a) WHERE gone IS NOT NULL",
    "the values of another row in \"a\" of table \"t\" with \"gone\" NULL is refused by postgres and accepted by sqlite"
)]
#[case::expression(
    "(lower(a))",
    "(a || b)",
    "\"sWITCHBACK\" beside \"Switchback\" in \"a\" of table \"t\" is refused by postgres and accepted by sqlite"
)]
#[case::nulls(
    "(a, coalesce(gone, 0))",
    "(a, coalesce(gone, b))",
    "the values of another row in \"a\", \"gone\" of table \"t\" with \"gone\" NULL is refused by postgres"
)]
#[case::documents(
    "((d ->> 'k'))",
    "(json_extract(d, '$.o'))",
    "the values of another row in \"d\" of table \"t\" with \"d\" '{\"k\":\"x\"}' is refused by postgres"
)]
fn a_unique_index_of_a_part_that_is_another_is_found_once(
    #[case] postgres: &str,
    #[case] sqlite: &str,
    #[case] says: &str,
) {
    let tables = |json: &str, index: &str| {
        format!(
            "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL, gone INTEGER, d {json});\n\
             CREATE UNIQUE INDEX ux_t ON t {index};"
        )
    };
    let Some(ran) = report(&tables("JSONB", postgres), &tables("JSON", sqlite), QUIET) else { return };
    let ran = ran.ends(1).says(says);
    assert!(ran.stdout.contains("\n1 error:"), "{}", ran.stdout);
}

/// The words of an enum are tried; those that a predicate speaks of in a foreign key are not, since there
/// may be no such parent.
#[test]
fn a_unique_index_that_chooses_by_an_enum_is_asked_about() {
    let tables = |kind: &str, word: &str| {
        format!(
            "CREATE TABLE p (id TEXT NOT NULL PRIMARY KEY);\n\
             CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT NOT NULL, b {kind} NOT NULL, p TEXT REFERENCES p (id));\n\
             CREATE UNIQUE INDEX ux_t ON t (a) WHERE b = '{word}' AND (p IS NULL OR p <> 'none');"
        )
    };
    let words = "('open', 'new', 'gone')";
    let postgres = format!("CREATE TYPE mood AS ENUM {words}; {}", tables("mood", "gone"));
    let sqlite = tables(&format!("TEXT CHECK (b IN {words})"), "lost");
    let off = "[sqlite]\nforeign_keys = false\n[rows]\ntypes = false\n";
    let Some(ran) = report(&postgres, &sqlite, off) else { return };
    let ran = ran
        .ends(1)
        .says("the values of another row in \"a\" of table \"t\" with \"b\" 'gone' and \"p\" NULL is refused by postgres")
        .keeps_quiet_about("could not be put");
    assert!(ran.stdout.contains("\n1 error, 1 warning:"), "{}", ran.stdout);
}

#[rstest]
#[case::predicate("(a) WHERE b = 'open'", "(a) WHERE 'open' = b")]
#[case::null("(a) WHERE gone IS NULL", "(a) WHERE gone IS NULL")]
#[case::truth("(a) WHERE f", "(a) WHERE f = 1")]
#[case::in_lower_case("(lower(a))", "(a COLLATE NOCASE)")]
#[case::documents("((d ->> 'k'))", "(json_extract(d, '$.k'))")]
fn a_unique_index_of_a_part_that_means_the_same_is_silent(#[case] postgres: &str, #[case] sqlite: &str) {
    let tables = |json: &str, index: &str| {
        format!(
            "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT NOT NULL, b TEXT NOT NULL, f BOOLEAN NOT NULL, \
             gone INTEGER, d {json});\n\
             CREATE UNIQUE INDEX ux_t ON t {index};"
        )
    };
    let Some(ran) = report(&tables("JSONB", postgres), &tables("JSON", sqlite), QUIET) else { return };
    ran.ends(0).says("clean:").keeps_quiet_about("could not be put");
}

#[rstest]
#[case::foreign_key(
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED);",
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT REFERENCES t (id));"
)]
#[case::exclusion(
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a INTEGER, EXCLUDE USING btree (a WITH =));",
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a INTEGER);"
)]
#[case::unique_index(
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT); CREATE UNIQUE INDEX ux ON t (lower(a));",
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT); CREATE UNIQUE INDEX ux ON t (a);"
)]
#[case::collation(
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT);",
    "CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, a TEXT COLLATE NOCASE);"
)]
fn what_the_declarations_tell_is_not_told_twice(#[case] postgres: &str, #[case] sqlite: &str) {
    let config = format!("{KEYS}[checks]\n\"parity-mismatch\" = \"error\"\n");
    let both = ["parity-mismatch", "behaviour-mismatch"];
    let Some(ran) = checked(postgres, sqlite, &config, &both) else { return };
    let ran = ran.ends(1).says("[parity-mismatch]").keeps_quiet_about("[behaviour-mismatch]");
    assert!(ran.stdout.contains("\n1 error:"), "{}", ran.stdout);
}

/// SQLite counts INTEGER PRIMARY KEY, and nothing else that is called an integer.
#[rstest]
#[case(
    "id BIGINT NOT NULL PRIMARY KEY",
    "is refused: NOT NULL constraint failed: logs.id (sqlite), while postgres counts"
)]
#[case("id BIGINT PRIMARY KEY", "gets NULL for it (sqlite), while postgres counts")]
fn a_big_integer_that_sqlite_does_not_count_is_found(#[case] key: &str, #[case] says: &str) {
    let postgres = "CREATE TABLE logs (id BIGINT GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, line TEXT);";
    let sqlite = format!("CREATE TABLE logs ({key}, line TEXT);");
    let Some(ran) = report(postgres, &sqlite, QUIET) else { return };
    ran.ends(1).says(&format!("a row that leaves column \"id\" of table \"logs\" to the database {says}"));
}

#[rstest]
fn what_types_refuse_is_one_note_that_can_be_switched_off() {
    let (postgres, sqlite) =
        ("CREATE TABLE t (id TEXT PRIMARY KEY, n SMALLINT, m VARCHAR(3));", "n INTEGER, m VARCHAR(3)");
    let sqlite = format!("CREATE TABLE t (id TEXT NOT NULL PRIMARY KEY, {sqlite});");
    let Some(ran) = report(postgres, &sqlite, "") else { return };
    ran.ends(0).says("\n1 note:").says("\"t\": m, n");
    report(postgres, &sqlite, QUIET).unwrap().ends(0).says("clean:");
}
