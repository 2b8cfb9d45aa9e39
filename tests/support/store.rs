//! A connection to either backend, as an application that runs on both has one.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};
use sqlx_sqlite::SqliteConnection;
use switchback::{Backend, Check, Database};

use super::{is_skipped, repository};

/// A connection to a migrated database of the test's own.
pub struct Store {
    connection: Connection,
    database: Database,
}

enum Connection {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Store {
    /// A database at head of a scenario; nothing where the environment leaves the backend out.
    pub async fn at_head(scenario: &str, backend: Backend) -> Option<Self> {
        if is_skipped(backend) {
            return None;
        }
        let check = Check::new(repository("scenarios").join(scenario));
        Some(Self::of(check.database(backend).await.unwrap()).await)
    }

    /// A connection to a database.
    pub async fn of(database: Database) -> Self {
        let url = database.url();
        let connection = match database.backend() {
            Backend::Postgres => Connection::Postgres(PgConnection::connect(&url).await.unwrap()),
            Backend::Sqlite => Connection::Sqlite(SqliteConnection::connect(&url).await.unwrap()),
        };
        Self { connection, database }
    }

    /// The backend.
    pub fn backend(&self) -> Backend {
        self.database.backend()
    }

    /// One of two texts: PostgreSQL's, or SQLite's.
    pub fn sql<'a>(&self, postgres: &'a str, sqlite: &'a str) -> &'a str {
        match self.backend() {
            Backend::Postgres => postgres,
            Backend::Sqlite => sqlite,
        }
    }

    /// Runs a statement with text parameters; the database's own message if it refuses.
    pub async fn run(&mut self, sql: &str, values: &[&str]) -> Result<(), String> {
        self.rows(sql, values).await.map(|_| ())
    }

    /// The rows of a query that selects texts.
    pub async fn rows(&mut self, sql: &str, values: &[&str]) -> Result<Vec<Vec<Option<String>>>, String> {
        let sql = AssertSqlSafe(sql.to_owned());
        macro_rules! fetch {
            ($connection:expr) => {{
                let query =
                    values.iter().fold(sqlx::query(sql), |query, value| query.bind((*value).to_owned()));
                let rows = query.fetch_all($connection).await.map_err(|error| error.to_string())?;
                let mut found = Vec::new();
                for row in &rows {
                    let cells = (0..row.len()).map(|place| row.try_get::<Option<String>, _>(place));
                    found.push(cells.collect::<Result<_, _>>().map_err(|error| error.to_string())?);
                }
                Ok(found)
            }};
        }
        match &mut self.connection {
            Connection::Postgres(connection) => fetch!(connection),
            Connection::Sqlite(connection) => fetch!(connection),
        }
    }

    /// The one text that a query gives.
    pub async fn one(&mut self, sql: &str, values: &[&str]) -> String {
        let mut rows = self.rows(sql, values).await.unwrap();
        assert_eq!(rows.len(), 1, "{rows:?}");
        rows.remove(0).remove(0).unwrap()
    }
}
