//! Layouts: how each migration tool keeps its revisions in files.
//!
//! A layout is one file here and one line in [`LAYOUTS`]. It knows which files are its tool's, how
//! they make a history, and, as a [`Tool`](crate::history::Tool), how the tool runs them.

mod claim;
pub mod dbmate;
pub mod dialect;
pub mod diesel;
pub mod flyway;
pub mod golang_migrate;
pub mod goose;
pub mod liquibase;
mod manifest;
pub mod numbered;
mod options;
pub mod pattern;
pub mod refinery;
mod speech;
pub mod sqlx;
mod tree;

use crate::Backend;
use crate::history::{Downgrade, History, HistoryError, Script};
use crate::sql;

pub use claim::{Claim, Library, MANIFESTS, Manifests, recognise};
pub use manifest::built_for;
pub use options::{Options, Transaction};
pub use speech::{Mark, written_for};
pub use tree::{Entry, SourceTree};

/// How a migration tool keeps its revisions in files.
pub trait Layout: Sync {
    /// The tool's name, as `[history] tool` in the config spells it.
    fn name(&self) -> &'static str;

    /// What a revision of this tool looks like, for messages.
    fn form(&self) -> &'static str;

    /// How sure it is that a folder holds revisions of this tool. The texts of the files in the folder
    /// itself are there, unless they are large.
    fn claim(&self, folder: &SourceTree) -> Claim;

    /// Where a project names this tool, if it builds it into its program.
    fn library(&self) -> Option<Library> {
        None
    }

    /// Whether the content of a file, by its path below the folder, matters to this layout.
    fn reads(&self, path: &str) -> bool {
        path.ends_with(".sql")
    }

    /// The history that a folder holds for one backend, as the config's further keys under `[history]`
    /// want it.
    ///
    /// # Errors
    ///
    /// If files make no history, or would make the tool fail before it ran any of them.
    fn read_with(
        &self,
        folder: &SourceTree,
        backend: Backend,
        options: &Options,
    ) -> Result<History, LayoutError>;

    /// The same where the config has no such keys.
    ///
    /// # Errors
    ///
    /// The same.
    fn read(&self, folder: &SourceTree, backend: Backend) -> Result<History, LayoutError> {
        self.read_with(folder, backend, &Options::default())
    }

    /// The further keys under `[history]` that [`read_with`](Self::read_with) heeds.
    fn options(&self) -> &'static [&'static str] {
        &[]
    }

    /// Whether only the config can tell that a folder holds its revisions.
    fn needs_telling(&self) -> bool {
        false
    }

    /// How many folders deep its files may lie; 1 is the folder itself.
    fn depth(&self) -> usize {
        2
    }
}

/// All layouts.
pub const LAYOUTS: &[&dyn Layout] = &[
    &dbmate::Layout,
    &diesel::Layout,
    &flyway::Layout,
    &golang_migrate::Layout,
    &goose::Layout,
    &liquibase::Layout,
    &numbered::Layout,
    &pattern::Layout,
    &refinery::Layout,
    &sqlx::Layout,
];

/// The layout of the tool of that name.
pub fn named(name: &str) -> Option<&'static dyn Layout> {
    LAYOUTS.iter().copied().find(|layout| layout.name() == name)
}

/// The layouts that a folder may be recognised for.
pub fn recognisable() -> impl Iterator<Item = &'static dyn Layout> {
    LAYOUTS.iter().copied().filter(|layout| !layout.needs_telling())
}

/// Files that make no history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LayoutError {
    /// A file name that the tool cannot read, or would pass over in silence.
    #[error("the name of \"{file}\" is not one that {tool} takes: {reason}; the form is {form}")]
    Name {
        /// The file.
        file: String,
        /// The tool.
        tool: &'static str,
        /// What is wrong with the name.
        reason: String,
        /// The form that the tool wants.
        form: &'static str,
    },
    /// A version that does not fit into the 64 bits that the tool keeps it in.
    #[error(
        "the version of \"{file}\" is too large: {tool} takes at most {max}",
        max = i64::MAX
    )]
    VersionTooLarge {
        /// The file.
        file: String,
        /// The tool.
        tool: &'static str,
    },
    /// Two files for the same step of the same version.
    #[error(
        "\"{first}\" and \"{second}\" have the same version {version}: give one of them a version \
         of its own"
    )]
    DuplicateVersion {
        /// The version.
        version: String,
        /// One file.
        first: String,
        /// The other.
        second: String,
    },
    /// A downgrade of something that is never applied.
    #[error("\"{file}\" has no upgrade to go with it: {expected} is missing")]
    DownWithoutUp {
        /// The downgrade.
        file: String,
        /// The upgrade that should be there.
        expected: String,
    },
    /// A folder in which the tool finds no upgrade.
    #[error("\"{folder}\" holds no \"up.sql\", which makes {tool} refuse all of its migrations")]
    NoUpgrade {
        /// The folder.
        folder: String,
        /// The tool.
        tool: &'static str,
    },
    /// A text that the tool refuses.
    #[error("{file}:{line}: {tool} refuses it: {reason}")]
    Refused {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u32,
        /// The tool.
        tool: &'static str,
        /// Why, and what to do.
        reason: String,
    },
    /// A revision in another language than SQL.
    #[error(
        "\"{file}\" is not SQL, so only the project's own program can run it: write what it does as SQL, or \
         check a copy of the folder without it"
    )]
    NotSql {
        /// The file.
        file: String,
    },
    /// A file that is not UTF-8.
    #[error("\"{file}\" is not text in UTF-8: line {line}, byte {offset}; save it as UTF-8")]
    NotUtf8 {
        /// The file.
        file: String,
        /// Where the first byte stands that is not, from 0.
        offset: usize,
        /// The line it is on, from 1.
        line: usize,
    },
    /// A file that could not be read.
    #[error("\"{file}\" cannot be read: {reason}")]
    Unreadable {
        /// The file.
        file: String,
        /// Why.
        reason: String,
    },
    /// A part of a file that its tool refuses, or that is not understood here.
    #[error("{file}:{line}: {problem}")]
    Part {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u32,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// A pattern of the project's own that fits its files badly.
    #[error("{place}: the pattern {problem}")]
    Pattern {
        /// Where the config gives it, as `switchback.toml:3`.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// Revisions that do not make a history.
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// What a downgrade's file says. `not_reasons` are comments that the tool puts into every new file
/// or reads itself: they explain nothing.
fn downgrade(script: Option<Script>, backend: Backend, not_reasons: &[&str]) -> Downgrade {
    let Some(script) = script else {
        return Downgrade::Missing;
    };
    if !sql::is_blank(&script.text, backend) {
        return Downgrade::Script(script);
    }
    let lines = sql::comments(&script.text, backend).into_iter().flat_map(comment_lines);
    let said: Vec<_> = lines.filter(|line| !line.is_empty() && !not_reasons.contains(line)).collect();
    if said.is_empty() {
        return Downgrade::Empty(script);
    }
    let reason = said.join(" ");
    Downgrade::Explained(script, reason)
}

/// The lines of a comment without its marks.
fn comment_lines(comment: &str) -> impl Iterator<Item = &str> {
    let block = comment.strip_prefix("/*").map(|rest| rest.strip_suffix("*/").unwrap_or(rest));
    let marks: &[char] = if block.is_some() { &['*'] } else { &['-'] };
    let lines = block.unwrap_or(comment).lines();
    lines.map(move |line| line.trim().trim_start_matches(marks).trim())
}

#[cfg(test)]
mod tests;
