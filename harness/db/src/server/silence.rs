//! Servers that fall silent. A revision may run for an hour, so no statement has a limit; but one who works
//! can be greeted meanwhile.

use std::time::Duration;

use sqlx::postgres::PgConnection;
use sqlx::{ConnectOptions as _, Connection as _};

use super::Server;

/// How often the server is greeted.
const BETWEEN: Duration = Duration::from_secs(10);
/// How long it may take to answer: longer than a busy machine needs to start a session.
const LIMIT: Duration = Duration::from_secs(20);

impl Server {
    /// Waits until the server does not answer a new connection any more, and says so. Any answer is one,
    /// such as that there are too many connections.
    pub async fn silence(&self) -> String {
        let options = self.options.clone().disable_statement_logging().application_name("switchback");
        loop {
            tokio::time::sleep(BETWEEN).await;
            let greet = async {
                if let Ok(connection) = PgConnection::connect_with(&options).await {
                    let _ = connection.close().await;
                }
            };
            if tokio::time::timeout(LIMIT, greet).await.is_err() {
                let left = match self.is_ours() || self.keep {
                    true => "",
                    false => "; what this run has made there goes with the next one",
                };
                return format!(
                    "the server has fallen silent: for {} seconds it did not answer a new connection{left}",
                    LIMIT.as_secs()
                );
            }
        }
    }
}
