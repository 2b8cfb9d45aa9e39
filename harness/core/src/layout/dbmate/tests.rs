use proptest::prelude::*;
use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::*;
use crate::history::{Direction, Downgrade};

const POSTGRES: Backend = Backend::Postgres;
const SQLITE: Backend = Backend::Sqlite;
const BOTH: &str = "-- migrate:up\nCREATE TABLE a (b INT);\n-- migrate:down\nDROP TABLE a;\n";

fn files(names: &[&str]) -> SourceTree {
    let files: Vec<_> = names.iter().map(|name| (*name, BOTH)).collect();
    tree(&files)
}

fn read(text: &str) -> Result<Revision, String> {
    let history = Layout.read(&tree(&[("1_a.sql", text)]), POSTGRES).map_err(|error| error.to_string())?;
    Ok(history.revisions()[0].clone())
}

fn scripts(revision: &Revision) -> [(&str, u32); 2] {
    let down = revision.downgrade.script().unwrap();
    [&revision.upgrade, down].map(|script| (&*script.text, script.line_of(0)))
}

/// README.md, "Creating Migrations", and `TestFindMigrationsFS` in `pkg/dbmate/db_test.go`.
#[rstest]
#[case::empty(&[], &[])]
#[case::timestamps(&["20151129054053_test.sql", "001_a.sql", "002_b.sql"], &["001_a", "002_b", "20151129054053_test"])]
#[case::by_text_not_by_number(&["9_a.sql", "10_b.sql"], &["10_b", "9_a"])]
#[case::version_alone(&["1.sql", "2-b.sql", "3b.sql"], &["1", "2-b", "3b"])]
#[case::other_files(&["1_a.sql", "README.md", "2_b.sql.orig", "x/3_c.sql"], &["1_a"])]
fn names_make_a_line(#[case] given: &[&str], #[case] expected: &[&str]) {
    assert_eq!(names(&Layout.read(&files(given), SQLITE).unwrap()), expected);
}

/// `TestParseMigrationContents` in `pkg/dbmate/migration_test.go`.
#[rstest]
#[case::typical(BOTH, ("CREATE TABLE a (b INT);\n", 2), ("DROP TABLE a;\n", 4))]
#[case::no_space("\n--migrate:up\na;\n\n--migrate:down\nb;", ("a;\n\n", 3), ("b;", 6))]
#[case::comment_above("-- Makes a.\n  -- It does.\n\n-- migrate:up\na;\n-- migrate:down\n", ("a;\n", 5), ("", 7))]
#[case::carriage_returns("-- migrate:up\r\na;\r\n-- migrate:down\r\nb;\r\n", ("a;\r\n", 2), ("b;\r\n", 4))]
#[case::options("-- migrate:up transaction:true\na;\n-- migrate:down x\nb;", ("a;\n", 2), ("b;", 4))]
#[case::not_at_the_start("-- migrate:up\n -- migrate:down\na;\n-- migrate:downwards\n-- migrate:down", (" -- migrate:down\na;\n-- migrate:downwards\n", 2), ("", 5))]
#[case::down_above("-- migrate:down\n-- migrate:up\na;\n-- migrate:down\nb;", ("a;\n", 3), ("b;", 5))]
fn a_file_has_both_directions(#[case] text: &str, #[case] up: (&str, u32), #[case] down: (&str, u32)) {
    assert_eq!(scripts(&read(text).unwrap()), [up, down]);
}

/// README.md, "Migration Options".
#[rstest]
#[case::unsaid("", "", true, true)]
#[case::denied(" transaction:false", "", false, true)]
#[case::each("", " transaction:false", true, false)]
#[case::carriage_return(" transaction:false\r", "\r", false, true)]
#[case::among_others(" a:b  transaction:false c", "", false, true)]
#[case::last_one_counts(" transaction:false transaction:true", "", true, true)]
#[case::other_words(" transaction:no transactions:false transaction:false:x", "", true, true)]
fn an_option_leaves_out_the_transaction(
    #[case] up: &str,
    #[case] down: &str,
    #[case] of_up: bool,
    #[case] of_down: bool,
) {
    let revision = read(&format!("-- migrate:up{up}\na;\n-- migrate:down{down}\nb;\n")).unwrap();
    assert_eq!(revision.in_transaction(Direction::Upgrade), of_up);
    assert_eq!(revision.in_transaction(Direction::Downgrade), of_down);
}

#[rstest]
#[case::no_annotation(
    "CREATE TABLE a (b INT);",
    "m/1_a.sql:1: dbmate refuses it: it stands before \"-- migrate:up\""
)]
#[case::nothing("-- later\n", "m/1_a.sql:1: dbmate refuses it: there is no \"-- migrate:up\"")]
#[case::byte_order_mark(
    "\u{feff}-- migrate:up\n-- migrate:down\n",
    "m/1_a.sql:1: dbmate refuses it: it stands before \"-- migrate:up\""
)]
#[case::statement_above(
    "-- why\na;\n-- migrate:up\n-- migrate:down\n",
    "m/1_a.sql:2: dbmate refuses it: it stands before \"-- migrate:up\""
)]
#[case::no_down(
    "\n-- migrate:up\na;\n",
    "m/1_a.sql:2: dbmate refuses it: no \"-- migrate:down\" follows; it may be empty"
)]
#[case::down_first(
    "-- migrate:down\n-- migrate:up\n",
    "m/1_a.sql:2: dbmate refuses it: no \"-- migrate:down\" follows; it may be empty"
)]
#[case::no_down_between(
    "-- migrate:up\n-- migrate:up\n-- migrate:down\n",
    "m/1_a.sql:2: dbmate refuses it: the block above has no \"-- migrate:down\""
)]
#[case::two_downs(
    "-- migrate:up\n-- migrate:down\n-- migrate:down\n",
    "m/1_a.sql:3: dbmate refuses it: there is a \"-- migrate:down\" above"
)]
#[case::two_blocks(
    "-- migrate:up\n-- migrate:down\n-- migrate:up\n-- migrate:down\n",
    "m/1_a.sql:3: dbmate refuses it: it runs the first block alone, since it notes the version of the file once more with each (amacneil/dbmate#820); give each its own file"
)]
fn what_dbmate_would_not_run_says_why(#[case] text: &str, #[case] message: &str) {
    assert_eq!(read(text).unwrap_err(), message);
}

#[rstest]
#[case::same_version(&["1_a.sql", "1_b.sql"], "\"m/1_a.sql\" and \"m/1_b.sql\" have the same version 1: give one of them a version of its own")]
#[case::no_version(&["a.sql"], "the name of \"m/a.sql\" is not one that dbmate takes: it does not begin with a number, so dbmate passes over it; the form is \"<version>_<name>.sql\" with \"-- migrate:up\" and \"-- migrate:down\" in it")]
fn names_may_be_wrong(#[case] given: &[&str], #[case] message: &str) {
    assert_eq!(Layout.read(&files(given), POSTGRES).unwrap_err().to_string(), message);
}

#[test]
fn a_file_without_version_or_annotation_is_not_a_migration() {
    let tree = tree(&[("1_a.sql", BOTH), ("schema.sql", "-- not migrate:up\nCREATE TABLE a (b INT);")]);
    assert_eq!(names(&Layout.read(&tree, SQLITE).unwrap()), ["1_a"]);
}

#[rstest]
#[case::empty("", "empty")]
#[case::comment("-- The rows are gone for good.\n", "explained")]
#[case::script("DROP TABLE a;", "script")]
fn a_downgrade_may_be_empty_or_explained(#[case] down: &str, #[case] expected: &str) {
    let revision = read(&format!("-- migrate:up\na;\n-- migrate:down\n{down}")).unwrap();
    let kind = match &revision.downgrade {
        Downgrade::Missing => "missing",
        Downgrade::Empty(_) => "empty",
        Downgrade::Explained(..) => "explained",
        Downgrade::Script(_) => "script",
    };
    assert_eq!(kind, expected);
}

#[test]
fn the_bookkeeping_is_that_of_dbmate() {
    let history = Layout.read(&files(&["0007_a.sql"]), POSTGRES).unwrap();
    let (tool, revision) = (history.tool(), &history.revisions()[0]);
    assert_eq!(tool.bookkeeping(POSTGRES).tables, ["schema_migrations"]);
    assert_eq!(
        tool.bookkeeping(POSTGRES).create.unwrap(),
        "create table if not exists public.schema_migrations (version varchar primary key)"
    );
    assert_eq!(
        tool.bookkeeping(SQLITE).create.unwrap(),
        "create table if not exists \"schema_migrations\" (version varchar(128) primary key)"
    );
    assert_eq!(
        tool.record(POSTGRES, revision).unwrap(),
        "insert into public.schema_migrations (version) values ('0007')"
    );
    assert_eq!(
        tool.forget(SQLITE, revision).unwrap(),
        "delete from \"schema_migrations\" where version = '0007'"
    );
}

/// Lines that dbmate looks at, and any others.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        3 => prop::sample::select(vec![
            "-- migrate:up", "--migrate:down", "-- migrate:down transaction:false", "-- migrate:", "", "-- a", "a;",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let end = prop::sample::select(vec!["\n", "\r\n", "\r", ""]);
    proptest::collection::vec((line, end), 0..8)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect())
}

proptest! {
    #[test]
    fn what_is_read_stands_in_the_file(text in text()) {
        let Ok(Sections { up, down }) = Sections::of(&text) else { return Ok(()) };
        prop_assert_eq!(down.body.end, text.len());
        let head = &text[..up.body.start];
        let between = &text[up.body.end..down.body.start];
        prop_assert_eq!(head.lines().filter_map(annotation).map(|(word, _)| word).next_back(), Some("up"));
        prop_assert_eq!(annotation(between).map(|(word, _)| word), Some("down"));
        for section in [up, down] {
            let above = text[..section.body.start].trim_end_matches('\n').matches('\n').count();
            prop_assert_eq!(section.line as usize, 1 + above);
        }
    }
}
