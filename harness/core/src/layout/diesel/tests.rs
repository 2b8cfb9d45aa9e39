use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::*;
use crate::history::{Direction, Downgrade};

const POSTGRES: Backend = Backend::Postgres;
const SQLITE: Backend = Backend::Sqlite;

fn files(names: &[&str]) -> SourceTree {
    let files: Vec<_> = names.iter().map(|name| (*name, "SELECT 1;")).collect();
    tree(&files)
}

#[rstest]
#[case::pair(&["1_a/up.sql", "1_a/down.sql"], &["1_a"])]
#[case::by_text_not_by_number(&["9_b/up.sql", "10_a/up.sql"], &["10_a", "9_b"])]
#[case::dashes_do_not_count(&["2020-01-01-000000_b/up.sql", "20190101000000_a/up.sql"], &["20190101000000_a", "2020-01-01-000000_b"])]
#[case::no_name(&["20200101/up.sql"], &["20200101"])]
#[case::hidden_and_loose_files(&[".git/up.sql", ".keep", "README.md", "1_a/up.sql", "1_a/notes.txt"], &["1_a"])]
#[case::initial_setup(&["00000000000000_diesel_initial_setup/up.sql"], &["00000000000000_diesel_initial_setup"])]
fn folders_make_a_line(#[case] given: &[&str], #[case] expected: &[&str]) {
    assert_eq!(names(&Layout.read(&files(given), SQLITE).unwrap()), expected);
}

#[test]
fn the_id_is_spelled_as_the_folder_spells_it() {
    let history = Layout.read(&files(&["2022-07-27-110000_x_y/up.sql"]), POSTGRES).unwrap();
    assert_eq!(history.revisions()[0].id.as_str(), "2022-07-27-110000");
    assert_eq!(history.revisions()[0].upgrade.path, "m/2022-07-27-110000_x_y/up.sql");
}

#[rstest]
#[case::outranks(&["1_a/up.sql", "1_a/up.postgres.sql"], &["m/1_a/up.postgres.sql"], &["m/1_a/up.sql"])]
#[case::each(&["1_a/up.pg.sql", "1_a/up.sqlite3.sql"], &["m/1_a/up.pg.sql"], &["m/1_a/up.sqlite3.sql"])]
#[case::one_only(&["1_a/up.sql", "2_b/up.postgres.sql", "2_b/down.sql"], &["m/1_a/up.sql", "m/2_b/up.postgres.sql"], &["m/1_a/up.sql"])]
#[case::another_database(&["1_a/up.sql", "2_b/up.mysql.sql"], &["m/1_a/up.sql"], &["m/1_a/up.sql"])]
fn a_variant_is_for_its_backend(#[case] given: &[&str], #[case] postgres: &[&str], #[case] sqlite: &[&str]) {
    for (backend, expected) in [(POSTGRES, postgres), (SQLITE, sqlite)] {
        let history = Layout.read(&files(given), backend).unwrap();
        let paths: Vec<_> =
            history.revisions().iter().map(|revision| revision.upgrade.path.as_str()).collect();
        assert_eq!(paths, expected, "{backend}");
    }
}

#[rstest]
#[case::no_file(None, true)]
#[case::said(Some("run_in_transaction = true"), true)]
#[case::unsaid(Some(""), false)]
#[case::denied(Some("run_in_transaction = false\n"), false)]
#[case::with_more(Some("author = \"ada\"\nrun_in_transaction = false\n"), false)]
#[case::not_toml(Some("run_in_transaction: false"), true)]
#[case::wrong_type(Some("run_in_transaction = \"false\""), true)]
fn metadata_says_whether_it_runs_in_a_transaction(#[case] metadata: Option<&str>, #[case] expected: bool) {
    let mut files = vec![("1_a/up.sql", "SELECT 1;"), ("1_a/down.sql", "SELECT 1;")];
    files.extend(metadata.map(|text| ("1_a/metadata.toml", text)));
    let history = Layout.read(&tree(&files), POSTGRES).unwrap();
    for direction in [Direction::Upgrade, Direction::Downgrade] {
        assert_eq!(history.revisions()[0].in_transaction(direction), expected);
    }
}

#[rstest]
#[case::missing(None, "missing")]
#[case::empty(Some(""), "empty")]
#[case::generated(Some("-- This file should undo anything in `up.sql`\n"), "empty")]
#[case::explained(Some("-- irreversible: the table is gone\n"), "explained")]
#[case::script(Some("DROP TABLE a;"), "script")]
fn a_downgrade_may_be_missing_empty_or_explained(#[case] down: Option<&str>, #[case] expected: &str) {
    let mut files = vec![("1_a/up.sql", "SELECT 1;")];
    files.extend(down.map(|text| ("1_a/down.sql", text)));
    let history = Layout.read(&tree(&files), SQLITE).unwrap();
    let kind = match &history.revisions()[0].downgrade {
        Downgrade::Missing => "missing",
        Downgrade::Empty(_) => "empty",
        Downgrade::Explained(..) => "explained",
        Downgrade::Script(_) => "script",
    };
    assert_eq!(kind, expected);
}

#[rstest]
#[case::same_version(&["2020-01-01_a/up.sql", "20200101_b/up.sql"], "\"m/2020-01-01_a\" and \"m/20200101_b\" have the same version 20200101: give one of them a version of its own")]
#[case::two_aliases(&["1_a/up.pg.sql", "1_a/up.postgres.sql"], "\"m/1_a/up.pg.sql\" and \"m/1_a/up.postgres.sql\" have the same version 1: give one of them a version of its own")]
#[case::down_alone(&["1_a/down.sql"], "\"m/1_a/down.sql\" has no upgrade to go with it: \"m/1_a/up.sql\" is missing")]
#[case::neither(&["1_a/up.sql", "docs/notes.md"], "\"m/docs\" holds no \"up.sql\", which makes diesel refuse all of its migrations")]
#[case::no_version(&["_a/up.sql"], "the name of \"m/_a\" is not one that diesel takes: nothing stands before the underscore; the form is \"<version>_<name>/up.sql\" with \"down.sql\" beside it")]
fn what_diesel_would_not_run_says_why(#[case] given: &[&str], #[case] message: &str) {
    assert_eq!(Layout.read(&files(given), SQLITE).unwrap_err().to_string(), message);
}

#[test]
fn the_bookkeeping_is_that_of_diesel() {
    let history = Layout.read(&files(&["2022-07-27-110000_x/up.sql"]), POSTGRES).unwrap();
    let (tool, revision) = (history.tool(), &history.revisions()[0]);
    assert_eq!(tool.bookkeeping(POSTGRES).tables, ["__diesel_schema_migrations"]);
    assert_eq!(
        tool.record(POSTGRES, revision).unwrap(),
        "INSERT INTO __diesel_schema_migrations (version) VALUES ('20220727110000')"
    );
    assert_eq!(
        tool.forget(SQLITE, revision).unwrap(),
        "DELETE FROM __diesel_schema_migrations WHERE version = '20220727110000'"
    );
}
