//! The two kinds of database that Switchback knows.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A kind of database: `postgres` or `sqlite`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Backend {
    /// PostgreSQL, 13 and later.
    Postgres,
    /// SQLite, 3.34 and later.
    Sqlite,
}

impl Backend {
    /// Both backends, in the order in which reports name them.
    pub const ALL: [Self; 2] = [Self::Postgres, Self::Sqlite];

    /// Whether it refuses a foreign key to what does not exist. SQLite resolves the reference only
    /// when a row is written (SQLite manual, "SQLite Foreign Key Support", 3).
    pub(crate) const fn resolves_references(self) -> bool {
        match self {
            Self::Postgres => true,
            Self::Sqlite => false,
        }
    }

    /// Whether an integer that is the whole primary key counts up without saying so (SQLite manual,
    /// "ROWIDs and the INTEGER PRIMARY KEY").
    pub(crate) const fn counts_keys(self) -> bool {
        match self {
            Self::Postgres => false,
            Self::Sqlite => true,
        }
    }

    /// What lets all foreign keys that can wait do so until the transaction ends (PostgreSQL manual, "SET
    /// CONSTRAINTS"; SQLite manual, "PRAGMA defer_foreign_keys", which makes any key wait).
    pub(crate) const fn deferring(self) -> &'static str {
        match self {
            Self::Postgres => "SET CONSTRAINTS ALL DEFERRED",
            Self::Sqlite => "PRAGMA defer_foreign_keys = ON",
        }
    }

    /// What stands before the values of a row that brings its own key, also where the database
    /// would rather count (PostgreSQL manual, "INSERT").
    pub const fn overriding(self) -> &'static str {
        match self {
            Self::Postgres => "OVERRIDING SYSTEM VALUE ",
            Self::Sqlite => "",
        }
    }

    /// The text of a value, as rows are read. SQLite's `quote()` tells a number from a string and a
    /// blob from either, which a cast would not (SQLite manual, "Built-In Scalar SQL Functions"); what
    /// it makes of a whole number is one itself, no text, before 3.38.
    pub fn cell(self, expression: &str) -> String {
        match self {
            Self::Postgres => format!("{expression}::text"),
            Self::Sqlite => format!("CAST(quote({expression}) AS TEXT)"),
        }
    }

    /// The name used in config, messages and reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Sqlite => "sqlite",
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A backend was named that Switchback does not know.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("unknown backend \"{0}\": the backends are \"postgres\" and \"sqlite\"")]
pub struct UnknownBackend(String);

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == text)
            .ok_or_else(|| UnknownBackend(text.to_owned()))
    }
}
