//! Which attributes are SQL, and the spelling that they have on every version of the server.

use switchback_core::Backend;
use switchback_core::schema::{Attribute, Kind};
use switchback_core::sql::{canonical, canonical_view};

/// The spelling of what the catalogs say.
#[derive(Debug, Default)]
pub(super) struct Spelling;

impl Spelling {
    /// Spells one text of an attribute.
    pub(super) fn spell(
        &self,
        kind: Kind,
        attribute: Attribute,
        language: Option<&str>,
        text: String,
    ) -> String {
        match attribute {
            Attribute::Definition => match (kind, language) {
                (Kind::View | Kind::MaterializedView, _) => canonical_view(&text, Backend::Postgres),
                (Kind::Routine, language) if !matches!(language, Some("sql" | "plpgsql")) => text,
                _ => canonical(&text, Backend::Postgres),
            },
            Attribute::Default
            | Attribute::Generated
            | Attribute::Expression
            | Attribute::When
            | Attribute::Where
            | Attribute::WithCheck
            | Attribute::Columns
            | Attribute::Include
            | Attribute::PartitionBy
            | Attribute::PartitionOf
            | Attribute::Arguments
            | Attribute::Calls => canonical(&text, Backend::Postgres),
            Attribute::References => match text.rsplit_once(" (") {
                Some((table, columns)) => {
                    let spelled = |part| canonical(part, Backend::Postgres);
                    format!("{} ({}", spelled(table), spelled(columns))
                }
                None => canonical(&text, Backend::Postgres),
            },
            _ => text,
        }
    }
}
