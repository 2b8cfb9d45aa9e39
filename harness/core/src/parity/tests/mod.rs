//! Spellings of both backends side by side: those that mean the same are silent, and of those that
//! don't each is found once.

mod different;
mod same;

use rstest::rstest;

use super::{Comparer, Comparison, compare};
use crate::schema::{Attribute, Kind, Name, Object, ObjectId, Schema, Value};

/// A table with a column of each common kind, as each backend declares it.
const POSTGRES: &str = "
    table t
    column id: bigint | not null | identity by default
    column name: text
    column n: integer
    column price: numeric(10,2)
    column flag: boolean
    column data: jsonb
    column at: timestamp with time zone
    column u: uuid
    primary key t_pkey: id
    table p
    column id: bigint | not null | identity by default
    primary key p_pkey: id";
const SQLITE: &str = "
    table t
    column id: INTEGER | not null
    column name: TEXT
    column n: INTEGER
    column price: NUMERIC
    column flag: BOOLEAN
    column data: JSON
    column at: DATETIME
    column u: CHAR(36)
    primary key (id): id
    table p
    column id: INTEGER | not null | autoincrement
    primary key (id): id";

/// A schema of lines: a kind, a name, then its attributes. A part belongs to the last table, and
/// one of the same name to `t` takes the place of the one before.
fn schema(text: &str) -> Schema {
    let mut schema = Schema::new();
    let mut owner = (Kind::Table, Name::new("t"));
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (head, rest) = line.split_once(": ").unwrap_or((line, ""));
        let kinds = Kind::ALL.iter().filter(|kind| head.starts_with(&format!("{kind} ")));
        let kind = *kinds.max_by_key(|kind| kind.word().len()).unwrap_or_else(|| panic!("{line}"));
        let name = &head[kind.word().len() + 1..];
        let object = object(kind, rest);
        let is_part = !matches!(kind, Kind::Table | Kind::Type | Kind::Routine | Kind::View);
        let domain = kind == Kind::Type && rest.starts_with("domain");
        if matches!(kind, Kind::Table | Kind::View) || domain {
            owner = (kind, Name::new(name));
        }
        let id = match is_part {
            true => ObjectId::part(owner.0, owner.1.clone(), kind, name),
            false => ObjectId::whole(kind, Name::new(name)),
        };
        schema.insert(id, object);
    }
    schema
}

fn object(kind: Kind, text: &str) -> Object {
    let lead = match kind {
        Kind::Column => Attribute::Type,
        Kind::Check => Attribute::Expression,
        Kind::Type => Attribute::Variety,
        Kind::Trigger => Attribute::Timing,
        Kind::Routine | Kind::View => Attribute::Definition,
        _ => Attribute::Columns,
    };
    let value = |attribute, text: &str| match attribute {
        Attribute::Columns
        | Attribute::Events
        | Attribute::Values
        | Attribute::Include
        | Attribute::ColumnOrder => Value::List(text.split("; ").map(str::to_owned).collect()),
        _ if text.is_empty() => Value::Flag,
        _ => Value::Text(text.to_owned()),
    };
    let mut object = Object::new();
    for (place, field) in text.split(" | ").filter(|field| !field.is_empty()).enumerate() {
        if place == 0 {
            object.set(lead, value(lead, field));
            continue;
        }
        let words =
            Attribute::ALL.iter().filter(|one| field == one.word() || field.starts_with(&format!("{one} ")));
        let attribute = *words.max_by_key(|one| one.word().len()).unwrap_or_else(|| panic!("{field}"));
        object.set(attribute, value(attribute, field[attribute.word().len()..].trim_start()));
    }
    object
}

fn compared(postgres: &str, sqlite: &str) -> Comparison {
    // What a case says stands last, so parts of it must say which table they belong to: it is `t`.
    let with = |base: &str, case: &str| {
        let (first, second) = base.split_once("table p").unwrap();
        schema(&format!("table p{second}\n{first}\n{}", case.replace(" & ", "\n")))
    };
    compare(&with(POSTGRES, postgres), &with(SQLITE, sqlite))
}

#[rstest]
#[case::pattern("check ck: (name ~ '^[a-z]+$'::text)", "check ck: name not glob '*[^a-z]*'")]
#[case::function("check ck: (is_fine(name))", "check ck: fine(name)")]
#[case::unique_by_function("index ix: (lower(name)) | unique", "index ix: fold(name) | unique")]
#[case::subquery("check ck: (n = ( select 1))", "check ck: n = 1")]
#[case::trigger(
    "routine f(): begin insert into log values (1); return new; end; & trigger tr: after | events insert | calls f()",
    "trigger tr: after | events insert | definition insert into log values (2);"
)]
#[case::view(
    "view v: with w as (select 1) select w.id from w | column order id & column id",
    "view v: select id from t | column order id & column id"
)]
fn what_is_not_understood_is_neither(#[case] postgres: &str, #[case] sqlite: &str) {
    let comparison = compared(postgres, sqlite);
    assert_eq!(comparison.mismatches, []);
    assert_eq!(comparison.unclear.len(), 1, "{:?}", comparison.unclear);
}

#[test]
fn what_was_compared_once_is_known() {
    let mut comparer = Comparer::new();
    let (postgres, sqlite) = (schema(POSTGRES), schema(&SQLITE.replace("price: NUMERIC", "price: BLOB")));
    let first = comparer.compare(&postgres, &sqlite);
    assert_eq!(first.mismatches.len(), 1);
    assert_eq!(comparer.compare(&postgres, &sqlite), first);
    // A type that changes its words is seen in a table that stays as it is.
    let with = |words: &str| schema(&format!("type mood: enum | values {words}\ntable m\ncolumn n: mood"));
    let other = schema("table m\ncolumn n: TEXT\ncheck ck: n in ('a')");
    let mut enums = with("a");
    assert_eq!(comparer.compare(&enums, &other).mismatches, []);
    let (kind, name, group) =
        with("a; b").groups().next().map(|(k, n, g)| (k, n.clone(), g.clone())).unwrap();
    enums.insert_group(kind, name, group);
    assert_eq!(comparer.compare(&enums, &other).mismatches.len(), 1);
    // So is a table that a key of another refers to.
    let keyed = schema(
        "table m\ncolumn n: integer\nforeign key fk: n | references p (id)\ntable p\ncolumn id: integer",
    );
    let mut bare = schema("table m\ncolumn n: INTEGER");
    let messages = |comparison: Comparison| -> Vec<String> {
        comparison.mismatches.into_iter().map(|one| one.message).collect()
    };
    let alone = "table \"p\" is there on postgres but not on sqlite";
    assert_eq!(messages(comparer.compare(&keyed, &bare)), [alone]);
    let (kind, name, group) = schema("table p\ncolumn id: INTEGER")
        .groups()
        .next()
        .map(|(k, n, g)| (k, n.clone(), g.clone()))
        .unwrap();
    bare.insert_group(kind, name, group);
    let key = "foreign key \"fk\" of table \"m\" is there on postgres but not on sqlite";
    assert_eq!(messages(comparer.compare(&keyed, &bare)), [key]);
}
