use proptest::prelude::*;
use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::*;
use crate::history::Downgrade;

/// `reMigration` of authelia's `internal/storage/const.go`, with groups of the names that are known.
const AUTHELIA: &str = r"^V(?<version>\d{4})\.(?<name>[^.]+)\.(?<direction>up|down)\.sql$";
/// `MigrationFileRegexp` of ory/x, `popx/match.go`. Its dialect may not be "autocommit".
const POP: &str = r"^(?<version>\d+)_(?<name>[^.]+)(\.(?<dialect>postgres|sqlite3?|mysql|cockroach))?(?<autocommit>\.autocommit)?\.(?<direction>up|down)\.sql$";
const BACKENDS: [Backend; 2] = [Backend::Postgres, Backend::Sqlite];

fn options(pattern: &str) -> Options {
    let pattern = FilePattern::new(pattern, "switchback.toml:3").unwrap();
    Options { pattern: Some(pattern), ..Options::default() }
}

fn history(files: &[&str], backend: Backend, options: &Options) -> Result<History, LayoutError> {
    let files: Vec<_> = files.iter().map(|name| (*name, "SELECT 1;")).collect();
    Layout.read_with(&tree(&files), backend, options)
}

#[rstest]
#[case::authelia(
    AUTHELIA,
    &["V0002.WebAuthn.up.sql", "V0001.Initial_Schema.up.sql", "V0001.Initial_Schema.down.sql", "README.md"],
    "0001_Initial_Schema 0002_WebAuthn",
    "0001_Initial_Schema 0002_WebAuthn"
)]
#[case::folders_per_dialect(
    r"^(?<dialect>\w+)/V(?<version>\d+)\.(?<name>[^.]+)\.(?<direction>up|down)\.sql$",
    &["postgres/V1.a.up.sql", "sqlite/V1.a.up.sql", "sqlite/V2.b.up.sql", "mysql/V1.a.up.sql"],
    "1_a",
    "1_a 2_b"
)]
#[case::a_dialect_of_its_own_outranks_none(
    POP,
    &["1_a.up.sql", "1_a.sqlite3.up.sql", "2_b.postgres.up.sql", "3_c.mysql.up.sql", "4_d.up.sql"],
    "1_a 2_b 4_d",
    "1_a 4_d"
)]
#[case::only_the_version("^(?<version>[0-9.]+)", &["1.10.sql", "1.9.sql", "1.9.1.sql"], "1.9. 1.9.1. 1.10.", "1.9. 1.9.1. 1.10.")]
#[case::more_digits_than_64_bits_hold(
    POP,
    &["20191100000001000001_b.up.sql", "20191100000001000000_a.up.sql"],
    "20191100000001000000_a 20191100000001000001_b",
    "20191100000001000000_a 20191100000001000001_b"
)]
#[case::numbers_are_numbers(POP, &["10_b.up.sql", "9_a.up.sql"], "9_a 10_b", "9_a 10_b")]
#[case::other_words(
    r"^(?<version>\d+)/(?<direction>deploy|revert)\.sql$",
    &["1/deploy.sql", "1/revert.sql"],
    "1",
    "1"
)]
#[case::nothing_yet(POP, &[], "", "")]
fn the_pattern_tells(
    #[case] pattern: &str,
    #[case] files: &[&str],
    #[case] postgres: &str,
    #[case] sqlite: &str,
) {
    for (backend, expected) in BACKENDS.into_iter().zip([postgres, sqlite]) {
        let history = history(files, backend, &options(pattern)).unwrap();
        assert_eq!(names(&history).join(" "), expected, "{backend}");
    }
}

#[test]
fn each_step_takes_the_file_that_serves_best() {
    let files = ["1_a.up.sql", "1_a.sqlite3.up.sql", "1_a.down.sql", "1_a.postgres.down.sql"];
    for (backend, up, down) in [
        (Backend::Postgres, "m/1_a.up.sql", "m/1_a.postgres.down.sql"),
        (Backend::Sqlite, "m/1_a.sqlite3.up.sql", "m/1_a.down.sql"),
    ] {
        let history = history(&files, backend, &options(POP)).unwrap();
        let revision = &history.revisions()[0];
        assert_eq!(revision.upgrade.path, up);
        assert_eq!(revision.downgrade.script().unwrap().path, down);
    }
}

/// `migrationRank` of ory/x, `popx/migration_info.go`: an earlier fallback ranks higher.
#[test]
fn the_first_word_for_a_backend_is_preferred() {
    let mut options = options(POP);
    options.dialects = BTreeMap::from([
        (Backend::Postgres, vec!["postgres".to_owned(), "cockroach".to_owned()]),
        (Backend::Sqlite, vec!["sqlite3".to_owned()]),
    ]);
    let files = ["1_a.cockroach.up.sql", "1_a.postgres.up.sql", "2_b.cockroach.up.sql", "3_c.sqlite.up.sql"];
    let history = history(&files, Backend::Postgres, &options).unwrap();
    let paths: Vec<_> = history.revisions().iter().map(|revision| revision.upgrade.path.as_str()).collect();
    assert_eq!(paths, ["m/1_a.postgres.up.sql", "m/2_b.cockroach.up.sql"]);
}

/// `shouldNotUseTransaction` of ory/x, `popx/migrator.go`.
#[test]
fn autocommit_is_outside_a_transaction() {
    let files = ["1_a.postgres.autocommit.up.sql", "1_a.down.sql", "2_b.autocommit.up.sql", "3_c.up.sql"];
    let history = history(&files, Backend::Postgres, &options(POP)).unwrap();
    let of = |revision: &Revision| (revision.upgrade_in_transaction, revision.downgrade_in_transaction);
    let found: Vec<_> = history.revisions().iter().map(of).collect();
    assert_eq!(found, [(false, true), (false, true), (true, true)]);
}

#[rstest]
#[case(Transaction::File, true)]
#[case(Transaction::Run, true)]
#[case(Transaction::None, false)]
fn the_config_says_what_a_transaction_holds(#[case] transaction: Transaction, #[case] expected: bool) {
    let options = Options { transaction, ..options(POP) };
    let history = history(&["1_a.up.sql", "1_a.down.sql"], Backend::Sqlite, &options).unwrap();
    let revision = &history.revisions()[0];
    assert_eq!((revision.upgrade_in_transaction, revision.downgrade_in_transaction), (expected, expected));
}

#[test]
fn the_books_are_the_projects_own() {
    let options = Options { bookkeeping: Some("migrations".to_owned()), ..options(POP) };
    let history = history(&["1_a.up.sql"], Backend::Sqlite, &options).unwrap();
    let (tool, revision) = (history.tool(), &history.revisions()[0]);
    let Bookkeeping { tables, create } = tool.bookkeeping(Backend::Sqlite);
    assert_eq!((tables, create), (vec!["migrations".to_owned()], None));
    assert_eq!(
        (tool.record(Backend::Sqlite, revision), tool.forget(Backend::Sqlite, revision)),
        (None, None)
    );
}

#[rstest]
#[case::matches_nothing(
    AUTHELIA,
    &["1_a.sql", "2_b.sql"],
    "switchback.toml:3: the pattern matches none of the 2 .sql files in \"m\", such as \"1_a.sql\""
)]
#[case::two_upgrades(
    POP,
    &["1_a.up.sql", "01_b.up.sql"],
    "switchback.toml:3: the pattern makes both \"m/01_b.up.sql\" and \"m/1_a.up.sql\" the upgrade of version 1 on postgres: let it match one of them, or give one a version of its own"
)]
#[case::two_downgrades_of_one_dialect(
    POP,
    &["1_a.up.sql", "1_a.postgres.down.sql", "1_b.postgres.down.sql"],
    "switchback.toml:3: the pattern makes both \"m/1_a.postgres.down.sql\" and \"m/1_b.postgres.down.sql\" the downgrade of version 1 on postgres: let it match one of them, or give one a version of its own"
)]
#[case::no_version(
    r"^(?<version>\d*)_",
    &["_a.sql"],
    "switchback.toml:3: the pattern finds no version in \"m/_a.sql\""
)]
#[case::strange_direction(
    r"^(?<version>\d+)_(?<direction>\w+)\.sql$",
    &["1_sideways.sql"],
    "switchback.toml:3: the pattern finds the direction \"sideways\" in \"m/1_sideways.sql\", which is none of up, upgrade, do, apply, deploy, forward and down, downgrade, undo, revert, rollback, backward"
)]
#[case::downgrade_alone(
    POP,
    &["1_a.down.sql"],
    "\"m/1_a.down.sql\" has no upgrade to go with it: an upgrade of version 1 is missing"
)]
fn files_that_the_pattern_does_not_fit(#[case] pattern: &str, #[case] files: &[&str], #[case] message: &str) {
    let error = history(files, Backend::Postgres, &options(pattern)).unwrap_err();
    assert_eq!(error.to_string(), message);
}

#[rstest]
#[case::no_version("^V", "has no group \"version\": write (?<version>\\d+) where the version stands")]
#[case::misspelt(
    r"(?<version>\d+)(?<dialekt>x)",
    "has a group \"dialekt\", which means nothing: did you mean \"dialect\"?"
)]
#[case::unclosed("(?<version>", "is no regular expression: unclosed group")]
#[case::looks_around(
    r"(?<version>\d+)(?!x)",
    "is no regular expression: look-around, including look-ahead and look-behind, is not supported"
)]
fn a_pattern_that_is_none(#[case] pattern: &str, #[case] message: &str) {
    assert_eq!(FilePattern::new(pattern, "").unwrap_err(), message);
}

#[test]
fn a_downgrade_for_another_database_is_no_orphan() {
    let history = history(&["1_a.mysql.up.sql", "1_a.down.sql"], Backend::Sqlite, &options(POP)).unwrap();
    assert!(history.is_empty());
}

#[test]
fn no_folder_is_recognised() {
    assert_eq!(Layout.claim(&tree(&[("V0001.a.up.sql", "")])), Claim::Nothing);
}

proptest! {
    /// Any names are read or refused, and what was read is where it says it is.
    #[test]
    fn no_name_panics(
        files in proptest::collection::btree_set("[0-9]{0,3}(_|\\.|/){0,1}[aä]{0,2}(\\.(pg|sqlite|up|down|autocommit)){0,3}(\\.sql)?", 0..6),
        pattern in prop::sample::select(vec![
            POP, AUTHELIA, r"(?<version>.*)", r"^(?<version>\d*)(?<name>.)?(\.(?<dialect>\w+))?(\.(?<direction>\w+))?",
        ]),
    ) {
        let given: Vec<_> = files.iter().map(|file| (file.as_str(), "SELECT 1;")).collect();
        let tree = tree(&given);
        for backend in BACKENDS {
            if let Ok(history) = Layout.read_with(&tree, backend, &options(pattern)) {
                let mut versions: Vec<_> = Vec::new();
                for revision in history.revisions() {
                    let file = revision.upgrade.path.strip_prefix("m/").unwrap();
                    prop_assert!(files.contains(file));
                    prop_assert!(file.contains(revision.id.as_str()));
                    prop_assert!(!matches!(revision.downgrade, Downgrade::Script(ref script) if script.path == revision.upgrade.path));
                    versions.push(parts(revision.id.as_str()));
                }
                prop_assert!(versions.is_sorted());
            }
        }
    }
}
