//! Trying to break the promise of an append-only table on PostgreSQL.

use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, PgConnection};
use switchback_core::evidence::{AttemptResult, TableRows};
use switchback_core::schema::{Attribute, Group, Kind, Name, Object, Schema};

use super::run::is_of_the_server;
use super::{rows, sqlx_error};
use crate::record::statement::{identifier, table, upsert};
use crate::record::{RecordError, Refusal};

pub(super) async fn attempt(
    connection: &mut PgConnection,
    name: &Name,
    group: &Group,
    statement: &str,
) -> Result<AttemptResult, RecordError> {
    let begin = sqlx::raw_sql("BEGIN").execute(&mut *connection).await;
    begin.map_err(sqlx_error("beginning an attempt"))?;
    let before = rows::read(connection, name, group).await?;
    // Constraint triggers that are deferred would otherwise wait for a commit that never comes.
    let tried = format!("{statement}; SET CONSTRAINTS ALL IMMEDIATE");
    let result = match sqlx::raw_sql(AssertSqlSafe(tried)).execute(&mut *connection).await {
        Ok(_) if rows::read(connection, name, group).await? == before => AttemptResult::NoEffect,
        Ok(_) => AttemptResult::Changed,
        Err(sqlx::Error::Database(error)) if !is_of_the_server(&*error) => refusal(&*error).of_attempt(),
        Err(error) => return Err(sqlx_error("trying to change an append-only table")(error)),
    };
    let undone = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
    undone.map_err(sqlx_error("rolling back an attempt"))?;
    Ok(result)
}

/// Whether it was the table's guard that refused, not the type, a constraint or the grammar of the
/// statement. A guard may raise any code, a constraint names itself.
pub(super) fn refusal(error: &dyn DatabaseError) -> Refusal {
    let code = error.code().unwrap_or_default();
    let by_guard = match &*code {
        "42501" => true,
        "23502" => false,
        _ if code.starts_with("22") || code.starts_with("42") || code.starts_with("0A") => false,
        _ => error.constraint().is_none(),
    };
    Refusal { message: error.message().to_owned(), by_guard }
}

pub(super) fn ways(name: &Name, group: &Group, rows: &TableRows) -> Vec<(String, Vec<String>)> {
    let target = table(name);
    let mut ways = Vec::new();
    for (column, object) in group.columns() {
        if object.has(Attribute::Generated) {
            continue;
        }
        let column_sql = identifier(column);
        let update = |value: String| format!("UPDATE {target} SET {column_sql} = {value}");
        ways.push((format!("UPDATE of {column}"), other_values(&column_sql, &target).map(update).collect()));
    }
    ways.push(("DELETE".to_owned(), vec![format!("DELETE FROM {target}")]));
    let truncate = [format!("TRUNCATE {target}"), format!("TRUNCATE {target} CASCADE")];
    ways.push(("TRUNCATE".to_owned(), truncate.to_vec()));
    if !rows.key.is_empty() {
        let plain = |object: &Object| !object.has(Attribute::Generated);
        let columns: Vec<&str> =
            group.columns().into_iter().filter(|(_, object)| plain(object)).map(|(name, _)| name).collect();
        let changed = columns.iter().filter(|column| !rows.key.iter().any(|key| key == *column));
        let statements = changed.flat_map(|column| {
            let values =
                other_values(&format!("{target}.{}", identifier(column)), &target).collect::<Vec<_>>();
            let columns = &columns;
            values.into_iter().map(move |value| {
                upsert(name, columns, "OVERRIDING SYSTEM VALUE ", &rows.key, column, &value)
            })
        });
        let statements: Vec<String> = statements.collect();
        if !statements.is_empty() {
            ways.push(("INSERT … ON CONFLICT DO UPDATE".to_owned(), statements));
        }
    }
    ways
}

/// Expressions that give another value than the column has, for one type or the other; the literals
/// serve columns that have none so far.
fn other_values(column: &str, target: &str) -> impl Iterator<Item = String> {
    [
        format!("NOT {column}"),
        format!("{column} + 1"),
        format!("{column} || 'x'"),
        format!("{column} + interval '1 day'"),
        "'{\"switchback\": 1}'".to_owned(),
        "'1'".to_owned(),
        "'2001-01-01'".to_owned(),
        "gen_random_uuid()".to_owned(),
        "NULL".to_owned(),
        format!("(SELECT max({}) FROM {target})", column.rsplit('.').next().unwrap_or(column)),
        "DEFAULT".to_owned(),
    ]
    .into_iter()
}

/// Whether triggers refuse every UPDATE and every DELETE: they fire without a condition and raise
/// an exception before they do anything else.
pub(super) fn are_made(schema: &Schema, group: &Group) -> bool {
    let refuses = |trigger: &Object| {
        let calls = trigger.text(Attribute::Calls).unwrap_or_default();
        let function = calls.split('(').next().unwrap_or_default();
        let body =
            schema.groups().filter(|(kind, ..)| *kind == Kind::Routine).find_map(|(_, name, routine)| {
                let own = name.to_string();
                let same = own.split('(').next() == Some(function);
                same.then(|| routine.object().text(Attribute::Definition)).flatten()
            });
        let body = body.unwrap_or_default().to_lowercase();
        body.trim_start()
            .strip_prefix("begin")
            .is_some_and(|rest| rest.trim_start().starts_with("raise exception"))
    };
    let guarded = |event: &str| {
        group.parts_of(Kind::Trigger).any(|(_, trigger)| {
            let events = trigger.list(Attribute::Events);
            events.iter().any(|one| one.eq_ignore_ascii_case(event))
                && !trigger.has(Attribute::When)
                && !trigger.has(Attribute::Enabled)
                && refuses(trigger)
        })
    };
    guarded("update") && guarded("delete")
}
