//! Rows of a PostgreSQL table.

use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use switchback_core::evidence::TableRows;
use switchback_core::schema::{Attribute, Group, Kind, Name};

use super::promises::refusal;
use super::run::is_of_the_server;
use super::sqlx_error;
use crate::record::statement::{identifier, string};
use crate::record::{RecordError, Refusal};

pub(super) async fn insert(
    connection: &mut PgConnection,
    name: &Name,
    statements: &[String],
) -> Result<Vec<Result<(), Refusal>>, RecordError> {
    let mut answers = Vec::with_capacity(statements.len());
    for statement in statements {
        answers.push(match sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut *connection).await {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if !is_of_the_server(&*error) => Err(refusal(&*error)),
            Err(error) => return Err(sqlx_error("inserting rows")(error)),
        });
    }
    if answers.is_empty() || answers.iter().any(Result::is_ok) {
        advance_sequences(connection, name).await?;
    }
    Ok(answers)
}

/// A row that brings its own key does not move the sequence behind that key, and the next default
/// insert would collide with it: that would be the recorder's doing, not the project's.
async fn advance_sequences(connection: &mut PgConnection, name: &Name) -> Result<(), RecordError> {
    let owned: Vec<(String, String)> = sqlx::query_as(
        "SELECT attname::text, sequence FROM pg_attribute, pg_get_serial_sequence($1, attname) AS sequence \
         WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND sequence IS NOT NULL",
    )
    .bind(name.in_sql())
    .fetch_all(&mut *connection)
    .await
    .map_err(sqlx_error("looking for the sequences of a table"))?;
    for (column, sequence) in owned {
        let statement = format!(
            "SELECT setval({}, top) FROM (SELECT max({})::bigint AS top FROM {}) AS known WHERE top > 0",
            string(&sequence),
            identifier(&column),
            name.in_sql(),
        );
        let advanced = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await;
        advanced.map_err(sqlx_error("advancing a sequence behind given rows"))?;
    }
    Ok(())
}

pub(super) async fn read(
    connection: &mut PgConnection,
    name: &Name,
    group: &Group,
) -> Result<TableRows, RecordError> {
    let columns: Vec<String> = group.columns().into_iter().map(|(column, _)| column.to_owned()).collect();
    let cells: Vec<String> = columns.iter().map(|column| format!("{}::text", identifier(column))).collect();
    let query = format!("SELECT {} FROM {}", cells.join(", "), name.in_sql());
    let found = sqlx::query(AssertSqlSafe(query)).persistent(false).fetch_all(connection).await;
    let found = found.map_err(sqlx_error("reading rows"))?;
    let cell = |row: &sqlx::postgres::PgRow, place: usize| row.try_get::<Option<String>, _>(place);
    let row = |row| (0..columns.len()).map(|place| cell(row, place)).collect::<Result<Vec<_>, _>>();
    let mut rows =
        found.iter().map(row).collect::<Result<Vec<_>, _>>().map_err(sqlx_error("reading rows"))?;
    rows.sort();
    Ok(TableRows { key: key_columns(group), columns, rows })
}

/// The columns of the primary key.
pub(super) fn key_columns(group: &Group) -> Vec<String> {
    let key = group.parts_of(Kind::PrimaryKey).next();
    let columns = key.map(|(_, key)| key.list(Attribute::Columns).to_vec()).unwrap_or_default();
    columns.iter().map(|column| unquoted(column)).collect()
}

fn unquoted(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => written.to_owned(),
    }
}
