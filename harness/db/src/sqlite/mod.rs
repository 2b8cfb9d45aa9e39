//! SQLite databases: files of their own in a folder of their own.

mod cell;
mod digest;
mod engine;
mod functions;
mod handle;
mod promises;
mod rows;
mod run;
mod shelf;
mod trial;
mod ways;
mod workspace;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sqlx::{ConnectOptions as _, Connection as _, Row as _};
use sqlx_sqlite::{SqliteConnectOptions, SqliteConnection, SqlitePool, SqlitePoolOptions, SqliteSynchronous};

pub use engine::Sqlite;
pub use functions::{Functions, FunctionsError};
pub use shelf::Shelf;
pub use workspace::{Workspace, WorkspaceError};

/// The oldest version whose behaviour is known to be the one that is relied on here.
pub const OLDEST_VERSION: &str = "3.34.0";

/// Why a SQLite database could not be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// The file could not be opened.
    #[error("cannot open the sqlite database \"{}\": {reason}; check that the folder exists and can be written", path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        reason: sqlx::Error,
    },
    /// The file could not be copied.
    #[error("cannot copy the sqlite database \"{}\" to \"{}\": {reason}; check that nothing holds a lock on it and that there is room", from.display(), to.display())]
    Copy {
        /// The database.
        from: PathBuf,
        /// Where the copy was to be.
        to: PathBuf,
        /// What SQLite says.
        reason: sqlx::Error,
    },
    /// A question was not answered.
    #[error("cannot read the sqlite database: {0}; check that nothing holds a lock on it")]
    Read(#[from] sqlx::Error),
    /// The SQLite library is too old.
    #[error("sqlite {version} is too old: link {OLDEST_VERSION} or later")]
    TooOld {
        /// The version of the library.
        version: String,
    },
}

/// The SQLite library that this program is linked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// What `sqlite_version()` says: `3.51.3`.
    pub number: String,
    /// What `sqlite_source_id()` says: the time and hash of the check-in it was built from.
    pub source: String,
}

/// A row that refers to none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DanglingRow {
    /// The table that refers.
    pub table: String,
    /// The row, unless the table has no rowid.
    pub rowid: Option<i64>,
    /// The columns that refer, in the order of the foreign key.
    pub columns: Vec<String>,
    /// The table that has no such row.
    pub parent: String,
}

/// A database in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    path: PathBuf,
    functions: Arc<Functions>,
}

impl Database {
    /// The database in this file, which need not exist yet.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), functions: Arc::default() }
    }

    /// The same, where every connection has these functions.
    #[must_use]
    pub fn with_functions(self, functions: &Arc<Functions>) -> Self {
        Self { functions: Arc::clone(functions), ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Opens the database, and makes it if it isn't there, with foreign keys enforced or not: it
    /// is each connection's own choice (<https://sqlite.org/foreignkeys.html#fk_enable>).
    ///
    /// Nothing is flushed to disk, and the rollback journal is emptied instead of deleted. Neither
    /// is stored in the file, and a process that is killed in the middle of a transaction still
    /// leaves a database that recovers; only a power cut would not. The write-ahead log, which is
    /// stored in the file, is left to the migrations: a database that they put into it stays so.
    ///
    /// # Errors
    ///
    /// When the file can't be opened or made, or isn't a database.
    pub async fn connect(&self, foreign_keys: bool) -> Result<SqliteConnection, DatabaseError> {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .create_if_missing(true)
            .foreign_keys(foreign_keys)
            .synchronous(SqliteSynchronous::Off)
            .disable_statement_logging();
        let open = async {
            let mut connection = options.connect().await?;
            self.functions.give_to(&mut connection).await?;
            if journal_mode(&mut connection).await? == "delete" {
                sqlx::query("PRAGMA main.journal_mode = TRUNCATE").execute(&mut connection).await?;
            }
            Ok(connection)
        };
        open.await.map_err(|reason| DatabaseError::Open { path: self.path.clone(), reason })
    }

    /// How an application connects to it: with its functions, and foreign keys enforced or not. Several
    /// connections wait for each other, and nothing is flushed to disk.
    pub fn pool(&self, foreign_keys: bool) -> SqlitePool {
        let options = SqliteConnectOptions::new()
            .filename(&self.path)
            .foreign_keys(foreign_keys)
            .synchronous(SqliteSynchronous::Off);
        let functions = Arc::clone(&self.functions);
        let pool = SqlitePoolOptions::new().after_connect(move |connection, _| {
            let functions = Arc::clone(&functions);
            Box::pin(async move { functions.give_to(connection).await })
        });
        pool.connect_lazy_with(options)
    }

    /// Copies the database as it is now, with its rows, rowids, counters and settings, to a file
    /// that isn't there yet. Connections may be open, but none of them in a transaction that
    /// writes.
    ///
    /// # Errors
    ///
    /// When the database is locked, holds what this library cannot make, or the file is there.
    pub async fn copy_to(&self, path: impl Into<PathBuf>) -> Result<Self, DatabaseError> {
        let copy = Self::at(path).with_functions(&self.functions);
        let mut connection = self.connect(false).await?;
        let made = async {
            // https://sqlite.org/lang_vacuum.html: everything that a user can see is kept, except
            // the write-ahead log mode and the number that counts schema changes.
            let target = copy.path.to_string_lossy();
            sqlx::query("VACUUM main INTO ?").bind(target.as_ref()).execute(&mut connection).await?;
            let mode = journal_mode(&mut connection).await?;
            let schema_version: i64 =
                sqlx::query_scalar("PRAGMA main.schema_version").fetch_one(&mut connection).await?;
            connection.close().await?;
            Ok((mode, schema_version))
        };
        let failed = |reason| DatabaseError::Copy { from: self.path.clone(), to: copy.path.clone(), reason };
        let (mode, schema_version) = made.await.map_err(failed)?;
        let restored = async {
            let mut connection = copy.connect(false).await.map_err(|error| match error {
                DatabaseError::Open { reason, .. } => reason,
                other => sqlx::Error::Configuration(other.into()),
            })?;
            if mode == "wal" {
                sqlx::query("PRAGMA main.journal_mode = WAL").execute(&mut connection).await?;
            }
            let set = format!("PRAGMA main.schema_version = {schema_version}");
            sqlx::query(sqlx::AssertSqlSafe(set)).execute(&mut connection).await?;
            connection.close().await
        };
        restored.await.map_err(failed)?;
        Ok(copy)
    }
}

/// The library's version, if it is one that Switchback can work with.
///
/// # Errors
///
/// When it is older than [`OLDEST_VERSION`].
pub async fn version(connection: &mut SqliteConnection) -> Result<Version, DatabaseError> {
    let row = sqlx::query("SELECT sqlite_version(), sqlite_source_id()").fetch_one(connection).await?;
    let version = Version { number: row.try_get(0)?, source: row.try_get(1)? };
    if numbers(&version.number) < numbers(OLDEST_VERSION) {
        return Err(DatabaseError::TooOld { version: version.number });
    }
    Ok(version)
}

/// The library that this program runs with.
///
/// # Errors
///
/// When it is older than [`OLDEST_VERSION`].
pub async fn library() -> Result<Version, DatabaseError> {
    version(&mut Database::at(":memory:").connect(false).await?).await
}

/// Where the library comes from.
pub const LIBRARY: &str = if cfg!(feature = "bundled-sqlite") { "bundled library" } else { "system library" };

/// The rows that refer to none, in all tables, sorted.
///
/// # Errors
///
/// When a foreign key refers to columns that are no key, which SQLite calls a mismatch.
pub async fn foreign_key_check(connection: &mut SqliteConnection) -> Result<Vec<DanglingRow>, DatabaseError> {
    let sql = "SELECT c.\"table\", c.rowid, c.parent, l.\"from\", c.fkid, l.seq \
               FROM pragma_foreign_key_check AS c, pragma_foreign_key_list(c.\"table\") AS l \
               WHERE l.id = c.fkid ORDER BY 1, 2, 5, 6";
    let mut dangling: Vec<DanglingRow> = Vec::new();
    for row in sqlx::query(sql).fetch_all(connection).await? {
        if row.try_get::<i64, _>(5)? == 0 {
            let (table, rowid, parent) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            dangling.push(DanglingRow { table, rowid, columns: Vec::new(), parent });
        }
        if let Some(last) = dangling.last_mut() {
            last.columns.push(row.try_get(3)?);
        }
    }
    dangling.sort();
    Ok(dangling)
}

async fn journal_mode(connection: &mut SqliteConnection) -> Result<String, sqlx::Error> {
    sqlx::query_scalar("PRAGMA main.journal_mode").fetch_one(connection).await
}

fn numbers(version: &str) -> Vec<u32> {
    version.split('.').map_while(|number| number.parse().ok()).collect()
}

#[cfg(test)]
mod tests;
