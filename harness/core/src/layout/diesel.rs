//! Diesel: a folder for each revision, with `up.sql`, `down.sql` and perhaps `metadata.toml`.
//!
//! The rules are those of diesel_migrations 2.3, `file_based_migrations` and `migration_harness`.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::dialect::{Dialect, Variants};
use super::{Claim, Entry, LayoutError, Library, Options, SourceTree};
use crate::Backend;
use crate::history::{Bookkeeping, History, Revision, RevisionId, Sending, Tool};

const NAME: &str = "diesel";
const FORM: &str = "\"<version>_<name>/up.sql\" with \"down.sql\" beside it";
const TABLE: &str = "__diesel_schema_migrations";
const METADATA: &str = "metadata.toml";
/// What `diesel migration generate` writes into a new `down.sql`.
const NOT_REASONS: &[&str] = &["This file should undo anything in `up.sql`"];

/// The layout of Diesel's files.
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
        Claim::by_names(folder.entries().any(|(path, _)| {
            path.split_once('/').is_some_and(|(revision, file)| {
                !revision.starts_with('.')
                    && Dialect::named(revision).is_none()
                    && matches!(step(file), Some((Step::Up, _)))
            })
        }))
    }

    fn library(&self) -> Option<Library> {
        Some(Library { manifest: "Cargo.toml", name: NAME })
    }

    fn reads(&self, path: &str) -> bool {
        path.split_once('/').is_some_and(|(_, file)| file == METADATA || step(file).is_some())
    }

    fn read_with(&self, folder: &SourceTree, backend: Backend, _: &Options) -> Result<History, LayoutError> {
        let mut revisions: BTreeMap<String, (&str, Revision)> = BTreeMap::new();
        for (name, entry) in folder.top_level() {
            if let (Entry::Unreadable(_), false) = (entry, name.starts_with('.')) {
                folder.script(name)?;
            }
        }
        for name in folder.folders() {
            if name.starts_with('.') {
                continue;
            }
            let Some(revision) = revision(&folder.folder(name), name, backend)? else {
                continue;
            };
            let version = version(revision.id.as_str());
            if let Some((first, _)) = revisions.insert(version.clone(), (name, revision)) {
                return Err(LayoutError::DuplicateVersion {
                    version,
                    first: folder.path_of(first),
                    second: folder.path_of(name),
                });
            }
        }
        let revisions = revisions.into_values().map(|(_, revision)| revision).collect();
        Ok(History::line(Arc::new(Diesel), revisions)?)
    }
}

/// The revision that a folder holds, unless it holds one for another backend only.
fn revision(folder: &SourceTree, name: &str, backend: Backend) -> Result<Option<Revision>, LayoutError> {
    let id = name.split('_').next().unwrap_or(name);
    if version(id).is_empty() {
        return Err(LayoutError::Name {
            file: folder.path().to_owned(),
            tool: NAME,
            reason: "nothing stands before the underscore".to_owned(),
            form: FORM,
        });
    }

    let (mut up, mut down) = (Variants::default(), Variants::default());
    for (file, entry) in folder.top_level() {
        if let (Some((step, dialect)), true) = (step(file), *entry != Entry::Folder) {
            let variants = if step == Step::Up { &mut up } else { &mut down };
            if let Some(first) = variants.add(dialect, file) {
                return Err(LayoutError::DuplicateVersion {
                    version: id.to_owned(),
                    first: folder.path_of(first),
                    second: folder.path_of(file),
                });
            }
        }
    }
    if up.is_empty() {
        return Err(match down.any() {
            Some(file) => LayoutError::DownWithoutUp {
                file: folder.path_of(file),
                expected: format!("\"{}\"", folder.path_of("up.sql")),
            },
            None => LayoutError::NoUpgrade { folder: folder.path().to_owned(), tool: NAME },
        });
    }
    let Some(up) = up.of(backend) else {
        return Ok(None);
    };

    let upgrade = folder.script(up)?;
    let downgrade = down.of(backend).map(|file| folder.script(file)).transpose()?;
    let in_transaction = in_transaction(folder);
    Ok(Some(Revision {
        id: RevisionId::new(id),
        name: name.to_owned(),
        parents: Vec::new(),
        upgrade,
        downgrade: super::downgrade(downgrade, backend, NOT_REASONS),
        upgrade_in_transaction: in_transaction,
        downgrade_in_transaction: in_transaction,
    }))
}

/// Diesel's reading of `metadata.toml`: a file that is missing or that it cannot understand means a
/// transaction, and one that leaves `run_in_transaction` out means none.
fn in_transaction(folder: &SourceTree) -> bool {
    let Some(Entry::Text(text)) = folder.get(METADATA) else {
        return true;
    };
    let Ok(metadata) = text.parse::<toml::Table>() else {
        return true;
    };
    match metadata.get("run_in_transaction") {
        None => false,
        Some(value) => value.as_bool().unwrap_or(true),
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Up,
    Down,
}

/// The step and dialect of `up.sql`, `down.sqlite.sql` and the like.
fn step(file: &str) -> Option<(Step, Dialect)> {
    let stem = file.strip_suffix(".sql")?;
    let (word, dialect) = match stem.split_once('.') {
        None => (stem, Dialect::Common),
        Some((word, dialect)) => (word, Dialect::named(dialect)?),
    };
    match word {
        "up" => Some((Step::Up, dialect)),
        "down" => Some((Step::Down, dialect)),
        _ => None,
    }
}

/// The version that Diesel sorts by and keeps: `2022-07-27-110000` is `20220727110000`.
fn version(id: &str) -> String {
    id.replace('-', "")
}

/// Diesel as a tool that runs revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Diesel;

impl Tool for Diesel {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sending(&self) -> Sending {
        Sending::Whole
    }

    fn outside_transaction(&self) -> &'static str {
        "put run_in_transaction = false into a metadata.toml next to the revision's SQL"
    }

    /// Diesel leaves SQLite's own default.
    fn foreign_keys(&self) -> bool {
        false
    }

    fn bookkeeping(&self, _: Backend) -> Bookkeeping {
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {TABLE} (
       version VARCHAR(50) PRIMARY KEY NOT NULL,
       run_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP
)"
        );
        Bookkeeping { tables: vec![TABLE.to_owned()], create: Some(create) }
    }

    fn record(&self, _: Backend, revision: &Revision) -> Option<String> {
        Some(format!("INSERT INTO {TABLE} (version) VALUES ({})", literal(revision)))
    }

    fn forget(&self, _: Backend, revision: &Revision) -> Option<String> {
        Some(format!("DELETE FROM {TABLE} WHERE version = {}", literal(revision)))
    }
}

fn literal(revision: &Revision) -> String {
    format!("'{}'", version(revision.id.as_str()).replace('\'', "''"))
}

#[cfg(test)]
mod tests;
