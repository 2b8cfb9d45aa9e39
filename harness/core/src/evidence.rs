//! What the recorder saw: all observations of all walks, the only thing that checks see.

mod descent;
mod round_trip;
mod uncounted;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

pub use round_trip::RoundTrip;
pub use uncounted::Uncounted;

use crate::Backend;
use crate::history::{Direction, History, RevisionId, Script, State};
use crate::report::{Location, NotRun};
use crate::rows::{Candidate, cut};
use crate::schema::{Name, ObjectId, Schema};
use crate::shared::SharedMap;
use crate::sql::leading_words;
use crate::trials::{Dialect, Trial};

/// All observations of all walks on all backends.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// One recording for each backend that ran.
    pub recordings: BTreeMap<Backend, Recording>,
    /// The backends that did not run, and why.
    pub not_run: Vec<NotRun>,
}

impl Evidence {
    /// The recordings, in the order in which reports name their backends.
    pub fn recordings(&self) -> impl Iterator<Item = &Recording> {
        self.recordings.values()
    }

    /// PostgreSQL's recording and SQLite's, if both ran.
    pub fn both(&self) -> Option<(&Recording, &Recording)> {
        self.recordings.get(&Backend::Postgres).zip(self.recordings.get(&Backend::Sqlite))
    }
}

/// What was seen on one backend.
#[derive(Clone, Debug)]
pub struct Recording {
    /// The backend.
    pub backend: Backend,
    /// The server's or library's version.
    pub version: String,
    /// Where the database came from, such as `server binaries in …`.
    pub source: String,
    /// The sources that were passed over before this one, each with its reason.
    pub passed_over: Vec<String>,
    /// The history that was walked.
    pub history: Arc<History>,
    /// The positions of the revisions that the probe went up, down and up again: all of them, or those
    /// of one shard.
    pub trips: Range<usize>,
    /// The schema before the first revision, after the project's setup.
    pub base: Arc<Schema>,
    /// The rows that were made up and taken by the probe, in the order in which they were written.
    pub seeded: Vec<Seeded>,
    /// The steps of each walk, in the order in which they were taken.
    pub walks: BTreeMap<Walk, Vec<Observation>>,
    /// What the application declares its schema to be, if it declares it for this backend.
    pub metadata: Option<Declared>,
    /// What became of rows that left their key to the database, after the revisions that touched
    /// their tables.
    pub counted: Vec<Counted>,
    /// The tables in which no such row could be tried.
    pub uncounted: Vec<Uncounted>,
    /// When the recording began, in microseconds since 1970.
    pub began: i64,
    /// What this backend answered to the questions that both were asked at head; none if there was
    /// only one of them.
    pub trials: Vec<Trial>,
    /// Functions of the application that others stood in for, in lower case.
    pub stood_in_for: BTreeSet<String>,
    /// Attempts to break the promise of append-only tables.
    pub attempts: Vec<Attempt>,
    /// Foreign keys without their parent row at head, as SQLite's `foreign_key_check` lists them.
    pub dangling_rows: Vec<DanglingRow>,
    /// What the recorder could not do, and why.
    pub not_run: Vec<NotRun>,
}

impl Recording {
    /// The observations of a walk; none if it was not taken.
    pub fn walk(&self, walk: Walk) -> &[Observation] {
        self.walks.get(&walk).map(Vec::as_slice).unwrap_or_default()
    }

    /// The full name of a revision, as its tool prints it.
    pub fn name<'a>(&'a self, revision: &'a RevisionId) -> &'a str {
        self.history.get(revision).map_or(revision.as_str(), |found| &found.name)
    }

    /// The true schema of a state, as the trunk found it.
    pub fn expected(&self, state: &State) -> Option<&Arc<Schema>> {
        if *state == self.history.base_state() {
            return Some(&self.base);
        }
        let trunk = self.walk(Walk::Trunk);
        // On a line, the number of its revisions is the place of a state.
        let likely = trunk.get(state.len().saturating_sub(1));
        likely
            .into_iter()
            .chain(trunk)
            .find(|seen| seen.outcome.is_applied() && seen.state == *state)
            .and_then(|seen| seen.schema.as_ref())
    }

    /// The state before a step.
    pub fn state_before(&self, seen: &Observation) -> State {
        let position = self.history.position(&seen.step.revision).unwrap_or_default();
        match seen.step.direction {
            Direction::Upgrade => self.history.state_before(position),
            Direction::Downgrade => self.history.state_after(position),
        }
    }

    /// The SQL of a step: what its tool sent, or else the revision's own script. Nothing if there is
    /// none, or if the tool does not tell.
    pub fn script_of(&self, seen: &Observation) -> Option<Script> {
        let revision = self.history.get(&seen.step.revision)?;
        let own = revision.script(seen.step.direction);
        match &seen.sent {
            Some(sent) => Some(Script::new(own.map_or("", |script| &script.path), Arc::clone(sent))),
            None => own.filter(|_| self.history.tool().tells_all()).cloned(),
        }
    }

    /// The last schema that the trunk reached.
    pub fn head(&self) -> &Arc<Schema> {
        let reached = self.walk(Walk::Trunk).iter().rev().filter(|seen| seen.outcome.is_applied());
        reached.filter_map(|seen| seen.schema.as_ref()).next().unwrap_or(&self.base)
    }

    /// Whether the trunk went through the whole history.
    pub fn reached_head(&self) -> bool {
        let applied = self.walk(Walk::Trunk).iter().filter(|seen| seen.outcome.is_applied());
        applied.count() == self.history.len()
    }

    /// Each trunk step that was applied, with the schema before and after it.
    pub fn trunk_changes(&self) -> impl Iterator<Item = (&RevisionId, &Arc<Schema>, &Arc<Schema>)> {
        let mut before = &self.base;
        self.walk(Walk::Trunk).iter().filter_map(move |seen| {
            let after = seen.schema.as_ref().filter(|_| seen.outcome.is_applied())?;
            let change = (&seen.step.revision, before, after);
            before = after;
            Some(change)
        })
    }

    /// The latest revision that changed a table.
    pub fn latest_change_of(&self, table: &Name) -> Option<&RevisionId> {
        self.latest_change(|before, after| before.table(table) != after.table(table))
    }

    /// The statement by which a question was put.
    pub fn statement(&self, trial: &Trial) -> String {
        Dialect { backend: self.backend, schema: self.head() }.action(&trial.question.action)
    }

    /// The latest revision whose step on the trunk satisfies `matches`, given the schemas before
    /// and after it.
    pub fn latest_change(&self, mut matches: impl FnMut(&Schema, &Schema) -> bool) -> Option<&RevisionId> {
        let changes: Vec<_> = self.trunk_changes().collect();
        changes.into_iter().rev().find(|(_, before, after)| matches(before, after)).map(|(id, ..)| id)
    }
}

/// A planned sequence of steps on one database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Walk {
    /// Up only, without rows: the true schema of each state.
    Trunk,
    /// Up, down and up again at each revision, carrying rows.
    Probe,
    /// From head down to base, and back to head.
    Return,
    /// Down through several revisions, without rows, where one alone did not come back clean.
    Descent,
    /// The tries to break what tables promise, each in a transaction of its own.
    Promises,
    /// What the application declares, built in an empty database.
    Metadata,
    /// The questions that are put to both backends at head, each in a transaction of its own.
    Trials,
}

/// One step of a walk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// Whether it is an upgrade or a downgrade.
    pub direction: Direction,
    /// The revision.
    pub revision: RevisionId,
}

impl Step {
    /// Whether it is an upgrade.
    pub fn is_upgrade(&self) -> bool {
        self.direction == Direction::Upgrade
    }
}

/// What one step did.
#[derive(Clone, Debug)]
pub struct Observation {
    /// The step.
    pub step: Step,
    /// Whether it was applied.
    pub outcome: Outcome,
    /// The state after it, as the bookkeeping says.
    pub state: State,
    /// The schema after it, if it was read.
    pub schema: Option<Arc<Schema>>,
    /// The carried rows before it, if the walk carries rows.
    pub rows_before: Option<Arc<Rows>>,
    /// The carried rows after it.
    pub rows_after: Option<Arc<Rows>>,
    /// If it failed with made-up rows: how it went with plain ones that fit the schema before it as
    /// well as the one after it.
    pub retried: Option<Retried>,
    /// What it did outside its own database or transaction.
    pub escapes: Vec<Escape>,
    /// The SQL that was sent, where that is not the revision's own text.
    pub sent: Option<Arc<str>>,
    /// How long it took.
    pub took: Duration,
}

/// A step that failed with made-up rows, taken once more with plain ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retried {
    /// How it went then.
    pub outcome: Outcome,
    /// The row that the schema after the step does not allow, if one is known.
    pub row: Option<String>,
    /// Whether a trigger made something of the plain rows that the schema after the step does not
    /// allow.
    pub bent: bool,
}

/// What depends on the values of rows: unique, foreign key, check and exclusion violations and what a
/// trigger or a block of the revision raises (PostgreSQL manual, appendix A; SQLite manual, "Result
/// and Error Codes").
const ABOUT_VALUES: &[&str] =
    &["23503", "23505", "23514", "23P01", "P0001", "275", "787", "1555", "1811", "2067"];

impl Retried {
    /// Whether only rows were to blame that the schema before the step allows and the one after it
    /// does not, or that are unusual.
    pub fn passed(&self) -> bool {
        // What a trigger computes from other values is right where those have the form that it knows.
        let Some(failure) = self.outcome.failure().filter(|_| !self.bent) else { return true };
        let code = failure.code.as_deref().unwrap_or_default();
        // Dropping a table does not depend on what its rows hold.
        let statement = failure.statement.as_deref().unwrap_or_default();
        let drops = leading_words(statement, Backend::Postgres, 1)
            .first()
            .is_some_and(|word| word.eq_ignore_ascii_case("drop"));
        // A revision that takes texts apart knows a form that no schema tells, and rows that other
        // revisions or the application make keep to rules that none tells either: that no such row
        // could be made up proves nothing. That a column has no value for any row does.
        !drops && (code.len() == 5 && code.starts_with("22") || ABOUT_VALUES.contains(&code))
    }
}

/// Made-up rows that the probe took at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Seeded {
    /// The last revision that was applied then; none at base.
    pub after: Option<RevisionId>,
    /// Whether the probe had just been remade, so that rows written earlier are gone.
    pub anew: bool,
    /// The rows, as they were written.
    pub rows: Vec<Candidate>,
}

impl Observation {
    /// Whether it failed with made-up rows, and with plain ones did not.
    pub fn fails_with_some_rows(&self) -> bool {
        let passed = |retried: &Retried| {
            // What a program makes of rows, no schema tells; an upgrade that fails in it went well
            // on the trunk, which has none.
            let in_its_program = |failure: &Failure| failure.code.is_none() && failure.statement.is_none();
            let of_rows = self.step.is_upgrade() && retried.outcome.failure().is_some_and(in_its_program);
            retried.passed() || of_rows
        };
        self.retried.as_ref().is_some_and(passed)
    }

    /// How it failed, if it did: with plain rows, where it fails with those as well, since that is
    /// what it does whatever the rows.
    pub fn failure(&self) -> Option<&Failure> {
        let own = self.outcome.failure()?;
        let plain = self.retried.as_ref().filter(|retried| !retried.passed());
        Some(plain.and_then(|retried| retried.outcome.failure()).unwrap_or(own))
    }

    /// The statement at fault, and the row that it met if one is known.
    pub fn excerpt(&self) -> Option<String> {
        let excerpt = self.failure()?.excerpt();
        match self.retried.as_ref().and_then(|retried| retried.row.as_ref()) {
            Some(row) => Some(format!("{}-- row: {row}\n", excerpt.unwrap_or_default())),
            None => excerpt,
        }
    }

    /// Whether it did something to the whole server, which cannot be done again in another database.
    pub fn changes_the_cluster(&self) -> bool {
        self.escapes.iter().any(|escape| matches!(escape, Escape::Cluster { .. }))
    }
}

/// Whether a step was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was.
    Applied,
    /// It was not; its transaction, if it had one, was rolled back.
    Failed(Failure),
}

impl Outcome {
    /// Whether the step was applied.
    pub fn is_applied(&self) -> bool {
        matches!(self, Self::Applied)
    }

    /// The failure, if it failed.
    pub fn failure(&self) -> Option<&Failure> {
        match self {
            Self::Applied => None,
            Self::Failed(failure) => Some(failure),
        }
    }
}

/// How the user's migration failed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The database's own message.
    pub message: String,
    /// The SQLSTATE or SQLite's result code.
    pub code: Option<String>,
    /// The server's detail and hint, if it gave any.
    pub detail: Option<String>,
    /// The statement that failed.
    pub statement: Option<String>,
    /// Which statement of how many, counted from 1.
    pub ordinal: Option<(usize, usize)>,
    /// Where it stands.
    pub location: Option<Location>,
}

impl Failure {
    /// A failure of which only the message is known.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), ..Self::default() }
    }

    /// The statement at fault with its place among the others and the server's detail, as a report
    /// shows it.
    pub fn excerpt(&self) -> Option<String> {
        if self.statement.is_none() && self.detail.is_none() {
            return None;
        }
        let statement = self.statement.as_deref().unwrap_or_default().trim();
        let mut lines: Vec<&str> = statement.lines().collect();
        let hidden = lines.len().saturating_sub(EXCERPT_LINES);
        lines.truncate(EXCERPT_LINES);
        let mut text = String::new();
        if let Some((ordinal, of)) = self.ordinal.filter(|(_, of)| *of > 1) {
            text.push_str(&format!("-- statement {ordinal} of {of}\n"));
        }
        for line in lines {
            text.push_str(&cut(line, EXCERPT_WIDTH));
            text.push('\n');
        }
        if hidden > 0 {
            let lines = if hidden == 1 { "line" } else { "lines" };
            text.push_str(&format!("-- and {hidden} more {lines}\n"));
        }
        if let Some(detail) = &self.detail {
            text.push_str(&format!("-- {}\n", detail.replace('\n', "\n-- ")));
        }
        Some(text)
    }
}

const EXCERPT_LINES: usize = 8;
const EXCERPT_WIDTH: usize = 160;

/// Something a step did that its transaction or database does not contain.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Escape {
    /// It left a transaction open, which was rolled back.
    OpenTransaction,
    /// It changed an object of the whole server: the object, and what became of it.
    Cluster {
        /// Kind and name, such as `role "app"`.
        object: String,
        /// `created`, `changed` or `dropped`.
        change: &'static str,
    },
}

/// What the application declares its schema to be.
#[derive(Clone, Debug)]
pub struct Declared {
    /// Where it is declared.
    pub file: String,
    /// Whether it is declared by models, which mostly have no words for triggers, routines and views.
    pub by_models: bool,
    /// The objects that the project leaves out when it compares the two itself.
    pub left_out: BTreeSet<ObjectId>,
    /// The schema that the declaration builds, or how building it failed.
    pub schema: Result<Arc<Schema>, Failure>,
}

/// The carried rows of all tables at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    /// The rows of each table that was seeded and is still there.
    pub tables: SharedMap<Name, Arc<TableRows>>,
}

/// The rows of one table.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRows {
    /// The columns, in the order of the cells.
    pub columns: Vec<String>,
    /// The columns of the primary key.
    pub key: Vec<String>,
    /// The rows, sorted; a cell is the database's own text for the value, nothing for NULL. Of a large
    /// table these are only some.
    pub rows: Vec<Vec<Option<String>>>,
    /// What is known of all rows of a large table.
    pub digest: Option<Digest>,
}

/// What is known of all rows of a table that is too large to look at each of them. Its numbers do not
/// depend on the order of the rows, and mean something only beside others of the same database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Digest {
    /// How many rows there are.
    pub rows: usize,
    /// A number for the keys that there are; without a primary key, for the rows.
    pub keys: String,
    /// For each column, a number for which value goes with which key; none without a primary key.
    pub columns: BTreeMap<String, String>,
}

impl TableRows {
    /// How many rows there are.
    pub fn count(&self) -> usize {
        self.digest.as_ref().map_or(self.rows.len(), |digest| digest.rows)
    }

    /// Whether these are the same rows as those; of a large table, its digest says so.
    pub fn same(&self, other: &Self) -> bool {
        match (&self.digest, &other.digest) {
            (Some(one), Some(two)) => {
                one == two && (&self.columns, &self.key) == (&other.columns, &other.key)
            }
            _ => self == other,
        }
    }

    /// Whether the same keys go with the same texts in a column as they do in other rows, by the
    /// digests of both; nothing where there are none, or other keys.
    pub fn keeps(&self, other: &Self, column: &str) -> Option<bool> {
        let (one, other) = (self.digest.as_ref()?, other.digest.as_ref()?);
        if (one.rows, &one.keys) != (other.rows, &other.keys) {
            return None;
        }
        Some(one.columns.get(column)? == other.columns.get(column)?)
    }

    /// The values of the given columns of each row, or nothing where a column isn't there.
    pub fn project(&self, columns: &[String]) -> Option<Vec<Vec<Option<&str>>>> {
        let place = |name: &String| self.columns.iter().position(|one| one == name);
        let places: Vec<usize> = columns.iter().map(place).collect::<Option<_>>()?;
        let mut projected = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            projected.push(places.iter().map(|place| row.get(*place)?.as_deref()).collect());
        }
        Some(projected)
    }

    /// Whether both hold the same rows, in whichever order their columns stand.
    pub fn is_same_as(&self, other: &Self) -> bool {
        let (mut own, mut others) = (self.project(&self.columns), other.project(&self.columns));
        own.iter_mut().chain(&mut others).for_each(|rows| rows.sort());
        self == other
            || self.columns.len() == other.columns.len() && own == others && self.digest == other.digest
    }

    /// The distinct keys of the rows, or nothing without a primary key.
    pub fn keys(&self) -> Option<BTreeSet<Vec<Option<&str>>>> {
        if self.key.is_empty() {
            return None;
        }
        self.project(&self.key).map(|keys| keys.into_iter().collect())
    }
}

/// A row that left its key to the database, after a revision that touched its table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// The revision.
    pub revision: RevisionId,
    /// The table.
    pub table: Name,
    /// The column that counts by itself.
    pub column: String,
    /// The statement.
    pub statement: String,
    /// Why it got no key beyond those that were there: the database's own message, if it refused.
    pub refused: Option<String>,
    /// Whether it was tried at head, among the rows that revisions wrote themselves.
    pub at_head: bool,
}

/// An attempt to break the promise of an append-only table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The table that makes the promise.
    pub table: Name,
    /// The way that was tried, such as `DELETE` or `INSERT OR REPLACE`.
    pub way: String,
    /// Whether only the table's owner or a superuser may go it.
    pub owner_only: bool,
    /// The statement.
    pub statement: String,
    /// What came of it.
    pub result: AttemptResult,
}

/// What came of an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AttemptResult {
    /// The database refused, with this message.
    Refused(String),
    /// The statement was accepted, and no row changed.
    NoEffect,
    /// The statement was accepted, and rows changed.
    Changed,
    /// It could not be tried, for this reason.
    NotTried(String),
}

/// A row whose foreign key has no parent row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DanglingRow {
    /// The table that holds the row.
    pub table: Name,
    /// The table that it refers to.
    pub parent: Name,
    /// How many such rows there are.
    pub rows: u64,
}

#[cfg(test)]
mod tests;
