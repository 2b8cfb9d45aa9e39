//! Why a run came to no report, and the exit codes of the command line.

use std::process;

use switchback_core::report::{Report, Severity};
use switchback_core::shard::{MergeError, NoShard};
use switchback_core::versions::NoVersion;
use switchback_db::files::plain;
use switchback_db::project::DiscoverError;
use switchback_db::record::FixturesError;

/// A run that came to no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The project cannot be understood.
    #[error(transparent)]
    Project(#[from] DiscoverError),
    /// A file of rows cannot be understood.
    #[error(transparent)]
    Fixtures(#[from] FixturesError),
    /// Migrations that were handed over do not make a history.
    #[error("the {backend} migrations that were handed over do not make a history: {problem}")]
    Handed {
        /// The backend.
        backend: switchback_core::Backend,
        /// What is wrong with them.
        problem: switchback_core::layout::LayoutError,
    },
    /// A check was named that there isn't.
    #[error("there is no check \"{name}\": {}", did_you_mean(*.nearest))]
    UnknownCheck {
        /// What was named.
        name: String,
        /// The check whose id is nearest.
        nearest: Option<&'static str>,
    },
    /// A version was named that is none.
    #[error("{asked}: {problem}")]
    Version {
        /// Where it was named.
        asked: &'static str,
        /// What is wrong with it.
        problem: NoVersion,
    },
    /// A shard was asked for that there isn't.
    #[error(transparent)]
    NoShard(#[from] NoShard),
    /// Reports were to be merged that are not the shards of one run.
    #[error(transparent)]
    Merge(#[from] MergeError),
    /// A file that is no report was to be merged.
    #[error("{file} is no report of switchback that can be merged: {reason}")]
    NoReport {
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// The matrix cannot be made as it is asked for.
    #[error("{0}")]
    Matrix(String),
    /// A revision was named that the history does not have.
    #[error("the {backend} history has no revision \"{revision}\": `switchback history` lists them")]
    UnknownRevision {
        /// The backend.
        backend: switchback_core::Backend,
        /// What was named.
        revision: String,
    },
    /// The tool writes no SQL of a revision.
    #[error("there is no SQL to print ({backend}): {reason}")]
    NoSql {
        /// The backend.
        backend: switchback_core::Backend,
        /// Why.
        reason: String,
    },
    /// A backend was named of which the project has no history.
    #[error("there is no {backend} history to check: {reason}")]
    NoHistory {
        /// The backend.
        backend: switchback_core::Backend,
        /// Why there is none.
        reason: String,
    },
    /// The run needs an async runtime and could not start one.
    #[error("cannot start: {}", plain(.0))]
    Runtime(std::io::Error),
    /// The run was interrupted.
    #[error("interrupted; what this run made is removed, unless --keep was given")]
    Interrupted,
    /// A file could not be written.
    #[error("cannot write {file}: {}", plain(reason))]
    Write {
        /// The file.
        file: String,
        /// Why.
        reason: std::io::Error,
    },
    /// A test was to have a database of its own, and there is none.
    #[error("there is no {backend} database for the test: {reason}")]
    NoDatabase {
        /// The backend.
        backend: switchback_core::Backend,
        /// Why there is none.
        reason: String,
    },
    /// A pool of one backend's connections was asked for, and the database is of the other.
    #[error("the database is {database}'s, and a pool of {asked} connections is asked for")]
    OtherBackend {
        /// The backend of the database.
        database: switchback_core::Backend,
        /// That of the pool.
        asked: switchback_core::Backend,
    },
    /// Nothing at all could run.
    #[error("{0}")]
    CouldNotRun(String),
}

impl Error {
    /// What to do about it, where the message does not say so.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Project(error) => error.help(),
            _ => None,
        }
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    let list = || "`switchback explain` lists them all".to_owned();
    nearest.map_or_else(list, |id| format!("did you mean \"{id}\"?"))
}

/// What a run's exit code says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitCode {
    /// Everything that was meant to run did, and nothing was found that fails a run.
    Clean = 0,
    /// There is a finding at error level, or at warning level under `--deny warnings`.
    Findings = 1,
    /// The command line or the config is wrong.
    Usage = 2,
    /// Something that was meant to run could not. It outranks findings.
    CouldNotRun = 3,
    /// The run was interrupted by a signal.
    Interrupted = 130,
}

impl ExitCode {
    /// The exit code of a report.
    pub fn of_report(report: &Report, deny_warnings: bool) -> Self {
        let fails = if deny_warnings { Severity::Warning } else { Severity::Error };
        match (report.is_complete(), report.is_clean_below(fails)) {
            (false, _) => Self::CouldNotRun,
            (true, false) => Self::Findings,
            (true, true) => Self::Clean,
        }
    }

    /// The exit code of a run that came to no report.
    pub fn of_error(error: &Error) -> Self {
        match error {
            Error::Interrupted => Self::Interrupted,
            Error::Runtime(_) | Error::NoDatabase { .. } | Error::NoSql { .. } | Error::CouldNotRun(_) => {
                Self::CouldNotRun
            }
            Error::Project(_)
            | Error::Fixtures(_)
            | Error::Handed { .. }
            | Error::UnknownCheck { .. }
            | Error::UnknownRevision { .. }
            | Error::NoHistory { .. }
            | Error::Version { .. }
            | Error::NoShard(_)
            | Error::Merge(_)
            | Error::NoReport { .. }
            | Error::Matrix(_)
            | Error::OtherBackend { .. }
            | Error::Write { .. } => Self::Usage,
        }
    }
}

impl From<ExitCode> for process::ExitCode {
    fn from(code: ExitCode) -> Self {
        Self::from(code as u8)
    }
}
