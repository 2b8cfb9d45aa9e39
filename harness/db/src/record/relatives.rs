//! What stands around a table: through which rows of it may be reached.

use switchback_core::Backend;
use switchback_core::rows::foreign_keys;
use switchback_core::schema::{Attribute, Group, Kind, Name, Schema};
use switchback_core::sql::words;

/// A foreign key of a table, with what becomes of its rows when the parent's row goes or changes.
pub(crate) struct Parent {
    pub(crate) table: Name,
    /// The columns of the parent that it refers to.
    pub(crate) columns: Vec<String>,
    /// Whether deleting a parent's row changes or deletes rows of the table.
    pub(crate) passes_deletes: bool,
    /// The same of a change of the parent's key.
    pub(crate) passes_updates: bool,
}

/// The other tables that a table refers to.
pub(crate) fn parents(schema: &Schema, table: &Name) -> Vec<Parent> {
    let Some(group) = schema.table(table) else { return Vec::new() };
    let keys = foreign_keys(schema, group).into_iter().filter(|key| key.parent != *table);
    let keys = keys.map(|key| {
        let object = group.part(Kind::ForeignKey, &key.name);
        let passes = |action| {
            let action = object.and_then(|object| object.text(action));
            matches!(action, Some("cascade" | "set null" | "set default"))
        };
        Parent {
            table: key.parent,
            columns: key.parent_columns,
            passes_deletes: passes(Attribute::OnDelete),
            passes_updates: passes(Attribute::OnUpdate),
        }
    });
    keys.collect()
}

/// The views whose query names a table.
pub(crate) fn views_of<'a>(
    schema: &'a Schema,
    table: &'a Name,
    backend: Backend,
) -> impl Iterator<Item = (&'a Name, &'a Group)> {
    let name = table.local().to_lowercase();
    schema.groups().filter(|(kind, ..)| *kind == Kind::View).filter_map(move |(_, view, group)| {
        let definition = group.object().text(Attribute::Definition)?;
        words(definition, backend).contains(&name).then_some((view, &**group))
    })
}
