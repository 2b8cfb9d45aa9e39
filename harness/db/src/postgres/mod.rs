//! PostgreSQL as an engine of walks.

mod promises;
mod rows;
mod run;
mod trial;
mod ways;

pub use self::run::may_touch_the_cluster;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sqlx::{Connection as _, PgConnection};
use switchback_core::Backend;
use switchback_core::evidence::{AttemptResult, DanglingRow, TableRows};
use switchback_core::schema::{Group, Name, Schema};
use switchback_core::trials::Answer;

use crate::drive::{Driver, Place};
use crate::introspect::postgres::Reader;
use crate::record::statement::string;
use crate::record::{Engine, Ran, RecordError, Refusal, Run, Watched, Way};
use crate::server::{
    Database as ServerDatabase, Isolate, Server, ServerError, Standings, ends_sessions, told,
};

/// PostgreSQL databases on one server.
pub struct Postgres {
    server: Arc<Server>,
    ignore: Vec<String>,
    /// Roles and databases that revisions of this run made on the whole server.
    made: Vec<String>,
    /// The roles, databases and settings that were listed last.
    cluster: Option<Standings>,
    /// How many revisions may have ended the sessions of others.
    unrest: Arc<AtomicUsize>,
}

/// A database with the connection that migrates it and the one that looks at it.
///
/// They are two, so that what a revision does to its session (a role, a search path, an open
/// transaction) is kept for the next one, as in production, and never blinds the introspection.
pub struct Database {
    own: ServerDatabase,
    migrating: Option<PgConnection>,
    looking: Option<PgConnection>,
    /// How many revisions had been running that may end the sessions of others, and how many of them these
    /// connections have outlived.
    unrest: Arc<AtomicUsize>,
    outlived: usize,
    reader: Reader,
    /// The tool that has been in it with sessions of its own.
    driver: Option<Driver>,
}

impl Postgres {
    /// An engine on a server; `ignore` names the tool's bookkeeping tables.
    pub fn new(server: Arc<Server>, ignore: Vec<String>) -> Self {
        Self { server, ignore, made: Vec::new(), cluster: None, unrest: Arc::default() }
    }

    fn database(&self, own: ServerDatabase) -> Database {
        let namespace = match self.server.isolate() {
            Isolate::Database => "public",
            Isolate::Schema => own.name(),
        };
        let reader = Reader::new(self.server.major(), namespace, self.ignore.clone());
        let (unrest, outlived) = (Arc::clone(&self.unrest), self.unrest.load(Ordering::Relaxed));
        Database { own, migrating: None, looking: None, unrest, outlived, reader, driver: None }
    }
}

impl Database {
    /// Leaves the database, and gives it to whoever wants it next.
    pub async fn release(mut self) -> ServerDatabase {
        self.leave().await;
        self.own
    }

    fn place(&self) -> Place {
        Place::Postgres(self.own.url().reveal().to_owned())
    }

    /// The connection on which revisions run.
    async fn migrating(&mut self) -> Result<&mut PgConnection, RecordError> {
        self.forget_the_ended().await;
        match &mut self.migrating {
            Some(connection) => Ok(connection),
            slot @ None => Ok(slot.insert(connect(&self.own).await?)),
        }
    }

    /// The connection on which the recorder looks at what they did.
    async fn looking(&mut self) -> Result<&mut PgConnection, RecordError> {
        self.look().await.map(|(connection, _)| connection)
    }

    /// The same, with what reads the schema on it.
    async fn look(&mut self) -> Result<(&mut PgConnection, &mut Reader), RecordError> {
        self.forget_the_ended().await;
        let connection = match &mut self.looking {
            Some(connection) => connection,
            slot @ None => {
                let mut connection = connect(&self.own).await?;
                // The same questions again and again: planning one takes longer than answering it.
                let set = sqlx::raw_sql("SET plan_cache_mode = force_generic_plan").execute(&mut connection);
                set.await.map_err(sqlx_error("connecting"))?;
                slot.insert(connection)
            }
        };
        Ok((connection, &mut self.reader))
    }

    /// Forgets connections that a revision may have ended, so that new ones take their places.
    async fn forget_the_ended(&mut self) {
        let unrest = self.unrest.load(Ordering::Relaxed);
        if std::mem::replace(&mut self.outlived, unrest) == unrest {
            return;
        }
        for slot in [&mut self.migrating, &mut self.looking] {
            if let Some(connection) = slot
                && connection.ping().await.is_err()
            {
                *slot = None;
            }
        }
    }

    /// Closes the connections: a database is copied and dropped only while nobody is in it.
    async fn leave(&mut self) {
        if let Some(driver) = &self.driver {
            driver.leave(self.place()).await;
        }
        for connection in [self.migrating.take(), self.looking.take()].into_iter().flatten() {
            // A connection that is gone already is as closed as one can be.
            let _ = connection.close().await;
        }
    }
}

async fn connect(own: &ServerDatabase) -> Result<PgConnection, RecordError> {
    own.connect().await.map_err(server_error("connecting"))
}

fn unreadable(error: crate::introspect::postgres::IntrospectError) -> RecordError {
    RecordError::database(Backend::Postgres, "reading the schema", error)
}

fn server_error(doing: &'static str) -> impl Fn(ServerError) -> RecordError {
    move |error| RecordError::database(Backend::Postgres, doing, error)
}

fn sqlx_error(doing: &'static str) -> impl Fn(sqlx::Error) -> RecordError {
    move |error| RecordError::database(Backend::Postgres, doing, told(&error))
}

impl Engine for Postgres {
    type Database = Database;

    fn backend(&self) -> Backend {
        Backend::Postgres
    }

    fn version(&self) -> String {
        self.server.version().to_owned()
    }

    fn source(&self) -> String {
        match self.server.kept() {
            Some(kept) => format!("{}; {kept}", self.server.source()),
            None => self.server.source().to_owned(),
        }
    }

    fn passed_over(&self) -> Vec<String> {
        self.server.passed_over().iter().map(ToString::to_string).collect()
    }

    async fn create(&mut self, label: &str) -> Result<Database, RecordError> {
        let own = self.server.create_database(label).await.map_err(server_error("creating a database"))?;
        Ok(self.database(own))
    }

    async fn copy(&mut self, from: &mut Database, label: &str) -> Result<Option<Database>, RecordError> {
        from.leave().await;
        if from.driver.is_some() {
            let ended = self.server.end_sessions(&from.own).await;
            ended.map_err(server_error("ending the sessions that the tool left open"))?;
        }
        match self.server.copy_database(&from.own, label).await {
            Ok(own) => {
                let mut copy = self.database(own);
                copy.reader = from.reader.fork();
                Ok(Some(copy))
            }
            Err(ServerError::CopyUnsupported) => Ok(None),
            Err(error) => Err(server_error("copying a database")(error)),
        }
    }

    async fn size(&mut self, database: &mut Database) -> Result<i64, RecordError> {
        let count = sqlx::query_scalar("SELECT count(*) FROM pg_class");
        let counted = count.fetch_one(database.looking().await?).await;
        counted.map_err(sqlx_error("counting what there is"))
    }

    fn place(&self, database: &Database) -> Place {
        database.place()
    }

    async fn drop(&mut self, mut database: Database) -> Result<(), RecordError> {
        database.leave().await;
        if self.server.is_kept() {
            return Ok(());
        }
        self.server.drop_database(database.own).await.map_err(server_error("dropping a database"))
    }

    async fn run(&mut self, database: &mut Database, run: Run<'_>) -> Result<Ran, RecordError> {
        if run.driven.is_none() && !may_touch_the_cluster(&run.script.text) {
            return run::run(database, run).await;
        }
        let text = run.script.text.clone();
        let listing = server_error("listing roles and databases");
        // What a tool does by itself is known only afterwards. On a server that serves this run alone,
        // nobody else changes what was listed last.
        let known = self.cluster.take().filter(|_| run.driven.is_some() && self.server.is_alone());
        let before = match known {
            Some(known) => known,
            None => self.server.before_revision(&text).await.map_err(&listing)?,
        };
        // Nothing but what this run has made is ever dropped.
        let refused = match run.driven {
            None => run::drops_what_is(run.script, |object| self.server.is_theirs(object, &before)),
            Some(_) => None,
        };
        let mut ran = match (refused, run.driven) {
            (Some(failure), _) => Ran::failed(failure),
            (None, Some(driven)) => {
                database.driver = Some(driven.0.clone());
                Ran::driven(driven, database.place(), self.backend()).await?
            }
            (None, None) => run::run(database, run).await?,
        };
        if ends_sessions(&text) || ran.sent.as_deref().is_some_and(ends_sessions) {
            self.unrest.fetch_add(1, Ordering::Relaxed);
        }
        let harmless = |sent: &str| !may_touch_the_cluster(sent);
        if self.server.is_alone() && ran.sent.as_deref().is_some_and(harmless) {
            self.cluster = Some(before);
            return Ok(ran);
        }
        let (after, made) = self.server.after_revision(&text, &before).await.map_err(&listing)?;
        self.made.extend(made);
        ran.escapes.extend(run::cluster_changes(&before, &after));
        self.cluster = Some(after);
        Ok(ran)
    }

    async fn snapshot(
        &mut self,
        database: &mut Database,
        expected: Option<&Arc<Schema>>,
    ) -> Result<Arc<Schema>, RecordError> {
        let (connection, reader) = database.look().await?;
        let read = reader.snapshot(connection).await.map_err(unreadable)?;
        Ok(match expected {
            Some(expected) => reader.settle(read, expected),
            None => read,
        })
    }

    async fn full_snapshot(&mut self, database: &mut Database) -> Result<Arc<Schema>, RecordError> {
        let (connection, reader) = database.look().await?;
        reader.full(connection).await.map_err(unreadable)
    }

    async fn insert(
        &mut self,
        database: &mut Database,
        table: &Name,
        statements: &[String],
    ) -> Result<Vec<Result<(), Refusal>>, RecordError> {
        rows::insert(database.looking().await?, table, statements).await
    }

    async fn rows(
        &mut self,
        database: &mut Database,
        table: &Name,
        group: &Group,
    ) -> Result<TableRows, RecordError> {
        rows::read(database.looking().await?, table, group, None).await
    }

    async fn carried(
        &mut self,
        database: &mut Database,
        table: &Name,
        group: &Group,
        watched: &Watched,
    ) -> Result<TableRows, RecordError> {
        rows::read(database.looking().await?, table, group, Some(watched)).await
    }

    fn key(&self, group: &Group) -> Vec<String> {
        rows::key_columns(group)
    }

    fn literal(&self, cell: &str) -> String {
        string(cell)
    }

    async fn attempt(
        &mut self,
        database: &mut Database,
        table: &Name,
        group: &Group,
        statement: &str,
    ) -> Result<AttemptResult, RecordError> {
        promises::attempt(database.looking().await?, table, group, statement).await
    }

    async fn answer(
        &mut self,
        database: &mut Database,
        prepare: &[String],
        statement: &str,
        reading: Option<&str>,
    ) -> Result<Answer, RecordError> {
        trial::answer(database.looking().await?, prepare, statement, reading).await
    }

    async fn dangling_rows(&mut self, _: &mut Database) -> Result<Vec<DanglingRow>, RecordError> {
        // A validated foreign key has no such rows, and one that isn't is found in the schema.
        Ok(Vec::new())
    }

    fn ways_to_break(&self, schema: &Schema, table: &Name, rows: &TableRows) -> Vec<Way> {
        ways::to_break(schema, table, rows, self.server.major())
    }

    fn promises_append_only(&self, schema: &Schema, group: &Group) -> bool {
        promises::are_made(schema, group)
    }

    async fn close(self) -> Result<(), RecordError> {
        if self.server.is_kept() {
            // The databases that stay may need them.
            return Ok(());
        }
        self.server.undo(&self.made).await.map_err(server_error("undoing what revisions made on the server"))
    }
}
