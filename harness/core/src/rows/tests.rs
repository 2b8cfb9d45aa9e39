//! What holds for all values and all rows.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::strategy::{any_value, edges};
use super::*;
use crate::Backend;
use crate::family::ColumnType;
use crate::schema::{Attribute, Kind, Name, Object, ObjectId, Schema};

/// A type of each family on both backends.
const TYPES: &[(&str, &str)] = &[
    ("smallint", "INTEGER"),
    ("bigint", "INTEGER"),
    ("numeric(12,4)", "DECIMAL(12,4)"),
    ("numeric", "TEXT"),
    ("real", "REAL"),
    ("double precision", "REAL"),
    ("boolean", "BOOLEAN"),
    ("boolean", "INTEGER"),
    ("text", "TEXT"),
    ("character varying(7)", "VARCHAR(9)"),
    ("character(5)", "CHAR(5)"),
    ("bytea", "BLOB"),
    ("jsonb", "JSON"),
    ("json", "TEXT"),
    ("uuid", "UUID"),
    ("uuid", "CHAR(32)"),
    ("uuid", "BLOB"),
    ("timestamp without time zone", "DATETIME"),
    ("timestamp(3) with time zone", "TIMESTAMP"),
    ("timestamp with time zone", "TEXT"),
    ("date", "DATE"),
    ("time without time zone", "TIME"),
    ("time with time zone", "TEXT"),
    ("interval", "TEXT"),
    ("mood", "TEXT"),
    ("text[]", "TEXT"),
    ("integer[]", "JSON"),
    ("int4range", "TEXT"),
    ("inet", "TEXT"),
];

fn schema() -> Schema {
    let mut schema = Schema::new();
    let words = vec!["sad".to_owned(), "it's ok".to_owned()];
    let mood = Object::new().with(Attribute::Variety, "enum").with(Attribute::Values, words);
    schema.insert(ObjectId::whole(Kind::Type, Name::new("mood")), mood);
    schema
}

fn types(pair: usize) -> (ColumnType, ColumnType) {
    let (postgres, sqlite) = TYPES[pair];
    let schema = schema();
    (
        ColumnType::named(Backend::Postgres, &schema, postgres),
        ColumnType::named(Backend::Sqlite, &schema, sqlite),
    )
}

fn wanted(pair: usize) -> Wanted {
    let (postgres, sqlite) = types(pair);
    let one = Wanted::of(Backend::Postgres, &schema(), &postgres);
    one.and(Wanted::of(Backend::Sqlite, &schema(), &sqlite))
}

/// The text that a database shows for a literal, where it is the literal's own.
fn shown(backend: Backend, literal: &str) -> String {
    match backend {
        Backend::Sqlite if literal.starts_with("x'") => literal.to_uppercase(),
        Backend::Sqlite => literal.to_owned(),
        Backend::Postgres => {
            let bare = literal.strip_suffix("::bytea").unwrap_or(literal);
            match bare.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
                Some(inner) => inner.replace("''", "'"),
                None => bare.to_lowercase(),
            }
        }
    }
}

fn reads_back(pair: usize, value: &Datum) {
    let (postgres, sqlite) = types(pair);
    let mut read = Vec::new();
    for (backend, column) in [(Backend::Postgres, postgres), (Backend::Sqlite, sqlite)] {
        let literal = value.literal(backend, &column);
        let text = shown(backend, &literal);
        let again = Datum::read(backend, &column, Some(&text));
        assert!(again.same(value), "{:?}: {value:?} is written {literal} and read {again:?}", TYPES[pair]);
        read.push(again);
    }
    assert!(read[0].same(&read[1]), "{:?}: {:?} is not {:?}", TYPES[pair], read[0], read[1]);
}

#[test]
fn the_edges_read_back_on_both_backends() {
    for pair in 0..TYPES.len() {
        for edge in edges(&wanted(pair)) {
            reads_back(pair, &edge);
        }
    }
}

#[test]
fn what_looks_like_the_bounds_of_an_array_may_be_in_it() {
    let arrays = TYPES.iter().position(|(postgres, ..)| *postgres == "text[]").unwrap();
    reads_back(arrays, &Datum::Array(vec![Datum::Text("={".to_owned()), Datum::Text("[0:1]={".to_owned())]));
}

proptest! {
    #[test]
    fn any_value_reads_back_on_both_backends(
        (pair, value) in (0..TYPES.len()).prop_flat_map(|pair| (Just(pair), any_value(&wanted(pair)))),
    ) {
        reads_back(pair, &value);
    }

    #[test]
    fn a_value_is_the_same_as_itself_only(
        one in any_value(&wanted(8)),
        other in any_value(&wanted(8)),
    ) {
        prop_assert!(one.same(&one));
        prop_assert_eq!(one.same(&other), one == other);
    }

    #[test]
    fn numbers_stay_within_the_bits_of_both(value in any_value(&wanted(0))) {
        let Datum::Integer(number) = value else { panic!("{value:?}") };
        prop_assert!((-32768..=32767).contains(&number));
    }

    #[test]
    fn texts_are_no_longer_than_both_allow(value in any_value(&wanted(9))) {
        let Datum::Text(text) = value else { panic!("{value:?}") };
        prop_assert!(text.chars().count() <= 7 && !text.contains('\0'));
    }
}

/// `users (id bigint key, email text unique, age integer check …)` and posts that refer to them.
fn tables(backend: Backend) -> Schema {
    let (integer, text) = match backend {
        Backend::Postgres => ("bigint", "text"),
        Backend::Sqlite => ("INTEGER", "TEXT"),
    };
    let mut schema = Schema::new();
    let part = |table: &str, kind, name: &str| ObjectId::part(Kind::Table, Name::new(table), kind, name);
    let mut column = |table: &str, name: &str, spelled: &str, not_null: bool| {
        let object = Object::new().with(Attribute::Type, spelled);
        let object = if not_null { object.flag(Attribute::NotNull) } else { object };
        schema.insert(part(table, Kind::Column, name), object);
    };
    column("users", "id", integer, true);
    column("users", "email", text, true);
    column("users", "age", integer, false);
    column("posts", "id", integer, true);
    column("posts", "user_id", integer, true);
    column("posts", "title", text, false);
    let columns = |name: &str| Object::new().with(Attribute::Columns, vec![name.to_owned()]);
    schema.insert(part("users", Kind::PrimaryKey, "pk"), columns("id"));
    schema.insert(part("users", Kind::Unique, "uq"), columns("email"));
    schema.insert(part("posts", Kind::PrimaryKey, "pk"), columns("id"));
    let check = Object::new().with(Attribute::Expression, "((age >= 18) AND (age <= 20))");
    schema.insert(part("users", Kind::Check, "ck"), check);
    let key = columns("user_id").with(Attribute::References, "users (id)");
    schema.insert(part("posts", Kind::ForeignKey, "fk"), key);
    schema
}

fn candidates(own: Backend, other: Backend, table: &str, parents: &Parents) -> Vec<Candidate> {
    let generator = Generator::new(7, 4, BTreeMap::new());
    let (own_schema, other_schema) = (tables(own), tables(other));
    let side = |backend, schema| Side { backend, schema };
    let others = [side(other, &other_schema)];
    let table = generator.table(&Name::new(table), side(own, &own_schema), &others).unwrap();
    table.candidates(parents).take(20).collect::<Result<_, _>>().unwrap()
}

#[test]
fn both_backends_get_the_same_rows() {
    let parents = Parents::default();
    let one = candidates(Backend::Postgres, Backend::Sqlite, "users", &parents);
    let other = candidates(Backend::Sqlite, Backend::Postgres, "users", &parents);
    assert_eq!(one, other);
}

#[test]
fn rows_meet_checks_and_keys() {
    let rows = candidates(Backend::Postgres, Backend::Sqlite, "users", &Parents::default());
    let ids: BTreeSet<String> = rows.iter().map(|row| row.cells.get("id").unwrap().plain()).collect();
    let emails: BTreeSet<String> = rows.iter().map(|row| row.cells.get("email").unwrap().plain()).collect();
    assert_eq!((ids.len(), emails.len()), (20, 20));
    for row in &rows {
        let age = row.cells.get("age").unwrap();
        let fits = matches!(age, Datum::Null | Datum::Integer(18..=20));
        assert!(fits, "{age:?}");
    }
    assert!(rows.iter().take(4).any(|row| row.cells.get("age").unwrap() == &Datum::Null), "{rows:?}");
}

#[test]
fn rows_refer_to_rows_that_are_there() {
    let parents = Parents::default();
    let generator = Generator::new(1, 4, BTreeMap::new());
    let schema = tables(Backend::Postgres);
    let side = Side { backend: Backend::Postgres, schema: &schema };
    let posts = generator.table(&Name::new("posts"), side, &[]).unwrap();
    assert_eq!(posts.candidate(0, &parents).unwrap_err(), "table \"users\" has no row to refer to");
    let mut parents = Parents::default();
    for user in candidates(Backend::Postgres, Backend::Sqlite, "users", &Parents::default()).iter().take(2) {
        parents.add(user);
    }
    let users: Vec<String> = posts
        .candidates(&parents)
        .take(4)
        .map(|row| row.unwrap().cells.get("user_id").unwrap().plain())
        .collect();
    assert_eq!(users, ["1001", "1002", "1001", "1002"]);
}

#[test]
fn a_projects_own_values_come_first() {
    let values = BTreeMap::from([("users.email".to_owned(), vec!["ada@example.org".to_owned()])]);
    let generator = Generator::new(1, 4, values);
    let schema = tables(Backend::Sqlite);
    let users = generator.table(&Name::new("users"), Side { backend: Backend::Sqlite, schema: &schema }, &[]);
    let users = users.unwrap();
    let row = users.candidate(0, &Parents::default()).unwrap();
    assert_eq!(users.literals(&row)["email"], "'ada@example.org'");
}

#[test]
fn what_cannot_be_seen_in_a_value_is_spelled_out() {
    assert_eq!(super::shown("é e\u{301} \u{202e}a\n"), "é e\\u{301} \\u{202e}a\\u{a}");
}
