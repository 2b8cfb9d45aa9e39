//! The text form of a schema and of a difference: stable, readable, and different for any two
//! schemas that differ.
//!
//! A difference is written as line by line between the two text forms, so that it reads like any
//! other diff: `-` is what was before, `+` what is after, and the rest says where that is.

use std::fmt;

use similar::{Algorithm, DiffTag, capture_diff_slices};

use super::diff::{Change, SchemaDiff};
use super::object::{Attribute, Kind, Object, ObjectId};
use super::text::{Order, lines, own_name};
use super::{Group, Name, Schema};

/// How many lines of an object that did not change are shown around those that did.
const CONTEXT: usize = 3;

impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blocks = Blocks::default();
        for (kind, name, group) in self.groups() {
            let order = order_of(group);
            blocks.push(f, &group_lines(kind, name, group, order), has_parts(group))?;
        }
        Ok(())
    }
}

impl fmt::Display for SchemaDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let changes: Vec<(&ObjectId, &Change)> = self.changes().collect();
        let mut blocks = Blocks::default();
        for group in changes
            .chunk_by(|(one, _), (other, _)| one.group_kind == other.group_kind && one.group == other.group)
        {
            let has_parts = group.iter().any(|(id, _)| id.part.is_some());
            blocks.push(f, &changed_lines(group), has_parts)?;
        }
        Ok(())
    }
}

/// The lines of one object; of a part those of its own, set in.
pub(super) fn excerpt(schema: &Schema, id: &ObjectId) -> Vec<String> {
    match (&id.part, schema.group(id.group_kind, &id.group)) {
        (_, None) => Vec::new(),
        (None, Some(group)) => group_lines(id.group_kind, &id.group, group, order_of(group)),
        (Some((kind, name)), Some(group)) => {
            group.part(*kind, name).map(|object| part_lines(id, object).collect()).unwrap_or_default()
        }
    }
}

/// Writes groups, with a blank line around tables and views; runs of single objects stay together.
#[derive(Default)]
struct Blocks {
    begun: bool,
    after_parts: bool,
}

impl Blocks {
    fn push(&mut self, f: &mut fmt::Formatter<'_>, lines: &[String], has_parts: bool) -> fmt::Result {
        if lines.is_empty() {
            return Ok(());
        }
        if self.begun && (has_parts || self.after_parts) {
            writeln!(f)?;
        }
        (self.begun, self.after_parts) = (true, has_parts);
        lines.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

fn has_parts(group: &Group) -> bool {
    group.parts().next().is_some()
}

/// Whether the order of the columns has to be written, or is that in which they are listed.
fn order_of(group: &Group) -> Order {
    let columns = group.columns();
    if columns.is_empty() {
        return Order::Written;
    }
    if !group.object().has(Attribute::ColumnOrder) {
        return Order::Missing;
    }
    let order = group.object().list(Attribute::ColumnOrder);
    let listed = columns.iter().map(|(name, _)| *name);
    if order.iter().map(String::as_str).eq(listed) { Order::Listed } else { Order::Written }
}

/// A group with its parts set in: the columns in their order, the others by kind and name.
fn group_lines(kind: Kind, name: &Name, group: &Group, order: Order) -> Vec<String> {
    let whole = ObjectId::whole(kind, name.clone());
    let mut all = lines(&whole, group.object(), order);
    let columns = group.columns().into_iter().map(|(name, object)| (Kind::Column, name, object));
    let others = group.parts().filter(|(kind, ..)| *kind != Kind::Column);
    for (part_kind, part, object) in columns.chain(others) {
        let id = ObjectId::part(kind, name.clone(), part_kind, part);
        all.extend(part_lines(&id, object));
    }
    all
}

fn part_lines(id: &ObjectId, object: &Object) -> impl Iterator<Item = String> {
    lines(id, object, Order::Written).into_iter().map(|line| format!("  {line}"))
}

/// What became of one group and its parts.
fn changed_lines(changes: &[(&ObjectId, &Change)]) -> Vec<String> {
    let Some((first, _)) = changes.first() else {
        return Vec::new();
    };
    let whole = changes.iter().find(|(id, _)| id.part.is_none());
    match whole.map(|(_, change)| *change) {
        Some(Change::Added(object)) => signed("+", "", came_or_went(first, object, changes)),
        Some(Change::Removed(object)) => signed("-", "", came_or_went(first, object, changes)),
        Some(changed @ Change::Changed { .. }) => changed_within(first, Some(changed), changes),
        None => changed_within(first, None, changes),
    }
}

/// A group that is there on one side only, as the schema on that side has it.
fn came_or_went(id: &ObjectId, object: &Object, changes: &[(&ObjectId, &Change)]) -> Vec<String> {
    let mut group = Group::new(object.clone());
    for (id, change) in changes {
        if let (Some(part), Change::Added(object) | Change::Removed(object)) = (&id.part, change) {
            group.parts.insert(part.clone(), object.clone());
        }
    }
    group_lines(id.group_kind, &id.group, &group, Order::Listed)
}

/// A group that is there on both sides: what changed of it, or its name, then what changed in it.
fn changed_within(id: &ObjectId, whole: Option<&Change>, changes: &[(&ObjectId, &Change)]) -> Vec<String> {
    let id = ObjectId::whole(id.group_kind, id.group.clone());
    let mut parts: Vec<_> =
        changes.iter().filter(|(id, change)| id.part.is_some() && change.is_observable()).collect();
    let order = match whole {
        Some(Change::Changed { after, .. }) => after.list(Attribute::ColumnOrder),
        _ => &[],
    };
    parts.sort_by_key(|(id, _)| match &id.part {
        Some((Kind::Column, name)) => (false, order.iter().position(|one| one == name).unwrap_or(usize::MAX)),
        _ => (true, 0),
    });
    let mut all = match whole.filter(|change| change.is_observable() || change.reorders_columns()) {
        Some(change) => change_lines(&id, change, ""),
        None if parts.is_empty() => return Vec::new(),
        None => vec![format!("  {} {}", id.group_kind, own_name(&id))],
    };
    for (id, change) in parts {
        all.extend(change_lines(id, change, "  "));
    }
    all
}

fn change_lines(id: &ObjectId, change: &Change, indent: &str) -> Vec<String> {
    let order = if change.reorders_columns() { Order::Written } else { Order::Listed };
    match change {
        Change::Added(object) => signed("+", indent, lines(id, object, order)),
        Change::Removed(object) => signed("-", indent, lines(id, object, order)),
        Change::Changed { before, after } => {
            compared(indent, &lines(id, before, order), &lines(id, after, order))
        }
    }
}

fn signed(sign: &str, indent: &str, lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("{sign} {indent}{line}")).collect()
}

/// Two texts of one object, line by line. The first line is always shown, since it has the name;
/// of the others, those that changed and a few around them.
fn compared(indent: &str, before: &[String], after: &[String]) -> Vec<String> {
    let mut all: Vec<(&str, &String)> = Vec::new();
    for op in capture_diff_slices(Algorithm::Patience, before, after) {
        let (old, new) = (&before[op.old_range()], &after[op.new_range()]);
        if op.tag() == DiffTag::Equal {
            all.extend(old.iter().map(|line| (" ", line)));
        } else {
            all.extend(old.iter().map(|line| ("-", line)));
            all.extend(new.iter().map(|line| ("+", line)));
        }
    }
    let near = |at: usize| {
        let around = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(all.len());
        all[around].iter().any(|(sign, _)| *sign != " ")
    };
    let shown: Vec<bool> = (0..all.len()).map(|at| at == 0 || near(at)).collect();
    let mut out = Vec::new();
    for (at, (sign, line)) in all.iter().enumerate() {
        if shown[at] {
            out.push(format!("{sign} {indent}{line}"));
        } else if shown[at - 1] {
            out.push(format!("  {indent}    …"));
        }
    }
    out
}
