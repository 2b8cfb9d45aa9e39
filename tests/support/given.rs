//! A server that somebody else runs.

use sqlx::{AssertSqlSafe, Connection as _};
use switchback_db::server::{self, Database, Request, Server};
use tokio::runtime::Runtime;

use super::processes::wait_for;

/// A server with a database whose URL is given to runs.
pub struct Given {
    runtime: Runtime,
    server: Server,
    database: Database,
}

impl Given {
    pub fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(server::provision(&Request::default())).unwrap();
        let database = runtime.block_on(server.create_database("given")).unwrap();
        Self { runtime, server, database }
    }

    pub fn url(&self) -> &str {
        self.database.url().reveal()
    }

    pub fn ask(&self, sql: &str) -> Vec<String> {
        self.runtime.block_on(async {
            let mut connection = self.database.connect().await.unwrap();
            let found = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
            connection.close().await.unwrap();
            found
        })
    }

    pub fn run(&self, sql: &str) {
        self.runtime.block_on(async {
            let mut connection = self.database.connect().await.unwrap();
            sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
            connection.close().await.unwrap();
        });
    }

    /// All databases and roles.
    pub fn objects(&self) -> Vec<String> {
        self.ask(
            "SELECT datname::text FROM pg_database UNION ALL SELECT rolname::text FROM pg_roles ORDER BY 1",
        )
    }

    /// Waits until a revision of a run sleeps.
    pub fn wait_for_sleep(&self) {
        let asleep = "SELECT pid::text FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
        wait_for("a revision that sleeps", || self.ask(asleep).first().map(drop));
    }

    pub fn close(self) {
        self.runtime.block_on(self.server.close()).unwrap();
    }
}
