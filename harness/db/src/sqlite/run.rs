//! Running a script on SQLite as its tool does.
//!
//! SQLite has no way to take several statements at once: every tool prepares and steps through them
//! one by one, and so does this.

use sqlx::AssertSqlSafe;
use sqlx::error::DatabaseError;
use sqlx_sqlite::SqliteConnection;
use switchback_core::Backend;
use switchback_core::evidence::{Escape, Failure};
use switchback_core::sql;

use crate::record::failure::{blame, blame_bookkeeping, blame_file};
use crate::record::{Ran, RecordError, Run};

/// SQLite manual, "Result and Error Codes": the disk is, or the limit is reached that the database has.
const FULL: u32 = 13;
/// Another connection has locked the file, and did not let it go in time.
const BUSY: u32 = 5;

/// Why a script did not run.
enum Trouble {
    /// The database refused a statement.
    Refused(Failure),
    /// The disk or the library is in trouble of its own, which no migration is to blame for.
    Library(String),
}

pub(super) async fn run(connection: &mut SqliteConnection, run: Run<'_>) -> Result<Ran, RecordError> {
    match execute(connection, run).await {
        Ok(()) => {
            let escapes = if is_in_transaction(connection).await {
                roll_back(connection).await;
                vec![Escape::OpenTransaction]
            } else {
                Vec::new()
            };
            Ok(Ran::applied(escapes))
        }
        Err(Trouble::Refused(failure)) => {
            roll_back(connection).await;
            Ok(Ran::failed(blame_file(failure, run.script)))
        }
        Err(Trouble::Library(message)) => {
            let doing = format!("running {}", run.script.path);
            Err(RecordError::database(Backend::Sqlite, doing, message))
        }
    }
}

async fn execute(connection: &mut SqliteConnection, run: Run<'_>) -> Result<(), Trouble> {
    if run.transaction {
        send(connection, "BEGIN").await?;
    }
    let pieces = run.script.statements(Backend::Sqlite);
    for (index, piece) in pieces.iter().enumerate() {
        if sql::reaches_for_a_file(piece.body) {
            // Nothing but what this run has made is ever changed.
            let failure = Failure::new("it was not run, since it leads to a file that is not of this run");
            return Err(Trouble::Refused(blame(failure, run.script, &pieces, index)));
        }
        send(connection, piece.text).await.map_err(|trouble| match trouble {
            Trouble::Refused(failure) => Trouble::Refused(blame(failure, run.script, &pieces, index)),
            Trouble::Library(message) => Trouble::Library(message),
        })?;
    }
    if let Some(bookkeeping) = run.bookkeeping {
        send(connection, bookkeeping).await.map_err(|trouble| match trouble {
            Trouble::Refused(failure) => Trouble::Refused(blame_bookkeeping(failure, bookkeeping)),
            trouble => trouble,
        })?;
    }
    if run.transaction {
        send(connection, "COMMIT").await.map_err(|trouble| {
            // A script that ended the tool's transaction leaves nothing to commit, and the tool fails.
            let end = pieces.iter().rposition(|piece| sql::ends_transaction(piece.body, Backend::Sqlite));
            match (trouble, end) {
                (Trouble::Refused(mut failure), Some(index)) => {
                    failure.detail =
                        Some("the file ends the transaction that its tool has opened".to_owned());
                    Trouble::Refused(blame(failure, run.script, &pieces, index))
                }
                (trouble, _) => trouble,
            }
        })?;
    }
    Ok(())
}

async fn send(connection: &mut SqliteConnection, text: &str) -> Result<(), Trouble> {
    match sqlx::raw_sql(AssertSqlSafe(text)).execute(&mut *connection).await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_database_error() {
            Some(full) if primary_code(full) == Some(FULL) && is_limited(connection).await => {
                let mut failure = refusal(full);
                failure.detail = Some("the database may not grow beyond its \"max_page_count\"".to_owned());
                Err(Trouble::Refused(failure))
            }
            Some(refused) if primary_code(refused) == Some(BUSY) => {
                Err(Trouble::Library(format!("{} by another process", refused.message())))
            }
            Some(refused) if is_of_the_library(refused) => {
                Err(Trouble::Library(refused.message().to_owned()))
            }
            Some(refused) => Err(Trouble::Refused(refusal(refused))),
            None => Err(Trouble::Library(error.to_string())),
        },
    }
}

/// Whether a script has set a limit to the database's size, below any that SQLite has of itself: then
/// it is full by the project's own will, while the disk has room.
async fn is_limited(connection: &mut SqliteConnection) -> bool {
    let limit = sqlx::query_scalar::<_, i64>("PRAGMA main.max_page_count").fetch_one(connection).await;
    limit.is_ok_and(|pages| pages < 1_073_741_823)
}

async fn roll_back(connection: &mut SqliteConnection) {
    // SQLite rolls back by itself after some errors, and then refuses this: there is nothing to do.
    let _ = sqlx::raw_sql("ROLLBACK").execute(connection).await;
}

/// `BEGIN` is refused within a transaction (SQLite manual, "Transaction", 2.1).
async fn is_in_transaction(connection: &mut SqliteConnection) -> bool {
    if sqlx::raw_sql("BEGIN").execute(&mut *connection).await.is_err() {
        return true;
    }
    roll_back(connection).await;
    false
}

fn refusal(error: &dyn DatabaseError) -> Failure {
    let code = error.code().map(|code| code.into_owned());
    Failure { message: error.message().to_owned(), code, ..Failure::default() }
}

/// Whether the disk or the library is in trouble of its own, or another process has locked the file: a
/// connection never waits for itself. SQLite manual, "Result and Error Codes": BUSY, NOMEM, IOERR, CORRUPT,
/// FULL, CANTOPEN, NOTADB.
pub(super) fn is_of_the_library(error: &dyn DatabaseError) -> bool {
    matches!(primary_code(error), Some(BUSY | 7 | 10 | 11 | FULL | 14 | 26))
}

fn primary_code(error: &dyn DatabaseError) -> Option<u32> {
    error.code()?.parse::<u32>().ok().map(|code| code & 0xff)
}
