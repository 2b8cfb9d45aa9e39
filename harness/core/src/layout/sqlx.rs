//! sqlx: `<VERSION>_<DESCRIPTION>.sql`, or a pair of `.up.sql` and `.down.sql`, in one folder.
//!
//! The rules are those of sqlx 0.9, `sqlx_core::migrate::source` and `sqlx_postgres::migrate`. Where
//! sqlx passes over a `.sql` file in silence because its name has no underscore, that is an error
//! here: its author thinks that it runs.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use sha2::{Digest as _, Sha384};

use super::dialect::{Dialect, Variants};
use super::{Claim, Entry, LayoutError, Library, Options, SourceTree};
use crate::Backend;
use crate::history::{Bookkeeping, History, Revision, RevisionId, Script, Sending, Tool};

const NAME: &str = "sqlx";
const FORM: &str = "\"<version>_<description>.sql\", or the same with \".up.sql\" and \
                    \".down.sql\", the version being a number";
const NO_TRANSACTION: &str = "-- no-transaction";
/// What `sqlx migrate add` writes into new files, and what sqlx reads itself.
const NOT_REASONS: &[&str] = &["Add down migration script here", "no-transaction"];

/// The layout of sqlx's files.
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
        Claim::by_names(folder.top_level().any(|(name, entry)| {
            // A number that is too large still shows what its author meant.
            let ours = matches!(FileName::parse(name), Ok(Some(_)) | Err(NameFault::TooLarge));
            ours && *entry != Entry::Folder
        }))
    }

    fn library(&self) -> Option<Library> {
        Some(Library { manifest: "Cargo.toml", name: NAME })
    }

    fn reads(&self, path: &str) -> bool {
        !path.contains('/') && path.ends_with(".sql")
    }

    fn read_with(&self, folder: &SourceTree, backend: Backend, _: &Options) -> Result<History, LayoutError> {
        let mut slots: BTreeMap<i64, Slot<'_>> = BTreeMap::new();
        for (file, entry) in folder.top_level() {
            match entry {
                Entry::Folder => continue,
                // sqlx looks at every entry before it looks at names.
                Entry::Unreadable(_) => drop(folder.script(file)?),
                _ => {}
            }
            let Some(name) = FileName::parse(file).map_err(|fault| fault.of(folder.path_of(file)))? else {
                continue;
            };
            let slot = slots.entry(name.version).or_default();
            let version = name.version;
            let step = if name.kind == Kind::Down { &mut slot.downgrade } else { &mut slot.upgrade };
            if let Some((first, _)) = step.add(name.dialect, (file, name)) {
                return Err(LayoutError::DuplicateVersion {
                    version: version.to_string(),
                    first: folder.path_of(first),
                    second: folder.path_of(file),
                });
            }
        }

        let mut revisions = Vec::new();
        for slot in slots.values() {
            if let (true, Some((file, name))) = (slot.upgrade.is_empty(), slot.downgrade.any()) {
                let expected = format!("\"{}\"", folder.path_of(&name.with_kind(Kind::Up)));
                return Err(LayoutError::DownWithoutUp { file: folder.path_of(file), expected });
            }
            if let Some((file, name)) = slot.upgrade.of(backend) {
                let upgrade = folder.script(file)?;
                let downgrade = slot.downgrade.of(backend).map(|(file, _)| folder.script(file));
                revisions.push(revision(name, upgrade, downgrade.transpose()?, backend));
            }
        }
        Ok(History::line(Arc::new(Sqlx::default()), revisions)?)
    }
}

/// The files of one version.
#[derive(Default)]
struct Slot<'a> {
    upgrade: Variants<(&'a str, FileName<'a>)>,
    downgrade: Variants<(&'a str, FileName<'a>)>,
}

fn revision(name: &FileName<'_>, upgrade: Script, downgrade: Option<Script>, backend: Backend) -> Revision {
    let in_transaction = |script: &Script| !script.text.starts_with(NO_TRANSACTION);
    Revision {
        id: RevisionId::new(name.spelling),
        name: format!("{}_{}", name.spelling, name.description),
        parents: Vec::new(),
        upgrade_in_transaction: in_transaction(&upgrade),
        downgrade_in_transaction: downgrade.as_ref().is_none_or(in_transaction),
        upgrade,
        downgrade: super::downgrade(downgrade, backend, NOT_REASONS),
    }
}

/// What a file is: sqlx's `MigrationType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// An upgrade without a downgrade.
    Simple,
    /// An upgrade with a downgrade.
    Up,
    /// A downgrade.
    Down,
}

impl Kind {
    const fn suffix(self) -> &'static str {
        match self {
            Self::Simple => "",
            Self::Up => ".up",
            Self::Down => ".down",
        }
    }
}

/// A file name, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileName<'a> {
    version: i64,
    /// The version as it stands in the name, with its zeros.
    spelling: &'a str,
    description: &'a str,
    /// The word that names the dialect, with its dot; perhaps nothing.
    variant: &'a str,
    dialect: Dialect,
    kind: Kind,
}

/// What is wrong with a file name.
#[derive(Debug)]
enum NameFault {
    NoUnderscore,
    NoNumber(String),
    TooLarge,
}

impl NameFault {
    fn of(self, file: String) -> LayoutError {
        let reason = match self {
            Self::TooLarge => return LayoutError::VersionTooLarge { file, tool: NAME },
            Self::NoUnderscore => "it has no underscore, so sqlx passes over it".to_owned(),
            Self::NoNumber(version) => format!("\"{version}\" is not a number"),
        };
        LayoutError::Name { file, tool: NAME, reason, form: FORM }
    }
}

impl<'a> FileName<'a> {
    /// Takes a name apart; nothing if sqlx ignores such a file and its author knows it.
    fn parse(file: &'a str) -> Result<Option<Self>, NameFault> {
        let Some(stem) = file.strip_suffix(".sql") else {
            return Ok(None);
        };
        let Some((spelling, rest)) = stem.split_once('_') else {
            // A hidden file is an editor's, not an author's.
            return if file.starts_with('.') { Ok(None) } else { Err(NameFault::NoUnderscore) };
        };
        let version = spelling.parse::<i64>().map_err(|error| match error.kind() {
            std::num::IntErrorKind::PosOverflow | std::num::IntErrorKind::NegOverflow => NameFault::TooLarge,
            _ => NameFault::NoNumber(spelling.to_owned()),
        })?;

        let (rest, kind) = split_kind(rest);
        let (description, variant, dialect) = split_dialect(rest);
        // `0001_init.up.sqlite.sql`: the variant may stand last as well.
        let (description, kind) = match kind {
            Kind::Simple => split_kind(description),
            kind => (description, kind),
        };
        Ok(Some(Self { version, spelling, description, variant, dialect, kind }))
    }

    /// The name of the file beside this one.
    fn with_kind(&self, kind: Kind) -> String {
        let Self { spelling, description, variant, .. } = self;
        format!("{spelling}_{description}{variant}{}.sql", kind.suffix())
    }
}

fn split_kind(rest: &str) -> (&str, Kind) {
    for kind in [Kind::Up, Kind::Down] {
        if let Some(rest) = rest.strip_suffix(kind.suffix()) {
            return (rest, kind);
        }
    }
    (rest, Kind::Simple)
}

fn split_dialect(rest: &str) -> (&str, &str, Dialect) {
    match rest.rsplit_once('.') {
        Some((description, word)) => match Dialect::named(word) {
            Some(dialect) => (description, &rest[description.len()..], dialect),
            None => (rest, "", Dialect::Common),
        },
        None => (rest, "", Dialect::Common),
    }
}

/// A migration that a project hands over as a value, with what sqlx's `Migration` says of it.
#[derive(Clone, Debug)]
pub struct Part {
    /// Its version.
    pub version: i64,
    /// Its description, with blanks as sqlx has them.
    pub description: String,
    /// What it is.
    pub kind: Kind,
    /// Its text.
    pub sql: Arc<str>,
    /// Whether sqlx runs it outside a transaction.
    pub no_tx: bool,
}

/// The history of a project that hands over its `sqlx::migrate!()` values.
///
/// # Errors
///
/// If two upgrades or two downgrades have the same version, or a downgrade has no upgrade.
pub fn from_parts(
    tool: Sqlx,
    parts: impl IntoIterator<Item = Part>,
    backend: Backend,
) -> Result<History, LayoutError> {
    let mut pairs: BTreeMap<i64, (Option<Part>, Option<Part>)> = BTreeMap::new();
    for part in parts {
        let pair = pairs.entry(part.version).or_default();
        let slot = if part.kind == Kind::Down { &mut pair.1 } else { &mut pair.0 };
        let second = part.file();
        if let Some(first) = slot.replace(part) {
            return Err(LayoutError::DuplicateVersion {
                version: first.version.to_string(),
                first: first.file(),
                second,
            });
        }
    }

    let mut revisions = Vec::new();
    for (version, pair) in pairs {
        let (upgrade, downgrade) = match pair {
            (Some(upgrade), downgrade) => (upgrade, downgrade),
            (None, Some(down)) => {
                let expected = format!("an upgrade of version {version}");
                return Err(LayoutError::DownWithoutUp { file: down.file(), expected });
            }
            (None, None) => continue,
        };
        let script = |part: &Part| Script::new(part.file(), Arc::clone(&part.sql));
        let down_script = downgrade.as_ref().map(script);
        revisions.push(Revision {
            id: RevisionId::new(version.to_string()),
            name: upgrade.name(),
            parents: Vec::new(),
            upgrade: script(&upgrade),
            downgrade: super::downgrade(down_script, backend, NOT_REASONS),
            upgrade_in_transaction: !upgrade.no_tx,
            downgrade_in_transaction: downgrade.is_none_or(|part| !part.no_tx),
        });
    }
    Ok(History::line(Arc::new(tool), revisions)?)
}

impl Part {
    fn name(&self) -> String {
        format!("{}_{}", self.version, self.description.replace(' ', "_"))
    }

    /// The file that it most likely came from; sqlx does not keep it.
    fn file(&self) -> String {
        format!("{}{}.sql", self.name(), self.kind.suffix())
    }
}

/// sqlx as a tool that runs revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sqlx {
    table: Cow<'static, str>,
}

impl Sqlx {
    /// sqlx with a table of that name for its bookkeeping, where the project has set one.
    pub fn with_table(table: impl Into<Cow<'static, str>>) -> Self {
        Self { table: table.into() }
    }
}

impl Default for Sqlx {
    fn default() -> Self {
        Self::with_table("_sqlx_migrations")
    }
}

/// How the statements of sqlx's bookkeeping are spelled for a backend.
struct Spelling {
    backend: Backend,
    moment: &'static str,
    now: &'static str,
    bytes: &'static str,
    hex: (&'static str, &'static str),
}

const SPELLINGS: [Spelling; 2] = [
    Spelling {
        backend: Backend::Postgres,
        moment: "TIMESTAMPTZ",
        now: "now()",
        bytes: "BYTEA",
        hex: ("decode('", "', 'hex')"),
    },
    Spelling {
        backend: Backend::Sqlite,
        moment: "TIMESTAMP",
        now: "CURRENT_TIMESTAMP",
        bytes: "BLOB",
        hex: ("X'", "'"),
    },
];

fn spelling(backend: Backend) -> &'static Spelling {
    let found = SPELLINGS.iter().find(|spelling| spelling.backend == backend);
    found.expect("every backend has its spelling")
}

impl Tool for Sqlx {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sending(&self) -> Sending {
        Sending::Whole
    }

    fn outside_transaction(&self) -> &'static str {
        "make \"-- no-transaction\" the first line of the file"
    }

    /// `SqliteConnectOptions` turns them on.
    fn foreign_keys(&self) -> bool {
        true
    }

    fn bookkeeping(&self, backend: Backend) -> Bookkeeping {
        let Self { table } = self;
        let Spelling { moment, now, bytes, .. } = spelling(backend);
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {table} (
    version BIGINT PRIMARY KEY,
    description TEXT NOT NULL,
    installed_on {moment} NOT NULL DEFAULT {now},
    success BOOLEAN NOT NULL,
    checksum {bytes} NOT NULL,
    execution_time BIGINT NOT NULL
)"
        );
        Bookkeeping { tables: vec![table.to_string()], create: Some(create) }
    }

    fn record(&self, backend: Backend, revision: &Revision) -> Option<String> {
        let Self { table } = self;
        let (before, after) = spelling(backend).hex;
        let version = version(revision);
        let description = revision.name.split_once('_').map_or("", |(_, description)| description);
        let description = description.replace('_', " ").replace('\'', "''");
        let mut checksum = String::new();
        for byte in Sha384::digest(revision.upgrade.text.as_bytes()) {
            // Writing to a string cannot fail.
            let _ = write!(checksum, "{byte:02x}");
        }
        Some(format!(
            "INSERT INTO {table} ( version, description, success, checksum, execution_time ) \
             VALUES ( {version}, '{description}', TRUE, {before}{checksum}{after}, -1 )"
        ))
    }

    fn forget(&self, _: Backend, revision: &Revision) -> Option<String> {
        Some(format!("DELETE FROM {} WHERE version = {}", self.table, version(revision)))
    }
}

/// The version as a number: `0007` is kept as 7.
fn version(revision: &Revision) -> i64 {
    let number = revision.id.as_str().parse();
    number.expect("the id of a revision of sqlx is its version, which was read as a number")
}

#[cfg(test)]
mod tests;
