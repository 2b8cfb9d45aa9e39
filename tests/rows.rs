//! Made-up rows: the same ones on both backends and in every run of one seed, and every table of the
//! scenarios gets them.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};

use rstest::rstest;
use support::command::{Project, Ran};
use support::{is_skipped, record};
use switchback::evidence::{Evidence, Walk};
use switchback::rows::Candidate;
use switchback::{Backend, Check};

/// A scenario that gives no rows of its own.
fn without_fixtures(scenario: &str) -> Project {
    let project = Project::copy_of(&format!("scenarios/{scenario}"));
    let config = project.read("switchback.toml").replace("fixtures = \"rows.json\"", "");
    project.with("switchback.toml", config)
}

fn made_up(evidence: &Evidence, backend: Backend) -> BTreeMap<(String, u32), Candidate> {
    let seeded = evidence.recordings[&backend].seeded.iter().flat_map(|seeded| &seeded.rows);
    seeded.map(|row| ((row.table.to_string(), row.number), row.clone())).collect()
}

#[rstest]
fn every_table_of_the_scenarios_gets_the_same_rows_on_both_backends(
    #[values("calista", "entries", "homesec", "queue_jobs", "syfthub")] scenario: &str,
) {
    let project = without_fixtures(scenario);
    let evidence = record(&Check::new(project.root()));
    for recording in evidence.recordings.values() {
        let trunk = recording.walk(Walk::Trunk).iter().filter_map(|seen| seen.schema.as_ref());
        let tables: BTreeSet<String> =
            trunk.flat_map(|schema| schema.tables().map(|(name, _)| name.to_string())).collect();
        let fed: BTreeSet<String> =
            made_up(&evidence, recording.backend).into_keys().map(|(table, _)| table).collect();
        assert_eq!(tables, fed, "{}", recording.backend);
    }
    if is_skipped(Backend::Postgres) {
        return;
    }
    let (postgres, sqlite) = (made_up(&evidence, Backend::Postgres), made_up(&evidence, Backend::Sqlite));
    let shared: Vec<_> = postgres.keys().filter(|key| sqlite.contains_key(*key)).collect();
    assert_eq!(shared.len(), postgres.len().max(sqlite.len()), "{postgres:#?}\n{sqlite:#?}");
    for key in shared {
        let (one, other) = (&postgres[key], &sqlite[key]);
        for (column, value) in &one.cells {
            assert!(other.cells[column].same(value), "{key:?} {column}: {value:?} {:?}", other.cells[column]);
        }
    }
}

#[test]
fn a_seed_gives_the_same_rows_each_time_and_another_one_others() {
    let project = without_fixtures("entries");
    let of = |seed: u64| {
        let check = Check::new(project.root()).backend(Backend::Sqlite).seed(seed);
        made_up(&record(&check), Backend::Sqlite)
    };
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
}

const ACCOUNTS: &str = "CREATE TABLE kinds (id SERIAL PRIMARY KEY, name TEXT NOT NULL);\n\
                        CREATE TABLE accounts (\n\
                            id SERIAL PRIMARY KEY, kind INTEGER NOT NULL REFERENCES kinds (id), name TEXT NOT NULL\n\
                        );\n";

/// What `sequence-behind` says of these revisions on PostgreSQL, which is where a row with a key of its
/// own does not move what counts.
fn counts(revisions: &[(&str, &str)], config: &str) -> Option<Ran> {
    if is_skipped(Backend::Postgres) {
        return None;
    }
    let project = Project::sqlx(revisions).adding("switchback.toml", config);
    Some(project.run("check --backend postgres --check sequence-behind"))
}

#[rstest]
#[case::in_the_revision_that_makes_the_table("", "1_first")]
#[case::in_a_later_one("SELECT 1;\n", "2_second")]
fn a_sequence_behind_rows_that_a_revision_writes_is_found(#[case] between: &str, #[case] blamed: &str) {
    let rows = "INSERT INTO kinds (id, name) VALUES (1, 'user'), (2, 'admin');\n";
    let first = if between.is_empty() { format!("{ACCOUNTS}{rows}") } else { ACCOUNTS.to_owned() };
    let second = if between.is_empty() { "SELECT 1;".to_owned() } else { format!("{between}{rows}") };
    let Some(ran) = counts(&[("1_first.sql", &first), ("2_second.sql", &second)], "") else { return };
    let ran = ran.ends(1).says(&format!(
        "after {blamed}, a row of table \"kinds\" that leaves \"id\" to the database gets no new key (postgres): \
         duplicate key value violates unique constraint \"kinds_pkey\""
    ));
    assert!(ran.stdout.contains("\n1 error:"), "{}", ran.stdout);
}

/// A rebuild that says which rows it keeps is as plain as a DELETE.
#[rstest]
#[case::chosen(" WHERE name = 'nobody'", "note[rows-lost]", 0)]
#[case::lost(" LIMIT 1", "error[rows-lost]", 1)]
fn rows_that_a_rebuild_leaves_out_on_purpose_are_a_note(
    #[case] which: &str,
    #[case] says: &str,
    #[case] code: i32,
) {
    let table = |name: &str| format!("CREATE TABLE {name} (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n");
    let second = format!(
        "{}INSERT INTO users_new SELECT id, name FROM users{which};\nDROP TABLE users;\n\
         ALTER TABLE users_new RENAME TO users;\n",
        table("users_new")
    );
    let project = Project::sqlx(&[("1_users.sql", &table("users")), ("2_rebuild.sql", &second)]);
    let ran = project.run("check --backend sqlite --check rows-lost").ends(code);
    assert!(ran.stdout.contains(says), "{ran}");
}

#[test]
fn a_table_that_is_made_again_empty_is_told_as_that() {
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n";
    let second = format!("DROP TABLE users;\n{table}");
    let project = Project::sqlx(&[("1_users.sql", table), ("2_again.sql", &second)]);
    let ran = project.run("check --backend sqlite --check rows-lost").ends(1);
    assert!(
        ran.stdout.contains("help: the revision drops the table and makes it again without its rows"),
        "{ran}"
    );
}

/// Each row of such a table needs a parent of its own, so there is none that could be added.
#[rstest]
#[case::behind("INSERT INTO notes_new SELECT id, account FROM notes;", 1)]
#[case::set(
    "INSERT INTO notes_new SELECT id, account FROM notes; SELECT setval('notes_new_id_seq', max(id)) FROM notes;",
    0
)]
fn a_sequence_of_a_table_with_one_row_for_each_parent_is_tried(#[case] copy: &str, #[case] code: i32) {
    let table = |name: &str| {
        format!(
            "CREATE TABLE {name} (id SERIAL PRIMARY KEY, account INTEGER NOT NULL UNIQUE REFERENCES accounts (id));"
        )
    };
    let first = format!("{ACCOUNTS}{}", table("notes"));
    let second =
        format!("{} {copy} DROP TABLE notes; ALTER TABLE notes_new RENAME TO notes;", table("notes_new"));
    let Some(ran) = counts(&[("1_first.sql", &first), ("2_second.sql", &second)], "") else { return };
    ran.ends(code).keeps_quiet_about("could be tried");
}

#[rstest]
#[case::counted("INSERT INTO kinds (name) VALUES ('user'), ('admin');")]
#[case::set("INSERT INTO kinds (id, name) VALUES (1, 'user'); SELECT setval('kinds_id_seq', 1);")]
#[case::free("INSERT INTO kinds (id, name) VALUES (-1, 'nobody'), (0, 'root'), (1000000, 'deleted');")]
#[case::of_a_child(
    "INSERT INTO kinds (id, name) VALUES (7, 'x'); INSERT INTO accounts (kind, name) VALUES (7, 'y');"
)]
fn a_sequence_whose_next_value_is_free_is_silent(#[case] rows: &str) {
    let Some(ran) = counts(&[("1_first.sql", &format!("{ACCOUNTS}{rows}"))], "") else { return };
    ran.ends(0).keeps_quiet_about("gets no new key").keeps_quiet_about("could be tried");
}

/// A trigger that nobody made up a row for: it refuses all, so nothing is known of the key.
#[test]
fn a_table_whose_key_could_not_be_tried_is_said_once() {
    let guard =
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;\n";
    let first = format!("{ACCOUNTS}{guard}INSERT INTO kinds (name) VALUES ('user');");
    let guarded = "CREATE TRIGGER no BEFORE INSERT ON kinds EXECUTE FUNCTION no();";
    let third = "ALTER TABLE kinds ADD note TEXT;";
    let revisions = [("1_first.sql", first.as_str()), ("2_guard.sql", guarded), ("3_note.sql", third)];
    let Some(ran) = counts(&revisions, "") else { return };
    let ran = ran.ends(0).says(
        "no row that leaves \"id\" to the database could be tried in table \"kinds\" after 2_guard and 1 more: no",
    );
    assert_eq!(ran.stdout.matches("could be tried").count(), 1, "{}", ran.stdout);
}

#[test]
fn a_project_that_wants_no_made_up_rows_is_told_what_that_leaves_out() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let table = "CREATE TABLE a (id INTEGER PRIMARY KEY);\nCREATE TABLE b (id INTEGER PRIMARY KEY);\n";
    let project = Project::new().with("migrations/1_first.sql", table).with(
        "switchback.toml",
        "[history]\ntool = \"sqlx\"\npath = \"migrations\"\n[rows]\nper_table = 0\n",
    );
    let checks = ["value-not-kept", "sequence-behind", "behaviour-mismatch"];
    let ran = project.run(&format!("check --check {}", checks.join(" --check "))).ends(0);
    let lines: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("per_table")).collect();
    assert_eq!(
        lines,
        [
            "  behaviour-mismatch, sequence-behind, value-not-kept (postgres, sqlite): no rows are made up to try it with: per_table is 0 under [rows]"
        ],
        "{}",
        ran.stdout
    );
    ran.keeps_quiet_about("nothing was asked");
}

/// What a trigger computes has a value only where the text that it reads has a form that no schema
/// tells, so made-up rows prove nothing of it.
#[test]
fn a_column_that_a_trigger_fills_may_be_empty_for_made_up_rows_alone() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let first = "CREATE TABLE versions (id SERIAL PRIMARY KEY, num TEXT NOT NULL, major INTEGER);\n\
                 CREATE FUNCTION number() RETURNS trigger LANGUAGE plpgsql AS $$\n\
                 BEGIN NEW.major := substring(NEW.num FROM '^([0-9]+)[.][0-9]+[.][0-9]+$')::integer; RETURN NEW; END $$;\n\
                 CREATE TRIGGER number BEFORE INSERT ON versions FOR EACH ROW EXECUTE FUNCTION number();\n";
    let second = "ALTER TABLE versions ALTER COLUMN major SET NOT NULL;";
    let project = Project::sqlx(&[("1_first.sql", first), ("2_second.sql", second)]);
    let ran = project.run("check --backend postgres --check upgrade-fails");
    ran.ends(0).says("warning[upgrade-fails]").says("on a database that carries certain rows");
    let added = "CREATE TABLE versions (id SERIAL PRIMARY KEY, num TEXT NOT NULL);";
    let project = Project::sqlx(&[
        ("1_first.sql", added),
        ("2_second.sql", "ALTER TABLE versions ADD COLUMN major INTEGER NOT NULL;"),
    ]);
    project.run("check --backend postgres --check upgrade-fails").ends(1).says("error[upgrade-fails]");
}
