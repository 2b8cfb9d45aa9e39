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

/// Nobody has to give rows: those of a promised table and of what it refers to are made up.
#[rstest]
fn a_promise_is_tried_with_no_help(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let tables = "CREATE TABLE sites (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);\n\
                  CREATE TABLE streams (id INTEGER PRIMARY KEY, site INTEGER NOT NULL REFERENCES sites (id));\n\
                  CREATE TABLE events (id INTEGER PRIMARY KEY, stream INTEGER NOT NULL REFERENCES streams (id));\n";
    let guards = refusing(backend, "UPDATE") + &refusing(backend, "DELETE");
    let project = Project::sqlx(&[("1_events.sql", &format!("{tables}{guards}"))])
        .adding("switchback.toml", "[sqlite]\nforeign_keys = true\n");
    let ran = project.run(&format!("check --backend {backend} --check append-only-hole"));
    let hole = match backend {
        Backend::Postgres => "TRUNCATE changes rows of append-only table \"events\"",
        Backend::Sqlite => "INSERT OR REPLACE changes rows of append-only table \"events\"",
    };
    ran.ends(1).says(hole).keeps_quiet_about("the table has no rows");
}

/// PostgreSQL alone: the rows in partitions, whose triggers for statements are not the parent's.
#[rstest]
fn a_partition_is_a_way_in_of_its_own() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let table = "CREATE TABLE events (id INTEGER PRIMARY KEY, kind TEXT NOT NULL) PARTITION BY RANGE (id);\n\
                 CREATE TABLE events_low PARTITION OF events FOR VALUES FROM (0) TO (100);\n";
    let guards = ["UPDATE", "DELETE"].map(|event| refusing(Backend::Postgres, event)).concat()
        + "CREATE TRIGGER refuse_truncate BEFORE TRUNCATE ON events EXECUTE FUNCTION refuse();\n";
    let project = Project::sqlx(&[("1_events.sql", &format!("{table}{guards}"))])
        .adding("switchback.toml", "[rows]\nfixtures = \"rows.json\"\n")
        .with("rows.json", ROWS);
    let ran = project.run("check --backend postgres --check append-only-hole");
    ran.ends(1)
        .says("TRUNCATE in partition events_low changes rows of append-only table \"events\"")
        .says("add a trigger BEFORE TRUNCATE on \"events_low\" itself");
}

/// What a trigger does that does not raise: the row stays or goes, and nobody hears of it.
#[rstest]
#[case::skips_silently("RETURN NULL", "UPDATE on append-only table \"events\" is ignored without an error")]
#[case::only_warns("RAISE NOTICE 'no'; RETURN NEW", "UPDATE changes rows of append-only table \"events\"")]
fn a_guard_that_does_not_raise_is_none(#[case] body: &str, #[case] says: &str) {
    let guard = format!(
        "CREATE FUNCTION guard() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body}; END $$;\n\
         CREATE TRIGGER guard BEFORE UPDATE ON events FOR EACH ROW EXECUTE FUNCTION guard();\n"
    );
    let Some(ran) = report(Backend::Postgres, &guard, DECLARED, ROWS) else { return };
    ran.ends(1).says(says);
}

/// A parent's row takes the rows of an append-only table with it, unless its triggers refuse.
#[rstest]
fn a_parent_is_a_way_in(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let tables = "CREATE TABLE streams (id INTEGER PRIMARY KEY);\n\
                  CREATE TABLE events (id INTEGER PRIMARY KEY, stream INTEGER REFERENCES streams (id) ON DELETE SET NULL);\n";
    // The guard forgets the column that the foreign key sets.
    let guards = refusing(backend, "UPDATE OF id") + &refusing(backend, "DELETE");
    let config = "[append_only]\ntables = [\"events\"]\n[sqlite]\nforeign_keys = true\n[rows]\nfixtures = \"rows.json\"\n";
    let project = Project::sqlx(&[("1_events.sql", &format!("{tables}{guards}"))])
        .adding("switchback.toml", config)
        .with("rows.json", r#"{"streams": [{"id": 1}], "events": [{"id": 1, "stream": 1}]}"#);
    let ran = project.run(&format!("check --backend {backend} --check append-only-hole --format json"));
    let report: serde_json::Value = serde_json::from_str(&ran.ends(1).stdout).unwrap();
    let messages: Vec<&str> =
        report["findings"].as_array().unwrap().iter().map(|one| one["message"].as_str().unwrap()).collect();
    let through =
        format!("DELETE in parent streams changes rows of append-only table \"events\" ({backend})");
    assert!(messages.contains(&through.as_str()), "{messages:#?}");
}
