//! One revision: its id, its scripts and what is known of its downgrade.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// What a tool calls a revision, spelled as the project spells it: `20250901000000`,
/// `2022-07-27-110000`, `0007`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
pub struct RevisionId(Arc<str>);

impl RevisionId {
    /// The id with that spelling.
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The id as it is spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for RevisionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl From<&str> for RevisionId {
    fn from(id: &str) -> Self {
        Self::new(id)
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// One of the two ways that a step can go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Towards head.
    Upgrade,
    /// Towards base.
    Downgrade,
}

impl Direction {
    /// The word used in messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A file of SQL and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file relative to the project, with `/` between folders, for messages.
    pub path: String,
    /// Its text, exactly as the file has it: line ends and a byte-order mark included.
    pub text: Arc<str>,
}

impl Script {
    /// A script of that text.
    pub fn new(path: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: text.into() }
    }

    /// Whether the text starts with a byte-order mark. Tools send it to the database as it is, and
    /// PostgreSQL answers with a syntax error on something that no editor shows.
    pub fn has_byte_order_mark(&self) -> bool {
        self.text.starts_with('\u{feff}')
    }
}

/// What a revision offers for going back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Downgrade {
    /// The project has no downgrade for this revision, so the tool refuses to revert it.
    Missing,
    /// The file is there and says nothing: white space, or the comment that the tool itself puts
    /// into a new file.
    Empty(Script),
    /// The file holds nothing but a comment of the project's own, which is the reason given here.
    Explained(Script, String),
    /// The file holds statements.
    Script(Script),
}

impl Downgrade {
    /// What to run, unless the downgrade is missing. An empty or explained downgrade is run too: the
    /// tool does so, and its bookkeeping says afterwards that the revision is not applied.
    pub fn script(&self) -> Option<&Script> {
        match self {
            Self::Missing => None,
            Self::Empty(script) | Self::Explained(script, _) | Self::Script(script) => Some(script),
        }
    }
}

/// One migration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its id, unique in the history.
    pub id: RevisionId,
    /// Its full name as the tool prints it, such as `0007_add_email`.
    pub name: String,
    /// The revisions that must be applied before it; none for the first.
    pub parents: Vec<RevisionId>,
    /// What the upgrade runs.
    pub upgrade: Script,
    /// What the downgrade runs.
    pub downgrade: Downgrade,
    /// Whether the tool runs the upgrade, together with its own bookkeeping, in one transaction.
    pub upgrade_in_transaction: bool,
    /// The same for the downgrade.
    pub downgrade_in_transaction: bool,
}

impl Revision {
    /// What to run in that direction, if there is anything.
    pub fn script(&self, direction: Direction) -> Option<&Script> {
        match direction {
            Direction::Upgrade => Some(&self.upgrade),
            Direction::Downgrade => self.downgrade.script(),
        }
    }

    /// Whether the tool runs that direction in one transaction.
    pub fn in_transaction(&self, direction: Direction) -> bool {
        match direction {
            Direction::Upgrade => self.upgrade_in_transaction,
            Direction::Downgrade => self.downgrade_in_transaction,
        }
    }
}
