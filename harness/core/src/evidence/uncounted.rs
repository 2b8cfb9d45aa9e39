//! Keys that the database counts, where that could not be tried.

use serde::{Deserialize, Serialize};

use crate::Backend;
use crate::report::NotRun;

/// A table in which no row that leaves its key to the database could be tried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Uncounted {
    /// The table.
    pub table: String,
    /// The column that counts by itself.
    pub column: String,
    /// The names of the revisions after which it was to be tried.
    pub revisions: Vec<String>,
    /// Why it could not.
    pub reason: String,
}

impl Uncounted {
    /// One line for each table of a backend.
    pub fn told(&self, backend: Backend) -> Option<NotRun> {
        let first = self.revisions.first()?;
        let more = match self.revisions.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let reason = format!(
            "no row that leaves \"{}\" to the database could be tried in table \"{}\" after {first}{more}: {}",
            self.column, self.table, self.reason
        );
        Some(NotRun::check("sequence-behind", backend, reason))
    }

    /// What several recordings of one history found, in the order of their revisions.
    pub fn joined(parts: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::new();
        for part in parts {
            match joined.iter_mut().find(|one| one.table == part.table) {
                Some(known) => {
                    let new = part.revisions.into_iter().filter(|one| !known.revisions.contains(one));
                    let new: Vec<_> = new.collect();
                    known.revisions.extend(new);
                }
                None => joined.push(part),
            }
        }
        joined
    }
}
