use proptest::prelude::*;
use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::*;
use crate::history::{Bookkeeping, Downgrade};

const POSTGRES: Backend = Backend::Postgres;
const SQLITE: Backend = Backend::Sqlite;

fn files(names: &[&str]) -> SourceTree {
    let files: Vec<_> = names.iter().map(|name| (*name, "SELECT 1;")).collect();
    tree(&files)
}

fn message(files: &[(&str, &str)], backend: Backend) -> String {
    Layout.read(&tree(files), backend).unwrap_err().to_string()
}

/// Documentation, "Migrations", and `MigrationVersion`: "6, 6.0, 005, 1.2.3.4, 201004200021".
#[rstest]
#[case::numbers(&["V10__c.sql", "V2__b.sql", "V1__a.sql"], &["V1__a", "V2__b", "V10__c"])]
#[case::dots(&["V1.10__c.sql", "V1.9.9__b.sql", "V1.9__a.sql", "V2__d.sql"], &["V1.9__a", "V1.9.9__b", "V1.10__c", "V2__d"])]
#[case::underscores(&["V1_2__b.sql", "V1.1__a.sql", "V1_10__c.sql"], &["V1.1__a", "V1_2__b", "V1_10__c"])]
#[case::zeros(&["V005__b.sql", "V04.00.2__a.sql"], &["V04.00.2__a", "V005__b"])]
#[case::more_digits_than_64_bits_hold(&["V20240101000000000000000__b.sql", "V1__a.sql"], &["V1__a", "V20240101000000000000000__b"])]
#[case::no_description(&["V1.sql", "V2__.sql"], &["V1", "V2__"])]
#[case::repeatable_last(&["R__z_view.sql", "V9__a.sql", "R__a_view.sql"], &["V9__a", "R__a_view", "R__z_view"])]
#[case::suffix_in_capitals(&["V1__a.SQL"], &["V1__a"])]
#[case::below(&["V1__a.sql", "2024/V3__c.sql", "2023/12/V2__b.sql"], &["V1__a", "V2__b", "V3__c"])]
#[case::vendors(&["common/V1__a.sql", "postgresql/V2__b.sql", "h2/V2__b.sql", "sqlite/V2__c.sql"], &["V1__a", "V2__b"])]
#[case::others(&["Views.sql", "Users.sql", "Rename.sql", "V.sql", "afterMigrateError.sql", "V1__a.txt", "R2D2.sql"], &[])]
fn names_make_a_line(#[case] given: &[&str], #[case] expected: &[&str]) {
    assert_eq!(names(&Layout.read(&files(given), POSTGRES).unwrap()), expected);
    assert!(given.iter().all(|file| Layout.reads(file) == file.to_lowercase().ends_with(".sql")));
}

#[test]
fn undo_goes_with_its_version() {
    let tree =
        tree(&[("V1_0__a.sql", "SELECT 1;"), ("U1__other.sql", "SELECT 2;"), ("R__b.sql", "SELECT 3;")]);
    let history = Layout.read(&tree, SQLITE).unwrap();
    let [first, last] = history.revisions() else { panic!("two revisions") };
    assert_eq!((first.id.as_str(), first.name.as_str()), ("1.0", "V1_0__a"));
    assert_eq!(first.downgrade.script().unwrap().path, "m/U1__other.sql");
    assert_eq!((last.id.as_str(), &last.downgrade), ("R__b", &Downgrade::Missing));
}

#[rstest]
#[case::same_version(
    &["V1.0__a.sql", "V01__b.sql"],
    "\"m/V01__b.sql\" and \"m/V1.0__a.sql\" have the same version 1.0: give one of them a version of its own"
)]
#[case::same_description(
    &["R__a_b.sql", "sub/R__a_b.sql"],
    "\"m/R__a_b.sql\" and \"m/sub/R__a_b.sql\" have the same version a b: give one of them a version of its own"
)]
#[case::undo_alone(
    &["V1__a.sql", "U2__b.sql"],
    "\"m/U2__b.sql\" has no upgrade to go with it: an upgrade \"V2__b\" is missing"
)]
#[case::in_java(
    &["V1__A.java"],
    "\"m/V1__A.java\" is not SQL, so only the project\'s own program can run it: write what it does as SQL, or check a copy of the folder without it"
)]
fn what_flyway_would_not_run_says_why(#[case] given: &[&str], #[case] message: &str) {
    assert_eq!(Layout.read(&files(given), SQLITE).unwrap_err().to_string(), message);
}

/// `ResourceNameParser`: such names are passed over.
#[rstest]
#[case("V__a.sql", "it has no version, which makes Flyway pass over it")]
#[case("V1.x__a.sql", "Flyway cannot read its version and passes over it")]
#[case("V1.__a.sql", "Flyway cannot read its version and passes over it")]
#[case("R1__a.sql", "it has a version, which makes Flyway pass over it")]
#[case("v1__a.sql", "Flyway passes over a prefix in lower case")]
fn a_name_that_looks_like_a_migration(#[case] file: &str, #[case] reason: &str) {
    let error = Layout.read(&files(&[file]), SQLITE).unwrap_err().to_string();
    assert!(
        error.starts_with(&format!("the name of \"m/{file}\" is not one that flyway takes: {reason}; ")),
        "{error}"
    );
}

/// Documentation, "Placeholders": `${name}`, whatever its case; a value for each.
#[test]
fn placeholders_are_replaced() {
    let text = "-- ${Owner}\nGRANT ALL ON ${flyway:defaultSchema}.${T} TO ${flyway:user}; -- ${flyway:filename} ${flyway:table}";
    let options = Options {
        placeholders: BTreeMap::from([
            ("owner".to_owned(), "ada".to_owned()),
            ("t".to_owned(), String::new()),
        ]),
        ..Options::default()
    };
    let history = Layout.read_with(&tree(&[("sub/V1__a.sql", text)]), POSTGRES, &options).unwrap();
    assert_eq!(
        &*history.revisions()[0].upgrade.text,
        "-- ada\nGRANT ALL ON public. TO current_user; -- V1__a.sql flyway_schema_history"
    );
}

#[rstest]
#[case::unknown(
    "SELECT 1;\nSELECT '${x}';",
    "m/V1__a.sql:2: nothing says what stands for the placeholder \"${x}\": give it in [history] placeholders, or put placeholderReplacement=false into \"m/V1__a.sql.conf\""
)]
#[case::open("SELECT '${x';", "m/V1__a.sql:1: a placeholder begins with \"${\" and does not end")]
#[case::mixed(
    "CREATE TABLE a (b INT);\nCREATE INDEX CONCURRENTLY c ON a (b);",
    "m/V1__a.sql:2: Flyway refuses statements that must be outside a transaction together with others: move them to a script of their own, or write mixed = true under [history] if Flyway is told so"
)]
#[case::rows(
    "SELECT 1;\nCOPY a (b) FROM stdin;\n1\n\\.\n",
    "m/V1__a.sql:2: rows after COPY … FROM STDIN are not sent here: write them as INSERT"
)]
fn a_script_that_cannot_be_run(#[case] text: &str, #[case] expected: &str) {
    assert_eq!(message(&[("V1__a.sql", text)], POSTGRES), expected);
}

/// Documentation, "Callbacks".
#[rstest]
#[case("afterMigrate.sql")]
#[case("postgresql/beforeEachMigrate__why.sql")]
fn callbacks_are_not_left_out_in_silence(#[case] file: &str) {
    let tree = files(&["V1__a.sql", file]);
    assert_eq!(
        Layout.read(&tree, POSTGRES).unwrap_err().to_string(),
        format!(
            "m/{file}:1: callbacks are not run here: write callbacks = \"skipped\" under [history] if no migration needs what they do"
        )
    );
    let options = Options { callbacks_skipped: true, ..Options::default() };
    assert_eq!(names(&Layout.read_with(&tree, POSTGRES, &options).unwrap()), ["V1__a"]);
}

/// `ParserSqlScript`: with `mixed`, one statement that must be outside takes the whole script with it.
#[test]
fn statements_may_be_mixed() {
    let options = Options { mixed: true, ..Options::default() };
    let text = "PRAGMA foreign_keys = off; CREATE TABLE a (b INT); PRAGMA foreign_keys = on;";
    let history = Layout.read_with(&tree(&[("V1__a.sql", text)]), SQLITE, &options).unwrap();
    assert!(!history.revisions()[0].upgrade_in_transaction);
}

/// `PostgreSQLParser` and `SQLiteParser`, `detectCanExecuteInTransaction`.
#[rstest]
#[case(POSTGRES, "CREATE INDEX CONCURRENTLY a ON b (c);", false)]
#[case(POSTGRES, "-- now\ndrop index concurrently a; drop index concurrently b;", false)]
#[case(POSTGRES, "CREATE UNIQUE INDEX CONCURRENTLY a ON b (c)", false)]
#[case(POSTGRES, "VACUUM", false)]
#[case(POSTGRES, "REINDEX VERBOSE DATABASE a", false)]
#[case(POSTGRES, "REINDEX TABLE a", true)]
#[case(POSTGRES, "ALTER TYPE a ADD VALUE 'b'", true)]
#[case(POSTGRES, "PRAGMA foreign_keys = off", true)]
#[case(SQLITE, "PRAGMA foreign_keys = off", false)]
#[case(SQLITE, "PRAGMA user_version = 1", true)]
#[case(SQLITE, "VACUUM", true)]
#[case(POSTGRES, "", true)]
fn statements_tell_whether_there_is_a_transaction(
    #[case] backend: Backend,
    #[case] text: &str,
    #[case] expected: bool,
) {
    let history = Layout.read(&tree(&[("V1__a.sql", text)]), backend).unwrap();
    assert_eq!(history.revisions()[0].upgrade_in_transaction, expected);
}

/// Documentation, "Script Config Files".
#[rstest]
#[case::outside("executeInTransaction=false", Some(("SELECT '7';", false)))]
#[case::as_it_is("# why\n\nplaceholderReplacement = false\n", Some(("SELECT '${x}';", true)))]
#[case::not_at_all("shouldExecute=false", None)]
#[case::elsewhere("shouldExecute=${x}==8", None)]
#[case::here("shouldExecute=${x}!=8\nencoding=UTF-8", Some(("SELECT '7';", true)))]
fn a_conf_says_more(#[case] conf: &str, #[case] expected: Option<(&str, bool)>) {
    let options =
        Options { placeholders: BTreeMap::from([("x".to_owned(), "7".to_owned())]), ..Options::default() };
    let tree = tree(&[("V1__a.sql", "SELECT '${x}';"), ("V1__a.sql.conf", conf)]);
    let history = Layout.read_with(&tree, POSTGRES, &options).unwrap();
    let found = history.revisions().first();
    assert_eq!(found.map(|one| (&*one.upgrade.text, one.upgrade_in_transaction)), expected);
}

#[rstest]
#[case("a=b", "m/V1__a.sql.conf:1: Flyway refuses the key \"a\", which it does not know")]
#[case(
    "\nexecuteInTransaction=no",
    "m/V1__a.sql.conf:2: \"executeInTransaction\" is true or false, not \"no\""
)]
#[case(
    "shouldExecute=a==b && c==d",
    "m/V1__a.sql.conf:1: \"a==b && c==d\" is more than one comparison, which is not understood"
)]
#[case("encoding=ISO-8859-1", "m/V1__a.sql.conf:1: only UTF-8 is understood: save the script as UTF-8")]
fn a_conf_that_is_not_understood(#[case] conf: &str, #[case] expected: &str) {
    assert_eq!(message(&[("V1__a.sql", "SELECT 1;"), ("V1__a.sql.conf", conf)], SQLITE), expected);
}

/// `JdbcTableSchemaHistory` and `Database.getInsertStatement`.
#[test]
fn the_bookkeeping_is_that_of_flyway() {
    let tree = tree(&[("V1.1__it's_a.sql", "SELECT 1;"), ("U1.1__back.sql", "SELECT 2;"), ("R__v.sql", "")]);
    let history = Layout.read(&tree, SQLITE).unwrap();
    let (tool, [first, last]) = (history.tool(), history.revisions()) else { panic!("two revisions") };
    let Bookkeeping { tables, create } = tool.bookkeeping(POSTGRES);
    let create = create.unwrap();
    assert_eq!(tables, ["flyway_schema_history"]);
    assert!(create.contains("ADD CONSTRAINT \"flyway_schema_history_pk\" PRIMARY KEY"), "{create}");
    let insert = "INSERT INTO \"main\".\"flyway_schema_history\" (\"installed_rank\", \"version\", \"description\", \"type\", \"script\", \"checksum\", \"installed_by\", \"execution_time\", \"success\") VALUES ((SELECT COALESCE(MAX(\"installed_rank\"), 0) + 1 FROM \"main\".\"flyway_schema_history\"), ";
    let (up, down) = (books::checksum("SELECT 1;"), books::checksum("SELECT 2;"));
    assert_eq!(
        tool.record(SQLITE, first).unwrap(),
        format!("{insert}'1.1', 'it''s a', 'SQL', 'V1.1__it''s_a.sql', {up}, '', 0, 1)")
    );
    assert_eq!(
        tool.forget(SQLITE, first).unwrap(),
        format!("{insert}'1.1', 'back', 'UNDO_SQL', 'U1.1__back.sql', {down}, '', 0, 1)")
    );
    assert_eq!(
        tool.record(SQLITE, last).unwrap(),
        format!("{insert}NULL, 'v', 'SQL', 'R__v.sql', 0, '', 0, 1)")
    );
    assert_eq!(tool.forget(SQLITE, last), None);
    let record = tool.record(POSTGRES, first).unwrap();
    assert!(record.starts_with("RESET ROLE; RESET search_path; INSERT INTO \"public\"."), "{record}");
}

/// CRC-32 of "123456789" is the check value that its catalogues give.
#[rstest]
#[case("123456789", 0xCBF4_3926_u32)]
#[case("\u{feff}12345\r\n67\n89\n", 0xCBF4_3926)]
#[case("", 0)]
fn checksums_are_of_lines(#[case] text: &str, #[case] expected: u32) {
    assert_eq!(books::checksum(text), expected.cast_signed());
}

#[test]
fn a_byte_order_mark_is_taken_off() {
    let history = Layout.read(&tree(&[("V1__a.sql", "\u{feff}SELECT 1;")]), POSTGRES).unwrap();
    assert_eq!(&*history.revisions()[0].upgrade.text, "SELECT 1;");
}

#[rstest]
#[case(&["V1__a.sql"], true)]
#[case(&["postgresql/V1.1__a.sql"], true)]
#[case(&["postgresql/V1__a.sql"], false)]
#[case(&["migration/V1__a.sql"], false)]
#[case(&["R__a.sql"], true)]
#[case(&["1__a.sql", "V1_a.txt", "Views.sql"], false)]
fn a_folder_is_recognised(#[case] given: &[&str], #[case] expected: bool) {
    assert_eq!(Layout.claim(&files(given)) > Claim::Nothing, expected);
}

proptest! {
    /// No name panics, and what is read renders back.
    #[test]
    fn names_are_read_or_refused(file in "[VURvX]?[0-9._]{0,5}_{0,2}[aä ]{0,3}(\\.sql|\\.java)?") {
        if let Ok(Some(name)) = FileName::parse(&file) {
            prop_assert!(file.starts_with(name.stem) && name.stem.ends_with(name.rest));
            match &name.version {
                None => prop_assert_eq!(name.stem, format!("R__{}", name.rest)),
                Some(version) => {
                    let spelled = &name.stem[1..];
                    prop_assert!(spelled.replace('_', ".").starts_with(&version.shown));
                    prop_assert_eq!(Version::parse(&version.shown), Some(version.clone()));
                }
            }
        }
    }

    /// The order of versions is that of their numbers, and a zero at the end changes nothing.
    #[test]
    fn versions_are_numbers(left in prop::collection::vec(0..30_u32, 1..4), right in prop::collection::vec(0..30_u32, 1..4)) {
        let version = |parts: &[u32]| {
            let parts: Vec<_> = parts.iter().map(|part| format!("{part:02}")).collect();
            Version::parse(&parts.join(".")).unwrap()
        };
        let filled = |parts: &[u32]| -> Vec<u32> { parts.iter().copied().chain([0, 0, 0]).take(3).collect() };
        prop_assert_eq!(version(&left).cmp(&version(&right)), filled(&left).cmp(&filled(&right)));
    }

    /// Replacing fails or leaves no placeholder, and touches nothing else.
    #[test]
    fn any_text_is_replaced_or_refused(text in "([a-z ]|\\$\\{|\\}|\\$|x|ä|\n){0,12}") {
        let options = Options { placeholders: BTreeMap::from([("x".to_owned(), "1".to_owned())]), ..Options::default() };
        let placeholders = Placeholders::new(&options, "t", SQLITE, "a.sql");
        match placeholders.replace(&text, "a.sql") {
            Ok(replaced) => prop_assert_eq!(replaced, text.replace("${x}", "1")),
            Err(error) => prop_assert!(error.to_string().starts_with("a.sql:")),
        }
    }
}
