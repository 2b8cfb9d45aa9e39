//! Which questions a pair of tables gives rise to.

use std::collections::BTreeMap;

use rstest::rstest;

use super::{Common, Dialect, Promise, Reading, Row, plan};
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
    Row::from_iter([("id".to_owned(), Datum::Uuid([id; 16])), ("a".to_owned(), a)])
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

fn unique_index(term: &str) -> Object {
    Object::new().with(Attribute::Columns, vec![term.to_owned()]).flag(Attribute::UniqueIndex)
}

/// What says that `a` refers to the key of its own table.
fn reference() -> Object {
    Object::new().with(Attribute::Columns, vec!["a".to_owned()]).with(Attribute::References, "t (id)")
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
#[case::order(
    column("text").with(Attribute::Collation, "\"und-x-icu\""),
    None,
    "the place of \"a10\" among other texts in column \"a\" of table \"t\""
)]
#[case::exclusion(
    column("text"),
    Some((Kind::Exclusion, Object::new().with(Attribute::Columns, vec!["a WITH =".to_owned()]))),
    "a second row that \"part_a\" of table \"t\" excludes"
)]
#[case::unique_in_a_predicate(
    column("text"),
    Some((Kind::Index, unique_index("id").with(Attribute::Where, "(a = 'open'::text)"))),
    "the values of another row in \"id\" of table \"t\" with \"a\" 'open'"
)]
#[case::unique_out_of_a_predicate(
    column("text"),
    Some((Kind::Index, unique_index("id").with(Attribute::Where, "(a = 'open'::text)"))),
    "the values of another row in \"id\" of table \"t\" with \"a\" NULL"
)]
#[case::unique_in_lower_case(
    column("text"),
    Some((Kind::Index, unique_index("lower(a)"))),
    "\"sWITCHBACK\" beside \"Switchback\" in \"a\" of table \"t\""
)]
#[case::unique_nulls_in_an_expression(
    column("text"),
    Some((Kind::Index, unique_index("COALESCE(a, ''::text)"))),
    "the values of another row in \"a\" of table \"t\" with \"a\" NULL"
)]
#[case::unique_in_documents(
    column("jsonb"),
    Some((Kind::Index, unique_index("((a #>> '{k,l}'::text[]))"))),
    "the values of another row in \"a\" of table \"t\" with \"a\" '{\"k\":{\"l\":\"x\"}}'"
)]
#[case::deferred(
    column("uuid"),
    Some((Kind::ForeignKey, reference().with(Attribute::Deferrable, "deferrable initially deferred"))),
    "a row before its parent in \"a\" of table \"t\""
)]
#[case::deferrable(
    column("uuid"),
    Some((Kind::ForeignKey, reference().with(Attribute::Deferrable, "deferrable"))),
    "a row before its parent in \"a\" of table \"t\" after asking foreign keys to wait"
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

/// The statements by which a table with that part is asked about it.
fn put(a: &str, part: (Kind, Object), value: impl Fn(u8) -> Datum, backend: Backend) -> Vec<String> {
    let postgres = schema(Backend::Postgres, column(a), Some(part));
    let sqlite = schema(Backend::Sqlite, column("TEXT"), None);
    asked(&postgres, &sqlite, value, backend).into_iter().map(|(_, statement)| statement).collect()
}

const ONE: &str = "'02020202-0202-0202-0202-020202020202'";
const OTHER: &str = "'03030303-0303-0303-0303-030303030303'";

#[rstest]
#[case(Backend::Postgres, "SET CONSTRAINTS ALL DEFERRED", "OVERRIDING SYSTEM VALUE ")]
#[case(Backend::Sqlite, "PRAGMA defer_foreign_keys = ON", "")]
fn a_key_that_waits_when_asked_is_asked(#[case] backend: Backend, #[case] asks: &str, #[case] over: &str) {
    let key = reference().with(Attribute::Deferrable, "deferrable");
    let statements = put("uuid", (Kind::ForeignKey, key), |_| Datum::Null, backend);
    let insert = |a: &str, id: &str| format!("INSERT INTO \"t\" (\"a\", \"id\") {over}VALUES ({a}, {id})");
    let whole = format!("{asks};\n{};\n{}", insert(OTHER, ONE), insert("NULL", OTHER));
    assert!(statements.contains(&whole), "{statements:#?}");
}

/// A range of no length overlaps with nothing.
#[test]
fn rows_that_exclude_each_other_overlap() {
    let mut postgres = schema(Backend::Postgres, column("integer"), None);
    let mut sqlite = schema(Backend::Sqlite, column("INTEGER"), None);
    for schema in [&mut postgres, &mut sqlite] {
        schema.insert(ObjectId::part(Kind::Table, Name::new("t"), Kind::Column, "b"), column("INTEGER"));
    }
    let terms = vec!["int4range(a, b) WITH &&".to_owned(), "id WITH <>".to_owned()];
    let part = ObjectId::part(Kind::Table, Name::new("t"), Kind::Exclusion, "ex");
    postgres.insert(part, Object::new().with(Attribute::Columns, terms));
    let row = |id, a: i128| {
        let mut row = row(id, Datum::Integer(a));
        row.insert("b".to_owned(), Datum::Integer(a));
        row
    };
    let common = Common { plain: [(Name::new("t"), vec![row(2, 7), row(3, 8)])].into(), ..Common::default() };
    let heads = [(Backend::Postgres, &postgres), (Backend::Sqlite, &sqlite)].into();
    let questions = plan(&heads, &common, false);
    let question = questions.iter().find(|one| one.promise == Promise::Exclusion).expect("it is asked about");
    let dialect = Dialect { backend: Backend::Sqlite, schema: &sqlite };
    let insert = |id: &str| format!("INSERT INTO \"t\" (\"a\", \"b\", \"id\") VALUES (7, 8, {id})");
    assert_eq!(dialect.action(&question.prepare[0]), insert(ONE));
    assert_eq!(dialect.action(&question.action), insert(OTHER));
}

#[test]
fn a_place_is_read_in_the_order_of_the_column() {
    let schema = schema(Backend::Sqlite, column("TEXT"), None);
    let dialect = Dialect { backend: Backend::Sqlite, schema: &schema };
    let key = Row::from_iter([("a".to_owned(), Datum::Text("x".to_owned()))]);
    let mut reading = Reading::of(&Name::new("t"), vec!["a".to_owned()], key);
    reading.beside = vec!["B".to_owned()];
    assert_eq!(
        dialect.reading(&reading),
        "SELECT CASE WHEN \"a\" < 'B' THEN 'before \"B\"' WHEN \"a\" > 'B' THEN 'after \"B\"' \
         ELSE 'level with \"B\"' END FROM \"t\" WHERE \"a\" = 'x' ORDER BY 1"
    );
}
