//! The rows of large tables that are looked at one by one, each time by the same keys.

use std::collections::{BTreeMap, BTreeSet};

use switchback_core::evidence::{Rows, TableRows};
use switchback_core::family::ColumnType;
use switchback_core::rows::Candidate;
use switchback_core::schema::{Kind, Name, Schema};

use super::Engine;
use super::statement::identifier;

/// The most rows of a table that is read whole.
pub(crate) const MANY: usize = 5_000;
/// How many rows are looked at from either end of a large table's key.
pub(crate) const ENDS: usize = 50;

/// The keys by which rows of one table are looked at.
#[derive(Clone, Debug, Default)]
pub struct Watched {
    /// The columns of the key.
    columns: Vec<String>,
    /// The keys, as literals of their backend.
    keys: BTreeSet<Vec<String>>,
}

impl Watched {
    /// What `(columns) IN` compares, and the keys as rows of literals; nothing if there are none, or
    /// the table has no such columns any more.
    pub(crate) fn columns_and_keys(&self, present: &[String]) -> Option<(String, String)> {
        let are_there = self.columns.iter().all(|column| present.contains(column));
        if self.keys.is_empty() || !are_there {
            return None;
        }
        let columns: Vec<String> = self.columns.iter().map(|column| identifier(column)).collect();
        let keys: Vec<String> = self.keys.iter().map(|key| format!("({})", key.join(", "))).collect();
        Some((columns.join(", "), keys.join(", ")))
    }

    fn add(&mut self, columns: &[String], key: Vec<String>) {
        if self.columns != columns {
            *self = Self { columns: columns.to_vec(), keys: BTreeSet::new() };
        }
        self.keys.insert(key);
    }
}

/// What is watched in a database.
#[derive(Clone, Debug, Default)]
pub(super) struct Watchlist(BTreeMap<Name, Watched>);

impl Watchlist {
    /// What is watched of a table: what was, also if it has gone in between, and the rows that are
    /// known of it.
    pub(super) fn of<E: Engine>(&mut self, engine: &E, table: &Name, known: &Rows) -> &Watched {
        let watched = self.0.entry(table.clone()).or_default();
        if let Some(rows) = known.tables.get(table) {
            if rows.digest.is_none() {
                *watched = Watched::default();
            }
            for key in keys(rows).into_iter().flatten() {
                watched.add(&rows.key, key.iter().map(|cell| engine.literal(cell)).collect());
            }
        }
        watched
    }

    /// Watches rows that were made up.
    pub(super) fn add<E: Engine>(&mut self, engine: &E, schema: &Schema, rows: &[Candidate]) {
        for row in rows {
            let Some(group) = schema.table(&row.table) else { continue };
            let columns = engine.key(group);
            let literal = |column: &String| {
                let column_type = ColumnType::of(engine.backend(), schema, group.part(Kind::Column, column)?);
                Some(row.cells.get(column)?.literal(engine.backend(), &column_type))
            };
            let key: Option<Vec<String>> = columns.iter().map(literal).collect();
            if let Some(key) = key.filter(|key| !key.is_empty()) {
                self.0.entry(row.table.clone()).or_default().add(&columns, key);
            }
        }
    }
}

/// The keys of some rows: of all that are looked at, or of the first where the table was small.
fn keys(rows: &TableRows) -> Option<Vec<Vec<&str>>> {
    if rows.key.is_empty() {
        return None;
    }
    let most = if rows.digest.is_some() { rows.rows.len() } else { 2 * ENDS };
    let keys = rows.project(&rows.key)?.into_iter().take(most);
    Some(keys.filter_map(|key| key.into_iter().collect()).collect())
}
