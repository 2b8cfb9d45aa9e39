//! What introspection of a live database found at a state, as plain data.
//!
//! A [`Schema`] is a sorted map of groups. A [`Group`] is a table or view with all its columns,
//! constraints, indexes, triggers, rules and policies, or one object that stands by itself. Groups
//! are shared between the schemas of neighbouring states, so a history of a thousand revisions
//! costs little more than its changes.

pub mod diff;
mod moment;
mod object;
mod order;
mod render;
#[cfg(test)]
mod tests;
mod text;
mod wrap;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use diff::{Change, SchemaDiff};
pub use object::{Attribute, Kind, Name, Object, ObjectId, Value};

use crate::shared::SharedMap;

/// A table or view with all its parts, or one object that stands by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    object: Object,
    parts: BTreeMap<(Kind, String), Object>,
}

impl Group {
    /// A group without parts.
    pub fn new(object: Object) -> Self {
        Self { object, parts: BTreeMap::new() }
    }

    /// What is said of the table, view or other object itself.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// All parts, sorted by kind and name.
    pub fn parts(&self) -> impl Iterator<Item = (Kind, &str, &Object)> {
        self.parts.iter().map(|((kind, name), object)| (*kind, name.as_str(), object))
    }

    /// The parts of one kind, sorted by name.
    pub fn parts_of(&self, kind: Kind) -> impl Iterator<Item = (&str, &Object)> {
        self.parts().filter(move |(one, ..)| *one == kind).map(|(_, name, object)| (name, object))
    }

    /// One part.
    pub fn part(&self, kind: Kind, name: &str) -> Option<&Object> {
        self.parts.get(&(kind, name.to_owned()))
    }

    /// The columns in their order.
    pub fn columns(&self) -> Vec<(&str, &Object)> {
        let order = self.object.list(Attribute::ColumnOrder);
        let place = |name: &str| order.iter().position(|one| one == name).unwrap_or(usize::MAX);
        let mut columns: Vec<_> = self.parts_of(Kind::Column).collect();
        columns.sort_by_key(|(name, _)| place(name));
        columns
    }
}

/// What introspection of a live database found at a state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    groups: SharedMap<(Kind, Name), Arc<Group>>,
}

impl Schema {
    /// A schema with nothing in it.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces one object, in the way that introspection meets them: in any order, parts
    /// perhaps before the table they belong to.
    pub fn insert(&mut self, id: ObjectId, object: Object) {
        let key = (id.group_kind, id.group);
        let put = |group: &mut Group| match id.part {
            Some(part) => {
                group.parts.insert(part, object);
            }
            None => group.object = object,
        };
        if let Some(group) = self.groups.get_mut(&key) {
            put(Arc::make_mut(group));
        } else {
            let mut group = Group::default();
            put(&mut group);
            self.groups.insert(key, Arc::new(group));
        }
    }

    /// Adds or replaces a whole group, shared with whoever else holds it.
    pub fn insert_group(&mut self, kind: Kind, name: Name, group: Arc<Group>) {
        self.groups.insert((kind, name), group);
    }

    /// Removes a whole group.
    pub fn remove_group(&mut self, kind: Kind, name: &Name) -> Option<Arc<Group>> {
        self.groups.remove(&(kind, name.clone()))
    }

    /// All groups, sorted by kind and name.
    pub fn groups(&self) -> impl Iterator<Item = (Kind, &Name, &Arc<Group>)> {
        self.groups.iter().map(|((kind, name), group)| (*kind, name, group))
    }

    /// One group.
    pub fn group(&self, kind: Kind, name: &Name) -> Option<&Arc<Group>> {
        self.groups.find(|(one, its)| one.cmp(&kind).then_with(|| its.cmp(name)))
    }

    /// The groups that are not the same in both, sorted; fast where one schema came of the other.
    pub fn differing<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = (Kind, &'a Name)> {
        self.groups.differences(&other.groups).map(|((kind, name), ..)| (*kind, name))
    }

    /// The table of that name.
    pub fn table(&self, name: &Name) -> Option<&Arc<Group>> {
        self.group(Kind::Table, name)
    }

    /// All tables, sorted by name.
    pub fn tables(&self) -> impl Iterator<Item = (&Name, &Arc<Group>)> {
        self.groups().filter(|(kind, ..)| *kind == Kind::Table).map(|(_, name, group)| (name, group))
    }

    /// All objects, groups and parts alike.
    pub fn objects(&self) -> impl Iterator<Item = (ObjectId, &Object)> {
        self.groups().flat_map(|(group_kind, group, content)| {
            let whole = ObjectId::whole(group_kind, group.clone());
            std::iter::once((whole, content.object())).chain(content.parts().map(
                move |(kind, name, object)| (ObjectId::part(group_kind, group.clone(), kind, name), object),
            ))
        })
    }

    /// One object.
    pub fn get(&self, id: &ObjectId) -> Option<&Object> {
        let group = self.group(id.group_kind, &id.group)?;
        match &id.part {
            Some((kind, name)) => group.part(*kind, name),
            None => Some(group.object()),
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// The text of one object, with all its parts if it is a table or view.
    pub(crate) fn excerpt(&self, id: &ObjectId) -> Vec<String> {
        render::excerpt(self, id)
    }

    /// What turns this schema into the other.
    pub fn diff(&self, after: &Self) -> SchemaDiff {
        SchemaDiff::between(self, after)
    }

    /// Shares with `earlier` all that is equal to it, so that it is held in memory once.
    pub fn share_with(&mut self, earlier: &Self) {
        let mut shared = earlier.groups.clone();
        for (key, _, own) in earlier.groups.differences(&self.groups) {
            match own {
                Some(group) => shared.insert(key.clone(), Arc::clone(group)),
                None => {
                    shared.remove(key);
                }
            }
        }
        self.groups = shared;
    }
}
