//! The difference between two schemas of one backend.
//!
//! A difference is kept whole, so that applying it to the one schema gives the other exactly. What
//! a user cannot observe is told apart from what they can: the place of a column among the others,
//! which changes when a column is dropped and added again, is not a change of its own. Neither is
//! the moment at which a step ran, where a definition has kept it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::moment;
use super::object::{Attribute, Object, ObjectId, Value};
use super::order;
use super::{Group, Kind, Name, Schema};

/// What became of one object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is there only after.
    Added(Object),
    /// It is there only before.
    Removed(Object),
    /// It is there on both sides, and differs.
    Changed {
        /// The object before.
        before: Object,
        /// The object after.
        after: Object,
    },
}

impl Change {
    /// The attributes that differ, with their values before and after. Empty for an object that
    /// was added or removed.
    pub fn attributes(&self) -> Vec<(Attribute, Option<&Value>, Option<&Value>)> {
        let Self::Changed { before, after } = self else {
            return Vec::new();
        };
        Attribute::ALL
            .iter()
            .map(|attribute| (*attribute, before.get(*attribute), after.get(*attribute)))
            .filter(|(_, before, after)| before != after)
            .collect()
    }

    /// Whether a user of the database can tell the two sides apart.
    pub fn is_observable(&self) -> bool {
        match self {
            Self::Added(_) | Self::Removed(_) => true,
            Self::Changed { .. } => self.attributes().iter().any(|(attribute, before, after)| {
                *attribute != Attribute::ColumnOrder
                    && !moment::alone_differs(*before, *after)
                    && !(self.reorders_columns() && order::alone_differs(*before, *after))
            }),
        }
    }

    /// Whether the columns that both sides have stand in another order.
    pub fn reorders_columns(&self) -> bool {
        let Self::Changed { before, after } = self else {
            return false;
        };
        let (before, after) = (before.list(Attribute::ColumnOrder), after.list(Attribute::ColumnOrder));
        let kept = |of: &[String], among: &[String]| -> Vec<String> {
            of.iter().filter(|name| among.contains(name)).cloned().collect()
        };
        kept(before, after) != kept(after, before)
    }
}

/// What turns one schema into another, object by object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SchemaDiff {
    changes: BTreeMap<ObjectId, Change>,
}

impl SchemaDiff {
    pub(super) fn between(before: &Schema, after: &Schema) -> Self {
        let mut changes = BTreeMap::new();
        for (key, old, new) in before.groups.differences(&after.groups) {
            compare_groups(key, old.map(Arc::as_ref), new.map(Arc::as_ref), &mut changes);
        }
        Self { changes }
    }

    /// Whether the two schemas are the same to the last attribute.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Whether a user of the database can tell the two schemas apart.
    pub fn is_observable(&self) -> bool {
        self.changes.values().any(Change::is_observable)
    }

    /// All changes, sorted by object.
    pub fn changes(&self) -> impl Iterator<Item = (&ObjectId, &Change)> {
        self.changes.iter()
    }

    /// The changes that a user can observe.
    pub fn observable(&self) -> impl Iterator<Item = (&ObjectId, &Change)> {
        self.changes().filter(|(_, change)| change.is_observable())
    }

    /// The observable changes without the parts of groups that came or went as a whole: one entry
    /// for a table that was added, not one for each of its columns. The columns of a view follow
    /// from its query, so they go with that, too.
    pub fn roots(&self) -> impl Iterator<Item = (&ObjectId, &Change)> {
        self.observable().filter(|(id, _)| {
            let whole = ObjectId::whole(id.group_kind, id.group.clone());
            let carries = |change: &Change| match change {
                Change::Added(_) | Change::Removed(_) => true,
                Change::Changed { .. } => id.is_column_of_a_view() && change.is_observable(),
            };
            id.part.is_none() || !self.changes.get(&whole).is_some_and(carries)
        })
    }

    /// A difference that holds only the changes for which `keep` says so.
    #[must_use]
    pub fn filtered(&self, mut keep: impl FnMut(&ObjectId, &Change) -> bool) -> Self {
        let changes = self.changes.iter().filter(|(id, change)| keep(id, change));
        Self { changes: changes.map(|(id, change)| (id.clone(), change.clone())).collect() }
    }

    /// The schema that this difference turns `before` into.
    #[must_use]
    pub fn apply(&self, before: &Schema) -> Schema {
        let mut schema = before.clone();
        for (id, change) in &self.changes {
            match change {
                Change::Added(object) | Change::Changed { after: object, .. } => {
                    schema.insert(id.clone(), object.clone());
                }
                Change::Removed(_) => remove(&mut schema, id),
            }
        }
        schema
    }
}

fn compare_groups(
    (kind, name): &(Kind, Name),
    before: Option<&Group>,
    after: Option<&Group>,
    changes: &mut BTreeMap<ObjectId, Change>,
) {
    let mut compare = |id: ObjectId, old: Option<&Object>, new: Option<&Object>| {
        let change = match (old, new) {
            (Some(old), Some(new)) if old == new => return,
            (Some(old), Some(new)) => Change::Changed { before: old.clone(), after: new.clone() },
            (Some(old), None) => Change::Removed(old.clone()),
            (None, Some(new)) => Change::Added(new.clone()),
            (None, None) => return,
        };
        changes.insert(id, change);
    };
    compare(ObjectId::whole(*kind, name.clone()), before.map(Group::object), after.map(Group::object));
    let parts = |group: Option<&Group>| group.map(|group| group.parts.clone()).unwrap_or_default();
    let (old, new) = (parts(before), parts(after));
    let added = new.keys().filter(|key| !old.contains_key(*key));
    for (part_kind, part) in old.keys().chain(added) {
        let key = (*part_kind, part.clone());
        let id = ObjectId::part(*kind, name.clone(), *part_kind, part.clone());
        compare(id, old.get(&key), new.get(&key));
    }
}

fn remove(schema: &mut Schema, id: &ObjectId) {
    let key = (id.group_kind, id.group.clone());
    match &id.part {
        None => {
            schema.groups.remove(&key);
        }
        Some(part) => {
            if let Some(group) = schema.groups.get_mut(&key) {
                Arc::make_mut(group).parts.remove(part);
            }
        }
    }
}
