//! Which questions a pair of tables gives rise to.

use std::collections::BTreeMap;

use rstest::rstest;

use super::{Common, Dialect, Row, plan};
use crate::Backend;
use crate::rows::Datum;
use crate::schema::{Attribute, Kind, Name, Object, ObjectId, Schema};

fn column(spelled: &str) -> Object {
    Object::new().with(Attribute::Type, spelled)
}

/// A schema of one table `t` with a key `id`, a column `a` and one more part.
fn schema(backend: Backend, a: Object, part: Option<(Kind, Object)>) -> Schema {
    let mut schema = Schema::new();
    let mut add = |kind, name: &str, object| {
        schema.insert(ObjectId::part(Kind::Table, Name::new("t"), kind, name), object);
    };
    let key = if backend == Backend::Postgres { "uuid" } else { "TEXT" };
    add(Kind::Column, "id", column(key).flag(Attribute::NotNull));
    add(Kind::PrimaryKey, "pk_t", Object::new().with(Attribute::Columns, vec!["id".to_owned()]));
    add(Kind::Column, "a", a);
    if let Some((kind, object)) = part {
        add(kind, "part_a", object);
    }
    schema
}

fn row(id: u8, a: Datum) -> Row {
    [("id".to_owned(), Datum::Uuid([id; 16])), ("a".to_owned(), a)].into()
}

/// What is asked of two such tables, and how it is put to one of them.
fn asked(postgres: &Schema, sqlite: &Schema, a: impl Fn(u8) -> Datum, put: Backend) -> Vec<(String, String)> {
    let name = || Name::new("t");
    let common = Common {
        seeded: [(name(), vec![row(1, a(1))])].into(),
        unusual: BTreeMap::new(),
        plain: [(name(), vec![row(2, a(2)), row(3, a(3))])].into(),
    };
    let heads = [(Backend::Postgres, postgres), (Backend::Sqlite, sqlite)].into();
    let schema = if put == Backend::Postgres { postgres } else { sqlite };
    let dialect = Dialect { backend: put, schema };
    let questions = plan(&heads, &common, true);
    questions.iter().map(|one| (one.what.clone(), dialect.action(&one.action))).collect()
}

fn text(number: u8) -> Datum {
    Datum::Text(format!("text {number}"))
}

fn number(number: u8) -> Datum {
    Datum::Integer(i128::from(number))
}

#[rstest]
#[case::not_null(column("text").flag(Attribute::NotNull), None, "NULL in column \"a\" of table \"t\"")]
#[case::length(column("character varying(3)"), None, "4 characters in column \"a\" of table \"t\"")]
#[case::default(column("text").with(Attribute::Default, "'x'"), None, "a row without column \"a\" of table \"t\"")]
#[case::collation(column("citext"), None, "\"Switchback\" as \"sWITCHBACK\" in column \"a\" of table \"t\"")]
#[case::unique(
    column("text"),
    Some((Kind::Unique, Object::new().with(Attribute::Columns, vec!["a".to_owned()]))),
    "the values of another row in \"a\" of table \"t\""
)]
#[case::unique_nulls(
    column("text"),
    Some((Kind::Unique, Object::new().with(Attribute::Columns, vec!["a".to_owned()]))),
    "NULL a second time in \"a\" of table \"t\""
)]
#[case::unique_case(
    column("text"),
    Some((Kind::Index, Object::new().with(Attribute::Columns, vec!["a".to_owned()]).flag(Attribute::UniqueIndex))),
    "\"sWITCHBACK\" beside \"Switchback\" in \"a\" of table \"t\""
)]
#[case::check(
    column("text"),
    Some((Kind::Check, Object::new().with(Attribute::Expression, "(a ~~ 'A%'::text)"))),
    "'aX' in column \"a\" of table \"t\""
)]
#[case::check_of_a_length(
    column("text"),
    Some((Kind::Check, Object::new().with(Attribute::Expression, "(length(a) > 2)"))),
    "'ééé' in column \"a\" of table \"t\""
)]
fn a_promise_of_one_backend_is_tried_on_both(
    #[case] a: Object,
    #[case] part: Option<(Kind, Object)>,
    #[case] what: &str,
) {
    let postgres = schema(Backend::Postgres, a, part);
    let sqlite = schema(Backend::Sqlite, column("TEXT"), None);
    let asked = asked(&postgres, &sqlite, text, Backend::Sqlite);
    let whats: Vec<&str> = asked.iter().map(|(what, _)| what.as_str()).collect();
    assert!(whats.contains(&what), "{whats:#?}");
}

#[rstest]
#[case(Backend::Postgres, "INSERT INTO \"t\" (\"a\", \"id\") OVERRIDING SYSTEM VALUE VALUES (32768, ")]
#[case(Backend::Sqlite, "INSERT INTO \"t\" (\"a\", \"id\") VALUES (32768, ")]
fn a_number_too_large_is_tried_in_each_dialect(#[case] backend: Backend, #[case] starts: &str) {
    let postgres = schema(Backend::Postgres, column("smallint"), None);
    let sqlite = schema(Backend::Sqlite, column("INTEGER"), None);
    let asked = asked(&postgres, &sqlite, number, backend);
    let found = asked.iter().find(|(what, _)| what == "32768 in column \"a\" of table \"t\"");
    let statement = &found.unwrap_or_else(|| panic!("{asked:#?}")).1;
    assert!(statement.starts_with(starts), "{statement}");
}

#[test]
fn nothing_is_asked_of_what_neither_promises() {
    let postgres = schema(Backend::Postgres, column("text"), None);
    let sqlite = schema(Backend::Sqlite, column("TEXT"), None);
    let asked = asked(&postgres, &sqlite, text, Backend::Postgres);
    assert!(asked.iter().all(|(what, _)| !what.contains("\"a\"")), "{asked:#?}");
}
