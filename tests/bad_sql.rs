//! SQL that fails, or does what a migration should not: it is found, named with its place, and
//! nothing of it is left.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::command::{Project, Ran};
use support::is_skipped;
use switchback::Backend;

/// Runs the check on one backend, or nothing where the backend is left out.
fn check(project: &Project, backend: Backend) -> Option<Ran> {
    (!is_skipped(backend)).then(|| project.run(&format!("check --backend {backend}")))
}

/// Nine statements, a line each but for blank lines, of which the seventh is this one.
fn nine(seventh: &str) -> String {
    let table = |number: usize| format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, a INTEGER);\n\n");
    (1..=9).map(|number| if number == 7 { format!("{seventh}\n\n") } else { table(number) }).collect()
}

#[rstest]
#[case::syntax("CREATE TABEL t7 (id INTEGER PRIMARY KEY);")]
#[case::a_name("CREATE INDEX ix ON nowhere (id);")]
#[case::at_run_time("INSERT INTO t1 (id) VALUES (1), (1);")]
#[case::over_three_lines("INSERT INTO t1\n  (id)\nVALUES (1), (1);")]
fn statement_7_of_9_fails(
    #[case] seventh: &str,
    #[values("", "-- no-transaction\n")] start: &str,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let project = Project::sqlx(&[("1_nine.sql", &format!("{start}{}", nine(seventh)))]);
    let Some(ran) = check(&project, backend) else {
        return;
    };
    let line = 13 + start.lines().count();
    ran.ends(1)
        .says("error[upgrade-fails]: upgrade of 1_nine failed")
        .says(&format!("--> migrations/1_nine.sql:{line}\n"))
        .says("statement 7 of 9");
}

#[rstest]
fn line_ends_and_marks(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
    #[values("\n", "\r\n")] end: &str,
) {
    let text =
        format!("-- One table.{end}CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT DEFAULT 'x{end}y');{end}");
    let down = format!("DROP TABLE t;{end}");
    let project = Project::sqlx(&[("1_a.up.sql", &text), ("1_a.down.sql", &down)]);
    let Some(ran) = check(&project, backend) else {
        return;
    };
    ran.ends(0);
}

#[rstest]
fn nothing_but_comments_or_nothing_at_all(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
    #[values("", "\n \n", "-- Later.\n", "/* Never. */", ";\n;\n")] text: &str,
) {
    let project = Project::sqlx(&[("1_a.up.sql", text), ("1_a.down.sql", text)]);
    let Some(ran) = check(&project, backend) else {
        return;
    };
    ran.ends(0);
}

/// What becomes of a file that opens or ends transactions, as on each backend its tool would find.
#[rstest]
#[case::begin_and_commit("BEGIN;\n{table}COMMIT;\n", None, Some("cannot start a transaction"))]
#[case::commit("{table}COMMIT;\n", None, Some("ends the transaction that its tool has opened"))]
#[case::commit_and_begin("{table}COMMIT;\nBEGIN;\n", None, None)]
#[case::rollback("{table}ROLLBACK;\n", None, Some("1_a.up.sql:2\n"))]
#[case::begin("BEGIN;\n{table}", None, Some("cannot start a transaction"))]
#[case::a_savepoint("SAVEPOINT a;\n{table}", None, None)]
#[case::its_own("-- no-transaction\nBEGIN;\n{table}COMMIT;\n", None, None)]
#[case::its_own_taken_back("-- no-transaction\nBEGIN;\n{table}ROLLBACK;\n", None, None)]
#[case::its_own_left_open(
    "-- no-transaction\nBEGIN;\n{table}",
    Some("leaves a transaction open"),
    Some("leaves a transaction open")
)]
#[case::commit_of_none("-- no-transaction\n{table}COMMIT;\n", None, Some("1_a.up.sql:3\n"))]
#[case::a_savepoint_alone(
    "-- no-transaction\nSAVEPOINT a;\n{table}",
    Some("only be used in transaction blocks"),
    Some("leaves a transaction open")
)]
#[case::a_failure_in_its_own(
    "-- no-transaction\nBEGIN;\n{table}{wrong}COMMIT;\n",
    Some("1_a.up.sql:4\n"),
    Some("1_a.up.sql:4\n")
)]
fn transactions_of_its_own(
    #[case] text: &str,
    #[case] on_postgres: Option<&str>,
    #[case] on_sqlite: Option<&str>,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY);\n";
    let text = text.replace("{table}", table).replace("{wrong}", "CREATE INDEX i ON nowhere (id);\n");
    let project = Project::sqlx(&[
        ("1_a.up.sql", &text),
        ("1_a.down.sql", "DROP TABLE IF EXISTS t;\n"),
        ("2_b.up.sql", "CREATE TABLE u (id INTEGER PRIMARY KEY);\n"),
        ("2_b.down.sql", "DROP TABLE u;\n"),
    ]);
    let Some(ran) = check(&project, backend) else {
        return;
    };
    match if backend == Backend::Postgres { on_postgres } else { on_sqlite } {
        None => ran.ends(0),
        Some(said) => ran.ends(1).says(said),
    };
}

/// A file beside the database may be the user's own.
#[rstest]
#[case::attached("-- no-transaction\nATTACH '{file}' AS theirs;\nDROP TABLE theirs.t;\n")]
#[case::copied_into("-- no-transaction\nVACUUM INTO '{file}';\n")]
fn on_sqlite_no_other_file_is_touched(#[case] text: &str) {
    let project = Project::sqlx(&[("1_a.down.sql", "")]).with("theirs.db", "");
    let theirs = project.root().join("theirs.db");
    let text = text.replace("{file}", &theirs.display().to_string());
    let project = project.with("migrations/1_a.up.sql", text);
    let ran = project.run("check --backend sqlite").ends(1);
    ran.says("it was not run, since it leads to a file that is not of this run")
        .says("migrations/1_a.up.sql:2");
    assert_eq!(std::fs::read(theirs).unwrap(), b"");
}

/// What a file does to its session stays done for the files after it, as in production, and never
/// blinds the recorder or outlives the run.
#[rstest]
#[case::dropping_public("DROP SCHEMA public CASCADE;", "relation \"_sqlx_migrations\" does not exist")]
#[case::another_role("SET ROLE pg_monitor;", "permission denied for table _sqlx_migrations")]
#[case::another_user("SET SESSION AUTHORIZATION pg_monitor;", "permission denied for table _sqlx_migrations")]
#[case::another_search_path("CREATE SCHEMA a; SET search_path = a;", "so the tool notes the step")]
#[case::a_role(
    "CREATE ROLE switchback_test_role;",
    "created role \"switchback_test_role\" of the whole server"
)]
#[case::a_role_taken_on(
    "CREATE ROLE switchback_test_own; SET ROLE switchback_test_own;",
    "permission denied for table"
)]
#[case::a_database(
    "-- no-transaction\nCREATE DATABASE switchback_test;",
    "created database \"switchback_test\" of the whole server"
)]
#[case::settings_of_a_role(
    "CREATE ROLE switchback_test_set; ALTER ROLE switchback_test_set SET jit = off;",
    "created settings of role"
)]
#[case::its_own_end(
    "SELECT pg_terminate_backend(pg_backend_pid());",
    "the connection ended while the script ran"
)]
#[case::its_own_end_alone(
    "-- no-transaction\nSELECT pg_terminate_backend(pg_backend_pid());",
    "the connection ended"
)]
#[case::reading_only(
    "SET default_transaction_read_only = on;",
    "cannot execute CREATE TABLE in a read-only transaction"
)]
#[case::a_file_of_the_server_that_is_not_there(
    "CREATE TABLE c (a TEXT);\nCOPY c FROM '/nowhere/c.csv';",
    "could not open file \"/nowhere/c.csv\""
)]
#[case::no_time("SET statement_timeout = 1;", "statement timeout")]
#[case::another_encoding("SET client_encoding = 'latin1'; CREATE TABLE \"Prüfung\" (id int);", "Prüfung")]
#[case::data_from_a_client("COPY pg_am FROM STDIN;", "the connection ended while the script ran")]
fn on_postgres_a_file_with(#[case] text: &str, #[case] said: &str) {
    let project = Project::sqlx(&[
        ("1_a.up.sql", text),
        ("1_a.down.sql", "SELECT 1;\n"),
        (
            "2_b.up.sql",
            "CREATE TABLE u (id INTEGER PRIMARY KEY, a TEXT);\nINSERT INTO u SELECT n, n FROM generate_series(1, 100000) n;\n",
        ),
        ("2_b.down.sql", "DROP TABLE u;\n"),
    ]);
    let Some(ran) = check(&project, Backend::Postgres) else {
        return;
    };
    ran.ends(1).says(said).says("--> migrations/").keeps_quiet_about("on the way back");
}

/// Both tools send the mark along; PostgreSQL takes it for a part of the first word, SQLite for white
/// space.
#[rstest]
#[case::postgres(Backend::Postgres, 1)]
#[case::sqlite(Backend::Sqlite, 0)]
fn a_byte_order_mark(#[case] backend: Backend, #[case] code: i32) {
    let project = Project::sqlx(&[
        ("1_a.up.sql", "\u{feff}CREATE TABLE t (id INTEGER PRIMARY KEY);\n"),
        ("1_a.down.sql", "\u{feff}DROP TABLE t;\n"),
    ]);
    let Some(ran) = check(&project, backend) else {
        return;
    };
    let ran = ran.ends(code);
    assert_eq!(ran.stdout.contains("byte-order mark"), code == 1, "{ran}");
    let comment = Project::sqlx(&[("1_a.up.sql", "\u{feff}-- Later.\n"), ("1_a.down.sql", "\u{feff}\n")]);
    check(&comment, backend).unwrap();
}

#[rstest]
fn a_file_of_50_mb(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let row = format!("INSERT INTO t (a) VALUES ('{}');\n", "x".repeat(10_000));
    let comment = "y".repeat(25 << 20);
    let text = format!(
        "CREATE TABLE t (a TEXT);\n-- {comment}\n{}CREATE TABEL u;\n",
        row.repeat((25 << 20) / row.len())
    );
    let project = Project::sqlx(&[("1_a.sql", &text)]);
    // The walk that goes up alone is enough, and quick without optimisation.
    let ran = project.run(&format!("check --backend {backend} --check upgrade-fails"));
    ran.ends(1).says("--> migrations/1_a.sql:2616\n").says("| CREATE TABEL u");
}
