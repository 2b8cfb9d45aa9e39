//! What the recorder asks of a backend. Everything that differs between the backends is behind
//! this trait, in the backend's own file.

use std::collections::BTreeSet;
use std::sync::Arc;

use switchback_core::Backend;
use switchback_core::evidence::{AttemptResult, DanglingRow, Escape, Failure, Outcome, Rows, TableRows};
use switchback_core::history::{RevisionId, Script, Sending};
use switchback_core::schema::{Group, Name, Schema};
use switchback_core::shared::SharedMap;
use switchback_core::trials::Answer;

use super::RecordError;
use super::touched::Touched;
use super::watched::{Watched, Watchlist};
use crate::drive::{Done, Driver, Order, Place};

/// One script to run on a database, in the way that its tool runs it.
#[derive(Clone, Copy, Debug)]
pub struct Run<'a> {
    /// The script.
    pub script: &'a Script,
    /// Whether it runs inside one transaction, together with the bookkeeping.
    pub transaction: bool,
    /// How the tool hands it over.
    pub sending: Sending,
    /// The statement by which the tool notes what it did.
    pub bookkeeping: Option<&'a str>,
    /// The tool that runs it, if that is not Switchback in the tool's stead.
    pub driven: Option<(&'a Driver, &'a Order)>,
}

impl<'a> Run<'a> {
    /// A script that no tool takes note of, outside a transaction.
    pub fn alone(script: &'a Script) -> Self {
        Self { script, transaction: false, sending: Sending::Statements, bookkeeping: None, driven: None }
    }
}

/// What running a script did.
#[derive(Clone, Debug)]
pub struct Ran {
    /// Whether it was applied.
    pub outcome: Outcome,
    /// What it did outside its own database or transaction.
    pub escapes: Vec<Escape>,
    /// The SQL that was sent, where that is not the script.
    pub sent: Option<Arc<str>>,
    /// What the tool's books say is applied, where the tool keeps them and tells.
    pub heads: Option<Vec<RevisionId>>,
}

impl Ran {
    /// It was applied.
    pub fn applied(escapes: Vec<Escape>) -> Self {
        Self { outcome: Outcome::Applied, escapes, sent: None, heads: None }
    }

    /// It failed, and did nothing else.
    pub fn failed(failure: Failure) -> Self {
        Self { outcome: Outcome::Failed(failure), escapes: Vec::new(), sent: None, heads: None }
    }

    /// What a tool did that ran it itself.
    pub(crate) async fn driven(
        (driver, order): (&Driver, &Order),
        place: Place,
        backend: Backend,
    ) -> Result<Self, RecordError> {
        let done = driver.step(place, order.clone()).await;
        let done = done.map_err(|error| RecordError::Harness { backend, message: error.told() })?;
        let Done { outcome, sent, heads } = done;
        Ok(Self { outcome, escapes: Vec::new(), sent, heads })
    }
}

/// Why a row was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The database's own message.
    pub message: String,
    /// Whether a trigger of the table refused it, and not a constraint or a type.
    pub by_guard: bool,
}

impl Refusal {
    /// What an attempt comes to that is refused in this way: only a guard keeps a promise.
    pub fn of_attempt(self) -> AttemptResult {
        if self.by_guard {
            AttemptResult::Refused(self.message)
        } else {
            AttemptResult::NotTried(self.message)
        }
    }
}

/// A way to break the promise of an append-only table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Way {
    /// What it is called, such as `DELETE`.
    pub name: String,
    /// The statements that try it. The first that changes a row, or that a guard refuses, decides.
    pub statements: Vec<String>,
    /// Whether only the table's owner or a superuser may go it.
    pub owner_only: bool,
}

impl Way {
    /// A way that is open to whoever may write to the table.
    pub fn new(name: impl Into<String>, statements: impl IntoIterator<Item = String>) -> Self {
        Self { name: name.into(), statements: statements.into_iter().collect(), owner_only: false }
    }
}

/// A backend that walks can be recorded on.
#[allow(
    async_fn_in_trait,
    reason = "the futures are awaited where they are made, so nobody needs to bound them"
)]
pub trait Engine {
    /// A database that this run made.
    type Database;

    /// Which backend it is.
    fn backend(&self) -> Backend;

    /// The server's or library's version.
    fn version(&self) -> String;

    /// Where the databases come from.
    fn source(&self) -> String;

    /// The sources that were passed over, each with its reason.
    fn passed_over(&self) -> Vec<String>;

    /// Makes an empty database.
    async fn create(&mut self, label: &str) -> Result<Self::Database, RecordError>;

    /// Makes a copy of a database, or nothing where the source of databases cannot copy one.
    async fn copy(
        &mut self,
        from: &mut Self::Database,
        label: &str,
    ) -> Result<Option<Self::Database>, RecordError>;

    /// How much there is in a database, tools' books included: it changes when a table is made.
    async fn size(&mut self, database: &mut Self::Database) -> Result<i64, RecordError>;

    /// Where a database is, for a tool that connects to it by itself.
    fn place(&self, database: &Self::Database) -> Place;

    /// Drops a database that this run made.
    async fn drop(&mut self, database: Self::Database) -> Result<(), RecordError>;

    /// Runs a script. A failure of the script is an observation, not an error.
    async fn run(&mut self, database: &mut Self::Database, run: Run<'_>) -> Result<Ran, RecordError>;

    /// Reads the schema, of which only what changed since the last time need be read. If it is equal
    /// to the one that is expected, it is that very one, and what is read later shares with it.
    async fn snapshot(
        &mut self,
        database: &mut Self::Database,
        expected: Option<&Arc<Schema>>,
    ) -> Result<Arc<Schema>, RecordError>;

    /// Reads the whole schema anew.
    async fn full_snapshot(&mut self, database: &mut Self::Database) -> Result<Arc<Schema>, RecordError>;

    /// Runs statements that each insert rows into a table, and says of each why it was refused, if
    /// it was. The next insert that leaves the key to the database is not in their way.
    async fn insert(
        &mut self,
        database: &mut Self::Database,
        table: &Name,
        statements: &[String],
    ) -> Result<Vec<Result<(), Refusal>>, RecordError>;

    /// Reads rows of a table: all of them, or some if there are very many.
    async fn rows(
        &mut self,
        database: &mut Self::Database,
        table: &Name,
        group: &Group,
    ) -> Result<TableRows, RecordError>;

    /// Reads what rows of a table are judged by: all of them, or if there are very many, a digest of
    /// all with those that are watched, and some more if these are few.
    async fn carried(
        &mut self,
        database: &mut Self::Database,
        table: &Name,
        group: &Group,
        watched: &Watched,
    ) -> Result<TableRows, RecordError>;

    /// The columns of a table's primary key.
    fn key(&self, group: &Group) -> Vec<String>;

    /// A literal for a cell of rows that were read.
    fn literal(&self, cell: &str) -> String;

    /// Tries a statement on a table in a transaction that is rolled back, and says what became of
    /// the table's rows.
    async fn attempt(
        &mut self,
        database: &mut Self::Database,
        table: &Name,
        group: &Group,
        statement: &str,
    ) -> Result<AttemptResult, RecordError>;

    /// Prepares with some statements, tries one and reads what came of it, in a transaction that is
    /// rolled back.
    async fn answer(
        &mut self,
        database: &mut Self::Database,
        prepare: &[String],
        statement: &str,
        reading: Option<&str>,
    ) -> Result<Answer, RecordError>;

    /// Rows whose foreign key has no parent row, where the backend can have such rows.
    async fn dangling_rows(&mut self, database: &mut Self::Database)
    -> Result<Vec<DanglingRow>, RecordError>;

    /// The ways to break the promise of an append-only table on this backend.
    fn ways_to_break(&self, schema: &Schema, table: &Name, rows: &TableRows) -> Vec<Way>;

    /// Whether the triggers of a table refuse every UPDATE and every DELETE.
    fn promises_append_only(&self, schema: &Schema, group: &Group) -> bool;

    /// Closes what is open, and drops and stops what this run made.
    async fn close(self) -> Result<(), RecordError>;
}

/// Rows of several tables at once, of large ones only some.
pub(crate) async fn all_rows<E: Engine>(
    engine: &mut E,
    database: &mut E::Database,
    schema: &Schema,
    tables: impl Iterator<Item = &Name>,
) -> Result<Arc<Rows>, RecordError> {
    let mut found = SharedMap::default();
    for name in tables {
        if let Some(group) = schema.table(name) {
            found.insert(name.clone(), Arc::new(engine.rows(database, name, group).await?));
        }
    }
    Ok(Arc::new(Rows { tables: found }))
}

/// What rows are judged by, where some are known from before: what is as it was, is held in memory once.
pub(crate) async fn rows_anew<E: Engine>(
    engine: &mut E,
    database: &mut E::Database,
    schema: &Schema,
    seeded: &BTreeSet<Name>,
    known: &Arc<Rows>,
    touched: &Touched,
    watchlist: &mut Watchlist,
) -> Result<Arc<Rows>, RecordError> {
    let (mut now, read): (_, Vec<&Name>) = match touched {
        Touched::All => (SharedMap::default(), seeded.iter().collect()),
        Touched::These(names) => {
            (known.tables.clone(), names.iter().filter(|name| seeded.contains(*name)).collect())
        }
    };
    for name in read {
        let Some(group) = schema.table(name) else {
            now.remove(name);
            continue;
        };
        let watched = watchlist.of(engine, name, known);
        let rows = engine.carried(database, name, group, watched).await?;
        let rows = match known.tables.get(name).filter(|before| before.same(&rows)) {
            Some(before) => Arc::clone(before),
            None => Arc::new(rows),
        };
        if !now.get(name).is_some_and(|one| Arc::ptr_eq(one, &rows)) {
            now.insert(name.clone(), rows);
        }
    }
    let unchanged = now.differences(&known.tables).next().is_none();
    Ok(if unchanged { Arc::clone(known) } else { Arc::new(Rows { tables: now }) })
}
