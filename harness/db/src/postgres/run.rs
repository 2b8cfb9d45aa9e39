//! Running a script on PostgreSQL as its tool does, and finding the statement that failed.

use sqlx::error::DatabaseError;
use sqlx::postgres::{PgDatabaseError, PgErrorPosition};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use switchback_core::Backend;
use switchback_core::evidence::{Escape, Failure};
use switchback_core::history::{Script, Sending};
use switchback_core::sql;

use super::{Database, sqlx_error};
use crate::record::failure::{blame, blame_bookkeeping, blame_file, blame_offset};
use crate::record::{Ran, RecordError, Run};
use crate::room;
use crate::server::{Standings, ends_sessions, told};

/// Why a script did not run.
enum Trouble {
    /// The database refused a statement.
    Refused(Failure),
    /// The connection is gone.
    Gone(String),
    /// The server is in trouble of its own, which no migration is to blame for.
    Server(String),
}

pub(super) async fn run(database: &mut Database, run: Run<'_>) -> Result<Ran, RecordError> {
    // Before the script, since one that was made later could not tell whose end another one's is.
    database.looking().await?;
    let connection = database.migrating().await?;
    let trouble = match execute(connection, run).await {
        Ok(()) => {
            let escapes = left_open(connection, run.script).await?;
            return Ok(Ran::applied(escapes));
        }
        Err(trouble) => trouble,
    };
    match trouble {
        Trouble::Refused(failure) => {
            if roll_back(connection).await.is_err() {
                database.migrating = None;
            }
            Ok(Ran::failed(blame_file(failure, run.script)))
        }
        Trouble::Gone(message) => {
            database.migrating = None;
            let failed = |error: String| {
                let doing = format!("running {}", run.script.path);
                RecordError::database(Backend::Postgres, doing, format!("{message}; {error}"))
            };
            // All sessions of a server that crashes end at once, so the other one tells.
            if let Some(looking) = database.looking.as_mut().filter(|_| !ends_sessions(&run.script.text)) {
                looking.ping().await.map_err(|error| failed(told(&error)))?;
            }
            // A server that still answers means that the script ended its own connection.
            database.migrating().await.map_err(|error| failed(error.to_string()))?;
            let failure = Failure::new(format!("the connection ended while the script ran: {message}"));
            Ok(Ran::failed(blame_file(failure, run.script)))
        }
        Trouble::Server(message) => {
            let doing = format!("running {}", run.script.path);
            Err(RecordError::database(Backend::Postgres, doing, message))
        }
    }
}

/// The failure of a script that would drop something of the whole server that is not of this run.
pub(super) fn drops_what_is(script: &Script, is_theirs: impl Fn(&str) -> bool) -> Option<Failure> {
    let pieces = script.statements(Backend::Postgres);
    let (index, theirs) = pieces.iter().enumerate().find_map(|(index, piece)| {
        let mut dropped = sql::dropped_from_the_server(piece.body).into_iter();
        Some((index, dropped.find(|object| is_theirs(object))?))
    })?;
    let failure = Failure::new(format!("it was not run, since it drops {theirs}, which is not of this run"));
    Some(blame(failure, script, &pieces, index))
}

async fn execute(connection: &mut PgConnection, run: Run<'_>) -> Result<(), Trouble> {
    if run.transaction {
        send(connection, "BEGIN").await?;
    }
    match run.sending {
        Sending::Whole => send_whole(connection, run).await?,
        Sending::Statements => send_statements(connection, run.script).await?,
    }
    if let Some(bookkeeping) = run.bookkeeping {
        send(connection, bookkeeping).await.map_err(|trouble| match trouble {
            Trouble::Refused(failure) => Trouble::Refused(blame_bookkeeping(failure, bookkeeping)),
            trouble => trouble,
        })?;
    }
    if run.transaction {
        send(connection, "COMMIT").await?;
    }
    Ok(())
}

async fn send(connection: &mut PgConnection, text: &str) -> Result<(), Trouble> {
    let sent = sqlx::raw_sql(AssertSqlSafe(text)).execute(connection).await;
    sent.map(|_| ()).map_err(|error| trouble(&error).0)
}

async fn send_whole(connection: &mut PgConnection, run: Run<'_>) -> Result<(), Trouble> {
    let script = run.script;
    let Err(error) = sqlx::raw_sql(AssertSqlSafe(&*script.text)).execute(&mut *connection).await else {
        return Ok(());
    };
    let (Trouble::Refused(failure), position) = trouble(&error) else { return Err(trouble(&error).0) };
    if let Some(offset) = position.and_then(|position| byte_offset(&script.text, position)) {
        return Err(Trouble::Refused(blame_offset(failure, script, Backend::Postgres, offset)));
    }
    Err(Trouble::Refused(match replay(connection, script, &failure).await {
        Some(index) => blame(failure, script, &script.statements(Backend::Postgres), index),
        None => failure,
    }))
}

/// Finds the statement that fails by running them one by one in a transaction that is rolled back.
/// PostgreSQL gives a position for errors of grammar and names only. Outside a transaction, too, the
/// statements of one message stand or fall together (PostgreSQL manual, "Multiple Statements in a
/// Simple Query"), so all of them are still to be run, but for those that the script itself committed.
async fn replay(connection: &mut PgConnection, script: &Script, failure: &Failure) -> Option<usize> {
    let pieces = script.statements(Backend::Postgres);
    if pieces.len() == 1 {
        return Some(0);
    }
    let controls = |body: &str| {
        sql::opens_transaction(body, Backend::Postgres) || sql::ends_transaction(body, Backend::Postgres)
    };
    roll_back(connection).await.ok()?;
    send(connection, "BEGIN").await.ok()?;
    for (index, piece) in pieces.iter().enumerate().filter(|(_, piece)| !controls(piece.body)) {
        match send(connection, piece.text).await {
            Ok(()) => {}
            // Another failure is one of the replay's own.
            Err(Trouble::Refused(again)) => return (again.message == failure.message).then_some(index),
            Err(_) => return None,
        }
    }
    None
}

async fn send_statements(connection: &mut PgConnection, script: &Script) -> Result<(), Trouble> {
    let pieces = script.statements(Backend::Postgres);
    for (index, piece) in pieces.iter().enumerate() {
        match sqlx::raw_sql(AssertSqlSafe(piece.text)).execute(&mut *connection).await {
            Ok(_) => {}
            Err(error) => {
                return Err(match trouble(&error).0 {
                    Trouble::Refused(failure) => Trouble::Refused(blame(failure, script, &pieces, index)),
                    other => other,
                });
            }
        }
    }
    Ok(())
}

async fn roll_back(connection: &mut PgConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("ROLLBACK").execute(connection).await.map(|_| ())
}

/// A script that begins a transaction of its own may leave it open. `SAVEPOINT` is refused outside a
/// transaction block (PostgreSQL manual, "SAVEPOINT"), which tells.
async fn left_open(connection: &mut PgConnection, script: &Script) -> Result<Vec<Escape>, RecordError> {
    let opens = |body: &str| sql::opens_transaction(body, Backend::Postgres);
    if !script.statements(Backend::Postgres).iter().any(|piece| opens(piece.body)) {
        return Ok(Vec::new());
    }
    if sqlx::raw_sql("SAVEPOINT switchback").execute(&mut *connection).await.is_err() {
        return Ok(Vec::new());
    }
    roll_back(connection).await.map_err(sqlx_error("rolling back a transaction that a script left open"))?;
    Ok(vec![Escape::OpenTransaction])
}

/// The trouble, and the position of the error in the text that was sent, counted from 1 in characters.
fn trouble(error: &sqlx::Error) -> (Trouble, Option<usize>) {
    let Some(refused) = error.as_database_error() else {
        return (Trouble::Gone(told(error)), None);
    };
    let code = refused.code().map(|code| code.into_owned());
    let class = code.as_deref().unwrap_or_default();
    if is_of_the_server(refused) {
        let hint = refused.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::hint);
        let hint = hint.map(|hint| format!(" ({hint})")).unwrap_or_default();
        return (Trouble::Server(told(error) + &hint), None);
    }
    if class.starts_with("57P") {
        return (Trouble::Gone(refused.message().to_owned()), None);
    }
    let mut failure = Failure { message: refused.message().to_owned(), code, ..Failure::default() };
    let mut position = None;
    if let Some(postgres) = refused.try_downcast_ref::<PgDatabaseError>() {
        let said: Vec<&str> = [postgres.detail(), postgres.hint()].into_iter().flatten().collect();
        failure.detail = Some(said.join("\n")).filter(|said| !said.is_empty());
        if let Some(PgErrorPosition::Original(at)) = postgres.position() {
            position = Some(at);
        }
    }
    (Trouble::Refused(failure), position)
}

/// Whether the server is in trouble of its own. By the codes of PostgreSQL manual, appendix A, it lacks
/// a resource, has crashed, or the system failed it; but a file that is not there is what the statement
/// named. What the server knows no code for, such as a quota, it calls an internal error.
pub(super) fn is_of_the_server(error: &dyn DatabaseError) -> bool {
    match error.code().as_deref() {
        Some("57P02" | "57P03" | "58000" | "58030") => true,
        Some("XX000") => room::is_lacking(error.message()),
        Some(code) => code.starts_with("53"),
        None => false,
    }
}

fn byte_offset(text: &str, position: usize) -> Option<usize> {
    text.char_indices().nth(position.checked_sub(1)?).map(|(offset, _)| offset)
}

/// Whether a script can have changed roles, databases, table spaces, the server's settings or the sessions of
/// others: only then are they listed before and after it. The words are looked for in the bare text, so that
/// they are found in the body of a `DO` block, too; a comment that holds them costs two more queries.
pub fn may_touch_the_cluster(text: &str) -> bool {
    // In "COMMENT ON ROLE", "REASSIGN OWNED BY" and "DROP OWNED BY", too.
    const VERBS: [&str; 7] = ["create", "alter", "drop", "grant", "revoke", "on", "reassign"];
    const OBJECTS: [&str; 8] =
        ["role", "user", "group", "database", "tablespace", "system", "subscription", "owned"];
    const CATALOGS: [&str; 8] = [
        "pg_authid",
        "pg_auth_members",
        "pg_database",
        "pg_db_role_setting",
        "pg_tablespace",
        "pg_shdescription",
        "pg_parameter_acl",
        "pg_subscription",
    ];
    let mut after: Option<&str> = None;
    for word in text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty()) {
        let word = word.to_ascii_lowercase();
        let is_function = word.contains("replication_slot") || word.contains("replication_origin");
        match after {
            Some("grant" | "revoke") => return true,
            Some(_) if OBJECTS.contains(&word.as_str()) => return true,
            _ if is_function || CATALOGS.contains(&word.as_str()) => return true,
            _ => {}
        }
        after = VERBS.into_iter().find(|known| *known == word);
    }
    ends_sessions(text)
}

pub(super) fn cluster_changes(before: &Standings, after: &Standings) -> Vec<Escape> {
    let mut changes = Vec::new();
    for object in before.keys().chain(after.keys().filter(|key| !before.contains_key(*key))) {
        let change = match (before.get(object), after.get(object)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(_), Some(_)) => "changed",
            (Some(_), None) => "dropped",
            (None, _) => "created",
        };
        changes.push(Escape::Cluster { object: object.clone(), change });
    }
    changes
}
