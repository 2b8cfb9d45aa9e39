//! goose: `<VERSION>_<NAME>.sql` with both directions in it, under `-- +goose Up` and `-- +goose Down`.
//!
//! The rules are those of goose 3.27: `migration.go` and `provider_collect.go` for names,
//! `internal/sqlparser` for what is in a file, `provider_run.go` for how it is run, `internal/dialects`
//! for the table. A `.sql` file without a version is passed over unless it has goose's annotations: then
//! its author thinks that it runs.

mod environment;
mod parse;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::parse::{Fault, Part};
use super::{Claim, Entry, LayoutError, Library, Options, SourceTree};
use crate::Backend;
use crate::history::{Bookkeeping, Direction, History, Revision, RevisionId, Script, Sending, Tool};

const NAME: &str = "goose";
const FORM: &str = "\"<version>_<name>.sql\" with \"-- +goose Up\" and \"-- +goose Down\" in it, the version \
                    being a number from 1";
const TABLE: &str = "goose_db_version";
/// What goose reads itself, as the lines of a comment.
const NOT_REASONS: &[&str] = &[
    "+goose StatementBegin",
    "+goose StatementEnd",
    "+goose NO TRANSACTION",
    "+goose ENVSUB ON",
    "+goose ENVSUB OFF",
];

/// The layout of goose's files.
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
            Entry::Text(text) => file.ends_with(".sql") && parse::is_annotated(text),
            _ => false,
        };
        if folder.top_level().any(annotated) { Claim::Annotation } else { Claim::Nothing }
    }

    fn library(&self) -> Option<Library> {
        Some(Library { manifest: "go.mod", name: "github.com/pressly/goose" })
    }

    fn reads(&self, path: &str) -> bool {
        !path.contains('/') && path.ends_with(".sql")
    }

    fn read_with(&self, folder: &SourceTree, backend: Backend, _: &Options) -> Result<History, LayoutError> {
        let mut revisions: BTreeMap<i64, (&str, Revision)> = BTreeMap::new();
        for (file, entry) in folder.top_level().filter(|(_, entry)| **entry != Entry::Folder) {
            let Some((stem, is_sql)) = stem(file) else {
                continue;
            };
            let spelling = match version(stem) {
                Ok(spelling) => spelling,
                Err(NameFault::TooLarge) if is_sql => {
                    return Err(LayoutError::VersionTooLarge { file: folder.path_of(file), tool: NAME });
                }
                Err(NameFault::NoVersion(reason))
                    if is_sql && matches!(entry, Entry::Text(text) if parse::is_annotated(text)) =>
                {
                    let reason = format!("{reason}, so {NAME} does not run it");
                    let file = folder.path_of(file);
                    return Err(LayoutError::Name { file, tool: NAME, reason, form: FORM });
                }
                Err(_) => continue,
            };
            if !is_sql {
                return Err(LayoutError::NotSql { file: folder.path_of(file) });
            }
            let revision = revision(folder.script(file)?, spelling, stem, backend)?;
            let number = number(&revision.id);
            if let Some((first, _)) = revisions.insert(number, (file, revision)) {
                return Err(LayoutError::DuplicateVersion {
                    version: number.to_string(),
                    first: folder.path_of(first),
                    second: folder.path_of(file),
                });
            }
        }
        let revisions = revisions.into_values().map(|(_, revision)| revision).collect();
        Ok(History::line(Arc::new(Goose), revisions)?)
    }
}

/// The name of a file that may be a migration, without its ending, and whether it is SQL.
fn stem(file: &str) -> Option<(&str, bool)> {
    let go = || file.strip_suffix(".go").filter(|stem| !stem.ends_with("_test"));
    file.strip_suffix(".sql").map(|stem| (stem, true)).or_else(|| Some((go()?, false)))
}

/// What is wrong with a file name.
#[derive(Debug)]
enum NameFault {
    NoVersion(&'static str),
    TooLarge,
}

/// The version in a name, as goose's `NumericComponent` finds it.
fn version(stem: &str) -> Result<&str, NameFault> {
    let (spelling, _) = stem.split_once('_').ok_or(NameFault::NoVersion("it has no underscore"))?;
    match spelling.parse::<i64>() {
        Ok(1..) => Ok(spelling),
        Ok(_) => Err(NameFault::NoVersion("its version is less than 1")),
        Err(error) if *error.kind() == std::num::IntErrorKind::PosOverflow => Err(NameFault::TooLarge),
        Err(_) => Err(NameFault::NoVersion("no number stands before the underscore")),
    }
}

fn revision(file: Script, spelling: &str, stem: &str, backend: Backend) -> Result<Revision, LayoutError> {
    let part = |direction| {
        parse::part(&file.text, direction).map_err(|Fault { line, reason }| LayoutError::Refused {
            file: file.path.clone(),
            line,
            tool: NAME,
            reason,
        })
    };
    let (up, down) = (part(Direction::Upgrade)?, part(Direction::Downgrade)?);
    // The parts differ in their direction alone: the annotation counts wherever it stands.
    let transaction = up.transaction;
    let script = |Part { text, offset, pieces, .. }: Part| {
        let first_line = file.line_of(offset?);
        Some(Script::new(file.path.clone(), text).from_line(first_line).in_pieces(pieces))
    };
    let upgrade = script(up).expect("a file without an upgrade was refused");
    Ok(Revision {
        id: RevisionId::new(spelling),
        name: stem.to_owned(),
        parents: Vec::new(),
        upgrade,
        downgrade: super::downgrade(script(down), backend, NOT_REASONS),
        upgrade_in_transaction: transaction,
        downgrade_in_transaction: transaction,
    })
}

/// goose as a tool that runs revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Goose;

/// The columns of goose's table on a backend, but for the names.
const COLUMNS: [(Backend, [&str; 4]); 2] = [
    (
        Backend::Postgres,
        [
            "integer PRIMARY KEY GENERATED BY DEFAULT AS IDENTITY",
            "bigint NOT NULL",
            "boolean NOT NULL",
            "timestamp NOT NULL DEFAULT now()",
        ],
    ),
    (
        Backend::Sqlite,
        [
            "INTEGER PRIMARY KEY AUTOINCREMENT",
            "INTEGER NOT NULL",
            "INTEGER NOT NULL",
            "TIMESTAMP DEFAULT (datetime('now'))",
        ],
    ),
];

impl Tool for Goose {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sending(&self) -> Sending {
        Sending::Statements
    }

    fn outside_transaction(&self) -> &'static str {
        "make \"-- +goose NO TRANSACTION\" the first line of the file"
    }

    /// The drivers that goose brings along leave SQLite's own default.
    fn foreign_keys(&self) -> bool {
        false
    }

    /// goose makes the table where there is none, and notes version 0 in it.
    fn bookkeeping(&self, backend: Backend) -> Bookkeeping {
        let found = COLUMNS.iter().find(|(one, _)| *one == backend);
        let (_, [id, version, applied, moment]) = found.expect("every backend has its columns");
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {TABLE} (
    id {id},
    version_id {version},
    is_applied {applied},
    tstamp {moment}
);
INSERT INTO {TABLE} (version_id, is_applied) VALUES (0, true)"
        );
        Bookkeeping { tables: vec![TABLE.to_owned()], create: Some(create) }
    }

    fn record(&self, _: Backend, revision: &Revision) -> Option<String> {
        Some(format!("INSERT INTO {TABLE} (version_id, is_applied) VALUES ({}, true)", number(&revision.id)))
    }

    fn forget(&self, _: Backend, revision: &Revision) -> Option<String> {
        Some(format!("DELETE FROM {TABLE} WHERE version_id={}", number(&revision.id)))
    }
}

/// The version that goose sorts by and keeps: `00007` is 7.
fn number(id: &RevisionId) -> i64 {
    id.as_str().parse().expect("the id of a revision of goose is its version, which was read as a number")
}

#[cfg(test)]
mod tests;
