//! What a migration tool does around the revisions that it runs.

use std::fmt;

use super::Revision;
use crate::Backend;

/// How a tool hands a script to the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// The whole text as one query. PostgreSQL then runs several statements in one transaction even
    /// when the tool opens none ("Multiple Statements in a Simple Query" in the manual's chapter on
    /// the protocol), so `CREATE INDEX CONCURRENTLY` needs a file of its own.
    Whole,
    /// Statement by statement.
    Statements,
}

/// The tables in which a tool remembers what is applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookkeeping {
    /// Their names, left out when schemas are compared.
    pub tables: Vec<String>,
    /// The statement with which they are made before the first revision, if Switchback runs the
    /// revisions in the tool's stead.
    pub create: Option<String>,
}

/// The facts about a migration tool that the recorder reproduces.
pub trait Tool: fmt::Debug + Send + Sync {
    /// The name used in config and messages.
    fn name(&self) -> &'static str;

    /// How a script is handed to the database.
    fn sending(&self) -> Sending;

    /// Whether it is known what a step runs: by its script, or since the tool says so.
    fn tells_all(&self) -> bool {
        true
    }

    /// Whether SQLite enforces foreign keys on the connections that the tool opens, where the
    /// project's config does not say how the application opens them.
    fn foreign_keys(&self) -> bool;

    /// What to write where, so that a revision runs outside a transaction.
    fn outside_transaction(&self) -> &'static str;

    /// The tool's own tables.
    fn bookkeeping(&self, backend: Backend) -> Bookkeeping;

    /// The statement that notes a revision as applied, run after its upgrade, in its transaction if
    /// it has one; nothing where the tool runs the revision and notes it itself.
    fn record(&self, backend: Backend, revision: &Revision) -> Option<String>;

    /// The statement that notes a revision as no longer applied, run after its downgrade, in its
    /// transaction if it has one; nothing where the tool runs the revision and notes it itself.
    fn forget(&self, backend: Backend, revision: &Revision) -> Option<String>;
}
