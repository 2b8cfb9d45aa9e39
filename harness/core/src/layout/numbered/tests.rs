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

#[rstest]
#[case::empty(&[], &[])]
#[case::underscore(&["001_a.sql", "002_b.sql"], &["001_a", "002_b"])]
#[case::other_marks(&["1-a.sql", "2.b.sql", "3 c.sql", "4.sql"], &["1-a", "2.b", "3 c", "4"])]
#[case::by_number_not_by_spelling(&["10_b.sql", "9_a.sql"], &["9_a", "10_b"])]
#[case::pairs(&["1_a.up.sql", "1_a.down.sql", "2_b.sql", "2_b.down.sql"], &["1_a", "2_b"])]
#[case::timestamps(&["20250102000000_a.sql"], &["20250102000000_a"])]
#[case::other_files(&["1_a.sql", "schema.sql", "2fa.sql", "README.md", "v1_b.sql", ".1_c.sql"], &["1_a"])]
#[case::folders(&["1_a.sql", "old/2_b.sql"], &["1_a"])]
#[case::dots(&["1_v2.0.sql", "2_up.sql", "3_b.up.up.sql"], &["1_v2.0", "2_up", "3_b.up"])]
fn names_make_a_line(#[case] given: &[&str], #[case] expected: &[&str]) {
    assert_eq!(names(&Layout.read(&files(given), POSTGRES).unwrap()), expected);
}

#[test]
fn a_variant_is_for_its_backend() {
    let tree =
        files(&["1_a.pg.sql", "1_a.sqlite.up.sql", "1_a.down.sqlite.sql", "2_b.postgres.sql", "3_c.sql"]);
    let read = |backend| Layout.read(&tree, backend).unwrap();
    assert_eq!(names(&read(POSTGRES)), ["1_a", "2_b", "3_c"]);
    assert_eq!(names(&read(SQLITE)), ["1_a", "3_c"]);
    assert_eq!(read(POSTGRES).revisions()[0].downgrade, Downgrade::Missing);
    assert!(matches!(&read(SQLITE).revisions()[0].downgrade, Downgrade::Script(_)));
}

#[rstest]
#[case::same_number(&["01_a.sql", "1-b.sql"], "\"m/01_a.sql\" and \"m/1-b.sql\" have the same version 1: give one of them a version of its own")]
#[case::down_alone(&["1_a.down.sql"], "\"m/1_a.down.sql\" has no upgrade to go with it: an upgrade with the number 1 is missing")]
#[case::too_large(&["9223372036854775808_a.sql"], "the version of \"m/9223372036854775808_a.sql\" is too large: numbered takes at most 9223372036854775807")]
fn what_is_no_history_says_why(#[case] given: &[&str], #[case] message: &str) {
    assert_eq!(Layout.read(&files(given), SQLITE).unwrap_err().to_string(), message);
}

#[test]
fn a_file_may_ask_for_no_transaction() {
    let tree = tree(&[("1_a.sql", "-- no-transaction\nVACUUM;"), ("1_a.down.sql", "SELECT 1;")]);
    let history = Layout.read(&tree, SQLITE).unwrap();
    let revision = &history.revisions()[0];
    assert!(!revision.upgrade_in_transaction && revision.downgrade_in_transaction);
}

#[test]
fn the_table_holds_the_last_number() {
    let history = Layout.read(&files(&["007_a.sql", "012_b.sql"]), SQLITE).unwrap();
    let (tool, [first, second]) = (history.tool(), history.revisions()) else { panic!("{history:?}") };
    assert_eq!(tool.bookkeeping(SQLITE).tables, ["schema_info"]);
    assert_eq!(tool.record(SQLITE, second).unwrap(), "UPDATE schema_info SET version = 12");
    assert_eq!(tool.forget(POSTGRES, second).unwrap(), "UPDATE schema_info SET version = 7");
    assert_eq!(tool.forget(POSTGRES, first).unwrap(), "UPDATE schema_info SET version = 0");
}

proptest! {
    #[test]
    fn a_name_taken_apart_can_be_put_together(
        spelling in "[0-9]{1,6}",
        name in "([-_. ][a-z][a-z0-9é]{1,8})?",
        variant in prop::sample::select(vec!["", ".sqlite", ".mysql"]),
        kind in prop::sample::select(vec!["", ".up", ".down"]),
    ) {
        let stem = format!("{spelling}{name}");
        prop_assume!(Dialect::named(name.trim_start_matches('.')).is_none() && ![".up", ".down"].contains(&name.as_str()));
        let expected = FileName {
            spelling: &spelling,
            stem: &stem,
            dialect: Dialect::named(variant.trim_start_matches('.')).unwrap_or(Dialect::Common),
            direction: if kind == ".down" { Direction::Downgrade } else { Direction::Upgrade },
            is_directed: !kind.is_empty(),
        };
        let (one, other) = (format!("{stem}{variant}{kind}.sql"), format!("{stem}{kind}{variant}.sql"));
        prop_assert_eq!(FileName::parse(&one), Some(expected));
        prop_assert_eq!(FileName::parse(&other), Some(expected));
    }
}
