//! Asking PostgreSQL what it does with a statement.

use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use switchback_core::trials::Answer;

use super::run::is_of_the_server;
use super::sqlx_error;
use crate::record::RecordError;

const DOING: &str = "trying a statement";

pub(super) async fn answer(
    connection: &mut PgConnection,
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
    let undone = send(connection, "ROLLBACK").await;
    undone.map_err(sqlx_error("rolling back a trial"))?;
    Ok(answer)
}

async fn tried(
    connection: &mut PgConnection,
    statement: &str,
    reading: Option<&str>,
) -> Result<Answer, RecordError> {
    // What is deferred would otherwise wait for a commit that never comes.
    let whole = format!("{statement};\nSET CONSTRAINTS ALL IMMEDIATE");
    if let Some(reason) = refusal(send(connection, &whole).await)? {
        return Ok(Answer::Refused(reason));
    }
    let Some(reading) = reading else { return Ok(Answer::Accepted(Vec::new())) };
    let rows = sqlx::query(AssertSqlSafe(reading.to_owned())).persistent(false).fetch_all(connection).await;
    let rows = match rows {
        Ok(rows) => rows,
        Err(sqlx::Error::Database(error)) if !is_of_the_server(&*error) => {
            return Ok(Answer::NotAsked(error.message().to_owned()));
        }
        Err(error) => return Err(sqlx_error(DOING)(error)),
    };
    let mut read = Vec::with_capacity(rows.len());
    for row in &rows {
        let cells = (0..row.len()).map(|place| row.try_get::<Option<String>, _>(place));
        read.push(cells.collect::<Result<_, _>>().map_err(sqlx_error(DOING))?);
    }
    Ok(Answer::Accepted(read))
}

async fn send(connection: &mut PgConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(connection).await.map(|_| ())
}

/// The database's own words, if it refused. A server that lacks something has not answered.
fn refusal(sent: Result<(), sqlx::Error>) -> Result<Option<String>, RecordError> {
    match sent {
        Ok(()) => Ok(None),
        Err(sqlx::Error::Database(error)) if !is_of_the_server(&*error) => {
            Ok(Some(error.message().to_owned()))
        }
        Err(error) => Err(sqlx_error(DOING)(error)),
    }
}
