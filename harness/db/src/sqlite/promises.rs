//! Trying to break the promise of an append-only table on SQLite.

use sqlx::AssertSqlSafe;
use sqlx::error::DatabaseError;
use sqlx_sqlite::SqliteConnection;
use switchback_core::Backend;
use switchback_core::evidence::AttemptResult;
use switchback_core::schema::{Attribute, Group, Kind, Name, Object};

use super::rows;
use super::run::is_of_the_library;
use crate::record::{RecordError, Refusal, Watched};

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
    let watched = Watched::default();
    let before = rows::read(connection, name, group, Some(&watched)).await?;
    let result = match sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await {
        Ok(_) if rows::read(connection, name, group, Some(&watched)).await?.same(&before) => {
            AttemptResult::NoEffect
        }
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
