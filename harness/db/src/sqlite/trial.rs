//! Asking SQLite what it does with a statement.

use sqlx::{AssertSqlSafe, Row as _};
use sqlx_sqlite::SqliteConnection;
use switchback_core::Backend;
use switchback_core::trials::Answer;

use super::run::is_of_the_library;
use super::{cell, handle};
use crate::record::RecordError;

pub(super) async fn answer(
    connection: &mut SqliteConnection,
    prepare: &[String],
    statement: &str,
    reading: Option<&str>,
) -> Result<Answer, RecordError> {
    let begin = std::iter::once("BEGIN").chain(prepare.iter().map(String::as_str));
    let begin = begin.collect::<Vec<_>>().join(";\n");
    let answer = match refusal(send(connection, &begin).await)? {
        Some(reason) => Answer::NotAsked(reason),
        None => tried(connection, statement, reading).await?,
    };
    // RAISE(ROLLBACK) has ended the transaction already.
    let _ = send(connection, "ROLLBACK").await;
    Ok(answer)
}

async fn tried(
    connection: &mut SqliteConnection,
    statement: &str,
    reading: Option<&str>,
) -> Result<Answer, RecordError> {
    if let Some(reason) = refusal(send(connection, statement).await)? {
        return Ok(Answer::Refused(reason));
    }
    // What may wait would otherwise wait for a COMMIT that never comes.
    if handle::lacks_a_parent(connection).await.map_err(failed)? {
        return Ok(Answer::Refused("FOREIGN KEY constraint failed".to_owned()));
    }
    let Some(reading) = reading else { return Ok(Answer::Accepted(Vec::new())) };
    let rows = sqlx::query(AssertSqlSafe(reading.to_owned())).persistent(false).fetch_all(connection).await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(sqlx::Error::Database(error)) if !is_of_the_library(&*error) => {
            return Ok(Answer::NotAsked(error.message().to_owned()));
        }
        Err(error) => return Err(failed(error)),
    };
    let mut read = Vec::with_capacity(rows.len());
    for row in &rows {
        let cells = (0..row.len()).map(|place| cell::at(row, place));
        read.push(cells.collect::<Result<_, _>>().map_err(failed)?);
    }
    Ok(Answer::Accepted(read))
}

async fn send(connection: &mut SqliteConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(|_| ())
}

/// The database's own words, if it refused. A library that lacks something has not answered.
fn refusal(sent: Result<(), sqlx::Error>) -> Result<Option<String>, RecordError> {
    match sent {
        Ok(()) => Ok(None),
        Err(sqlx::Error::Database(error)) if !is_of_the_library(&*error) => {
            Ok(Some(error.message().to_owned()))
        }
        Err(error) => Err(failed(error)),
    }
}

fn failed(error: sqlx::Error) -> RecordError {
    RecordError::database(Backend::Sqlite, "trying a statement", error)
}
