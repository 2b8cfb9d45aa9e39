//! Running a script on SQLite as its tool does.
//!
//! SQLite has no way to take several statements at once: every tool prepares and steps through them
//! one by one, and so does this.

use sqlx::AssertSqlSafe;
use sqlx_sqlite::SqliteConnection;
use switchback_core::Backend;
use switchback_core::evidence::{Escape, Failure, Outcome};
use switchback_core::sql;

use crate::record::failure::{blame, blame_bookkeeping, blame_file, statements};
use crate::record::{Ran, RecordError, Run};

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
            Ok(Ran { outcome: Outcome::Applied, escapes })
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
    let pieces = statements(run.script, Backend::Sqlite);
    for (index, piece) in pieces.iter().enumerate() {
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
    match sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await {
        Ok(_) => Ok(()),
        Err(error) => Err(trouble(&error)),
    }
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

fn trouble(error: &sqlx::Error) -> Trouble {
    let Some(refused) = error.as_database_error() else { return Trouble::Library(error.to_string()) };
    let code = refused.code().map(|code| code.into_owned());
    let primary = code.as_deref().and_then(|code| code.parse::<u32>().ok()).map(|code| code & 0xff);
    // SQLite manual, "Result and Error Codes": NOMEM, IOERR, CORRUPT, FULL, CANTOPEN, NOTADB.
    if matches!(primary, Some(7 | 10 | 11 | 13 | 14 | 26)) {
        return Trouble::Library(refused.message().to_owned());
    }
    Trouble::Refused(Failure { message: refused.message().to_owned(), code, ..Failure::default() })
}
