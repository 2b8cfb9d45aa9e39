//! What stands around a table: through which rows of it may be reached.

use switchback_core::Backend;
use switchback_core::schema::{Attribute, Group, Kind, Name, Schema};
use switchback_core::sql::{TokenKind, lex};

/// A foreign key of a table, with what becomes of its rows when the parent's row goes or changes.
pub(crate) struct Parent<'a> {
    pub(crate) table: &'a Name,
    /// The columns of the parent that it refers to, as the schema writes them.
    pub(crate) columns: Vec<&'a str>,
    /// Whether deleting a parent's row changes or deletes rows of the table.
    pub(crate) passes_deletes: bool,
    /// The same of a change of the parent's key.
    pub(crate) passes_updates: bool,
}

/// The other tables that a table refers to.
pub(crate) fn parents<'a>(schema: &'a Schema, table: &Name) -> Vec<Parent<'a>> {
    let Some(group) = schema.table(table) else { return Vec::new() };
    let keys = group.parts_of(Kind::ForeignKey).filter_map(|(_, key)| {
        let (target, columns) = key.text(Attribute::References)?.split_once(" (")?;
        let (parent, _) = schema.tables().find(|(name, _)| name.to_string() == target && *name != table)?;
        let passes = |action| {
            key.text(action).is_some_and(|action| matches!(action, "cascade" | "set null" | "set default"))
        };
        Some(Parent {
            table: parent,
            columns: columns.trim_end_matches(')').split(", ").collect(),
            passes_deletes: passes(Attribute::OnDelete),
            passes_updates: passes(Attribute::OnUpdate),
        })
    });
    keys.collect()
}

/// The views whose query names a table.
pub(crate) fn views_of<'a>(
    schema: &'a Schema,
    table: &'a Name,
    backend: Backend,
) -> impl Iterator<Item = (&'a Name, &'a Group)> {
    let names = move |definition: &str| {
        lex(definition, backend).iter().any(|token| match token.kind {
            TokenKind::Word => token.text.eq_ignore_ascii_case(table.local()),
            TokenKind::QuotedIdentifier => token.text.trim_matches(['"', '`', '[', ']']) == table.local(),
            _ => false,
        })
    };
    schema.groups().filter(|(kind, ..)| *kind == Kind::View).filter_map(move |(_, name, view)| {
        names(view.object().text(Attribute::Definition)?).then_some((name, &**view))
    })
}
