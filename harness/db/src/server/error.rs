//! What can go wrong with a server, told so that its reader knows what to do next.

use std::io;
use std::path::PathBuf;

use crate::files::plain;

/// A source of PostgreSQL that was not taken, with the reason in one line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PassedOver {
    /// The source, such as `URL from DATABASE_URL` or `container`.
    pub source: String,
    /// Why it did not serve.
    pub reason: String,
}

impl std::fmt::Display for PassedOver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.source, self.reason)
    }
}

/// Why there is no server, or why it did not do what it was asked for.
///
/// No message holds a password.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Every source was passed over.
    #[error("no PostgreSQL serves: {}", list(tried))]
    NoneServes {
        /// The sources in the order they were tried.
        tried: Vec<PassedOver>,
    },
    /// A URL that was named on the command line or in the config does not serve.
    #[error("the {origin} does not serve: {reason}")]
    UrlFails {
        /// Where the URL was named.
        origin: String,
        /// What is wrong with it or with its server.
        reason: String,
    },
    /// A private cluster did not start.
    #[error("the private PostgreSQL from {binaries} did not start: {reason}")]
    Start {
        /// The folder of its binaries.
        binaries: String,
        /// What happened, with the end of its log.
        reason: String,
    },
    /// A template copy needs that nobody is connected to the original.
    #[error("database \"{database}\" cannot be copied while others are connected to it")]
    InUse {
        /// The database that was to be copied.
        database: String,
    },
    /// With an isolated schema there is nothing that could be copied as a whole.
    #[error("an isolated schema cannot be copied, only built anew")]
    CopyUnsupported,
    /// A statement of ours, or a connection, failed.
    #[error("could not {doing}: {reason}")]
    Query {
        /// What was being done, as in "could not …".
        doing: String,
        /// The server's answer, or why there was none.
        reason: String,
    },
    /// A file or folder could not be read or written.
    #[error("could not {doing} \"{}\": {}", path.display(), plain(source))]
    File {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// There is no folder in which a server's files could lie.
    #[error(
        "no temporary folder can hold a PostgreSQL: {reason}; set TMPDIR to a folder that can be \
         written and has a short path"
    )]
    NoFolder {
        /// Each folder with what is wrong with it.
        reason: String,
    },
}

impl ServerError {
    /// What its reader can do about it, where that can be told.
    pub fn help(&self) -> Option<&'static str> {
        match self {
            Self::NoneServes { .. } => Some(
                "start Docker, install PostgreSQL's server binaries, or name a server with \
                 --postgres-url; SKIP_POSTGRES_TESTS=1 checks SQLite alone",
            ),
            Self::UrlFails { .. } => Some(
                "correct the URL, or leave it out so that a container or the machine's server \
                 binaries serve",
            ),
            Self::Start { .. } => Some("run again with --keep and read the log in its folder"),
            Self::InUse { .. } => Some("close the connections to it first"),
            Self::CopyUnsupported => Some("replay the revisions in a new schema"),
            Self::Query { .. } | Self::File { .. } | Self::NoFolder { .. } => None,
        }
    }

    /// Whether the server works but cannot do this at all, so that it must be done another way.
    pub fn is_unsupported(&self) -> bool {
        matches!(self, Self::CopyUnsupported)
    }

    pub(crate) fn file(doing: &'static str, path: impl Into<PathBuf>, source: io::Error) -> Self {
        let path = path.into();
        Self::File { doing, path, source }
    }

    pub(crate) fn query(doing: impl Into<String>, error: &sqlx::Error) -> Self {
        Self::Query { doing: doing.into(), reason: told(error) }
    }
}

/// A database error in one line, without sqlx's preamble. A full disk is called that: the server may
/// say so in another language, or only that it wrote less than it wanted to.
pub(crate) fn told(error: &sqlx::Error) -> String {
    match error {
        sqlx::Error::Database(answer) if answer.code().as_deref() == Some("53100") => {
            format!("the disk is full: {}", answer.message())
        }
        sqlx::Error::Database(answer) => answer.message().to_owned(),
        sqlx::Error::Io(cause) if cause.kind() == io::ErrorKind::UnexpectedEof => {
            "the server ended the connection".to_owned()
        }
        sqlx::Error::Io(cause) => plain(cause),
        other => other.to_string(),
    }
}

fn list(tried: &[PassedOver]) -> String {
    if tried.is_empty() {
        return "every source is switched off".to_owned();
    }
    let lines: Vec<String> = tried.iter().map(PassedOver::to_string).collect();
    lines.join("; ")
}
