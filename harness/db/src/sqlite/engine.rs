//! SQLite as an engine of walks.

use std::sync::Arc;

use sqlx::Connection as _;
use sqlx_sqlite::SqliteConnection;
use switchback_core::Backend;
use switchback_core::evidence::{AttemptResult, DanglingRow, TableRows};
use switchback_core::schema::{Group, Name, Schema};
use switchback_core::trials::Answer;

use super::{
    Database, DatabaseError, Functions, LIBRARY, Version, Workspace, promises, rows, run, trial, version,
    ways,
};
use crate::drive::{Driver, Place};
use crate::introspect::sqlite::Reader;
use crate::record::{Engine, Ran, RecordError, Refusal, Run, Watched, Way};

/// SQLite databases in one folder.
pub struct Sqlite {
    workspace: Workspace,
    version: Version,
    foreign_keys: bool,
    functions: Arc<Functions>,
    reader: Reader,
    made: usize,
}

/// A database file with its connection.
///
/// Revisions run on the same connection as the recorder looks through: another one would have to
/// parse the whole schema anew after every change (SQLite file format, 2.6), which makes a long
/// history quadratic. What a revision leaves on its connection, a pragma or a temporary table, is
/// kept for the next one, as in production.
pub struct Opened {
    file: Database,
    foreign_keys: bool,
    connection: Option<SqliteConnection>,
    reader: Reader,
    /// The tool that has been in it with connections of its own.
    driver: Option<Driver>,
}

impl Sqlite {
    /// An engine in a folder; `ignore` names the tool's bookkeeping tables.
    ///
    /// # Errors
    ///
    /// If the library is too old, or no database can be made in the folder.
    pub async fn open(
        workspace: Workspace,
        foreign_keys: bool,
        ignore: Vec<String>,
    ) -> Result<Self, RecordError> {
        let mut connection =
            workspace.database("version").connect(false).await.map_err(failed("opening a database"))?;
        let version = version(&mut connection).await.map_err(failed("asking for the version"))?;
        let closed = connection.close().await;
        closed.map_err(|error| RecordError::database(Backend::Sqlite, "closing a database", error))?;
        let (functions, reader) = (Arc::default(), Reader::new(ignore));
        Ok(Self { workspace, version, foreign_keys, functions, reader, made: 0 })
    }

    /// The same, where the application defines these functions.
    #[must_use]
    pub fn with_functions(self, functions: Functions) -> Self {
        Self { functions: Arc::new(functions), ..self }
    }

    /// The folder of the databases, which go with it.
    pub fn into_workspace(self) -> Workspace {
        self.workspace
    }

    fn next(&mut self, label: &str) -> Database {
        self.made += 1;
        self.workspace.database(&format!("{label}-{}", self.made)).with_functions(&self.functions)
    }

    fn opened(&self, file: Database, reader: Reader) -> Opened {
        Opened { file, foreign_keys: self.foreign_keys, connection: None, reader, driver: None }
    }
}

impl Opened {
    /// Leaves the database, and gives it to whoever wants it next.
    ///
    /// # Errors
    ///
    /// If it cannot be closed.
    pub async fn release(mut self) -> Result<Database, RecordError> {
        self.leave().await?;
        Ok(self.file)
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, RecordError> {
        self.parts().await.map(|(connection, _)| connection)
    }

    async fn parts(&mut self) -> Result<(&mut SqliteConnection, &mut Reader), RecordError> {
        let connection = match &mut self.connection {
            Some(connection) => connection,
            slot @ None => {
                let opened = self.file.connect(self.foreign_keys).await;
                slot.insert(opened.map_err(failed("opening a database"))?)
            }
        };
        Ok((connection, &mut self.reader))
    }

    fn place(&self) -> Place {
        Place::Sqlite(self.file.path().to_owned())
    }

    async fn leave(&mut self) -> Result<(), RecordError> {
        if let Some(driver) = &self.driver {
            driver.leave(self.place()).await;
        }
        if let Some(connection) = self.connection.take() {
            let closed = connection.close().await;
            closed.map_err(|error| RecordError::database(Backend::Sqlite, "closing a database", error))?;
        }
        Ok(())
    }
}

fn failed(doing: &'static str) -> impl Fn(DatabaseError) -> RecordError {
    move |error| RecordError::database(Backend::Sqlite, doing, error)
}

fn unreadable(error: crate::introspect::sqlite::IntrospectError) -> RecordError {
    RecordError::database(Backend::Sqlite, "reading the schema", error)
}

impl Engine for Sqlite {
    type Database = Opened;

    fn backend(&self) -> Backend {
        Backend::Sqlite
    }

    fn version(&self) -> String {
        self.version.number.clone()
    }

    fn source(&self) -> String {
        match self.workspace.is_kept() {
            true => format!("{LIBRARY}; databases kept in {}", self.workspace.path().display()),
            false => LIBRARY.to_owned(),
        }
    }

    fn passed_over(&self) -> Vec<String> {
        Vec::new()
    }

    async fn create(&mut self, label: &str) -> Result<Opened, RecordError> {
        let file = self.next(label);
        let reader = self.reader.fork();
        Ok(self.opened(file, reader))
    }

    async fn copy(&mut self, from: &mut Opened, label: &str) -> Result<Option<Opened>, RecordError> {
        from.leave().await?;
        let target = self.next(label);
        let file = from.file.copy_to(target.path()).await.map_err(failed("copying a database"))?;
        let reader = from.reader.fork();
        Ok(Some(self.opened(file, reader)))
    }

    async fn size(&mut self, database: &mut Opened) -> Result<i64, RecordError> {
        let count = sqlx::query_scalar("SELECT count(*) FROM sqlite_master");
        let counted = count.fetch_one(database.connection().await?).await;
        counted.map_err(|error| RecordError::database(Backend::Sqlite, "counting what there is", error))
    }

    fn place(&self, database: &Opened) -> Place {
        database.place()
    }

    async fn drop(&mut self, mut database: Opened) -> Result<(), RecordError> {
        database.leave().await
    }

    async fn run(&mut self, database: &mut Opened, run: Run<'_>) -> Result<Ran, RecordError> {
        match run.driven {
            Some(driven) => {
                database.driver = Some(driven.0.clone());
                Ran::driven(driven, database.place(), self.backend()).await
            }
            None => run::run(database.connection().await?, run).await,
        }
    }

    async fn snapshot(
        &mut self,
        database: &mut Opened,
        expected: Option<&Arc<Schema>>,
    ) -> Result<Arc<Schema>, RecordError> {
        let (connection, reader) = database.parts().await?;
        let read = reader.snapshot(connection).await.map_err(unreadable)?;
        Ok(match expected {
            Some(expected) => reader.settle(read, expected),
            None => read,
        })
    }

    async fn full_snapshot(&mut self, database: &mut Opened) -> Result<Arc<Schema>, RecordError> {
        let (connection, reader) = database.parts().await?;
        reader.full(connection).await.map_err(unreadable)
    }

    async fn insert(
        &mut self,
        database: &mut Opened,
        _: &Name,
        statements: &[String],
    ) -> Result<Vec<Result<(), Refusal>>, RecordError> {
        rows::insert(database.connection().await?, statements).await
    }

    async fn rows(
        &mut self,
        database: &mut Opened,
        table: &Name,
        group: &Group,
    ) -> Result<TableRows, RecordError> {
        rows::read(database.connection().await?, table, group, None).await
    }

    async fn carried(
        &mut self,
        database: &mut Opened,
        table: &Name,
        group: &Group,
        watched: &Watched,
    ) -> Result<TableRows, RecordError> {
        rows::read(database.connection().await?, table, group, Some(watched)).await
    }

    fn key(&self, group: &Group) -> Vec<String> {
        rows::key_columns(group)
    }

    fn literal(&self, cell: &str) -> String {
        cell.to_owned()
    }

    async fn attempt(
        &mut self,
        database: &mut Opened,
        table: &Name,
        group: &Group,
        statement: &str,
    ) -> Result<AttemptResult, RecordError> {
        promises::attempt(database.connection().await?, table, group, statement).await
    }

    async fn answer(
        &mut self,
        database: &mut Opened,
        prepare: &[String],
        statement: &str,
        reading: Option<&str>,
    ) -> Result<Answer, RecordError> {
        trial::answer(database.connection().await?, prepare, statement, reading).await
    }

    async fn dangling_rows(&mut self, database: &mut Opened) -> Result<Vec<DanglingRow>, RecordError> {
        rows::dangling(database.connection().await?).await
    }

    fn ways_to_break(&self, schema: &Schema, table: &Name, rows: &TableRows) -> Vec<Way> {
        ways::to_break(schema, table, rows)
    }

    fn promises_append_only(&self, _: &Schema, group: &Group) -> bool {
        promises::are_made(group)
    }

    async fn close(self) -> Result<(), RecordError> {
        let closed = self.workspace.close();
        closed.map_err(|error| RecordError::database(Backend::Sqlite, "removing the databases", error))
    }
}
