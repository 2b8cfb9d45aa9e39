use proptest::prelude::*;
use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::*;
use crate::history::{Direction, Downgrade};

const POSTGRES: Backend = Backend::Postgres;
const SQLITE: Backend = Backend::Sqlite;

/// `printf 'SELECT 1;' | sha384sum`
const CHECKSUM: &str = "26e71cc37450b183fb5bb72ec4f644ed27de1b55fad3d4d6\
                        cfb0ca0d71f42ca990911d74649814105a190325e15d2092";

fn files(names: &[&str]) -> SourceTree {
    let files: Vec<_> = names.iter().map(|name| (*name, "SELECT 1;")).collect();
    tree(&files)
}

#[rstest]
#[case::empty(&[], &[])]
#[case::simple(&["1_a.sql", "2_b.sql"], &["1_a", "2_b"])]
#[case::by_number_not_by_spelling(&["10_b.sql", "9_a.sql", "0011_c.sql"], &["9_a", "10_b", "0011_c"])]
#[case::reversible(&["1_a.up.sql", "1_a.down.sql"], &["1_a"])]
#[case::pairs_by_version_alone(&["1_a.up.sql", "01_undo.down.sql"], &["1_a"])]
#[case::mixed(&["1_a.sql", "2_b.up.sql", "2_b.down.sql"], &["1_a", "2_b"])]
#[case::an_up_alone(&["1_a.up.sql", "2_b.up.sql", "2_b.down.sql"], &["1_a", "2_b"])]
#[case::other_files(&["1_a.sql", "README.md", "notes_1.txt", "1_a.sql.orig", ".#1.sql"], &["1_a"])]
#[case::folders(&["1_a.sql", "2_b/up.sql", "seeds/3_c.sql"], &["1_a"])]
#[case::underscores(&["1_a_b__c.sql"], &["1_a_b__c"])]
#[case::no_description(&["1_.sql"], &["1_"])]
#[case::dots(&["1_v2.0.sql"], &["1_v2.0"])]
#[case::up_is_a_word(&["1_clean_up.sql", "2_up.sql"], &["1_clean_up", "2_up"])]
#[case::largest(&["9223372036854775807_a.sql"], &["9223372036854775807_a"])]
fn names_make_a_line(#[case] given: &[&str], #[case] expected: &[&str]) {
    let history = Layout.read(&files(given), POSTGRES).unwrap();
    assert_eq!(names(&history), expected);
    assert!(history.heads().len() <= 1 && history.bases().len() <= 1);
}

#[rstest]
#[case::infix(&["1_a.postgres.sql", "1_a.sqlite.sql"])]
#[case::aliases(&["1_a.pg.sql", "1_a.sqlite3.sql"])]
#[case::pairs(&["1_a.postgresql.up.sql", "1_a.sqlite.up.sql", "1_a.sqlite.down.sql"])]
#[case::dialect_last(&["1_a.up.postgres.sql", "1_a.up.sqlite.sql", "1_a.down.sqlite.sql"])]
#[case::variant_outranks_common(&["1_a.sql", "1_a.postgres.sql", "1_a.sqlite.up.sql"])]
#[case::other_databases(&["1_a.mysql.sql", "1_a.mariadb.sql", "1_a.pg.sql", "1_a.sqlite.sql"])]
fn a_variant_is_for_its_backend(#[case] given: &[&str]) {
    for (backend, word) in [(POSTGRES, "p"), (SQLITE, "sqlite")] {
        let history = Layout.read(&files(given), backend).unwrap();
        assert_eq!(names(&history), ["1_a"]);
        let path = &history.revisions()[0].upgrade.path;
        assert!(path.split('.').any(|part| part.starts_with(word)), "{path} for {backend}");
    }
}

#[test]
fn a_revision_of_one_backend_is_not_in_the_history_of_the_other() {
    let tree = files(&["1_a.sql", "2_gin.postgres.up.sql", "2_gin.down.sql", "3_c.sql", "4_d.mysql.sql"]);
    assert_eq!(names(&Layout.read(&tree, POSTGRES).unwrap()), ["1_a", "2_gin", "3_c"]);
    assert_eq!(names(&Layout.read(&tree, SQLITE).unwrap()), ["1_a", "3_c"]);
}

#[rstest]
#[case::same_version(&["1_a.sql", "1_b.sql"], "\"m/1_a.sql\" and \"m/1_b.sql\" have the same version 1: give one of them a version of its own")]
#[case::same_number(&["01_a.sql", "1_b.sql"], "\"m/01_a.sql\" and \"m/1_b.sql\" have the same version 1: give one of them a version of its own")]
#[case::simple_and_up(&["1_a.sql", "1_a.up.sql"], "\"m/1_a.sql\" and \"m/1_a.up.sql\" have the same version 1: give one of them a version of its own")]
#[case::two_downs(&["1_a.down.sql", "1_b.down.sql", "1_a.up.sql"], "\"m/1_a.down.sql\" and \"m/1_b.down.sql\" have the same version 1: give one of them a version of its own")]
#[case::two_aliases(&["1_a.pg.sql", "1_a.postgres.sql"], "\"m/1_a.pg.sql\" and \"m/1_a.postgres.sql\" have the same version 1: give one of them a version of its own")]
#[case::down_alone(&["1_a.sql", "2_b.down.sql"], "\"m/2_b.down.sql\" has no upgrade to go with it: \"m/2_b.up.sql\" is missing")]
#[case::no_number(&["abc_foo.sql"], "the name of \"m/abc_foo.sql\" is not one that sqlx takes: \"abc\" is not a number; the form is \"<version>_<description>.sql\", or the same with \".up.sql\" and \".down.sql\", the version being a number")]
#[case::no_underscore(&["foo.sql"], "the name of \"m/foo.sql\" is not one that sqlx takes: it has no underscore, so sqlx passes over it; the form is \"<version>_<description>.sql\", or the same with \".up.sql\" and \".down.sql\", the version being a number")]
#[case::too_large(&["9223372036854775808_a.sql"], "the version of \"m/9223372036854775808_a.sql\" is too large: sqlx takes at most 9223372036854775807")]
fn what_sqlx_would_not_run_says_why(#[case] given: &[&str], #[case] message: &str) {
    assert_eq!(Layout.read(&files(given), SQLITE).unwrap_err().to_string(), message);
}

#[rstest]
#[case::not_utf8("1_a.sql", Entry::NotUtf8 { offset: 5, line: 2 }, "\"m/1_a.sql\" is not text in UTF-8: line 2, byte 5; save it as UTF-8")]
#[case::unreadable("1_a.sql", Entry::Unreadable("no".into()), "\"m/1_a.sql\" cannot be read: no")]
#[case::whatever_its_name("link", Entry::Unreadable("loop".into()), "\"m/link\" cannot be read: loop")]
fn what_cannot_be_read_says_why(#[case] name: &str, #[case] entry: Entry, #[case] message: &str) {
    let tree = SourceTree::new("m", [(name.to_owned(), entry)]);
    assert_eq!(Layout.read(&tree, POSTGRES).unwrap_err().to_string(), message);
}

#[test]
fn a_version_too_large_is_still_recognised() {
    assert!(Layout.recognises(&files(&["99999999999999999999_a.sql"])));
}

#[rstest]
#[case::plain("SELECT 1;", true)]
#[case::annotated("-- no-transaction\nSELECT 1;", false)]
#[case::annotated_with_more("-- no-transaction: index\r\nSELECT 1;", false)]
#[case::not_first("\n-- no-transaction\nSELECT 1;", true)]
#[case::other_spelling("--no-transaction\nSELECT 1;", true)]
fn each_direction_says_whether_it_runs_in_a_transaction(#[case] text: &str, #[case] expected: bool) {
    let up = Layout.read(&tree(&[("1_a.up.sql", text), ("1_a.down.sql", "SELECT 1;")]), POSTGRES).unwrap();
    assert_eq!(up.revisions()[0].in_transaction(Direction::Upgrade), expected);
    assert!(up.revisions()[0].in_transaction(Direction::Downgrade));

    let down = Layout.read(&tree(&[("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", text)]), POSTGRES).unwrap();
    assert!(down.revisions()[0].in_transaction(Direction::Upgrade));
    assert_eq!(down.revisions()[0].in_transaction(Direction::Downgrade), expected);
}

#[test]
fn what_sqlx_writes_into_a_new_file_explains_nothing() {
    let text = "-- no-transaction\n-- Add down migration script here\n";
    let history =
        Layout.read(&tree(&[("1_a.up.sql", "SELECT 1;"), ("1_a.down.sql", text)]), POSTGRES).unwrap();
    assert!(matches!(history.revisions()[0].downgrade, Downgrade::Empty(_)));
}

fn part(version: i64, description: &str, kind: Kind, sql: &str) -> Part {
    Part { version, description: description.into(), kind, sql: sql.into(), no_tx: false }
}

#[test]
fn migrations_handed_over_make_the_history_of_their_files() {
    let parts = [
        part(2, "add email", Kind::Down, "ALTER TABLE users DROP COLUMN email;"),
        part(2, "add email", Kind::Up, "ALTER TABLE users ADD COLUMN email TEXT;"),
        part(1, "init", Kind::Simple, "CREATE TABLE users (id BIGINT);"),
    ];
    let files: Vec<_> = parts.iter().map(|part| (part.file(), part.sql.to_string())).collect();
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let history = from_parts(Sqlx::default(), parts, SQLITE).unwrap();
    let read = Layout.read(&tree(&files), SQLITE).unwrap();

    assert_eq!(names(&history), names(&read));
    for (handed, read) in history.revisions().iter().zip(read.revisions()) {
        assert_eq!(handed.id, read.id);
        assert_eq!(handed.parents, read.parents);
        assert_eq!(format!("m/{}", handed.upgrade.path), read.upgrade.path);
        for backend in Backend::ALL {
            assert_eq!(history.tool().record(backend, handed), history.tool().record(backend, read));
        }
    }
}

#[rstest]
#[case::twice(&[(1, Kind::Simple), (1, Kind::Up)], "\"1_a.sql\" and \"1_a.up.sql\" have the same version 1: give one of them a version of its own")]
#[case::down_alone(&[(1, Kind::Down)], "\"1_a.down.sql\" has no upgrade to go with it: an upgrade of version 1 is missing")]
fn migrations_handed_over_may_be_wrong(#[case] given: &[(i64, Kind)], #[case] message: &str) {
    let parts = given.iter().map(|(version, kind)| part(*version, "a", *kind, ""));
    assert_eq!(from_parts(Sqlx::default(), parts, POSTGRES).unwrap_err().to_string(), message);
}

#[test]
fn the_bookkeeping_is_that_of_sqlx() {
    let history = Layout.read(&tree(&[("0007_ada's_table.sql", "SELECT 1;")]), POSTGRES).unwrap();
    let (tool, revision) = (history.tool(), &history.revisions()[0]);

    assert_eq!(tool.bookkeeping(POSTGRES).tables, ["_sqlx_migrations"]);
    assert!(
        tool.bookkeeping(POSTGRES)
            .create
            .unwrap()
            .contains("installed_on TIMESTAMPTZ NOT NULL DEFAULT now()")
    );
    assert!(tool.bookkeeping(SQLITE).create.unwrap().contains("checksum BLOB NOT NULL"));
    assert_eq!(
        tool.record(SQLITE, revision).unwrap(),
        format!(
            "INSERT INTO _sqlx_migrations ( version, description, success, checksum, execution_time ) \
             VALUES ( 7, 'ada''s table', TRUE, X'{CHECKSUM}', -1 )"
        )
    );
    assert!(tool.record(POSTGRES, revision).unwrap().contains(&format!("decode('{CHECKSUM}', 'hex')")));
    assert_eq!(tool.forget(SQLITE, revision).unwrap(), "DELETE FROM _sqlx_migrations WHERE version = 7");
    assert_eq!(
        Sqlx::with_table("app.applied").forget(SQLITE, revision).unwrap(),
        "DELETE FROM app.applied WHERE version = 7"
    );
}

proptest! {
    #[test]
    fn a_name_taken_apart_can_be_put_together(
        version in any::<u32>(),
        zeros in 0..4_usize,
        description in "[a-z0-9_é-]{0,12}",
        variant in prop::sample::select(vec!["", ".pg", ".postgres", ".sqlite3", ".mysql"]),
        kind in prop::sample::select(vec![Kind::Simple, Kind::Up, Kind::Down]),
    ) {
        let spelling = format!("{}{version}", "0".repeat(zeros));
        let file = format!("{spelling}_{description}{variant}{}.sql", kind.suffix());
        let name = FileName::parse(&file).unwrap().unwrap();
        prop_assert_eq!(name.version, i64::from(version));
        prop_assert_eq!((name.spelling, name.description), (spelling.as_str(), description.as_str()));
        prop_assert_eq!((name.variant, name.kind), (variant, kind));
        prop_assert_eq!(name.with_kind(kind), file);
    }

    #[test]
    fn any_name_that_is_taken_apart_is_read_the_same_way_again(file in "[0-9]{1,3}_[a-z.]{0,9}(\\.(up|down|pg|sqlite)){0,3}\\.sql") {
        let name = FileName::parse(&file).unwrap().unwrap();
        let written = name.with_kind(name.kind);
        prop_assert_eq!(FileName::parse(&written).unwrap().unwrap(), name);
    }
}
