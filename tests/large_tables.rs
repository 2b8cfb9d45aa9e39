//! Tables with so many rows that they are not read whole: what happens to the rows is found all the same.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::command::Project;
use support::is_skipped;
use switchback::report::Finding;
use switchback::{Backend, Check};

const ROWS: usize = 20_000;

/// Numbers from 1 on as a table `n (i)`, on both backends.
fn numbers() -> String {
    format!(
        "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) SELECT i FROM n) AS n"
    )
}

const EVENTS: &str = "(id INTEGER NOT NULL PRIMARY KEY, kind TEXT NOT NULL, amount INTEGER NOT NULL)";
const FILLING: &str = "i, 'kind ' || (i % 7), i % 100";
const BEND: &str = "UPDATE events SET kind = 'bent' WHERE id BETWEEN 9000 AND 9999;";
const UNBEND: &str = "UPDATE events SET kind = 'kind ' || (id % 7) WHERE id BETWEEN 9000 AND 9999;";
const NOTHING: &str = "SELECT 1;";

/// The table made anew with the rows that meet the condition.
fn rebuilt(columns: &str, condition: &str) -> String {
    format!(
        "CREATE TABLE rebuilt {columns};\nINSERT INTO rebuilt SELECT * FROM events WHERE {condition};\n\
         DROP TABLE events;\nALTER TABLE rebuilt RENAME TO events;\n"
    )
}

/// A project that fills a table in its first revision; the second has these scripts.
fn project(columns: &str, filling: &str, postgres: [&str; 2], sqlite: [&str; 2]) -> Project {
    let first =
        format!("CREATE TABLE events {columns};\nINSERT INTO events SELECT {filling} FROM {};\n", numbers());
    let config =
        "[history]\ntool = \"sqlx\"\npostgres = \"migrations/postgres\"\nsqlite = \"migrations/sqlite\"\n";
    let mut project = Project::new().with("switchback.toml", config);
    for (backend, [up, down]) in [("postgres", postgres), ("sqlite", sqlite)] {
        let file = |name: &str| format!("migrations/{backend}/{name}.sql");
        project = project
            .with(&file("1_first.up"), &first)
            .with(&file("1_first.down"), "DROP TABLE events;")
            .with(&file("2_second.up"), up)
            .with(&file("2_second.down"), down);
    }
    project
}

fn findings(check: &Check) -> Vec<Finding> {
    let check = check.clone().only("rows-lost").only("rows-changed");
    check.run_blocking().unwrap_or_else(|error| panic!("{error}")).findings
}

/// What is found on one backend.
fn found(backend: Backend, columns: &str, filling: &str, scripts: [&str; 2]) -> Vec<Finding> {
    if is_skipped(backend) {
        return Vec::new();
    }
    let project = project(columns, filling, scripts, scripts);
    findings(&Check::new(project.root()).backend(backend))
}

fn says(found: &[Finding], parts: &[&str]) {
    assert_eq!(found.len(), 1, "{found:#?}");
    let text = format!("{}\n{}", found[0].message, found[0].excerpt.as_deref().unwrap_or_default());
    assert!(parts.iter().all(|part| text.contains(part)), "{text}");
}

#[rstest]
#[case::a_rebuild(EVENTS, FILLING, &rebuilt(EVENTS, "true"), &rebuilt(EVENTS, "true"))]
#[case::a_change_that_is_taken_back(EVENTS, FILLING, BEND, UNBEND)]
#[case::another_name_of_a_column(
    EVENTS,
    FILLING,
    "ALTER TABLE events RENAME COLUMN amount TO total;",
    "ALTER TABLE events RENAME COLUMN total TO amount;"
)]
#[case::another_name_of_the_key(
    EVENTS,
    FILLING,
    "ALTER TABLE events RENAME COLUMN id TO number;",
    "ALTER TABLE events RENAME COLUMN number TO id;"
)]
#[case::another_type_of_the_key(
    EVENTS,
    FILLING,
    &rebuilt("(id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, amount INTEGER NOT NULL)", "true"),
    "CREATE TABLE rebuilt (id INTEGER NOT NULL PRIMARY KEY, kind TEXT NOT NULL, amount INTEGER NOT NULL);\n\
     INSERT INTO rebuilt SELECT CAST(id AS INTEGER), kind, amount FROM events;\nDROP TABLE events;\n\
     ALTER TABLE rebuilt RENAME TO events;"
)]
#[case::odd_values(
    "(id INTEGER NOT NULL PRIMARY KEY, kind TEXT, amount NUMERIC)",
    "i, CASE WHEN i % 3 = 0 THEN 'unit\u{1f}separator' WHEN i % 3 = 1 THEN '' END, i / 8.0",
    "ALTER TABLE events ADD note TEXT;",
    "ALTER TABLE events DROP COLUMN note;"
)]
#[case::rows_that_come_and_go(
    EVENTS,
    FILLING,
    "INSERT INTO events VALUES (500001, 'more', 1);",
    "DELETE FROM events WHERE id = 500001;"
)]
#[case::a_rebuild_without_a_key("(kind TEXT, amount INTEGER)", "'kind', i", &rebuilt("(kind TEXT, amount INTEGER)", "true"), NOTHING)]
fn nothing_is_found_where_nothing_is_lost(
    #[case] columns: &str,
    #[case] filling: &str,
    #[case] up: &str,
    #[case] down: &str,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let found = found(backend, columns, filling, [up, down]);
    assert!(found.is_empty(), "{found:#?}");
}

#[rstest]
#[case::many(EVENTS, FILLING, "id % 40 <> 0 OR id > 20000 OR id < 1", 500)]
#[case::one(EVENTS, FILLING, "id <> 10000", 1)]
#[case::from_one_end_on(EVENTS, FILLING, "id > 300 OR id < 1", 300)]
#[case::without_a_key(
    "(kind TEXT, amount INTEGER)",
    "'kind', i",
    "amount > 20 OR kind <> 'kind' OR kind IS NULL OR amount IS NULL OR amount < 1",
    20
)]
#[case::of_a_composite_key(
    "(kind TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (kind, number))",
    "'kind ' || (i % 7), i",
    "number > 20000 OR number < 1 OR number % 100 <> 0",
    200
)]
fn lost_rows_are_counted(
    #[case] columns: &str,
    #[case] filling: &str,
    #[case] kept: &str,
    #[case] lost: usize,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let found = found(backend, columns, filling, [&rebuilt(columns, kept), NOTHING]);
    says(&found, &[&format!("upgrade of 2_second lost {lost} of 200"), " rows of table \"events\" ("]);
}

#[rstest]
#[case::where_no_row_is_looked_at(EVENTS, FILLING, BEND, "kind: other values than before among 200")]
#[case::where_rows_are_looked_at(
    EVENTS,
    FILLING,
    "UPDATE events SET kind = 'bent' WHERE id = 3;",
    "kind of row 3: was 'kind 3', is 'bent' (1 row of those that were looked at)"
)]
#[case::beside_odd_values(
    EVENTS,
    "i, 'unit\u{1f}separator', i % 100",
    "UPDATE events SET kind = 'unit\u{1f}bent' WHERE id = 10000;",
    "kind: other values than before among 200"
)]
#[case::of_a_composite_key(
    "(kind TEXT NOT NULL, number INTEGER NOT NULL, note TEXT, PRIMARY KEY (kind, number))",
    "'kind ' || (i % 7), i, 'note'",
    "UPDATE events SET note = NULL WHERE number BETWEEN 9000 AND 9999;",
    "note: other values than before among 200"
)]
fn values_that_a_downgrade_does_not_give_back_are_found(
    #[case] columns: &str,
    #[case] filling: &str,
    #[case] up: &str,
    #[case] line: &str,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let found = found(backend, columns, filling, [up, NOTHING]);
    let column = line.split([':', ' ']).next().unwrap();
    let message =
        format!("downgrade of 2_second does not give column \"{column}\" of table \"events\" the old");
    says(&found, &[&message, line]);
}

#[test]
fn a_table_without_a_rowid_is_gone_through_by_its_key() {
    let columns =
        "(kind TEXT NOT NULL, number INTEGER NOT NULL, note TEXT, PRIMARY KEY (kind, number)) WITHOUT ROWID";
    let filling = "'it''s ' || (i % 7), i, 'note'";
    let found = found(
        Backend::Sqlite,
        columns,
        filling,
        [&rebuilt(columns, "number <> 12345").replace("SELECT *", "SELECT kind, number, note"), NOTHING],
    );
    says(&found, &["lost 1 of 200"]);
}

#[rstest]
#[case::on_both(BEND, UNBEND, None)]
#[case::on_sqlite_alone(NOTHING, NOTHING, Some("kind: changed on sqlite alone, among 200"))]
fn a_change_on_one_backend_alone_is_found(#[case] up: &str, #[case] down: &str, #[case] line: Option<&str>) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = project(EVENTS, FILLING, [up, down], [BEND, UNBEND]);
    let found = findings(&Check::new(project.root()));
    match line {
        Some(line) => {
            let message =
                "upgrade of 2_second leaves other values in column \"kind\" of table \"events\" on sqlite";
            says(&found, &[message, line]);
        }
        None => assert!(found.is_empty(), "{found:#?}"),
    }
}
