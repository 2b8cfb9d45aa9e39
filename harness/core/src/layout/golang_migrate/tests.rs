use proptest::prelude::*;
use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::*;
use crate::history::Downgrade;

const POSTGRES: Backend = Backend::Postgres;
const SQLITE: Backend = Backend::Sqlite;

fn files(names: &[&str]) -> SourceTree {
    let files: Vec<_> = names.iter().map(|name| (*name, "SELECT 1;")).collect();
    tree(&files)
}

/// The names of `source/parse_test.go` and MIGRATIONS.md, and what they leave open.
#[rstest]
#[case::empty(&[], &[])]
#[case::pair(&["1_a.up.sql", "1_a.down.sql"], &["1_a"])]
#[case::by_number_not_by_spelling(&["10_b.up.sql", "9_a.up.sql", "0011_c.up.sql"], &["9_a", "10_b", "0011_c"])]
#[case::timestamps(&["1500445949_add.up.sql", "1500360784_init.up.sql"], &["1500360784_init", "1500445949_add"])]
#[case::zero(&["0_a.up.sql", "1_b.up.sql"], &["0_a", "1_b"])]
#[case::pairs_by_version_alone(&["1_a.up.sql", "01_undo.down.sql"], &["1_a"])]
#[case::up_alone(&["1_a.up.sql"], &["1_a"])]
#[case::down_alone(&["1_a.up.sql", "2_b.down.sql"], &["1_a", "2_b"])]
#[case::no_name(&["1_.up.sql"], &["1_"])]
#[case::dots_and_underscores(&["1_f-o_ob+ar.v2.up.sql"], &["1_f-o_ob+ar.v2"])]
#[case::last_direction_counts(&["1_a.up.down.sql", "1_a.down.up.sql"], &["1_a.down"])]
#[case::any_ending(&["1_a.up.psql", "2_b.up.postgres.sql"], &["1_a", "2_b"])]
#[case::other_files(&["1_a.up.sql", "README.md", "schema.sql", "1_notes.txt", "a.up.md", ".1_x.sql"], &["1_a"])]
#[case::folders(&["1_a.up.sql", "2_b.up.sql/x", "old/3_c.up.sql"], &["1_a"])]
#[case::largest(&["9223372036854775807_a.up.sql"], &["9223372036854775807_a"])]
fn names_make_a_line(#[case] given: &[&str], #[case] expected: &[&str]) {
    let history = Layout.read(&files(given), POSTGRES).unwrap();
    assert_eq!(names(&history), expected);
    assert!(history.heads().len() <= 1 && history.bases().len() <= 1);
}

#[rstest]
#[case::same_number(&["01_a.up.sql", "1_b.up.sql"], "\"m/01_a.up.sql\" and \"m/1_b.up.sql\" have the same version 1: give one of them a version of its own")]
#[case::another_ending(&["1_a.up.sql", "1_a.up.sql.bak"], "\"m/1_a.up.sql\" and \"m/1_a.up.sql.bak\" have the same version 1: give one of them a version of its own")]
#[case::no_direction(&["1_a.sql"], "the name of \"m/1_a.sql\" is not one that golang-migrate takes: it has neither \".up.\" nor \".down.\" in it, so golang-migrate passes over it; the form is \"<version>_<name>.up.sql\" with \"<version>_<name>.down.sql\" beside it, the version being a number")]
#[case::no_underscore(&["1-a.up.sql"], "the name of \"m/1-a.up.sql\" is not one that golang-migrate takes: it does not begin with a number and an underscore, so golang-migrate passes over it; ")]
#[case::negative(&["-1_a.up.sql"], "the name of \"m/-1_a.up.sql\" is not one that golang-migrate takes: it does not begin with")]
#[case::too_large(&["18446744073709551615_a.up.sql"], "the version of \"m/18446744073709551615_a.up.sql\" is too large: golang-migrate takes at most 9223372036854775807")]
fn what_the_tool_would_not_run_says_why(#[case] given: &[&str], #[case] message: &str) {
    let error = Layout.read(&files(given), SQLITE).unwrap_err().to_string();
    assert!(error.starts_with(message), "{error}");
}

#[test]
fn a_missing_file_is_a_step_that_does_nothing() {
    let history = Layout.read(&files(&["1_a.up.sql", "2_b.down.sql"]), SQLITE).unwrap();
    let [first, second] = history.revisions() else { panic!("{history:?}") };
    assert_eq!(first.downgrade, Downgrade::Missing);
    assert_eq!(second.upgrade, Script::new("m/2_b.down.sql", ""));
    assert!(matches!(second.downgrade, Downgrade::Script(_)));
}

/// `database/postgres/README.md`, "Multi-statement mode", and `database/sqlite3/README.md`.
#[rstest]
#[case::plain("CREATE TABLE a (b INT);", false, true)]
#[case::own_transaction("BEGIN;\nCREATE TABLE a (b INT);\nCOMMIT;", false, false)]
#[case::own_transaction_in_other_words(
    "pragma foreign_keys=off;\nbegin immediate transaction;",
    false,
    false
)]
#[case::body("CREATE TRIGGER a AFTER INSERT ON b BEGIN SELECT 1; END;", false, true)]
#[case::spoken_of("-- BEGIN;\nSELECT 'BEGIN;';", false, true)]
fn only_the_driver_for_sqlite_opens_a_transaction(
    #[case] text: &str,
    #[case] postgres: bool,
    #[case] sqlite: bool,
) {
    for (backend, expected) in [(POSTGRES, postgres), (SQLITE, sqlite)] {
        let tree = tree(&[("1_a.up.sql", "SELECT 1;"), ("2_b.up.sql", "SELECT 1;"), ("2_b.down.sql", text)]);
        let history = Layout.read(&tree, backend).unwrap();
        for revision in history.revisions() {
            assert_eq!(revision.in_transaction(Direction::Upgrade), expected, "{backend}");
            assert_eq!(revision.in_transaction(Direction::Downgrade), expected, "{backend}");
        }
    }
}

#[test]
fn the_bookkeeping_is_that_of_golang_migrate() {
    let history = Layout.read(&files(&["0007_a.up.sql", "12_b.up.sql"]), POSTGRES).unwrap();
    let (tool, [first, second]) = (history.tool(), history.revisions()) else { panic!("{history:?}") };

    assert_eq!(tool.bookkeeping(SQLITE).tables, ["schema_migrations"]);
    assert!(
        tool.bookkeeping(POSTGRES)
            .create
            .unwrap()
            .contains("version bigint not null primary key, dirty boolean")
    );
    assert!(tool.bookkeeping(SQLITE).create.unwrap().contains("(version uint64,dirty bool)"));
    assert_eq!(
        tool.record(POSTGRES, first).unwrap(),
        "TRUNCATE \"public\".\"schema_migrations\";\n\
         INSERT INTO \"public\".\"schema_migrations\" (version, dirty) VALUES (7, false)"
    );
    let at_seven = "DELETE FROM schema_migrations;\n\
                    INSERT INTO schema_migrations (version, dirty) VALUES (7, false)";
    assert_eq!(tool.record(SQLITE, first).unwrap(), at_seven);
    assert_eq!(tool.forget(SQLITE, second).unwrap(), at_seven);
    assert_eq!(tool.forget(POSTGRES, first).unwrap(), "TRUNCATE \"public\".\"schema_migrations\"");
}

proptest! {
    #[test]
    fn a_name_taken_apart_can_be_put_together(
        version in any::<u32>(),
        zeros in 0..4_usize,
        identifier in "[a-z0-9_.é-]{0,12}",
        direction in prop::sample::select(vec![Direction::Upgrade, Direction::Downgrade]),
        ending in "[a-z.]{0,6}",
    ) {
        let spelling = format!("{}{version}", "0".repeat(zeros));
        let word = if direction == Direction::Upgrade { "up" } else { "down" };
        let file = format!("{spelling}_{identifier}.{word}.{ending}");
        let name = FileName::parse(&file).unwrap().unwrap();
        prop_assert_eq!((name.version, name.spelling), (i64::from(version), spelling.as_str()));
        let word = if name.direction == Direction::Upgrade { "up" } else { "down" };
        prop_assert_eq!(format!("{}_{}.{word}.{}", name.spelling, name.identifier, name.ending), file);
    }
}
