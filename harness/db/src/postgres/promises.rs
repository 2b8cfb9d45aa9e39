//! Trying to break the promise of an append-only table on PostgreSQL.

use sqlx::error::DatabaseError;
use sqlx::{AssertSqlSafe, PgConnection};
use switchback_core::evidence::AttemptResult;
use switchback_core::schema::{Attribute, Group, Kind, Name, Object, Schema};

use super::run::is_of_the_server;
use super::{rows, sqlx_error};
use crate::record::{RecordError, Refusal, Watched};

pub(super) async fn attempt(
    connection: &mut PgConnection,
    name: &Name,
    group: &Group,
    statement: &str,
) -> Result<AttemptResult, RecordError> {
    let begin = sqlx::raw_sql("BEGIN").execute(&mut *connection).await;
    begin.map_err(sqlx_error("beginning an attempt"))?;
    let watched = Watched::default();
    let before = rows::read(connection, name, group, Some(&watched)).await?;
    // Constraint triggers that are deferred would otherwise wait for a commit that never comes.
    let tried = format!("{statement}; SET CONSTRAINTS ALL IMMEDIATE");
    let result = match sqlx::raw_sql(AssertSqlSafe(tried)).execute(&mut *connection).await {
        Ok(_) if rows::read(connection, name, group, Some(&watched)).await?.same(&before) => {
            AttemptResult::NoEffect
        }
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
                && trigger.text(Attribute::Enabled).is_none_or(|state| state == "always")
                && refuses(trigger)
        })
    };
    guarded("update") && guarded("delete")
}
