//! golang-migrate: `<VERSION>_<NAME>.up.sql` and `<VERSION>_<NAME>.down.sql`, in one folder.
//!
//! The rules are those of golang-migrate 4.18: `source/parse.go` and `source/migration.go` for names,
//! `migrate.go` for the order of steps, `database/postgres`, `database/pgx` and `database/sqlite3` for
//! how a file is run. Where golang-migrate passes over a `.sql` file that looks like a migration, that is
//! an error here: its author thinks that it runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Claim, Entry, LayoutError, Library, Options, SourceTree};
use crate::Backend;
use crate::history::{Bookkeeping, Direction, History, Revision, RevisionId, Script, Sending, Tool};
use crate::sql;

const NAME: &str = "golang-migrate";
const FORM: &str = "\"<version>_<name>.up.sql\" with \"<version>_<name>.down.sql\" beside it, the version \
                    being a number";
/// The table, as messages and comparisons call it.
const TABLE: &str = "schema_migrations";

/// The layout of golang-migrate's files.
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
        Claim::by_names(folder.top_level().any(|(file, entry)| {
            *entry != Entry::Folder && file.ends_with(".sql") && matches!(FileName::parse(file), Ok(Some(_)))
        }))
    }

    fn library(&self) -> Option<Library> {
        Some(Library { manifest: "go.mod", name: "github.com/golang-migrate/migrate" })
    }

    /// Whatever stands behind the direction: the tool looks at no ending.
    fn reads(&self, path: &str) -> bool {
        !path.contains('/') && matches!(FileName::parse(path), Ok(Some(_)))
    }

    fn read_with(&self, folder: &SourceTree, backend: Backend, _: &Options) -> Result<History, LayoutError> {
        let mut slots: BTreeMap<i64, Slot<'_>> = BTreeMap::new();
        for (file, _) in folder.top_level().filter(|(_, entry)| **entry != Entry::Folder) {
            let Some(name) = FileName::parse(file).map_err(|fault| fault.of(folder.path_of(file)))? else {
                continue;
            };
            let version = name.version;
            let slot = slots.entry(version).or_default();
            let step = if name.direction == Direction::Upgrade { &mut slot.up } else { &mut slot.down };
            if let Some((first, _)) = step.replace((file, name)) {
                return Err(LayoutError::DuplicateVersion {
                    version: version.to_string(),
                    first: folder.path_of(first),
                    second: folder.path_of(file),
                });
            }
        }
        let mut revisions = Vec::new();
        for slot in slots.into_values() {
            revisions.extend(slot.revision(folder, backend)?);
        }
        let wraps =
            driver(backend).wraps && !revisions.iter().any(|revision| opens_transaction(revision, backend));
        for revision in &mut revisions {
            revision.upgrade_in_transaction = wraps;
            revision.downgrade_in_transaction = wraps;
        }
        Ok(History::line(Arc::new(GolangMigrate), revisions)?)
    }
}

/// The files of one version.
#[derive(Default)]
struct Slot<'a> {
    up: Option<(&'a str, FileName<'a>)>,
    down: Option<(&'a str, FileName<'a>)>,
}

impl Slot<'_> {
    fn revision(&self, folder: &SourceTree, backend: Backend) -> Result<Option<Revision>, LayoutError> {
        let script =
            |file: Option<(&str, FileName<'_>)>| file.map(|(file, _)| folder.script(file)).transpose();
        let Some((file, name)) = self.up.or(self.down) else {
            return Ok(None);
        };
        // A step whose file is missing does nothing (MIGRATIONS.md, "deleting the migration file").
        let upgrade = script(self.up)?.unwrap_or_else(|| Script::new(folder.path_of(file), ""));
        Ok(Some(Revision {
            id: RevisionId::new(name.spelling),
            name: format!("{}_{}", name.spelling, name.identifier),
            parents: Vec::new(),
            upgrade,
            downgrade: super::downgrade(script(self.down)?, backend, &[]),
            upgrade_in_transaction: false,
            downgrade_in_transaction: false,
        }))
    }
}

/// Whether a file of a revision begins a transaction of its own. Where the driver wraps files, such a
/// file always fails, so a project that has one has turned the wrapping off ("x-no-tx-wrap" in
/// `database/sqlite3/README.md`).
fn opens_transaction(revision: &Revision, backend: Backend) -> bool {
    let opens = |script: &Script| {
        sql::statements(&script.text, backend).any(|piece| sql::opens_transaction(piece.body, backend))
    };
    opens(&revision.upgrade) || revision.downgrade.script().is_some_and(opens)
}

/// A file name, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileName<'a> {
    version: i64,
    /// The version as it stands in the name, with its zeros.
    spelling: &'a str,
    identifier: &'a str,
    direction: Direction,
    /// What follows the direction.
    ending: &'a str,
}

/// What is wrong with a file name.
#[derive(Debug)]
enum NameFault {
    NoNumber,
    NoDirection,
    TooLarge,
}

impl NameFault {
    fn of(self, file: String) -> LayoutError {
        let reason = match self {
            Self::TooLarge => return LayoutError::VersionTooLarge { file, tool: NAME },
            Self::NoNumber => "it does not begin with a number and an underscore",
            Self::NoDirection => "it has neither \".up.\" nor \".down.\" in it",
        };
        let reason = format!("{reason}, so {NAME} passes over it");
        LayoutError::Name { file, tool: NAME, reason, form: FORM }
    }
}

impl<'a> FileName<'a> {
    /// Takes a name apart as `source.Regex` does; nothing if the tool ignores such a file and its author
    /// knows it.
    fn parse(file: &'a str) -> Result<Option<Self>, NameFault> {
        let digits = file.len() - file.trim_start_matches(|letter: char| letter.is_ascii_digit()).len();
        let (spelling, rest) = file.split_at(digits);
        let directed = last_direction(rest.strip_prefix('_').unwrap_or(rest));
        let is_meant = file.ends_with(".sql") && !file.starts_with('.');
        match (rest.strip_prefix('_').filter(|_| digits > 0), directed) {
            (Some(_), Some((identifier, direction, ending))) => {
                let version = spelling.parse().map_err(|_| NameFault::TooLarge)?;
                Ok(Some(Self { version, spelling, identifier, direction, ending }))
            }
            (Some(_), None) if is_meant => Err(NameFault::NoDirection),
            (None, Some((_, _, "sql"))) if is_meant => Err(NameFault::NoNumber),
            _ => Ok(None),
        }
    }
}

/// What stands before and behind the last direction in a name.
fn last_direction(rest: &str) -> Option<(&str, Direction, &str)> {
    let words = [(".up.", Direction::Upgrade), (".down.", Direction::Downgrade)];
    let found = words.iter().filter_map(|(word, direction)| Some((rest.rfind(word)?, *word, *direction)));
    let (at, word, direction) = found.max_by_key(|(at, ..)| *at)?;
    Some((&rest[..at], direction, &rest[at + word.len()..]))
}

/// golang-migrate as a tool that runs revisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GolangMigrate;

/// How one of golang-migrate's drivers runs a file and keeps its table. Those for PostgreSQL
/// (`postgres`, `pgx`, `pgx/v5`) do it alike, and so do those for SQLite (`sqlite3`, `sqlite`).
struct Driver {
    backend: Backend,
    /// Whether it opens a transaction around each file.
    wraps: bool,
    /// The table, as the driver quotes it.
    table: &'static str,
    create: &'static str,
    clear: &'static str,
}

const DRIVERS: [Driver; 2] = [
    Driver {
        backend: Backend::Postgres,
        wraps: false,
        table: "\"public\".\"schema_migrations\"",
        create: "CREATE TABLE IF NOT EXISTS \"public\".\"schema_migrations\" \
                 (version bigint not null primary key, dirty boolean not null)",
        clear: "TRUNCATE \"public\".\"schema_migrations\"",
    },
    Driver {
        backend: Backend::Sqlite,
        wraps: true,
        table: TABLE,
        create: "CREATE TABLE IF NOT EXISTS schema_migrations (version uint64,dirty bool);\n\
                 CREATE UNIQUE INDEX IF NOT EXISTS version_unique ON schema_migrations (version)",
        clear: "DELETE FROM schema_migrations",
    },
];

fn driver(backend: Backend) -> &'static Driver {
    let found = DRIVERS.iter().find(|driver| driver.backend == backend);
    found.expect("every backend has its driver")
}

impl GolangMigrate {
    /// What `SetVersion` runs: the table has one row, which is the version that the database is at.
    fn set_version(backend: Backend, id: Option<&RevisionId>) -> String {
        let Driver { table, clear, .. } = driver(backend);
        match id {
            None => (*clear).to_owned(),
            Some(id) => {
                let version: i64 =
                    id.as_str().parse().expect("an id is a version, which was read as a number");
                format!("{clear};\nINSERT INTO {table} (version, dirty) VALUES ({version}, false)")
            }
        }
    }
}

impl Tool for GolangMigrate {
    fn name(&self) -> &'static str {
        NAME
    }

    /// `x-multi-statement` is off unless a project turns it on.
    fn sending(&self) -> Sending {
        Sending::Whole
    }

    fn outside_transaction(&self) -> &'static str {
        "leave out BEGIN and COMMIT, since golang-migrate opens no transaction of its own"
    }

    /// Its drivers leave SQLite's own default.
    fn foreign_keys(&self) -> bool {
        false
    }

    fn bookkeeping(&self, backend: Backend) -> Bookkeeping {
        Bookkeeping { tables: vec![TABLE.to_owned()], create: Some(driver(backend).create.to_owned()) }
    }

    fn record(&self, backend: Backend, revision: &Revision) -> Option<String> {
        Some(Self::set_version(backend, Some(&revision.id)))
    }

    fn forget(&self, backend: Backend, revision: &Revision) -> Option<String> {
        Some(Self::set_version(backend, revision.parents.first()))
    }
}

#[cfg(test)]
mod tests;
