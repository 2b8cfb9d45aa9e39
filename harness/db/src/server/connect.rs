//! Connecting, with a time limit and with reasons that say what to look at.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Executor};

use super::error::told;
use super::url::place;

/// A local server answers at once, a remote one in a second; one that needs longer is stuck.
pub(crate) const PATIENCE: Duration = Duration::from_secs(8);

/// Why there is no connection: one line, and the server's code if it was the server that refused.
#[derive(Debug)]
pub(crate) struct NoConnection {
    pub(crate) reason: String,
    pub(crate) code: Option<String>,
}

/// Connects within the time limit.
pub(crate) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, NoConnection> {
    let options = options.clone().disable_statement_logging().application_name("switchback");
    let place = place(&options);
    let error = match tokio::time::timeout(PATIENCE, PgConnection::connect_with(&options)).await {
        Ok(Ok(connection)) => return Ok(connection),
        Ok(Err(error)) => error,
        Err(_) => {
            let reason = format!("{place} did not answer within {} seconds", PATIENCE.as_secs());
            return Err(NoConnection { reason, code: None });
        }
    };
    let code = error.as_database_error().and_then(|e| e.code()).map(|code| code.into_owned());
    let reason = match (&error, code.as_deref()) {
        (_, Some("28P01")) => {
            let role = options.get_username();
            format!("{place} refused the password of role \"{role}\"")
        }
        (sqlx::Error::Io(e), _) if e.kind() == std::io::ErrorKind::ConnectionRefused => {
            format!("nothing listens on {place}")
        }
        _ => format!("{place} refused the connection: {}", told(&error)),
    };
    Err(NoConnection { reason, code })
}

/// Runs statements that we composed; none of their parts comes from elsewhere unquoted.
pub(crate) async fn execute(on: &mut PgConnection, sql: String) -> Result<(), sqlx::Error> {
    on.execute(sqlx::raw_sql(AssertSqlSafe(sql))).await.map(drop)
}

/// A name as an SQL identifier.
pub(crate) fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A text as an SQL literal, right under either value of `standard_conforming_strings`.
pub(crate) fn literal(text: &str) -> String {
    let quoted = text.replace('\'', "''");
    if quoted.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}
