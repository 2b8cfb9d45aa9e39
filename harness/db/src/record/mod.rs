//! The recorder: runs each walk once on one backend, and writes down what it saw.

mod attempts;
mod carrier;
mod counterpart;
mod counting;
mod declared;
mod descents;
mod engine;
mod exchange;
pub(crate) mod failure;
pub mod fixtures;
mod log;
mod migrate;
pub(crate) mod relatives;
mod retry;
mod round_trip;
mod sow;
pub(crate) mod statement;
mod steps;
mod touched;
mod trials;
mod walks;
pub(crate) mod watched;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use switchback_core::Backend;
use switchback_core::evidence::{Recording, Walk};
use switchback_core::history::{History, Script};
use switchback_core::rows::Generator;

use crate::drive::Driver;

pub use counterpart::Counterpart;
pub use engine::{Engine, Ran, Refusal, Run, Way};
pub use fixtures::{Fixtures, FixturesError};
pub use log::Log;
pub use migrate::migrate;
pub use trials::Asking;
pub use walks::record;
pub use watched::Watched;

/// What to record on one backend.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The history to walk.
    pub history: Arc<History>,
    /// The tool that runs its revisions, if that is not Switchback in the tool's stead.
    pub driver: Option<Driver>,
    /// What runs before the first revision: extensions, roles, tables made elsewhere.
    pub setup: Option<Script>,
    /// What the application declares its schema to be.
    pub metadata: Option<Script>,
    /// The rows that the project gives, to ride along.
    pub fixtures: Fixtures,
    /// What makes up rows for all other tables.
    pub rows: Generator,
    /// The other backend, if it is recorded at the same time and its history can be followed.
    pub counterpart: Option<Counterpart>,
    /// The questions that are put to both backends at head, if there are both.
    pub asking: Option<Asking>,
    /// Whether it is tried what the types of columns refuse.
    pub tries_types: bool,
    /// The tables that the project declares append-only.
    pub append_only: Vec<String>,
    /// The walks that the selected checks need.
    pub walks: BTreeSet<Walk>,
    /// The positions of the revisions that the probe goes up, down and up again: all of them, or those of
    /// one shard.
    pub trips: Range<usize>,
    /// Whether the trunk goes on to head, and what is to be seen there is recorded.
    pub to_head: bool,
    /// Where the SQL that the walks run is written down, if it is.
    pub log: Option<Log>,
}

/// Hears how far the recorder has come.
pub trait Progress: Sync {
    /// `done` of `total` steps are taken on the backend; `doing` says what is next.
    fn step(&self, backend: Backend, done: usize, total: usize, doing: &str);
}

/// Nobody listens.
impl Progress for () {
    fn step(&self, _: Backend, _: usize, _: usize, _: &str) {}
}

/// The recorder could not do its work. The project's migrations are not to blame.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// The server or its connection failed.
    #[error("{doing} failed: {message}")]
    Database {
        /// The backend.
        backend: Backend,
        /// What was being done.
        doing: String,
        /// The database's own message.
        message: String,
    },
    /// The setup script failed.
    #[error("the setup failed: {file}{place}: {message}")]
    Setup {
        /// The backend.
        backend: Backend,
        /// The setup script.
        file: String,
        /// `:` and the line, or nothing.
        place: String,
        /// The database's own message.
        message: String,
    },
    /// A part of the harness failed in a way of its own.
    #[error("{message}")]
    Harness {
        /// The backend.
        backend: Backend,
        /// What happened and what to do.
        message: String,
    },
}

impl RecordError {
    /// A database error, with what was being done.
    pub fn database(backend: Backend, doing: impl Into<String>, error: impl ToString) -> Self {
        Self::Database { backend, doing: doing.into(), message: error.to_string() }
    }
}

/// Records the plan on an engine, and closes the engine whatever happens.
///
/// # Errors
///
/// If the databases cannot be made, read or dropped; never because a revision fails.
pub async fn record_and_close<E: Engine>(
    mut engine: E,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Recording, RecordError> {
    let recorded = record(&mut engine, plan, progress).await;
    let closed = engine.close().await;
    let recording = recorded?;
    closed?;
    Ok(recording)
}
