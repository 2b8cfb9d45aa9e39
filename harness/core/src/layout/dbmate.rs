//! dbmate: `<VERSION>_<NAME>.sql` with both directions in it, under `-- migrate:up` and
//! `-- migrate:down`.
//!
//! The rules are those of dbmate 2.35: `pkg/dbmate/migration.go` for what is in a file, `pkg/dbmate/db.go`
//! for names and the order of files, `pkg/driver` for the table. Where dbmate passes over a file with its
//! annotations because the name has no version, that is an error here: its author thinks that it runs.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{Claim, Entry, LayoutError, Options, SourceTree};
use crate::Backend;
use crate::history::{Bookkeeping, History, Revision, RevisionId, Script, Sending, Tool};

const NAME: &str = "dbmate";
const FORM: &str = "\"<version>_<name>.sql\" with \"-- migrate:up\" and \"-- migrate:down\" in it";
/// The table, as messages and comparisons call it.
const TABLE: &str = "schema_migrations";

/// The layout of dbmate's files.
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
        let annotated = |(file, entry): (&str, &Entry)| match entry {
            Entry::Text(text) => file.ends_with(".sql") && is_annotated(text),
            _ => false,
        };
        if folder.top_level().any(annotated) { Claim::Annotation } else { Claim::Nothing }
    }

    fn reads(&self, path: &str) -> bool {
        !path.contains('/') && path.ends_with(".sql")
    }

    fn read_with(&self, folder: &SourceTree, backend: Backend, _: &Options) -> Result<History, LayoutError> {
        // In the order of their names as text (`FindMigrations` in `db.go`).
        let mut versions: BTreeMap<&str, &str> = BTreeMap::new();
        let mut revisions = Vec::new();
        for (file, entry) in folder.top_level() {
            let Some(stem) = file.strip_suffix(".sql").filter(|_| *entry != Entry::Folder) else {
                continue;
            };
            let digits = stem.len() - stem.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
            if digits == 0 {
                if matches!(entry, Entry::Text(text) if is_annotated(text)) {
                    let reason = format!("it does not begin with a number, so {NAME} passes over it");
                    let file = folder.path_of(file);
                    return Err(LayoutError::Name { file, tool: NAME, reason, form: FORM });
                }
                continue;
            }
            let version = &stem[..digits];
            if let Some(first) = versions.insert(version, file) {
                return Err(LayoutError::DuplicateVersion {
                    version: version.to_owned(),
                    first: folder.path_of(first),
                    second: folder.path_of(file),
                });
            }
            revisions.push(revision(folder.script(file)?, version, stem, backend)?);
        }
        Ok(History::line(Arc::new(Dbmate), revisions)?)
    }
}

fn revision(file: Script, version: &str, stem: &str, backend: Backend) -> Result<Revision, LayoutError> {
    let Sections { up, down } = Sections::of(&file.text).map_err(|(line, reason)| LayoutError::Refused {
        file: file.path.clone(),
        line,
        tool: NAME,
        reason: reason.to_owned(),
    })?;
    let script = |section: &Section| {
        let part = Script::new(file.path.clone(), &file.text[section.body.clone()]);
        part.from_line(file.line_of(section.body.start))
    };
    Ok(Revision {
        id: RevisionId::new(version),
        name: stem.to_owned(),
        parents: Vec::new(),
        upgrade: script(&up),
        downgrade: super::downgrade(Some(script(&down)), backend, &[]),
        upgrade_in_transaction: up.transaction,
        downgrade_in_transaction: down.transaction,
    })
}

/// Both directions of a file.
#[derive(Debug, PartialEq, Eq)]
struct Sections {
    up: Section,
    down: Section,
}

/// What stands under one annotation.
#[derive(Debug, PartialEq, Eq)]
struct Section {
    /// The line of the annotation, from 1.
    line: u32,
    /// Where the text below it stands.
    body: Range<usize>,
    transaction: bool,
}

impl Sections {
    /// Takes a file apart, or says on which line dbmate stops and why.
    fn of(text: &str) -> Result<Self, (u32, &'static str)> {
        let (mut up, mut down): (Option<Section>, Option<Section>) = (None, None);
        let mut start = 0;
        for (line, number) in text.split_inclusive('\n').zip(1..) {
            let end = start + line.len();
            let section = |options| Section {
                line: number,
                body: end..text.len(),
                transaction: runs_in_transaction(options),
            };
            match (annotation(line), &mut up) {
                (Some(("up", options)), None) => up = Some(section(options)),
                (Some(("up", _)), Some(_)) if down.is_none() => {
                    return Err((number, "the block above has no \"-- migrate:down\""));
                }
                (Some(("up", _)), Some(_)) => {
                    return Err((
                        number,
                        "it runs the first block alone, since it notes the version of the file once more with \
                         each (amacneil/dbmate#820); give each its own file",
                    ));
                }
                (Some(("down", options)), Some(up)) => {
                    if down.is_some() {
                        return Err((number, "there is a \"-- migrate:down\" above"));
                    }
                    up.body.end = start;
                    down = Some(section(options));
                }
                (_, None) if !(line.trim().is_empty() || line.trim_start().starts_with("--")) => {
                    return Err((number, "it stands before \"-- migrate:up\""));
                }
                _ => {}
            }
            start = end;
        }
        match (up, down) {
            (Some(up), Some(down)) => Ok(Self { up, down }),
            (Some(up), None) => Err((up.line, "no \"-- migrate:down\" follows; it may be empty")),
            (None, _) => Err((1, "there is no \"-- migrate:up\"")),
        }
    }
}

/// The direction that a line opens, and what follows it: `^--\s*migrate:up(\s*$|\s+\S+)`.
fn annotation(line: &str) -> Option<(&'static str, &str)> {
    let word = line.strip_prefix("--")?.trim_start();
    ["up", "down"].into_iter().find_map(|direction| {
        let options = word.strip_prefix("migrate:")?.strip_prefix(direction)?;
        (options.is_empty() || options.starts_with(char::is_whitespace)).then_some((direction, options))
    })
}

fn is_annotated(text: &str) -> bool {
    text.lines().any(|line| annotation(line).is_some())
}

/// What the options behind an annotation say; the last one counts, and what is not `key:value` does not.
fn runs_in_transaction(options: &str) -> bool {
    let mut said = options.split_whitespace().filter_map(|option| option.strip_prefix("transaction:"));
    said.rfind(|value| !value.contains(':')) != Some("false")
}

/// dbmate as a tool that runs revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dbmate;

/// How dbmate's drivers spell the table's name and the type of its key.
const SPELLINGS: [(Backend, &str, &str); 2] = [
    (Backend::Postgres, "public.schema_migrations", "varchar"),
    (Backend::Sqlite, "\"schema_migrations\"", "varchar(128)"),
];

fn spelling(backend: Backend) -> (&'static str, &'static str) {
    let found = SPELLINGS.iter().find(|(one, ..)| *one == backend);
    let (_, table, key) = found.expect("every backend has its spelling");
    (table, key)
}

impl Tool for Dbmate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sending(&self) -> Sending {
        Sending::Whole
    }

    fn outside_transaction(&self) -> &'static str {
        "write \"transaction:false\" behind \"-- migrate:up\""
    }

    /// dbmate leaves SQLite's own default.
    fn foreign_keys(&self) -> bool {
        false
    }

    fn bookkeeping(&self, backend: Backend) -> Bookkeeping {
        let (table, key) = spelling(backend);
        let create = format!("create table if not exists {table} (version {key} primary key)");
        Bookkeeping { tables: vec![TABLE.to_owned()], create: Some(create) }
    }

    fn record(&self, backend: Backend, revision: &Revision) -> Option<String> {
        Some(format!("insert into {} (version) values ('{}')", spelling(backend).0, revision.id))
    }

    fn forget(&self, backend: Backend, revision: &Revision) -> Option<String> {
        Some(format!("delete from {} where version = '{}'", spelling(backend).0, revision.id))
    }
}

#[cfg(test)]
mod tests;
