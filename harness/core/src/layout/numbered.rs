//! Plain numbered files of a runner that a project has written itself: `001_name.sql`, `001-name.sql` or
//! `001.sql`, or a pair of `.up.sql` and `.down.sql`, in one folder.
//!
//! Such runners do the same with little difference: they sort by the number, run each file in a
//! transaction and note the number of the last one. Their table is not known; the one here is that of
//! Sequel's integer migrator (`lib/sequel/extensions/migration.rs`), with room for a timestamp.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dialect::{Dialect, Variants};
use super::{Claim, Entry, LayoutError, Options, SourceTree};
use crate::Backend;
use crate::history::{Bookkeeping, Direction, History, Revision, RevisionId, Script, Sending, Tool};

const NAME: &str = "numbered";
const FORM: &str = "\"<number>_<name>.sql\", or the same with \".up.sql\" and \".down.sql\"";
const NO_TRANSACTION: &str = "-- no-transaction";
const TABLE: &str = "schema_info";

/// The layout of plain numbered files.
#[derive(Clone, Copy, Debug)]
pub struct Layout;

impl super::Layout for Layout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn form(&self) -> &'static str {
        FORM
    }

    fn claim(&self, folder: &SourceTree) -> Claim {
        // A pair such as `1_a.up.sql` is of a form that tools have.
        let is_tools =
            |name: FileName<'_>| name.is_directed && name.stem[name.spelling.len()..].starts_with('_');
        let ours = |(file, entry): (&str, &Entry)| {
            *entry != Entry::Folder && FileName::parse(file).is_some_and(|name| !is_tools(name))
        };
        if folder.top_level().any(ours) { Claim::Numbers } else { Claim::Nothing }
    }

    fn reads(&self, path: &str) -> bool {
        !path.contains('/') && FileName::parse(path).is_some()
    }

    fn read_with(&self, folder: &SourceTree, backend: Backend, _: &Options) -> Result<History, LayoutError> {
        let mut slots: BTreeMap<i64, Slot<'_>> = BTreeMap::new();
        for (file, _) in folder.top_level().filter(|(_, entry)| **entry != Entry::Folder) {
            let Some(name) = FileName::parse(file) else {
                continue;
            };
            let too_large = |_| LayoutError::VersionTooLarge { file: folder.path_of(file), tool: NAME };
            let number: i64 = name.spelling.parse().map_err(too_large)?;
            let slot = slots.entry(number).or_default();
            let step = if name.direction == Direction::Upgrade { &mut slot.up } else { &mut slot.down };
            if let Some((first, _)) = step.add(name.dialect, (file, name)) {
                return Err(LayoutError::DuplicateVersion {
                    version: number.to_string(),
                    first: folder.path_of(first),
                    second: folder.path_of(file),
                });
            }
        }

        let mut revisions = Vec::new();
        for (number, slot) in slots {
            if let (true, Some((file, _))) = (slot.up.is_empty(), slot.down.any()) {
                let expected = format!("an upgrade with the number {number}");
                return Err(LayoutError::DownWithoutUp { file: folder.path_of(file), expected });
            }
            if let Some((file, name)) = slot.up.of(backend) {
                let down = slot.down.of(backend).map(|(file, _)| folder.script(file)).transpose()?;
                revisions.push(revision(name, folder.script(file)?, down, backend));
            }
        }
        Ok(History::line(Arc::new(Numbered), revisions)?)
    }
}

/// The files of one number.
#[derive(Default)]
struct Slot<'a> {
    up: Variants<(&'a str, FileName<'a>)>,
    down: Variants<(&'a str, FileName<'a>)>,
}

fn revision(name: &FileName<'_>, upgrade: Script, down: Option<Script>, backend: Backend) -> Revision {
    let in_transaction = |script: &Script| !script.text.starts_with(NO_TRANSACTION);
    Revision {
        id: RevisionId::new(name.spelling),
        name: name.stem.to_owned(),
        parents: Vec::new(),
        upgrade_in_transaction: in_transaction(&upgrade),
        downgrade_in_transaction: down.as_ref().is_none_or(in_transaction),
        upgrade,
        downgrade: super::downgrade(down, backend, &["no-transaction"]),
    }
}

/// A file name, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileName<'a> {
    /// The number as it stands in the name, with its zeros.
    spelling: &'a str,
    /// The name without what says its direction and its dialect.
    stem: &'a str,
    dialect: Dialect,
    direction: Direction,
    /// Whether it says its direction.
    is_directed: bool,
}

impl<'a> FileName<'a> {
    fn parse(file: &'a str) -> Option<Self> {
        let mut stem = file.strip_suffix(".sql")?;
        let digits = stem.len() - stem.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let spelling = &stem[..digits];
        // `2fa.sql` is a word.
        if digits == 0 || stem[digits..].starts_with(char::is_alphanumeric) {
            return None;
        }
        let (mut dialect, mut direction) = (None, None);
        while let Some((before, word)) = stem.rsplit_once('.') {
            match (word, Dialect::named(word)) {
                ("up", _) if direction.is_none() => direction = Some(Direction::Upgrade),
                ("down", _) if direction.is_none() => direction = Some(Direction::Downgrade),
                (_, Some(named)) if dialect.is_none() => dialect = Some(named),
                _ => break,
            }
            stem = before;
        }
        let dialect = dialect.unwrap_or(Dialect::Common);
        let is_directed = direction.is_some();
        let direction = direction.unwrap_or(Direction::Upgrade);
        Some(Self { spelling, stem, dialect, direction, is_directed })
    }
}

/// A project's own runner of numbered files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbered;

impl Numbered {
    fn set(id: Option<&RevisionId>) -> String {
        let number: i64 =
            id.map_or(0, |id| id.as_str().parse().expect("an id is a number, which was read as one"));
        format!("UPDATE {TABLE} SET version = {number}")
    }
}

impl Tool for Numbered {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sending(&self) -> Sending {
        Sending::Whole
    }

    fn outside_transaction(&self) -> &'static str {
        "make \"-- no-transaction\" the first line of the file, which tells Switchback alone"
    }

    /// Drivers leave SQLite's own default, with few exceptions.
    fn foreign_keys(&self) -> bool {
        false
    }

    fn bookkeeping(&self, _: Backend) -> Bookkeeping {
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {TABLE} (version BIGINT DEFAULT 0 NOT NULL);\n\
             INSERT INTO {TABLE} (version) VALUES (0)"
        );
        Bookkeeping { tables: vec![TABLE.to_owned()], create: Some(create) }
    }

    fn record(&self, _: Backend, revision: &Revision) -> Option<String> {
        Some(Self::set(Some(&revision.id)))
    }

    fn forget(&self, _: Backend, revision: &Revision) -> Option<String> {
        Some(Self::set(revision.parents.first()))
    }
}

#[cfg(test)]
mod tests;
