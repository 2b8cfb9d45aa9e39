//! Trying to break the promise of an append-only table on SQLite.

use sqlx::AssertSqlSafe;
use sqlx::error::DatabaseError;
use sqlx_sqlite::SqliteConnection;
use switchback_core::Backend;
use switchback_core::evidence::{AttemptResult, TableRows};
use switchback_core::schema::{Attribute, Group, Kind, Name, Object};

use super::rows;
use super::run::is_of_the_library;
use crate::record::statement::{identifier, table, upsert};
use crate::record::{RecordError, Refusal};

fn failed(error: sqlx::Error) -> RecordError {
    RecordError::database(Backend::Sqlite, "trying to change an append-only table", error)
}

pub(super) async fn attempt(
    connection: &mut SqliteConnection,
    name: &Name,
    group: &Group,
    statement: &str,
) -> Result<AttemptResult, RecordError> {
    sqlx::raw_sql("BEGIN").execute(&mut *connection).await.map_err(failed)?;
    let before = rows::read(connection, name, group).await?;
    let result = match sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await {
        Ok(_) if rows::read(connection, name, group).await? == before => AttemptResult::NoEffect,
        Ok(_) => AttemptResult::Changed,
        Err(sqlx::Error::Database(error)) if !is_of_the_library(&*error) => refusal(&*error).of_attempt(),
        Err(error) => return Err(failed(error)),
    };
    // RAISE(ROLLBACK) has ended the transaction already.
    let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
    Ok(result)
}

/// SQLite manual, "Result and Error Codes": SQLITE_CONSTRAINT_TRIGGER is what RAISE gives.
pub(super) fn refusal(error: &dyn DatabaseError) -> Refusal {
    Refusal { message: error.message().to_owned(), by_guard: error.code().as_deref() == Some("1811") }
}

pub(super) fn ways(name: &Name, group: &Group, rows: &TableRows) -> Vec<(String, Vec<String>)> {
    let target = table(name);
    let columns: Vec<&str> = group
        .columns()
        .into_iter()
        .filter(|(_, object)| !object.has(Attribute::Generated) && !object.has(Attribute::Hidden))
        .map(|(column, _)| column)
        .collect();
    let mut ways = Vec::new();
    for column in &columns {
        let column_sql = identifier(column);
        let update = |value: String| format!("UPDATE {target} SET {column_sql} = {value}");
        ways.push((format!("UPDATE of {column}"), other_values(&column_sql, &target).map(update).collect()));
    }
    ways.push(("DELETE".to_owned(), vec![format!("DELETE FROM {target}")]));
    let is_key = |column: &&&str| rows.key.iter().any(|key| key == *column);
    if rows.key.is_empty() {
        return ways;
    }
    let mut replace = Vec::new();
    let mut conflict = Vec::new();
    for column in columns.iter().filter(|column| !is_key(column)) {
        for value in other_values(&identifier(column), &target) {
            replace.push(replacing(&target, &columns, column, &value));
        }
        let qualified = format!("{target}.{}", identifier(column));
        for value in other_values(&qualified, &target) {
            conflict.push(upsert(name, &columns, "", &rows.key, column, &value));
        }
    }
    for (way, statements) in [("INSERT OR REPLACE", replace), ("INSERT … ON CONFLICT DO UPDATE", conflict)]
    {
        if !statements.is_empty() {
            ways.push((way.to_owned(), statements));
        }
    }
    ways
}

/// Replaces a row that is there by one that differs in `column`.
fn replacing(target: &str, columns: &[&str], column: &str, value: &str) -> String {
    let names: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
    let values = columns
        .iter()
        .zip(&names)
        .map(|(one, name)| if *one == column { value.to_owned() } else { name.clone() });
    let values: Vec<String> = values.collect();
    format!(
        "INSERT OR REPLACE INTO {target} ({}) SELECT {} FROM {target} LIMIT 1",
        names.join(", "),
        values.join(", ")
    )
}

/// Expressions that give another value than the column has, for one type or the other; the literals
/// serve columns that have none so far.
fn other_values(column: &str, target: &str) -> impl Iterator<Item = String> {
    let bare = column.rsplit('.').next().unwrap_or(column);
    [
        format!(
            "CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} + 1 ELSE {column} || 'x' END"
        ),
        "'{\"switchback\": 1}'".to_owned(),
        "1".to_owned(),
        "NULL".to_owned(),
        format!("(SELECT max({bare}) FROM {target})"),
    ]
    .into_iter()
}

/// Whether triggers refuse every UPDATE and every DELETE: they fire without a condition and raise an
/// error before they do anything else.
pub(super) fn are_made(group: &Group) -> bool {
    let refuses = |trigger: &Object| {
        let body = trigger.text(Attribute::Definition).unwrap_or_default().to_lowercase();
        let body = body.trim_start();
        let body = body.strip_prefix("begin").unwrap_or(body).trim_start();
        body.strip_prefix("select raise").is_some_and(|rest| {
            let rest = rest.trim_start().trim_start_matches('(').trim_start();
            ["abort", "fail", "rollback"].iter().any(|word| rest.starts_with(word))
                && !body.contains(" where ")
        })
    };
    let guarded = |event: &str| {
        group.parts_of(Kind::Trigger).any(|(_, trigger)| {
            let events = trigger.list(Attribute::Events);
            events.iter().any(|one| one.eq_ignore_ascii_case(event))
                && !trigger.has(Attribute::When)
                && refuses(trigger)
        })
    };
    guarded("update") && guarded("delete")
}
