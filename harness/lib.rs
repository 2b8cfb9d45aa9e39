//! Switchback proves a project's database migrations on a real PostgreSQL and a real SQLite.
//!
//! Point it at a project: it runs every revision up, down and up again on both, and says with the
//! revision, the backend, the object and the line what does not hold.
//!
//! ```no_run
//! switchback::Check::new(".").assert_clean();
//! ```

#![forbid(unsafe_code)]

mod check;
pub mod cli;
mod database;
mod error;
mod migrator;
mod plan;
mod run;

pub use check::Check;
pub use database::{Database, DatabaseRequest};
pub use error::{Error, ExitCode};
pub use switchback_core::{Backend, checks, evidence, history, report, rows, schema};
pub use switchback_db::record::Progress;

/// Makes of the reports of all shards, in whichever order, the one that a whole run would have made.
///
/// # Errors
///
/// If they are not all the shards of one run, each of them once.
pub fn merge(reports: Vec<report::Report>) -> Result<report::Report, Error> {
    Ok(switchback_core::shard::merge(reports)?)
}

/// The examples of README.md are compiled with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
