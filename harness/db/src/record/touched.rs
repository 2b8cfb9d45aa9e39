//! Which tables a script may change the rows of, so that only those are read again.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

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

/// What a schema holds, by the words that name it. It follows the schema from state to state, since a
/// step changes little, and looking at all tables at each step makes a long history quadratic.
#[derive(Debug, Default)]
pub(crate) struct Directory {
    schema: Arc<Schema>,
    tables: BTreeMap<String, BTreeSet<Name>>,
    /// Names that stand for more than a table's own rows, and how many things have them.
    hiding: BTreeMap<String, usize>,
    /// The tables whose rows are other tables' as well, whatever is named.
    inheriting: BTreeSet<Name>,
    referring: BTreeSet<Name>,
}

impl Directory {
    /// What a script touches in a database that had one schema before it and has the other now.
    pub(crate) fn touched(&mut self, script: &str, backend: Backend, schemas: [&Arc<Schema>; 2]) -> Touched {
        let words = words(script, backend);
        let any_of = |list: &[&str]| list.iter().any(|word| words.contains(*word));
        // A table may come, go and change without being named.
        let [before, after] = schemas;
        let changed = before.differing(after).filter(|(kind, _)| *kind == Kind::Table);
        let mut touched: BTreeSet<Name> = changed.map(|(_, name)| name.clone()).collect();
        let mut hides = any_of(HIDING);
        let mut references = Vec::new();
        for schema in schemas {
            self.follow(schema);
            hides |= !self.inheriting.is_empty() || words.iter().any(|word| self.hiding.contains_key(word));
            touched.extend(words.iter().filter_map(|word| self.tables.get(word)).flatten().cloned());
            references.push(if any_of(REACHING) { self.references() } else { Vec::new() });
        }
        references.iter().for_each(|references| reach(references, &mut touched));
        // A trigger or a rule does what its own text says.
        let acts = |group: &Group| group.parts().any(|(kind, ..)| matches!(kind, Kind::Trigger | Kind::Rule));
        let acting =
            |table: &Name| schemas.iter().filter_map(|schema| schema.table(table)).any(|group| acts(group));
        if hides || touched.iter().any(acting) { Touched::All } else { Touched::These(touched) }
    }

    fn follow(&mut self, schema: &Arc<Schema>) {
        let known = std::mem::replace(&mut self.schema, Arc::clone(schema));
        for (kind, name) in known.differing(schema) {
            if let Some(group) = known.group(kind, name) {
                self.note(kind, name, group, false);
            }
            if let Some(group) = schema.group(kind, name) {
                self.note(kind, name, group, true);
            }
        }
    }

    fn note(&mut self, kind: Kind, name: &Name, group: &Group, is_there: bool) {
        let mut hiding = |name: &str| {
            let count = self.hiding.entry(lowercase(name).into_owned()).or_default();
            *count = if is_there { *count + 1 } else { count.saturating_sub(1) };
            if *count == 0 {
                self.hiding.remove(&*lowercase(name));
            }
        };
        match kind {
            // A routine goes by its name and its arguments.
            Kind::Routine => hiding(stem(name.local())),
            // A value of a type may get another name in every column of it.
            Kind::View | Kind::MaterializedView | Kind::Type => hiding(name.local()),
            Kind::Table => {
                // The rows of a child or a partition are its parents' rows as well.
                if group.object().has(Attribute::PartitionOf) {
                    hiding(name.local());
                }
                let in_set = |set: &mut BTreeSet<Name>, has: bool| match is_there && has {
                    true => set.insert(name.clone()),
                    false => set.remove(name),
                };
                in_set(&mut self.inheriting, group.object().has(Attribute::Inherits));
                in_set(&mut self.referring, group.parts_of(Kind::ForeignKey).next().is_some());
                in_set(self.tables.entry(lowercase(name.local()).into_owned()).or_default(), true);
            }
            _ => {}
        }
    }

    /// The tables that refer to others, and to which.
    fn references(&self) -> Vec<(Name, Vec<Name>)> {
        let group = |name: &Name| self.schema.table(name).map(Arc::clone);
        let parents =
            |group: Arc<Group>| foreign_keys(&self.schema, &group).into_iter().map(|key| key.parent);
        let referring = self.referring.iter();
        referring.filter_map(|name| Some((name.clone(), parents(group(name)?).collect()))).collect()
    }
}

/// Adds the tables that refer to touched ones, through any number of others.
fn reach(references: &[(Name, Vec<Name>)], touched: &mut BTreeSet<Name>) {
    loop {
        let before = touched.len();
        for (name, parents) in references {
            if parents.iter().any(|parent| touched.contains(parent)) {
                touched.insert(name.clone());
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
        let schema = Arc::new(schema());
        let mut directory = Directory::default();
        assert_eq!(directory.touched(script, Backend::Postgres, [&schema, &schema]), expected);
    }

    #[test]
    fn what_is_gone_was_touched_though_nothing_names_it() {
        let (before, mut after) = (Arc::new(schema()), schema());
        after.remove_group(Kind::Table, &Name::new("c"));
        let expected = Touched::These(BTreeSet::from([Name::new("c")]));
        let mut directory = Directory::default();
        let touched = directory.touched("DROP SCHEMA app", Backend::Postgres, [&before, &Arc::new(after)]);
        assert_eq!(touched, expected);
    }

    #[test]
    fn what_is_gone_is_no_longer_in_the_way() {
        let before = Arc::new(schema());
        let mut after = schema();
        for (kind, name) in [(Kind::View, "v"), (Kind::Routine, "f(integer)"), (Kind::Table, "b")] {
            after.remove_group(kind, &Name::new(name));
        }
        let after = Arc::new(after);
        let mut directory = Directory::default();
        let script = "SELECT f(1) FROM v; DELETE FROM a";
        let mut touched = |schemas| directory.touched(script, Backend::Postgres, schemas);
        assert_eq!(touched([&before, &before]), Touched::All);
        let a = Touched::These(BTreeSet::from([Name::new("a")]));
        assert_eq!(touched([&after, &after]), a);
        assert_eq!(touched([&before, &before]), Touched::All, "what comes back is");
    }
}
