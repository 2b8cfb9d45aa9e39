//! Rows that leave their key to the database, after each revision that touches their table.

use std::collections::BTreeSet;

use switchback_core::Backend;
use switchback_core::evidence::{Counted, Rows, TableRows};
use switchback_core::history::Revision;
use switchback_core::rows::{Parents, Side};
use switchback_core::schema::{Name, Schema};
use switchback_core::sql::{TokenKind, lex, quoted_identifier};
use switchback_core::trials::{Action, Answer, Dialect, counting_column};

use super::{Engine, Plan, RecordError};

/// How many rows are tried until one is taken with a key of its own.
const TRIES: u32 = 4;
/// The first candidate, beyond those that the table has.
const FROM: u32 = 30;

/// Tries one row in each table that carries rows and that the revision names.
pub(super) async fn count<E: Engine>(
    engine: &mut E,
    probe: &mut E::Database,
    plan: &Plan,
    revision: &Revision,
    schema: &Schema,
    rows: &Rows,
) -> Result<Vec<Counted>, RecordError> {
    let own = Side { backend: engine.backend(), schema };
    let dialect = Dialect { backend: own.backend, schema };
    let named = words(&revision.upgrade.text, own.backend);
    let mut counted = Vec::new();
    let mut parents: Option<Parents> = None;
    for (name, carried) in &rows.tables {
        if carried.rows.is_empty() || !names(&named, name) {
            continue;
        }
        let counts = schema.table(name).and_then(|group| counting_column(own.backend, group));
        let Some(column) = counts else { continue };
        let Some(table) = plan.rows.table(name, own, &[]) else { continue };
        let parents = parents.get_or_insert_with(|| {
            let mut parents = Parents::default();
            rows.tables.iter().for_each(|(name, rows)| parents.take(own, name, rows));
            parents
        });
        for candidate in (FROM..FROM + TRIES).map_while(|number| table.candidate(number, parents).ok()) {
            let mut row = candidate.cells;
            let whole = dialect.action(&Action::Insert { table: name.clone(), row: row.clone() });
            if !matches!(engine.answer(probe, &[], &whole, None).await?, Answer::Accepted(_)) {
                continue;
            }
            row.remove(&column);
            let statement = dialect.action(&Action::Insert { table: name.clone(), row });
            // A key that is not beyond those that are there meets one of them sooner or later.
            let largest = largest(carried, &column);
            let beyond = largest.map(|largest| {
                let (table, column) = (super::statement::table(name), quoted_identifier(&column));
                format!("SELECT {} FROM {table} WHERE {column} > {largest}", own.backend.cell("count(*)"))
            });
            let refused = match engine.answer(probe, &[], &statement, beyond.as_deref()).await? {
                Answer::Refused(reason) => Some(reason),
                Answer::Accepted(rows) => {
                    let none = rows.first().and_then(|row| row.first()?.as_deref()) == Some("0");
                    largest
                        .filter(|_| none)
                        .map(|largest| format!("the key is not beyond {largest}, which is there"))
                }
                Answer::NotAsked(_) => None,
            };
            let (revision, table) = (revision.id.clone(), name.clone());
            counted.push(Counted { revision, table, column, statement, refused });
            break;
        }
    }
    Ok(counted)
}

/// The largest key that is there.
fn largest(carried: &TableRows, column: &str) -> Option<i128> {
    let place = carried.columns.iter().position(|one| one == column)?;
    carried.rows.iter().filter_map(|row| row.get(place)?.as_deref()?.parse().ok()).max()
}

fn words(script: &str, backend: Backend) -> BTreeSet<String> {
    let tokens = lex(script, backend).into_iter();
    let named = tokens.filter(|one| matches!(one.kind, TokenKind::Word | TokenKind::QuotedIdentifier));
    named.map(|token| token.text.trim_matches(['"', '`', '[', ']']).to_lowercase()).collect()
}

fn names(words: &BTreeSet<String>, table: &Name) -> bool {
    words.contains(&table.local().to_lowercase())
}
