//! Which tables a script may change the rows of, so that only those are read again.

use std::borrow::Cow;
use std::collections::BTreeSet;

use switchback_core::Backend;
use switchback_core::rows::foreign_keys;
use switchback_core::schema::{Attribute, Group, Kind, Name, Schema};
use switchback_core::sql::words;

/// The tables whose rows a script may change.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Touched {
    /// Any of them: it runs code whose effects its text does not show.
    All,
    /// These.
    These(BTreeSet<Name>),
}

/// Words after which the text no longer says what happens.
const HIDING: &[&str] = &["do", "call", "execute", "prepare", "perform"];
/// Words that change or remove rows, which can reach the rows of other tables through foreign keys.
const REACHING: &[&str] = &["delete", "update", "drop", "replace", "truncate", "merge", "conflict"];

impl Touched {
    /// What a script touches in a database that had one schema before it and has the other now.
    pub(crate) fn by(script: &str, backend: Backend, schemas: [&Schema; 2]) -> Self {
        let words = words(script, backend);
        let names = |name: &Name| words.contains(&*lowercase(name.local()));
        let hides = HIDING.iter().any(|word| words.contains(*word));
        let calls = |schema: &Schema| {
            schema.groups().any(|(kind, name, group)| match kind {
                // A routine goes by its name and its arguments.
                Kind::Routine => words.contains(&*lowercase(stem(name.local()))),
                // A value of a type may get another name in every column of it.
                Kind::View | Kind::MaterializedView | Kind::Type => names(name),
                // The rows of a child or a partition are its parents' rows as well.
                Kind::Table if group.object().has(Attribute::Inherits) => true,
                Kind::Table => names(name) && group.object().has(Attribute::PartitionOf),
                _ => false,
            })
        };
        if hides || schemas.iter().any(|schema| calls(schema)) {
            return Self::All;
        }
        // A table may come, go and change without being named.
        let [before, after] = schemas;
        let changed = before.differing(after).filter(|(kind, _)| *kind == Kind::Table);
        let mut touched: BTreeSet<Name> = changed.map(|(_, name)| name.clone()).collect();
        for schema in schemas {
            touched.extend(schema.tables().map(|(name, _)| name).filter(|name| names(name)).cloned());
        }
        if REACHING.iter().any(|word| words.contains(*word)) {
            schemas.iter().for_each(|schema| reach(schema, &mut touched));
        }
        // A trigger or a rule does what its own text says.
        let acts = |group: &Group| group.parts().any(|(kind, ..)| matches!(kind, Kind::Trigger | Kind::Rule));
        let acting =
            |table: &Name| schemas.iter().filter_map(|schema| schema.table(table)).any(|group| acts(group));
        if touched.iter().any(acting) { Self::All } else { Self::These(touched) }
    }
}

/// Adds the tables that refer to touched ones, through any number of others.
fn reach(schema: &Schema, touched: &mut BTreeSet<Name>) {
    let mut refers: Vec<(&Name, Vec<Name>)> = Vec::new();
    for (name, group) in schema.tables() {
        if group.parts_of(Kind::ForeignKey).next().is_some() {
            let parents = foreign_keys(schema, group).into_iter().map(|key| key.parent).collect();
            refers.push((name, parents));
        }
    }
    loop {
        let before = touched.len();
        for (name, parents) in &refers {
            if parents.iter().any(|parent| touched.contains(parent)) {
                touched.insert((*name).clone());
            }
        }
        if touched.len() == before {
            return;
        }
    }
}

/// A name as words are compared.
pub(super) fn lowercase(name: &str) -> Cow<'_, str> {
    let is_lower = name.bytes().all(|byte| byte.is_ascii() && !byte.is_ascii_uppercase());
    if is_lower { Cow::Borrowed(name) } else { Cow::Owned(name.to_lowercase()) }
}

fn stem(routine: &str) -> &str {
    routine.split('(').next().unwrap_or(routine)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use switchback_core::schema::{Object, ObjectId};

    use super::*;

    /// Tables `a`, `b` that refers to it, and `c`; a view `v`, a routine `f`, `t` with a trigger, `p` that
    /// it refers to, and a partition `q`.
    fn schema() -> Schema {
        let mut schema = Schema::new();
        for table in ["a", "b", "c", "t", "p", "q"] {
            schema.insert(ObjectId::whole(Kind::Table, Name::new(table)), Object::new());
            let id = ObjectId::part(Kind::Table, Name::new(table), Kind::Column, "id");
            schema.insert(id, Object::new());
        }
        let key = Object::new().with(Attribute::Columns, vec!["id".to_owned()]);
        let key = key.with(Attribute::References, "a (id)");
        schema.insert(ObjectId::part(Kind::Table, Name::new("b"), Kind::ForeignKey, "fk"), key.clone());
        let key = key.with(Attribute::References, "p (id)");
        schema.insert(ObjectId::part(Kind::Table, Name::new("t"), Kind::ForeignKey, "fk"), key);
        let partition = Object::new().with(Attribute::PartitionOf, "c for values in (1)");
        schema.insert(ObjectId::whole(Kind::Table, Name::new("q")), partition);
        schema.insert(ObjectId::part(Kind::Table, Name::new("t"), Kind::Trigger, "tr"), Object::new());
        schema.insert(ObjectId::whole(Kind::View, Name::new("v")), Object::new());
        schema.insert(ObjectId::whole(Kind::Routine, Name::new("f(integer)")), Object::new());
        schema
    }

    #[rstest]
    #[case::named("ALTER TABLE c ADD x TEXT", "c")]
    #[case::quoted("INSERT INTO \"C\" VALUES (1)", "c")]
    #[case::through_a_foreign_key("DELETE FROM a", "a b")]
    #[case::in_a_rebuild("DROP TABLE a", "a b")]
    #[case::none("CREATE TABLE new (id INT)", "")]
    #[case::a_block("DO $$ BEGIN END $$", "*")]
    #[case::a_routine("SELECT f(1)", "*")]
    #[case::a_view("DELETE FROM v", "*")]
    #[case::a_trigger("INSERT INTO t VALUES (1)", "*")]
    #[case::a_trigger_of_a_child("DELETE FROM p", "*")]
    #[case::a_partition("DELETE FROM q", "*")]
    fn says_what_may_change(#[case] script: &str, #[case] tables: &str) {
        let expected = match tables {
            "*" => Touched::All,
            _ => Touched::These(tables.split_whitespace().map(Name::new).collect()),
        };
        assert_eq!(Touched::by(script, Backend::Postgres, [&schema(), &schema()]), expected);
    }

    #[test]
    fn what_is_gone_was_touched_though_nothing_names_it() {
        let mut after = schema();
        after.remove_group(Kind::Table, &Name::new("c"));
        let expected = Touched::These(BTreeSet::from([Name::new("c")]));
        assert_eq!(Touched::by("DROP SCHEMA app", Backend::Postgres, [&schema(), &after]), expected);
    }
}
