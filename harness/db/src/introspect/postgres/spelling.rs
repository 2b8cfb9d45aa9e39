//! Which attributes are SQL, and the spelling that they have on every version of the server.

use switchback_core::Backend;
use switchback_core::schema::{Attribute, Kind};
use switchback_core::sql::{canonical, canonical_view};

use super::calls::in_sql_syntax;

/// Spells one text of an attribute, which may be that of a routine in some language.
pub(super) fn spelled(kind: Kind, attribute: Attribute, language: Option<&str>, text: String) -> String {
    match (attribute, kind) {
        (Attribute::Definition, Kind::View | Kind::MaterializedView) => {
            in_sql_syntax(&canonical_view(&text, Backend::Postgres))
        }
        // A body that was written in SQL's own words is kept in them.
        (Attribute::Definition, Kind::Routine) => match language {
            Some("sql" | "plpgsql") => canonical(&text, Backend::Postgres),
            _ => text,
        },
        (Attribute::References, _) => match text.rsplit_once(" (") {
            Some((table, columns)) => format!("{} ({}", expression(table), expression(columns)),
            None => expression(&text),
        },
        (
            Attribute::Arguments
            | Attribute::Calls
            | Attribute::Columns
            | Attribute::Default
            | Attribute::Definition
            | Attribute::Expression
            | Attribute::Generated
            | Attribute::Include
            | Attribute::PartitionBy
            | Attribute::PartitionOf
            | Attribute::Tables
            | Attribute::When
            | Attribute::Where
            | Attribute::WithCheck,
            _,
        ) => expression(&text),
        _ => text,
    }
}

fn expression(text: &str) -> String {
    in_sql_syntax(&canonical(text, Backend::Postgres))
}
