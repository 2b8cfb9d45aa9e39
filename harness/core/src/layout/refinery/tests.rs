use proptest::prelude::*;
use rstest::rstest;

use super::super::Layout as _;
use super::super::tests::{names, tree};
use super::*;

const BACKEND: Backend = Backend::Sqlite;

fn files(names: &[&str]) -> SourceTree {
    let files: Vec<_> = names.iter().map(|name| (*name, "SELECT 1;")).collect();
    tree(&files)
}

/// README, "Usage", and `refinery_core::util`.
#[rstest]
#[case::by_number(&["V10__c.sql", "V9__b.sql", "V1__a.sql"], &["V1__a", "V9__b", "V10__c"])]
#[case::unversioned_by_number_too(&["V1__a.sql", "U2__b.sql", "V3__c.sql"], &["V1__a", "U2__b", "V3__c"])]
#[case::zero(&["U0__merge_out_of_order.sql"], &["U0__merge_out_of_order"])]
#[case::zeros(&["V0002__b.sql", "V001__a.sql"], &["V1__a", "V2__b"])]
#[case::below(&["V1-2/V1__a.sql", "V3/more/V3__c.sql"], &["V1__a", "V3__c"])]
#[case::of_other_dialects(&["common/V1__a.sql", "sqlite/V2__b.sql", "postgres/V2__c.sql"], &["V1__a", "V2__b"])]
#[case::underscores(&["V1__a__b_.sql"], &["V1__a__b_"])]
#[case::moments(&["U20240504090241__a.sql"], &["U20240504090241__a"])]
#[case::others(&["README.md", "schema.sql", "mod.rs", "v1_api.rs", "views.sql"], &[])]
fn names_make_a_line(#[case] given: &[&str], #[case] expected: &[&str]) {
    let history = Layout.read(&files(given), BACKEND).unwrap();
    assert_eq!(names(&history), expected);
    assert!(history.is_up_only());
    assert!(history.revisions().iter().all(|revision| revision.upgrade_in_transaction));
}

#[rstest]
#[case::same_version(
    &["V1__a.sql", "U01__b.sql"],
    "\"m/U01__b.sql\" and \"m/V1__a.sql\" have the same version 1: give one of them a version of its own"
)]
#[case::in_rust(
    &["V1__a.sql", "V2__b.rs"],
    "\"m/V2__b.rs\" is not SQL, so only the project\'s own program can run it: write what it does as SQL, or check a copy of the folder without it"
)]
#[case::one_underscore(
    &["V1_a.sql"],
    "the name of \"m/V1_a.sql\" is not one that refinery takes: refinery passes over it with a warning; the form is \"V<version>__<name>.sql\" or the same with \"U\", the name of letters, digits and underscores"
)]
#[case::dash(
    &["V1__a-b.sql"],
    "the name of \"m/V1__a-b.sql\" is not one that refinery takes: refinery passes over it with a warning; the form is \"V<version>__<name>.sql\" or the same with \"U\", the name of letters, digits and underscores"
)]
#[case::dotted(
    &["V1.2__a.sql"],
    "the name of \"m/V1.2__a.sql\" is not one that refinery takes: \"1.2\" is not a whole number; the form is \"V<version>__<name>.sql\" or the same with \"U\", the name of letters, digits and underscores"
)]
#[case::too_large(
    &["V9223372036854775808__a.sql"],
    "the version of \"m/V9223372036854775808__a.sql\" is too large: refinery takes at most 9223372036854775807"
)]
fn what_refinery_would_not_run_says_why(#[case] given: &[&str], #[case] message: &str) {
    assert_eq!(Layout.read(&files(given), BACKEND).unwrap_err().to_string(), message);
}

#[rstest]
#[case(&["V1__a.sql"], true)]
#[case(&["below/U1__a.sql"], false)]
#[case(&["sqlite/V1__a.sql", "postgres/V1__a.sql"], false)]
#[case(&["V1_a.sql", "1__a.sql"], false)]
fn a_folder_is_recognised(#[case] given: &[&str], #[case] expected: bool) {
    assert_eq!(Layout.claim(&files(given)) > Claim::Nothing, expected);
}

/// The sums that refinery's own tests expect of two small migrations, `refinery/tests/rusqlite.rs`.
#[test]
fn checksums_are_those_of_refinery() {
    let persons = "CREATE TABLE persons (\n    id int,\n    name varchar(255),\n    city varchar(255)\n);\n";
    let cars = "CREATE TABLE cars (\n    id int,\n    name varchar(255)\n);\n";
    let tree = tree(&[("V1__initial.sql", persons), ("V2__add_cars_table.sql", cars)]);
    let history = Layout.read(&tree, BACKEND).unwrap();
    let records: Vec<_> = history
        .revisions()
        .iter()
        .map(|revision| history.tool().record(BACKEND, revision).unwrap())
        .collect();
    assert_eq!(
        records,
        [
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (1, 'initial', '1970-01-01T00:00:00Z', '2959965718684201605')",
            "INSERT INTO refinery_schema_history (version, name, applied_on, checksum) VALUES (2, 'add_cars_table', '1970-01-01T00:00:00Z', '8238603820526370208')",
        ]
    );
}

#[rstest]
#[case("V2147483647__a.sql", "version int4 PRIMARY KEY")]
#[case("V2147483648__a.sql", "version int8 PRIMARY KEY")]
fn a_version_tells_how_many_bits_it_has(#[case] file: &str, #[case] column: &str) {
    let options = Options { bookkeeping: Some("applied".to_owned()), ..Options::default() };
    let history = Layout.read_with(&files(&[file]), BACKEND, &options).unwrap();
    let Bookkeeping { tables, create } = history.tool().bookkeeping(BACKEND);
    let create = create.unwrap();
    assert_eq!(tables, ["applied"]);
    assert!(create.contains(column) && create.contains("EXISTS applied("), "{create}");
    let forget = history.tool().forget(BACKEND, &history.revisions()[0]).unwrap();
    assert!(forget.starts_with("DELETE FROM applied WHERE version = 214748364"), "{forget}");
}

proptest! {
    /// What is read is what refinery would show, and renders back to the name of its file.
    #[test]
    fn names_are_read_or_refused(file in "[VUvX]?[0-9.]{0,4}_{0,2}[aä_-]{0,3}(\\.sql|\\.rs|\\.md)?") {
        if let Ok(Some(name)) = FileName::parse(&file) {
            let extension = if name.is_rust { "rs" } else { "sql" };
            let (shown, version) = (name.shown(), name.version.to_string());
            let zeros = file[1..].chars().take_while(|letter| *letter == '0').count();
            let zeros = if name.version == 0 { zeros - 1 } else { zeros };
            let spelled = format!("{}{}{version}{}", name.prefix, "0".repeat(zeros), &shown[1 + version.len()..]);
            prop_assert_eq!(file, format!("{spelled}.{extension}"));
        }
    }
}
