//! What holds for any two schemas.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::super::{Attribute, Change, Group, Kind, Name, Object, ObjectId, Schema, SchemaDiff, Value, text};

/// Pieces that text forms have come to grief over.
const PIECES: &[&str] = &[
    "",
    "a",
    "b",
    " ",
    "  ",
    ", ",
    ",",
    ".",
    ": ",
    "; ",
    "\n",
    "\n\n",
    "\r\n",
    "\t",
    "\\",
    "\\\"",
    "\"",
    "'",
    "`",
    "(",
    ")",
    "()",
    "(a)",
    "(a, b)",
    "[",
    "]",
    "[a]",
    "{",
    "|",
    "| ",
    "* ",
    "\u{7}",
    "\u{85}",
    "\u{a0}",
    "é",
    "\\flag",
    "\\none",
    "-",
    "+",
    "x, not null",
    "update of ",
    "update of (a)",
    "insert",
    " or ",
    "delete",
    "delete cascade",
    "select a from b where c",
    "select",
    " from ",
    "before",
    "initially deferred",
    "deferrable initially deferred",
    "enum",
    "stable",
    "null",
    "table a",
    "index a",
    "column",
    "primary key",
    "order",
];

fn fragment() -> impl Strategy<Value = String> {
    let words = Attribute::ALL.iter().map(|one| one.word()).chain(Kind::ALL.iter().map(|one| one.word()));
    prop_oneof![
        6 => select(PIECES.to_vec()).prop_map(str::to_owned),
        2 => select(words.collect::<Vec<_>>()).prop_map(str::to_owned),
        1 => Just("select aaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbb from cccccccccccc where dddddddddd = 1".to_owned()),
        1 => any::<char>().prop_map(String::from),
    ]
}

fn nasty() -> impl Strategy<Value = String> {
    vec(fragment(), 0..4).prop_map(|pieces| pieces.concat())
}

/// Few names, so that two schemas often speak of the same object.
fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => select(vec!["a", "b", "(a)", "(a, b)", "a.b", "f(a) (b)", "f(a)", "", "\"a\"", "\"(a)\""]).prop_map(str::to_owned),
        1 => nasty(),
    ]
}

fn attribute() -> impl Strategy<Value = Attribute> {
    select(Attribute::ALL.to_vec())
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Flag),
        4 => nasty().prop_map(Value::Text),
        3 => vec(prop_oneof![select(vec!["a", "b", "insert"]).prop_map(str::to_owned), nasty()], 0..4).prop_map(Value::List),
    ]
}

fn object() -> impl Strategy<Value = Object> {
    btree_map(attribute(), value(), 0..4).prop_map(|attributes| {
        attributes.into_iter().fold(Object::new(), |object, (attribute, value)| object.with(attribute, value))
    })
}

fn kind() -> impl Strategy<Value = Kind> {
    prop_oneof![2 => select(vec![Kind::Table, Kind::View]), 1 => select(Kind::ALL.to_vec())]
}

fn part_kind() -> impl Strategy<Value = Kind> {
    prop_oneof![
        2 => Just(Kind::Column),
        1 => select(vec![Kind::PrimaryKey, Kind::Index, Kind::Check]),
        1 => select(Kind::ALL.to_vec()),
    ]
}

fn group_name() -> impl Strategy<Value = Name> {
    (option::weighted(0.2, name()), name()).prop_map(|(namespace, local)| match namespace {
        Some(namespace) => Name::within(namespace, local),
        None => Name::new(local),
    })
}

/// How the order of the columns relates to the columns.
#[derive(Clone, Debug)]
enum Ordering {
    Missing,
    Listed(Index),
    Other(Vec<String>),
}

fn group() -> impl Strategy<Value = Group> {
    let ordering = prop_oneof![
        1 => Just(Ordering::Missing),
        4 => any::<Index>().prop_map(Ordering::Listed),
        1 => vec(name(), 0..3).prop_map(Ordering::Other),
    ];
    (object(), btree_map((part_kind(), name()), object(), 0..4), ordering).prop_map(
        |(object, parts, ordering)| {
            let mut columns: Vec<String> = parts
                .keys()
                .filter(|(kind, _)| *kind == Kind::Column)
                .map(|(_, name)| name.clone())
                .collect();
            let object = match ordering {
                Ordering::Missing => object,
                Ordering::Listed(turn) => {
                    let by = if columns.is_empty() { 0 } else { turn.index(columns.len()) };
                    columns.rotate_left(by);
                    object.with(Attribute::ColumnOrder, columns)
                }
                Ordering::Other(order) => object.with(Attribute::ColumnOrder, order),
            };
            let mut group = Group::new(object);
            group.parts = parts;
            group
        },
    )
}

fn schema() -> impl Strategy<Value = Schema> {
    btree_map((kind(), group_name()), group(), 0..4).prop_map(|groups| Schema {
        groups: groups.into_iter().map(|(key, group)| (key, Arc::new(group))).collect(),
    })
}

/// Two schemas that share groups, as those of neighbouring states do.
fn neighbours() -> impl Strategy<Value = (Schema, Schema)> {
    let change = (any::<Index>(), option::weighted(0.7, group()));
    (schema(), vec(change, 0..3), schema()).prop_map(|(before, changes, more)| {
        let mut after = before.clone();
        for (at, group) in changes {
            let keys: Vec<(Kind, Name)> = after.groups.iter().map(|(key, _)| key.clone()).collect();
            if keys.is_empty() {
                continue;
            }
            let key = keys[at.index(keys.len())].clone();
            match group {
                Some(group) => after.groups.insert(key, Arc::new(group)),
                None => {
                    after.groups.remove(&key);
                }
            }
        }
        for ((kind, name), group) in more.groups.iter().take(1) {
            after.groups.insert((*kind, name.clone()), Arc::clone(group));
        }
        (before, after)
    })
}

/// A change as small as can be.
#[derive(Clone, Debug)]
enum Nudge {
    SetAttribute(Attribute, Value),
    DropAttribute,
    MoveWord,
    SplitItem,
    MoveToOtherAttribute(Attribute),
    RenamePart(String),
    DropPart,
    Flatten { round: bool },
}

fn nudge() -> impl Strategy<Value = Nudge> {
    prop_oneof![
        (attribute(), value()).prop_map(|(attribute, value)| Nudge::SetAttribute(attribute, value)),
        Just(Nudge::DropAttribute),
        Just(Nudge::MoveWord),
        Just(Nudge::SplitItem),
        attribute().prop_map(Nudge::MoveToOtherAttribute),
        name().prop_map(Nudge::RenamePart),
        Just(Nudge::DropPart),
        any::<bool>().prop_map(|round| Nudge::Flatten { round }),
    ]
}

fn nudged(object: &Object, nudge: &Nudge, at: &Index) -> Object {
    let mut attributes: BTreeMap<Attribute, Value> =
        object.attributes().map(|(attribute, value)| (attribute, value.clone())).collect();
    let keys: Vec<Attribute> = attributes.keys().copied().collect();
    let key = (!keys.is_empty()).then(|| keys[at.index(keys.len())]);
    match (nudge, key) {
        (Nudge::SetAttribute(attribute, value), _) => {
            attributes.insert(*attribute, value.clone());
        }
        (Nudge::DropAttribute, Some(key)) => {
            attributes.remove(&key);
        }
        (Nudge::MoveToOtherAttribute(other), Some(key)) => {
            let value = attributes.remove(&key).expect("the key is one of the map's");
            attributes.insert(*other, value);
        }
        // The text of one attribute swallows its neighbour, as the line shows both.
        (Nudge::MoveWord, Some(key)) => {
            let next = attributes.range(key..).nth(1).map(|(next, value)| (*next, value.clone()));
            if let (Some((next, Value::Text(more))), Some(Value::Text(text))) =
                (next, attributes.get_mut(&key))
            {
                text.push_str(&format!(", {next} {more}"));
                attributes.remove(&next);
            }
        }
        (Nudge::SplitItem, Some(key)) => {
            if let Some(Value::List(items)) = attributes.get_mut(&key) {
                *items = vec![items.join(", ")];
            }
        }
        (Nudge::Flatten { round }, Some(key)) => {
            if let Some(value) = attributes.get_mut(&key) {
                *value = match &*value {
                    Value::List(items) if *round => Value::Text(format!("({})", items.join(", "))),
                    Value::List(items) => Value::Text(format!("[{}]", items.join(", "))),
                    Value::Text(text) => Value::List(vec![text.clone()]),
                    Value::Flag => Value::Text(key.word().to_owned()),
                };
            }
        }
        _ => {}
    }
    attributes.into_iter().fold(Object::new(), |object, (attribute, value)| object.with(attribute, value))
}

/// A schema and one that differs from it as little as can be, perhaps not at all.
fn twins() -> impl Strategy<Value = (Schema, Schema)> {
    (schema(), nudge(), any::<(Index, Index)>()).prop_map(|(schema, nudge, (which, at))| {
        let ids: Vec<ObjectId> = schema.objects().map(|(id, _)| id).collect();
        let mut other = schema.clone();
        if ids.is_empty() {
            return (schema, other);
        }
        let id = ids[which.index(ids.len())].clone();
        let object = schema.get(&id).expect("the id is one of the schema's").clone();
        let key = (id.group_kind, id.group.clone());
        let group = Arc::make_mut(other.groups.get_mut(&key).expect("the group is there"));
        match (&nudge, &id.part) {
            (Nudge::RenamePart(name), Some((kind, _))) => {
                group.parts.remove(id.part.as_ref().expect("matched above"));
                group.parts.insert((*kind, name.clone()), object);
            }
            (Nudge::DropPart, Some(part)) => {
                group.parts.remove(part);
            }
            (nudge, Some(part)) => {
                group.parts.insert(part.clone(), nudged(&object, nudge, &at));
            }
            (nudge, None) => group.object = nudged(&object, nudge, &at),
        }
        (schema, other)
    })
}

fn groups_of<'a>(changes: impl Iterator<Item = (&'a ObjectId, &'a Change)>) -> BTreeSet<(Kind, Name)> {
    changes.map(|(id, _)| (id.group_kind, id.group.clone())).collect()
}

fn check_difference(before: &Schema, after: &Schema) -> Result<(), TestCaseError> {
    let there = before.diff(after);
    let back = after.diff(before);
    prop_assert_eq!(there.is_empty(), before == after);
    prop_assert_eq!(&there.apply(before), after);
    prop_assert_eq!(&back.apply(after), before);
    prop_assert_eq!(there.is_observable(), back.is_observable());

    let observable: BTreeSet<&ObjectId> = there.observable().map(|(id, _)| id).collect();
    let roots: BTreeSet<&ObjectId> = there.roots().map(|(id, _)| id).collect();
    prop_assert!(roots.is_subset(&observable));
    prop_assert_eq!(groups_of(there.roots()), groups_of(there.observable()));
    check_rendering(&there)
}

fn check_rendering(diff: &SchemaDiff) -> Result<(), TestCaseError> {
    let shown = diff.to_string();
    let reordered = diff.changes().any(|(_, change)| change.reorders_columns());
    prop_assert_eq!(shown.is_empty(), !diff.is_observable() && !reordered);
    for (id, _) in diff.observable() {
        let name = text::own_name(id);
        let is_named = shown.contains(&name) || shown.contains(&text::in_quotes(&name));
        prop_assert!(is_named, "{:?} is not in {}", name, shown);
    }
    Ok(())
}

proptest! {
    #[test]
    fn a_schema_does_not_differ_from_itself(schema in schema()) {
        let diff = schema.diff(&schema.clone());
        prop_assert!(diff.is_empty() && !diff.is_observable());
        prop_assert_eq!(diff.to_string(), "");
    }

    #[test]
    fn a_difference_leads_from_any_schema_to_any_other(before in schema(), after in schema()) {
        check_difference(&before, &after)?;
    }

    #[test]
    fn a_difference_leads_from_state_to_state((before, after) in neighbours()) {
        check_difference(&before, &after)?;
    }

    #[test]
    fn sharing_groups_changes_nothing((before, after) in neighbours()) {
        let mut shared = after.clone();
        shared.share_with(&before);
        prop_assert_eq!(&shared, &after);
        prop_assert_eq!(before.diff(&shared), before.diff(&after));
    }

    #[test]
    fn schemas_that_differ_are_written_differently((one, other) in twins()) {
        prop_assert_eq!(one == other, one.to_string() == other.to_string(), "{}", one);
    }

    #[test]
    fn any_two_schemas_are_told_apart(one in schema(), other in schema()) {
        prop_assert_eq!(one == other, one.to_string() == other.to_string(), "{}", one);
    }

    #[test]
    fn objects_are_told_apart(kind in part_kind(), one in object(), name in name(), nudges in vec((nudge(), any::<Index>()), 1..3)) {
        let id = ObjectId::part(Kind::Table, Name::new("t"), kind, name);
        let other = nudges.iter().fold(one.clone(), |object, (nudge, at)| nudged(&object, nudge, at));
        let written = |object| text::lines(&id, object, text::Order::Written);
        prop_assert_eq!(one == other, written(&one) == written(&other), "{:?}", written(&one));
    }
}
