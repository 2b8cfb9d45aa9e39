//! A tool that runs its revisions itself.

use super::{Bookkeeping, Revision, Sending, Tool};
use crate::Backend;

/// A tool that is told which revision to run, and keeps its own books.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Driven {
    /// The name used in config and messages.
    pub name: &'static str,
    /// The tables in which it remembers what is applied.
    pub tables: Vec<String>,
    /// Whether it tells which SQL it has sent.
    pub tells_all: bool,
    /// What to write where, so that a revision runs outside a transaction.
    pub outside_transaction: &'static str,
}

impl Tool for Driven {
    fn name(&self) -> &'static str {
        self.name
    }

    fn sending(&self) -> Sending {
        Sending::Statements
    }

    fn tells_all(&self) -> bool {
        self.tells_all
    }

    /// Drivers leave SQLite's own default.
    fn foreign_keys(&self) -> bool {
        false
    }

    fn outside_transaction(&self) -> &'static str {
        self.outside_transaction
    }

    fn bookkeeping(&self, _: Backend) -> Bookkeeping {
        Bookkeeping { tables: self.tables.clone(), create: None }
    }

    fn record(&self, _: Backend, _: &Revision) -> Option<String> {
        None
    }

    fn forget(&self, _: Backend, _: &Revision) -> Option<String> {
        None
    }
}
