use proptest::prelude::*;
use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::*;
use crate::history::Downgrade;

const POSTGRES: Backend = Backend::Postgres;
const SQLITE: Backend = Backend::Sqlite;
const BOTH: &str = "-- +goose Up\nCREATE TABLE a (b INT);\n-- +goose Down\nDROP TABLE a;\n";

fn files(names: &[&str]) -> SourceTree {
    let files: Vec<_> = names.iter().map(|name| (*name, BOTH)).collect();
    tree(&files)
}

fn read(text: &str) -> Result<Revision, String> {
    let history = Layout.read(&tree(&[("1_a.sql", text)]), POSTGRES).map_err(|error| error.to_string())?;
    Ok(history.revisions()[0].clone())
}

/// The statements of a script and their lines.
fn statements(script: &Script) -> Vec<(&str, u32)> {
    script.statements(POSTGRES).iter().map(|one| (one.body, one.line)).collect()
}

/// README.md, "Migrations", and `migration.go`, `NumericComponent`.
#[rstest]
#[case::empty(&[], &[])]
#[case::sequence(&["00001_a.sql", "00002_b.sql"], &["00001_a", "00002_b"])]
#[case::timestamps(&["20170506082420_a.sql", "1_first.sql"], &["1_first", "20170506082420_a"])]
#[case::by_number_not_by_spelling(&["10_b.sql", "9_a.sql"], &["9_a", "10_b"])]
#[case::other_files(&["1_a.sql", "README.md", "embed.go", "helpers_1.go", "2_b_test.go", "x/3_c.sql"], &["1_a"])]
fn names_make_a_line(#[case] given: &[&str], #[case] expected: &[&str]) {
    assert_eq!(names(&Layout.read(&files(given), SQLITE).unwrap()), expected);
}

#[rstest]
#[case::same_number(&["01_a.sql", "1_b.sql"], "\"m/01_a.sql\" and \"m/1_b.sql\" have the same version 1: give one of them a version of its own")]
#[case::in_go(&["1_a.sql", "00002_fill.go"], "\"m/00002_fill.go\" is not SQL, so only the project's own program can run it: write what it does as SQL, or check a copy of the folder without it")]
#[case::zero(&["0_a.sql"], "the name of \"m/0_a.sql\" is not one that goose takes: its version is less than 1, so goose does not run it; the form is \"<version>_<name>.sql\" with \"-- +goose Up\" and \"-- +goose Down\" in it, the version being a number from 1")]
#[case::no_underscore(&["1-a.sql"], "the name of \"m/1-a.sql\" is not one that goose takes: it has no underscore, so goose does not run it; ")]
#[case::no_number(&["v1_a.sql"], "the name of \"m/v1_a.sql\" is not one that goose takes: no number stands before the underscore, ")]
#[case::too_large(&["9223372036854775808_a.sql"], "the version of \"m/9223372036854775808_a.sql\" is too large: goose takes at most 9223372036854775807")]
fn names_may_be_wrong(#[case] given: &[&str], #[case] message: &str) {
    let error = Layout.read(&files(given), SQLITE).unwrap_err().to_string();
    assert!(error.starts_with(message), "{error}");
}

#[test]
fn sql_without_version_or_annotation_is_not_a_migration() {
    let tree = tree(&[("1_a.sql", BOTH), ("schema.sql", "CREATE TABLE a (b INT);")]);
    assert_eq!(names(&Layout.read(&tree, SQLITE).unwrap()), ["1_a"]);
}

/// README.md, "SQL Migrations", and the texts of `internal/sqlparser/parser_test.go` in small.
#[rstest]
#[case::plain(BOTH, &[("CREATE TABLE a (b INT)", 2)], &[("DROP TABLE a", 4)])]
#[case::one_line_is_one_statement("-- +goose Up\na; b;\nc;", &[("a; b", 2), ("c", 3)], &[])]
#[case::comment_behind("-- +goose Up\na\n  ;   -- first\n\n-- why\nb;\n", &[("a\n  ", 2), ("b", 6)], &[])]
#[case::semicolon_within_a_line("-- +goose Up\na ; b\n;\n", &[("a ; b\n", 2)], &[])]
#[case::comment_within("-- +goose Up\na (\n-- x;\nb);\n", &[("a (\n-- x;\nb)", 2)], &[])]
#[case::block(
    "-- +goose Up\na;\n-- +goose StatementBegin\nf() AS $$\nb; -- x\nc;\n$$\n-- +goose StatementEnd\nd;\n\
     -- +goose Down\n-- +goose StatementBegin\ne\n-- +goose StatementEnd",
    &[("a", 2), ("f() AS $$\nb; -- x\nc;\n$$", 4), ("d", 9)], &[("e", 12)],
)]
#[case::comments_before_a_block_are_dropped("-- +goose Up\n-- +goose StatementBegin\n\n-- x\n  -- y\na\n-- +goose StatementEnd\n", &[("a", 6)], &[])]
#[case::letters_of_any_case("--+goose up\n--  +goose STATEMENTBEGIN\na\n-- +goose statementend --\n-- +goose down\nb;", &[("a", 3)], &[("b", 6)])]
#[case::head("\n  \n-- why\n-- +goose Up\na;\n", &[("a", 5)], &[])]
#[case::nothing("-- +goose Up\n-- later\n-- +goose Down\n", &[], &[])]
#[case::carriage_returns("-- +goose Up\r\na;\r\n\r\nb;\r\n-- +goose Down\r\nc;\r\n", &[("a", 2), ("b", 4)], &[("c", 6)])]
#[case::empty_block("-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\n-- x\n  \na;\n", &[("a", 6)], &[])]
#[case::block_that_begins_in_a_statement("-- +goose Up\na\n-- +goose StatementBegin\nb;\nc\n-- +goose StatementEnd\n", &[("a\n-- +goose StatementBegin\nb;\nc", 2)], &[])]
fn a_file_has_both_directions(#[case] text: &str, #[case] up: &[(&str, u32)], #[case] down: &[(&str, u32)]) {
    let revision = read(text).unwrap();
    let found = revision.downgrade.script().map(statements).unwrap_or_default();
    let trimmed = |found: Vec<(&str, u32)>| -> Vec<(String, u32)> {
        found.into_iter().map(|(body, line)| (body.trim_end().to_owned(), line)).collect()
    };
    assert_eq!(trimmed(statements(&revision.upgrade)), trimmed(up.to_vec()));
    assert_eq!(trimmed(found), trimmed(down.to_vec()));
}

#[rstest]
#[case::no_annotation("a;", "m/1_a.sql:1: goose refuses it: it stands before \"-- +goose Up\"")]
#[case::nothing("-- x\n", "m/1_a.sql:1: goose refuses it: there is no \"-- +goose Up\"")]
#[case::byte_order_mark(
    "\u{feff}-- +goose Up\na;",
    "m/1_a.sql:1: goose refuses it: it stands before \"-- +goose Up\""
)]
#[case::down_first("-- +goose Down\na;", "m/1_a.sql:1: goose refuses it: no \"Up\" stands above")]
#[case::two_ups(
    "-- +goose Up\n-- +goose Down\n-- +goose Up\n",
    "m/1_a.sql:3: goose refuses it: there is one above already, and an \"Up\" comes before a \"Down\""
)]
#[case::two_downs(
    "-- +goose Up\n-- +goose Down\n-- +goose Down\n",
    "m/1_a.sql:3: goose refuses it: there is one above already"
)]
#[case::unfinished(
    "-- +goose Up\na;\n\nb\nc\n-- +goose Down\n",
    "m/1_a.sql:4: goose refuses it: the statement ends with no \";\" at the end of a line"
)]
#[case::unfinished_at_the_end(
    "-- +goose Up\n-- +goose Down\nb",
    "m/1_a.sql:3: goose refuses it: the statement ends with no \";\""
)]
#[case::no_end(
    "-- +goose Up\n-- +goose StatementBegin\na;\n-- +goose Down\n",
    "m/1_a.sql:4: goose refuses it: \"StatementEnd\" is missing above"
)]
#[case::no_end_at_the_end(
    "-- +goose Up\n-- +goose StatementBegin\na;\n",
    "m/1_a.sql:3: goose refuses it: \"-- +goose StatementEnd\" is missing"
)]
#[case::no_begin(
    "-- +goose Up\n-- +goose StatementEnd\n",
    "m/1_a.sql:2: goose refuses it: no \"StatementBegin\" stands above"
)]
#[case::begin_outside(
    "-- +goose StatementBegin\n",
    "m/1_a.sql:1: goose refuses it: \"StatementBegin\" stands outside of"
)]
#[case::begin_within(
    "-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementBegin\n",
    "m/1_a.sql:3: goose refuses it: \"StatementBegin\" stands outside of"
)]
#[case::unknown(
    "-- +goose Upwards\n",
    "m/1_a.sql:1: goose refuses it: \"Upwards\" is not one of the annotations Up, Down, StatementBegin, StatementEnd, NO TRANSACTION, ENVSUB ON, ENVSUB OFF"
)]
#[case::unknown_with_more(
    "-- +goose Up -- creates a\n",
    "m/1_a.sql:1: goose refuses it: \"Up  creates a\" is not one of"
)]
#[case::indented(
    "-- +goose Up\n  -- +goose Down\n",
    "m/1_a.sql:2: goose refuses it: an annotation begins at the start of its line"
)]
#[case::lost(
    "-- +goose Up\n-- +goose StatementBegin\n-- +goose StatementEnd\na;\nb;\n",
    "m/1_a.sql:4: goose refuses it: goose loses this line, since nothing stands in the statement that ended above"
)]
fn what_goose_would_not_run_says_why(#[case] text: &str, #[case] message: &str) {
    let error = read(text).unwrap_err();
    assert!(error.starts_with(message), "{error}");
}

/// README.md: "Both Up and Down migrations within this file will be run without transactions."
#[rstest]
#[case::unsaid(BOTH, true)]
#[case::at_the_top("-- +goose NO TRANSACTION\n-- +goose Up\na;\n-- +goose Down\nb;", false)]
#[case::anywhere("-- +goose Up\na;\n-- +goose Down\nb;\n-- +goose no transaction\n", false)]
fn both_directions_run_in_a_transaction_or_neither(#[case] text: &str, #[case] expected: bool) {
    let revision = read(text).unwrap();
    for direction in [Direction::Upgrade, Direction::Downgrade] {
        assert_eq!(revision.in_transaction(direction), expected);
    }
}

/// README.md, "Environment Variable Substitution".
#[test]
fn variables_are_filled_in_where_the_file_says_so() {
    let text = "-- +goose Up\n-- ${A}\n-- +goose ENVSUB ON\n-- ${B}\nCREATE TABLE ${C:-x}_y (\n  b ${D:-INT}\n);\n\
                -- +goose ENVSUB OFF\nSELECT '$E';\n-- +goose Down\nDROP TABLE x_y;\n";
    let revision = read(text).unwrap();
    let expected = [("CREATE TABLE x_y (\n  b INT\n)", 5), ("SELECT '$E'", 9)];
    assert_eq!(statements(&revision.upgrade), expected);

    let error = read("-- +goose Up\n-- +goose ENVSUB ON\nDROP TABLE ${A};\n").unwrap_err();
    let expected = "m/1_a.sql:3: goose refuses it: the variable \"A\" of the environment is not known here; \
                    give it a default, as in \"${A:-…}\"";
    assert_eq!(error, expected);
}

#[rstest]
#[case::missing("", "missing")]
#[case::empty("-- +goose Down\n", "empty")]
#[case::empty_block("-- +goose Down\n-- +goose StatementBegin\n-- +goose StatementEnd\n", "empty")]
#[case::explained(
    "-- +goose Down\n-- +goose StatementBegin\n-- The rows are gone.\n-- +goose StatementEnd\n",
    "explained"
)]
#[case::script("-- +goose Down\nDROP TABLE a;", "script")]
fn a_downgrade_may_be_missing_empty_or_explained(#[case] down: &str, #[case] expected: &str) {
    let revision = read(&format!("-- +goose Up\na;\n{down}")).unwrap();
    let kind = match &revision.downgrade {
        Downgrade::Missing => "missing",
        Downgrade::Empty(_) => "empty",
        Downgrade::Explained(_, reason) => {
            assert_eq!(reason, "The rows are gone.");
            "explained"
        }
        Downgrade::Script(_) => "script",
    };
    assert_eq!(kind, expected);
}

#[test]
fn the_bookkeeping_is_that_of_goose() {
    let history = Layout.read(&files(&["00007_a.sql"]), POSTGRES).unwrap();
    let (tool, revision) = (history.tool(), &history.revisions()[0]);
    assert_eq!(tool.bookkeeping(POSTGRES).tables, ["goose_db_version"]);
    assert!(
        tool.bookkeeping(POSTGRES)
            .create
            .unwrap()
            .contains("id integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY")
    );
    assert!(tool.bookkeeping(SQLITE).create.unwrap().contains("tstamp TIMESTAMP DEFAULT (datetime('now'))"));
    assert_eq!(
        tool.record(POSTGRES, revision).unwrap(),
        "INSERT INTO goose_db_version (version_id, is_applied) VALUES (7, true)"
    );
    assert_eq!(tool.forget(SQLITE, revision).unwrap(), "DELETE FROM goose_db_version WHERE version_id=7");
}

/// Lines that goose looks at, and any others.
fn text() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        6 => prop::sample::select(vec![
            "-- +goose Up", "-- +goose Down", "-- +goose StatementBegin", "-- +goose StatementEnd",
            "-- +goose NO TRANSACTION", "-- a", "  -- b", "", " ", "a;", "b", "c; -- d", "e ';'\u{e9}",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let end = prop::sample::select(vec!["\n", "\r\n", "\n"]);
    let lines = proptest::collection::vec((line, end), 0..12)
        .prop_map(|lines| lines.into_iter().map(|(line, end)| line + end).collect::<String>());
    prop_oneof![lines.clone(), lines.prop_map(|lines| format!("-- +goose Up\n{lines}"))]
}

proptest! {
    #[test]
    fn what_is_read_stands_in_the_file(text in text()) {
        for direction in [Direction::Upgrade, Direction::Downgrade] {
            let Ok(part) = parse::part(&text, direction) else { continue };
            let Some(offset) = part.offset else { continue };
            prop_assert!(text[offset..].starts_with(&part.text));
            let mut end = 0;
            for piece in &part.pieces {
                prop_assert!(piece.start >= end && piece.end <= part.text.len());
                // What no statement has is a comment, an annotation or empty.
                for line in part.text[end..piece.start].lines() {
                    prop_assert!(line.trim().is_empty() || line.trim().starts_with("--"), "{line:?}");
                }
                end = piece.end;
            }
            for line in part.text[end..].lines() {
                prop_assert!(line.trim().is_empty() || line.trim().starts_with("--"), "{line:?}");
            }
        }
    }
}
