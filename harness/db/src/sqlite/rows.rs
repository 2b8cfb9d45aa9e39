//! Rows of a SQLite table.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row as _};
use sqlx_sqlite::{SqliteConnection, SqliteRow};
use switchback_core::Backend;
use switchback_core::evidence::{DanglingRow, TableRows};
use switchback_core::schema::{Attribute, Group, Kind, Name};

use super::promises::refusal;
use super::run::is_of_the_library;
use super::{cell, digest};
use crate::record::statement::identifier;
use crate::record::watched::{ENDS, MANY};
use crate::record::{RecordError, Refusal, Watched};

pub(super) async fn insert(
    connection: &mut SqliteConnection,
    statements: &[String],
) -> Result<Vec<Result<(), Refusal>>, RecordError> {
    let mut answers = Vec::with_capacity(statements.len());
    for statement in statements {
        answers.push(match sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut *connection).await {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if !is_of_the_library(&*error) => Err(refusal(&*error)),
            Err(error) => return Err(RecordError::database(Backend::Sqlite, "inserting rows", error)),
        });
    }
    Ok(answers)
}

/// All rows, or of a large table some: without a watchlist any, with one those that are watched and a
/// digest of all.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    name: &Name,
    group: &Group,
    watched: Option<&Watched>,
) -> Result<TableRows, RecordError> {
    let failed = |error| RecordError::database(Backend::Sqlite, "reading rows", error);
    found(connection, name, group, watched).await.map_err(failed)
}

async fn found(
    connection: &mut SqliteConnection,
    name: &Name,
    group: &Group,
    watched: Option<&Watched>,
) -> Result<TableRows, sqlx::Error> {
    let columns: Vec<String> = group.columns().into_iter().map(|(column, _)| column.to_owned()).collect();
    let cells: Vec<String> = columns.iter().map(|column| Backend::Sqlite.cell(&identifier(column))).collect();
    let from = format!("SELECT {} FROM {}", cells.join(", "), name.in_sql());
    let mut rows = select(connection, &format!("{from} LIMIT {}", MANY + 1)).await?;
    let key = key_columns(group);
    let mut digest = None;
    if rows.len() > MANY {
        rows.truncate(2 * ENDS);
        if !key.is_empty() {
            rows = some(connection, &from, &columns, &key, watched).await?;
        }
        if watched.is_some() {
            digest = Some(digest::of(connection, name, group, &columns, &key).await?);
        }
    }
    rows.sort();
    Ok(TableRows { key, columns, rows, digest })
}

/// The watched rows of a table, and if these are few, the first and the last by its key.
async fn some(
    connection: &mut SqliteConnection,
    from: &str,
    columns: &[String],
    key: &[String],
    watched: Option<&Watched>,
) -> Result<Vec<Vec<Option<String>>>, sqlx::Error> {
    let mut rows = Vec::new();
    if let Some((names, keys)) = watched.and_then(|watched| watched.columns_and_keys(columns)) {
        rows = select(connection, &format!("{from} WHERE ({names}) IN (VALUES {keys})")).await?;
    }
    if rows.len() < 2 * ENDS {
        let ends = ["ASC", "DESC"].map(|direction| {
            let order = key.iter().map(|column| format!("{} {direction}", identifier(column)));
            let order = order.collect::<Vec<_>>().join(", ");
            format!("SELECT * FROM ({from} ORDER BY {order} LIMIT {ENDS})")
        });
        rows.extend(select(connection, &ends.join(" UNION ALL ")).await?);
        rows.sort();
        rows.dedup();
    }
    Ok(rows)
}

async fn select(
    connection: &mut SqliteConnection,
    query: &str,
) -> Result<Vec<Vec<Option<String>>>, sqlx::Error> {
    let found = sqlx::query(AssertSqlSafe(query)).persistent(false).fetch_all(connection).await?;
    let cells = |row: &SqliteRow| (0..row.len()).map(|place| cell::at(row, place)).collect();
    found.iter().map(cells).collect()
}

/// The columns of the primary key.
pub(super) fn key_columns(group: &Group) -> Vec<String> {
    let key = group.parts_of(Kind::PrimaryKey).next();
    let columns = key.map(|(_, key)| key.list(Attribute::Columns).to_vec()).unwrap_or_default();
    let has =
        |written: &str| group.columns().into_iter().find(|(name, _)| name.eq_ignore_ascii_case(written));
    columns
        .iter()
        .map(|column| has(column.trim_matches('"')).map_or(column.as_str(), |(name, _)| name).to_owned())
        .collect()
}

/// How many rows of each table refer to none.
pub(super) async fn dangling(connection: &mut SqliteConnection) -> Result<Vec<DanglingRow>, RecordError> {
    let found = match super::foreign_key_check(connection).await {
        Ok(found) => found,
        // A foreign key whose parent is no key makes the question an error; the schema tells of it.
        Err(super::DatabaseError::Read(sqlx::Error::Database(_))) => return Ok(Vec::new()),
        Err(error) => {
            return Err(RecordError::database(
                Backend::Sqlite,
                "looking for rows without their parents",
                error,
            ));
        }
    };
    let mut counts = BTreeMap::new();
    for row in found {
        *counts.entry((row.table, row.parent)).or_insert(0) += 1;
    }
    let counted = counts.into_iter().map(|((table, parent), rows)| DanglingRow {
        table: Name::new(table),
        parent: Name::new(parent),
        rows,
    });
    Ok(counted.collect())
}
