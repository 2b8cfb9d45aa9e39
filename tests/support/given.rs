//! A server that somebody else runs.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
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
        Self::of(&Request::default())
    }

    /// One that runs on this machine, whose processes and programs are at hand.
    pub fn of_binaries() -> Self {
        Self::of(&Request { containers: false, ..Request::default() })
    }

    fn of(request: &Request) -> Self {
        let runtime = Runtime::new().unwrap();
        let server = runtime.block_on(server::provision(request)).unwrap();
        let database = runtime.block_on(server.create_database("given")).unwrap();
        Self { runtime, server, database }
    }

    pub fn url(&self) -> &str {
        self.database.url().reveal()
    }

    pub fn password(&self) -> &str {
        let (_, rest) = self.url().split_once("://").unwrap();
        let (user, _) = rest.split_once('@').unwrap();
        user.split_once(':').unwrap().1
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
        self.run_each(&[sql]);
    }

    /// Runs statements one by one in a session.
    pub fn run_each(&self, statements: &[&str]) {
        self.runtime.block_on(async { run(self.database.connect().await.unwrap(), statements).await });
    }

    /// Runs SQL in another database of the server.
    pub fn run_in(&self, database: &str, sql: &str) {
        self.runtime.block_on(async { run(self.connect_to(database).await, &[sql]).await });
    }

    /// A session in another database of the server.
    pub async fn connect_to(&self, database: &str) -> PgConnection {
        PgConnection::connect_with(&self.database.options().database(database)).await.unwrap()
    }

    pub fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
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

async fn run(mut connection: PgConnection, statements: &[&str]) {
    for sql in statements {
        sqlx::raw_sql(AssertSqlSafe(*sql)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
}
