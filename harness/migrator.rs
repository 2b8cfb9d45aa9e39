//! Histories that a Rust project hands over as `sqlx::migrate!()` values.

use std::sync::Arc;

use sqlx::migrate::{MigrationType, Migrator};
use switchback_core::Backend;
use switchback_core::history::History;
use switchback_core::layout::LayoutError;
use switchback_core::layout::sqlx::{Kind, Part, Sqlx, from_parts};

pub(crate) fn history(migrator: &Migrator, backend: Backend) -> Result<History, LayoutError> {
    let parts = migrator.iter().map(|migration| Part {
        version: migration.version,
        description: migration.description.to_string(),
        kind: match migration.migration_type {
            MigrationType::Simple => Kind::Simple,
            MigrationType::ReversibleUp => Kind::Up,
            MigrationType::ReversibleDown => Kind::Down,
        },
        sql: Arc::from(migration.sql.as_str()),
        no_tx: migration.no_tx,
    });
    from_parts(Sqlx::default(), parts, backend)
}
