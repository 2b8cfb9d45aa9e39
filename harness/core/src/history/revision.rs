//! One revision: its id, its scripts and what is known of its downgrade.

use std::borrow::Borrow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::Backend;
use crate::sql::{self, Statement};

/// What a tool calls a revision, spelled as the project spells it: `20250901000000`,
/// `2022-07-27-110000`, `0007`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
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

/// A file of SQL, or a part of one, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Script {
    /// The file relative to the project, with `/` between folders, for messages.
    pub path: String,
    /// Its text, exactly as the file has it: line ends and a byte-order mark included.
    pub text: Arc<str>,
    /// The line of the file that the text begins on, from 1.
    first_line: u32,
    /// What the tool takes for statements, if it cuts the text by rules of its own.
    pieces: Option<Arc<[Range<usize>]>>,
}

impl Script {
    /// A script of that text.
    pub fn new(path: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { path: path.into(), text: text.into(), first_line: 1, pieces: None }
    }

    /// The same text, which begins on that line of its file.
    #[must_use]
    pub fn from_line(self, first_line: u32) -> Self {
        Self { first_line, ..self }
    }

    /// The same text, which its tool cuts at places of its own: the byte ranges of its statements.
    #[must_use]
    pub fn in_pieces(self, pieces: impl Into<Arc<[Range<usize>]>>) -> Self {
        Self { pieces: Some(pieces.into()), ..self }
    }

    /// The line of the file on which a byte of the text stands.
    pub fn line_of(&self, offset: usize) -> u32 {
        self.first_line - 1 + sql::line_of(&self.text, offset)
    }

    /// The statements as the tool sends them, each with its line in the file; a piece that holds
    /// nothing but comments is not one.
    pub fn statements(&self, dialect: Backend) -> Vec<Statement<'_>> {
        let found = match &self.pieces {
            None => sql::split(&self.text, dialect),
            Some(pieces) => {
                pieces.iter().map(|piece| sql::piece(&self.text, piece.clone(), dialect)).collect()
            }
        };
        let found = found.into_iter().filter(|statement| !statement.is_blank());
        let in_file = |statement: Statement<'_>| self.first_line - 1 + statement.line;
        found.map(|statement| Statement { line: in_file(statement), ..statement }).collect()
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
    /// Whether its downgrade says how to take back what its upgrade does: also an empty one, where
    /// the upgrade does nothing.
    pub fn goes_down(&self, dialect: Backend) -> bool {
        match self.downgrade {
            Downgrade::Script(_) | Downgrade::Explained(..) => true,
            Downgrade::Empty(_) => sql::is_blank(&self.upgrade.text, dialect),
            Downgrade::Missing => false,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file_keeps_the_lines_of_the_file() {
        let text = "SELECT 1;\n-- two\nSELECT 2;\n";
        let script = Script::new("a.sql", text).from_line(11);
        let lines: Vec<_> = script.statements(Backend::Sqlite).iter().map(|one| one.line).collect();
        assert_eq!((lines, script.line_of(10)), (vec![11, 13], 12));
    }

    #[test]
    fn what_the_tool_takes_for_one_statement_is_one() {
        let text = "SELECT 1; SELECT 2;\nSELECT 3;\n-- end\n";
        let script = Script::new("a.sql", text).in_pieces([0..20, 20..text.len()]);
        let found = script.statements(Backend::Postgres);
        let found: Vec<_> = found.iter().map(|one| (one.body, one.offset, one.line)).collect();
        assert_eq!(found, [("SELECT 1; SELECT 2", 0, 1), ("SELECT 3", 20, 2)]);
        assert!(
            Script::new("a.sql", "-- a\n-- b").in_pieces([0..5, 5..9]).statements(Backend::Sqlite).is_empty()
        );
    }
}
