//! Append-only means append-only: every way round is tried on a table that promises it, and what a
//! try that changes nothing shows is not taken for an answer.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::command::{Project, Ran};
use support::is_skipped;
use switchback::Backend;

const TABLE: &str =
    "CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT NOT NULL, note TEXT, seen INTEGER);\n";
const ROWS: &str = r#"{"events": [{"id": 1, "kind": "opened"}, {"id": 2, "kind": "closed"}]}"#;

/// A trigger that refuses an event, perhaps only for some columns.
fn refusing(backend: Backend, event: &str) -> String {
    let name = event.split(' ').next().unwrap().to_lowercase();
    match backend {
        Backend::Postgres => format!(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$\n\
             BEGIN RAISE EXCEPTION 'append-only'; END $$;\n\
             CREATE TRIGGER refuse_{name} BEFORE {event} ON events FOR EACH ROW EXECUTE FUNCTION refuse();\n"
        ),
        Backend::Sqlite => format!(
            "CREATE TRIGGER refuse_{name} BEFORE {event} ON events\n\
             BEGIN SELECT RAISE(ABORT, 'append-only'); END;\n"
        ),
    }
}

/// The report on a table with these triggers; `config` says what else the project says.
fn report(backend: Backend, more: &str, config: &str, rows: &str) -> Option<Ran> {
    if is_skipped(backend) {
        return None;
    }
    let config = format!("{config}[rows]\nfixtures = \"rows.json\"\n");
    let project = Project::sqlx(&[("1_events.sql", &format!("{TABLE}{more}"))])
        .adding("switchback.toml", &config)
        .with("rows.json", rows);
    Some(project.run(&format!("check --backend {backend} --check append-only-hole")))
}

const DECLARED: &str = "[append_only]\ntables = [\"events\"]\n";

#[rstest]
fn a_table_is_recognised_by_its_triggers(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    let guards = refusing(backend, "UPDATE") + &refusing(backend, "DELETE");
    let Some(ran) = report(backend, &guards, "", ROWS) else { return };
    let hole = match backend {
        Backend::Postgres => "TRUNCATE changes rows of append-only table \"events\"",
        Backend::Sqlite => "INSERT OR REPLACE changes rows of append-only table \"events\"",
    };
    ran.ends(1).says(hole);
}

#[rstest]
fn a_column_without_values_is_tried_with_one(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    let guards = refusing(backend, "UPDATE OF id, kind") + &refusing(backend, "DELETE");
    let Some(ran) = report(backend, &guards, DECLARED, ROWS) else { return };
    ran.ends(1)
        .says("UPDATE of note changes rows of append-only table \"events\"")
        .says("UPDATE of seen changes rows of append-only table \"events\"");
}

#[rstest]
fn rows_that_do_not_fit_head_are_no_finding(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    let guards = refusing(backend, "UPDATE") + &refusing(backend, "DELETE");
    let rows = r#"{"events": [{"id": 1}]}"#;
    let Some(ran) = report(backend, &guards, DECLARED, rows) else { return };
    ran.ends(0).says("INSERT").says("not tried: the rows given for it do not fit head");
}

#[rstest]
fn a_table_that_takes_no_rows_is_a_finding(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    let guards = ["INSERT", "UPDATE", "DELETE"].map(|event| refusing(backend, event)).concat();
    let Some(ran) = report(backend, &guards, DECLARED, ROWS) else { return };
    ran.ends(1).says("table \"events\" does not take new rows");
}

#[rstest]
fn a_history_that_stops_short_is_not_said_to_keep_the_promise(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let broken = "CREATE TABLE events (id INTEGER);\n";
    let Some(ran) = report(backend, broken, DECLARED, ROWS) else { return };
    ran.ends(0).says("append-only-hole").says("the history did not reach head");
}
