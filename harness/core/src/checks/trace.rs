//! What a downgrade left behind or failed to restore, told object by object.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::named;
use crate::evidence::{Observation, Recording, RoundTrip};
use crate::schema::{Attribute, Change, Kind, Object, ObjectId, Schema, SchemaDiff};

/// One object that is not as it should be.
pub(super) struct Trace {
    pub object: ObjectId,
    pub fate: Fate,
    /// Its own difference, and that of what came or went with it.
    pub diff: SchemaDiff,
}

/// What is wrong with it.
pub(super) enum Fate {
    /// It should not be there.
    Left,
    /// It should be there.
    Gone,
    /// It should be otherwise.
    Changed,
    /// It should have another name.
    Renamed(ObjectId),
}

impl Trace {
    /// What was done to the object, as the rest of a sentence about who did it.
    pub(super) fn told(&self, leave: &str, fail: &str) -> String {
        let what = named(&self.object);
        match &self.fate {
            Fate::Left => format!("{leave} {what} behind"),
            Fate::Gone => format!("{fail} restore {what}"),
            Fate::Changed => format!("{leave} {what} changed"),
            Fate::Renamed(from) if is_unnamed(from) => {
                format!("{leave} {} with the name {}", named(from), own_name(&self.object))
            }
            Fate::Renamed(from) if is_unnamed(&self.object) => {
                format!("{leave} {} without its name", named(from))
            }
            Fate::Renamed(from) => {
                format!("{leave} {} renamed to {}", named(from), own_name(&self.object))
            }
        }
    }
}

/// The traces of a revision's downgrade on the probe; none if it failed or was not run.
pub(super) fn of_round_trip(recording: &Recording, trip: &RoundTrip<'_>) -> Vec<Trace> {
    let after = trip.down().filter(|down| down.outcome.is_applied());
    after.and_then(|down| difference(recording, down)).map(|diff| traces(&diff)).unwrap_or_default()
}

/// How the schema after a step differs from what its state should look like.
pub(super) fn difference(recording: &Recording, seen: &Observation) -> Option<SchemaDiff> {
    let found: &Arc<Schema> = seen.schema.as_ref()?;
    Some(recording.expected(&seen.state)?.diff(found)).filter(SchemaDiff::is_observable)
}

/// One trace for each object at the root of a difference: what hangs on it is shown with it.
pub(super) fn traces(diff: &SchemaDiff) -> Vec<Trace> {
    let renames = renames(diff);
    let old_names: BTreeSet<&ObjectId> = renames.values().collect();
    let roots: Vec<(&ObjectId, &Change)> = diff.roots().filter(|(id, _)| !old_names.contains(id)).collect();
    let carriers: BTreeMap<&ObjectId, &ObjectId> =
        roots.iter().filter_map(|(id, change)| Some((*id, carrier(&roots, &renames, id, change)?))).collect();
    let own = roots.iter().filter(|(id, _)| !carriers.contains_key(id));
    own.map(|(id, change)| {
        let came_or_went = !matches!(change, Change::Changed { .. });
        let belongs = |other: &ObjectId| {
            let inside = |whole: &ObjectId| whole.part.is_none() && same_group(whole, other);
            other == *id
                || (came_or_went || other.is_column_of_a_view()) && inside(id)
                || renames.get(id).is_some_and(|from| other == from || inside(from))
                || carriers.get(other) == Some(id)
        };
        Trace {
            object: (*id).clone(),
            fate: match (renames.get(id), change) {
                (Some(from), _) => Fate::Renamed(from.clone()),
                (None, Change::Added(_)) => Fate::Left,
                (None, Change::Removed(_)) => Fate::Gone,
                (None, Change::Changed { .. }) => Fate::Changed,
            },
            diff: diff.filtered(|other, _| belongs(other)),
        }
    })
    .collect()
}

/// The name of an object without what it belongs to.
pub(super) fn own_name(id: &ObjectId) -> String {
    match &id.part {
        Some((_, name)) => format!("\"{name}\""),
        None => id.group.quoted(),
    }
}

/// Whether an object is called by what it consists of, since it has no name.
pub(super) fn is_unnamed(id: &ObjectId) -> bool {
    id.part.as_ref().is_some_and(|(_, name)| name.starts_with('('))
}

fn same_group(one: &ObjectId, other: &ObjectId) -> bool {
    one.group_kind == other.group_kind && one.group == other.group
}

/// The other root that an object came, went or changed its reference with.
fn carrier<'a>(
    roots: &[(&'a ObjectId, &Change)],
    renames: &BTreeMap<ObjectId, ObjectId>,
    id: &ObjectId,
    change: &Change,
) -> Option<&'a ObjectId> {
    let carries = |other: &ObjectId| match change {
        // A sequence that came or went with the column that owns it.
        Change::Added(object) | Change::Removed(object) => object
            .text(Attribute::OwnedBy)
            .filter(|_| id.kind() == Kind::Sequence)
            .is_some_and(|owner| renamed(owner, other, other).is_some()),
        Change::Changed { before, after } => {
            renames.get(other).is_some_and(|from| same_but_for(before, after, from, other))
        }
    };
    let mut others = roots.iter().map(|(other, _)| *other);
    others.find(|other| *other != id && carries(other))
}

/// The new and the old names: tables and views that came with everything that another one went
/// with, and constraints, indexes and triggers that came to a table as another one went from it.
fn renames(diff: &SchemaDiff) -> BTreeMap<ObjectId, ObjectId> {
    let mut renames = renamed_parts(diff);
    let whole = |wanted: fn(&Change) -> Option<&Object>| {
        diff.changes()
            .filter(|(id, _)| id.part.is_none())
            .filter_map(move |(id, change)| Some((id, wanted(change)?)))
    };
    for (old, before) in whole(removed) {
        let is_new_name = |(new, after): &(&ObjectId, &Object)| {
            new.group_kind == old.group_kind
                && !renames.contains_key(*new)
                && same_but_for(before, after, old, new)
                && same_parts(diff, old, new)
        };
        if let Some((new, _)) = whole(added).find(is_new_name) {
            renames.insert(new.clone(), old.clone());
        }
    }
    renames
}

fn renamed_parts(diff: &SchemaDiff) -> BTreeMap<ObjectId, ObjectId> {
    // Two columns of one type need not be one under two names, and two parts without a name are called
    // by what they consist of.
    let may_be = |(kind, _): &(Kind, String)| *kind != Kind::Column;
    let parts = || diff.changes().filter(|(id, _)| id.part.as_ref().is_some_and(may_be));
    let mut renames: BTreeMap<ObjectId, ObjectId> = BTreeMap::new();
    for (old, before) in parts() {
        let Some(before) = removed(before) else {
            continue;
        };
        let is_new_name = |(new, after): &(&ObjectId, &Change)| {
            same_group(old, new)
                && old.kind() == new.kind()
                && !(is_unnamed(old) && is_unnamed(new))
                && !renames.contains_key(*new)
                && added(after) == Some(before)
        };
        if let Some((new, _)) = parts().find(is_new_name) {
            renames.insert(new.clone(), old.clone());
        }
    }
    renames
}

fn added(change: &Change) -> Option<&Object> {
    match change {
        Change::Added(object) => Some(object),
        Change::Removed(_) | Change::Changed { .. } => None,
    }
}

fn removed(change: &Change) -> Option<&Object> {
    match change {
        Change::Removed(object) => Some(object),
        Change::Added(_) | Change::Changed { .. } => None,
    }
}

fn same_parts(diff: &SchemaDiff, old: &ObjectId, new: &ObjectId) -> bool {
    let parts = |of: &ObjectId, wanted: fn(&Change) -> Option<&Object>| {
        let inside = diff.changes().filter(|(id, _)| id.part.is_some() && same_group(id, of));
        let parts = inside.filter_map(|(id, change)| Some((id.part.as_ref()?, wanted(change)?)));
        parts.collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (parts(old, removed), parts(new, added));
    // Two tables of which nothing is known are not one under two names.
    !before.is_empty()
        && before.keys().eq(after.keys())
        && before.values().zip(after.values()).all(|(before, after)| same_but_for(before, after, old, new))
}

/// Whether two objects are the same but for naming `old` in one and `new` in the other.
fn same_but_for(before: &Object, after: &Object, old: &ObjectId, new: &ObjectId) -> bool {
    let change = Change::Changed { before: before.clone(), after: after.clone() };
    change.attributes().iter().all(|(attribute, before, after)| {
        let names = matches!(attribute, Attribute::References | Attribute::On | Attribute::OwnedBy);
        let text = before.and_then(|value| value.as_text()).filter(|_| names);
        let expected = text.and_then(|text| renamed(text, old, new));
        expected.is_some() && expected == after.and_then(|value| value.as_text()).map(bare)
    })
}

/// A text that begins with the name of `old`, with the name of `new` in its place.
fn renamed(text: &str, old: &ObjectId, new: &ObjectId) -> Option<String> {
    let text = bare(text);
    let rest = text.strip_prefix(&bare(&old.to_string()))?;
    (rest.is_empty() || rest.starts_with(['.', ' '])).then(|| bare(&new.to_string()) + rest)
}

/// A text without its double quotes: which names need them, each database decides for itself.
fn bare(text: &str) -> String {
    text.replace('"', "")
}
