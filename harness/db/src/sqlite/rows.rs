//! Rows of a SQLite table.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Row as _};
use sqlx_sqlite::SqliteConnection;
use switchback_core::Backend;
use switchback_core::evidence::{DanglingRow, TableRows};
use switchback_core::schema::{Attribute, Group, Kind, Name};

use super::promises::refusal;
use super::run::is_of_the_library;
use crate::record::statement::identifier;
use crate::record::{RecordError, Refusal};

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

/// `quote()` gives a text that tells a number from a string and a blob from either, which a cast to
/// text would not (SQLite manual, "Built-In Scalar SQL Functions").
pub(super) async fn read(
    connection: &mut SqliteConnection,
    name: &Name,
    group: &Group,
) -> Result<TableRows, RecordError> {
    let columns: Vec<String> = group.columns().into_iter().map(|(column, _)| column.to_owned()).collect();
    let cells: Vec<String> = columns.iter().map(|column| format!("quote({})", identifier(column))).collect();
    let query = format!("SELECT {} FROM {}", cells.join(", "), name.in_sql());
    let failed = |error| RecordError::database(Backend::Sqlite, "reading rows", error);
    let found = sqlx::query(AssertSqlSafe(query)).persistent(false).fetch_all(connection).await;
    let found = found.map_err(failed)?;
    let mut rows = Vec::with_capacity(found.len());
    for row in &found {
        let cell =
            |place| row.try_get::<String, _>(place).map(|cell| Some(cell).filter(|cell| cell != "NULL"));
        rows.push((0..columns.len()).map(cell).collect::<Result<Vec<_>, _>>().map_err(failed)?);
    }
    rows.sort();
    Ok(TableRows { key: key_columns(group), columns, rows })
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
