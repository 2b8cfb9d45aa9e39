//! Home-made layouts: a pattern in the config tells which files are revisions.
//!
//! The pattern is a regular expression for the path of a `.sql` file below the folder, with `/`
//! between folders. Its named groups say what the file is: `version`, `name`, `direction`, `dialect`
//! and, if it takes part, `autocommit`, which means outside a transaction. What the pattern does not
//! match is no revision.
//!
//! Two tools are the measure. Authelia's `internal/storage/migrations.go` has a folder for each
//! dialect and `V0001.Name.up.sql` in it, all of a run in one transaction. Pop's fork in ory/x,
//! `popx/match.go` and `popx/migration_info.go`, has `<version>_<name>[.dialect][.autocommit].up.sql`
//! in one folder: a file without a dialect serves every database that has none of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use regex::{Captures, Regex, RegexBuilder};

use super::dialect::Dialect;
use super::{Claim, Entry, LayoutError, Options, SourceTree, Transaction};
use crate::Backend;
use crate::history::{Bookkeeping, History, Revision, RevisionId, Sending, Tool};

const NAME: &str = "pattern";
const FORM: &str = "whatever [history] pattern says";
const GROUPS: [&str; 5] = ["version", "name", "direction", "dialect", "autocommit"];
/// The words that a direction may be given by.
const UP: &[&str] = &["up", "upgrade", "do", "apply", "deploy", "forward"];
const DOWN: &[&str] = &["down", "downgrade", "undo", "revert", "rollback", "backward"];
/// A compiled pattern larger than this is no pattern of file names.
const MOST_BYTES: usize = 1 << 20;

/// A pattern of file names, and where the config gives it.
#[derive(Clone, Debug)]
pub struct FilePattern {
    regex: Regex,
    place: String,
}

impl PartialEq for FilePattern {
    fn eq(&self, other: &Self) -> bool {
        (self.regex.as_str(), &self.place) == (other.regex.as_str(), &other.place)
    }
}

impl Eq for FilePattern {}

impl FilePattern {
    /// The pattern of that text; `place` is where it stands, for messages.
    ///
    /// # Errors
    ///
    /// If it is no regular expression, has no group `version`, or has a group of an unknown name.
    pub fn new(text: &str, place: impl Into<String>) -> Result<Self, String> {
        let regex = RegexBuilder::new(text).size_limit(MOST_BYTES).build().map_err(|error| {
            // The last line of its message says what is wrong, those before show where.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default().trim();
            format!("is no regular expression: {}", last.strip_prefix("error: ").unwrap_or(last))
        })?;
        let named = || regex.capture_names().flatten();
        if let Some(strange) = named().find(|name| !GROUPS.contains(name)) {
            let hint = crate::config::nearest(strange, GROUPS);
            let hint = hint.map(|name| format!(": did you mean \"{name}\"?")).unwrap_or_default();
            return Err(format!("has a group \"{strange}\", which means nothing{hint}"));
        }
        if !named().any(|name| name == "version") {
            return Err(
                "has no group \"version\": write (?<version>\\d+) where the version stands".to_owned()
            );
        }
        Ok(Self { regex, place: place.into() })
    }

    fn fault(&self, problem: String) -> LayoutError {
        LayoutError::Pattern { place: self.place.clone(), problem }
    }
}

/// The layout of a project's own files.
#[derive(Clone, Copy, Debug)]
pub struct Layout;

impl super::Layout for Layout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn form(&self) -> &'static str {
        FORM
    }

    fn claim(&self, _: &SourceTree) -> Claim {
        Claim::Nothing
    }

    fn needs_telling(&self) -> bool {
        true
    }

    fn options(&self) -> &'static [&'static str] {
        &["pattern", "dialects", "transaction", "bookkeeping"]
    }

    fn depth(&self) -> usize {
        8
    }

    fn read_with(
        &self,
        folder: &SourceTree,
        backend: Backend,
        options: &Options,
    ) -> Result<History, LayoutError> {
        let Some(pattern) = &options.pattern else {
            let place = crate::config::FILE.to_owned();
            return Err(LayoutError::Pattern { place, problem: "is missing under [history]".to_owned() });
        };
        let slots = slots(pattern, folder, backend, options)?;
        let mut revisions = Vec::new();
        for slot in slots.values() {
            let Some(up) = &slot.upgrade else {
                match slot.orphan.as_ref().filter(|_| !slot.has_upgrade) {
                    None => continue,
                    Some(file) => {
                        let expected = format!("an upgrade of version {}", slot.version);
                        return Err(LayoutError::DownWithoutUp { file: folder.path_of(file), expected });
                    }
                }
            };
            let down = slot.downgrade.as_ref();
            let in_transaction =
                |file: &File<'_>| options.transaction != Transaction::None && !file.autocommit;
            let script = down.map(|down| folder.script(down.path)).transpose()?;
            let name = up.name.filter(|name| !name.is_empty());
            revisions.push(Revision {
                id: RevisionId::new(up.version),
                name: name.map_or_else(|| up.version.to_owned(), |name| format!("{}_{name}", up.version)),
                parents: Vec::new(),
                upgrade_in_transaction: in_transaction(up),
                downgrade_in_transaction: down.is_none_or(in_transaction),
                upgrade: folder.script(up.path)?,
                downgrade: super::downgrade(script, backend, &[]),
            });
        }
        Ok(History::line(Arc::new(HomeMade { table: options.bookkeeping.clone() }), revisions)?)
    }
}

/// The files of one version that serve a backend.
#[derive(Default)]
struct Slot<'a> {
    version: &'a str,
    upgrade: Option<File<'a>>,
    downgrade: Option<File<'a>>,
    /// Whether any database has an upgrade.
    has_upgrade: bool,
    /// A downgrade of any database.
    orphan: Option<&'a str>,
}

/// A file that the pattern matches.
struct File<'a> {
    path: &'a str,
    version: &'a str,
    name: Option<&'a str>,
    autocommit: bool,
    /// How far down the list of words the one of its dialect stands; the last is none at all.
    rank: usize,
}

fn slots<'a>(
    pattern: &FilePattern,
    folder: &'a SourceTree,
    backend: Backend,
    options: &Options,
) -> Result<BTreeMap<Vec<Part<'a>>, Slot<'a>>, LayoutError> {
    let mut slots: BTreeMap<Vec<Part<'a>>, Slot<'a>> = BTreeMap::new();
    let mut passed_over = Vec::new();
    for (path, entry) in folder.entries() {
        if *entry == Entry::Folder || !path.ends_with(".sql") {
            continue;
        }
        let Some(found) = pattern.regex.captures(path) else {
            passed_over.push(path);
            continue;
        };
        let version = group(&found, "version").unwrap_or_default();
        if version.is_empty() {
            return Err(pattern.fault(format!("finds no version in \"{}\"", folder.path_of(path))));
        }
        let is_up = match group(&found, "direction") {
            None => true,
            Some(word) if is_one_of(word, UP) => true,
            Some(word) if is_one_of(word, DOWN) => false,
            Some(word) => {
                let file = folder.path_of(path);
                return Err(pattern.fault(format!(
                    "finds the direction \"{word}\" in \"{file}\", which is none of {} and {}",
                    UP.join(", "),
                    DOWN.join(", ")
                )));
            }
        };
        let slot = slots.entry(parts(version)).or_default();
        slot.version = version;
        if is_up {
            slot.has_upgrade = true;
        } else {
            slot.orphan = Some(path);
        }
        let Some(rank) = rank(group(&found, "dialect"), backend, options) else { continue };
        let autocommit = found.name("autocommit").is_some();
        let file = File { path, version, name: group(&found, "name"), autocommit, rank };
        let step = if is_up { &mut slot.upgrade } else { &mut slot.downgrade };
        if let Some(first) = step.as_ref().filter(|first| first.rank == rank) {
            let (first, second) = (folder.path_of(first.path), folder.path_of(path));
            let step = if is_up { "upgrade" } else { "downgrade" };
            return Err(pattern.fault(format!(
                "makes both \"{first}\" and \"{second}\" the {step} of version {version} on {backend}: let \
                 it match one of them, or give one a version of its own"
            )));
        }
        if step.as_ref().is_none_or(|first| rank < first.rank) {
            *step = Some(file);
        }
    }
    match passed_over.first().filter(|_| slots.is_empty()) {
        Some(file) => {
            let (folder, count) = (folder.path(), passed_over.len());
            Err(pattern
                .fault(format!("matches none of the {count} .sql files in \"{folder}\", such as \"{file}\"")))
        }
        None => Ok(slots),
    }
}

fn group<'a>(found: &Captures<'a>, name: &str) -> Option<&'a str> {
    found.name(name).map(|group| group.as_str())
}

fn is_one_of(word: &str, words: &[&str]) -> bool {
    words.iter().any(|one| one.eq_ignore_ascii_case(word))
}

/// How well a dialect serves a backend, 0 being best; not at all if it is another database's.
fn rank(word: Option<&str>, backend: Backend, options: &Options) -> Option<usize> {
    let Some(word) = word.filter(|word| !word.is_empty()) else { return Some(usize::MAX) };
    if options.dialects.is_empty() {
        return (Dialect::named(word) == Some(Dialect::Of(backend))).then_some(0);
    }
    let words = options.dialects.get(&backend)?;
    words.iter().position(|one| one.eq_ignore_ascii_case(word))
}

/// A part of a version: digits are compared as a number, however many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part<'a> {
    Number(usize, &'a str),
    Text(&'a str),
}

fn parts(version: &str) -> Vec<Part<'_>> {
    let mut rest = version;
    let mut parts = Vec::new();
    while let Some(first) = rest.chars().next() {
        let is_digit = |letter: char| letter.is_ascii_digit();
        let end = rest.find(|letter| is_digit(letter) != is_digit(first)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        let digits = part.trim_start_matches('0');
        parts.push(if is_digit(first) { Part::Number(digits.len(), digits) } else { Part::Text(part) });
        rest = after;
    }
    parts
}

/// A project's own tool. What it writes into its books nobody knows, so its table is left alone.
#[derive(Clone, Debug, PartialEq, Eq)]
struct HomeMade {
    table: Option<String>,
}

impl Tool for HomeMade {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sending(&self) -> Sending {
        Sending::Whole
    }

    fn outside_transaction(&self) -> &'static str {
        "let the pattern's group \"autocommit\" take part in the name of the file"
    }

    /// SQLite's own default.
    fn foreign_keys(&self) -> bool {
        false
    }

    fn bookkeeping(&self, _: Backend) -> Bookkeeping {
        Bookkeeping { tables: self.table.iter().cloned().collect(), create: None }
    }

    fn record(&self, _: Backend, _: &Revision) -> Option<String> {
        None
    }

    fn forget(&self, _: Backend, _: &Revision) -> Option<String> {
        None
    }
}

#[cfg(test)]
mod tests;
