//! Revisions that only make sense downgraded in groups are judged as groups, on both backends.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::command::{Project, Ran};
use support::{is_skipped, record};
use switchback::evidence::Walk;
use switchback::schema::Name;
use switchback::{Backend, Check};

const CONFIG: &str = "switchback.toml";
const GROUP: &str = "\n[[history.group]]\nname = \"split users\"\nrevisions = [\"2\", \"3\"]\n";

/// A history in which a revision was split in two after it was written: the downgrades stand at the
/// other one's place. `down_of_second` is the last of the two that runs.
fn project(down_of_second: &str) -> Project {
    Project::sqlx(&[
        ("1_users.up.sql", "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);\n"),
        ("1_users.down.sql", "DROP TABLE users;\n"),
        ("2_emails.up.sql", "CREATE TABLE emails (id INTEGER PRIMARY KEY, email VARCHAR(40) NOT NULL);\n"),
        ("2_emails.down.sql", down_of_second),
        ("3_phones.up.sql", "CREATE TABLE phones (id INTEGER PRIMARY KEY, phone VARCHAR(40) NOT NULL);\n"),
        ("3_phones.down.sql", "DROP TABLE emails;\n"),
        ("4_nicks.up.sql", "ALTER TABLE phones ADD COLUMN nick VARCHAR(40);\n"),
        ("4_nicks.down.sql", "ALTER TABLE phones DROP COLUMN nick;\n"),
    ])
}

fn run(project: &Project, backend: Backend) -> Ran {
    project.run(&format!("check --backend {backend}"))
}

#[rstest]
#[case(Backend::Postgres)]
#[case(Backend::Sqlite)]
fn one_by_one_they_fail(#[case] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let ran = run(&project("DROP TABLE phones;\n"), backend).ends(1);
    ran.says(&format!("downgrade of 3_phones did not restore table \"emails\" ({backend})"))
        .says("downgrade of 2_emails failed right after its upgrade")
        .says("or, since 2_emails to 3_phones together do bring back what was before")
        .says("write [[history.group]] with a name and revisions = [\"2\", \"3\"]");
}

#[rstest]
#[case(Backend::Postgres)]
#[case(Backend::Sqlite)]
fn as_a_group_they_hold(#[case] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let project = project("DROP TABLE phones;\n").adding(CONFIG, GROUP);
    run(&project, backend).ends(0).keeps_quiet_about("base-not-empty");

    let evidence = record(&Check::new(project.root()).backend(backend));
    let recording = &evidence.recordings[&backend];
    assert_eq!(recording.walk(Walk::Return).len(), 8, "from head to base and back to head");
    let trips: Vec<_> = recording.round_trips().collect();
    let steps: Vec<_> =
        trips.iter().map(|trip| [trip.ups(), trip.downs(), trip.agains()].map(<[_]>::len)).collect();
    assert_eq!(steps, [[1, 1, 1], [2, 2, 2], [1, 1, 1]]);
    // What the group made has rows again afterwards.
    let rows = trips[2].up().unwrap().rows_before.as_ref().unwrap();
    assert!(
        ["users", "emails", "phones"].iter().all(|table| rows
            .tables
            .get(&Name::new(*table))
            .unwrap()
            .count()
            > 0)
    );
}

#[rstest]
#[case(Backend::Postgres)]
#[case(Backend::Sqlite)]
fn a_group_that_leaves_something_is_found(#[case] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let project = project("DROP TABLE IF EXISTS fax;\n").adding(CONFIG, GROUP);
    run(&project, backend)
        .ends(1)
        .says(&format!("downgrade of group \"split users\" left table \"phones\" behind ({backend})"))
        .says("migrations/2_emails.down.sql:1")
        .keeps_quiet_about("emails\"")
        .keeps_quiet_about("4_nicks");
}

#[rstest]
#[case(Backend::Postgres)]
#[case(Backend::Sqlite)]
fn the_revision_is_named_at_which_a_group_fails(#[case] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let project = project("DROP TABLE phones;\nDROP TABLE fax;\n").adding(CONFIG, GROUP);
    run(&project, backend)
        .ends(1)
        .says("downgrade of 2_emails failed in group \"split users\"")
        .says("migrations/2_emails.down.sql:2")
        .keeps_quiet_about("4_nicks");
}

#[rstest]
#[case(Backend::Postgres)]
#[case(Backend::Sqlite)]
fn rows_must_survive_a_group(#[case] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let project = project("DROP TABLE phones;\nDELETE FROM users;\n").adding(CONFIG, GROUP);
    run(&project, backend).says("lost 4 rows of table \"users\"").says("2_emails");
}

#[test]
fn what_is_no_group_is_an_error_of_the_config() {
    for (revisions, why) in [
        ("\"2\", \"9\"", "names \"9\", and no history has such a revision"),
        ("\"1\", \"3\"", "leaves out \"2_emails\", which lies between \"1_users\" and \"3_phones\""),
        ("\"2\"", "holds one revision alone: name all that are taken back together"),
    ] {
        let group = format!("\n[[history.group]]\nname = \"g\"\nrevisions = [{revisions}]\n");
        let ran = run(&project("").adding(CONFIG, &group), Backend::Sqlite).ends(2);
        assert_eq!(ran.stderr, format!("error: switchback.toml:5: group \"g\" {why}\n"));
    }
}
