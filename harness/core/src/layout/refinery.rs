//! refinery: `V1__name.sql`, or `U1__name.sql` for what may be applied late, in a folder and below it.
//!
//! The rules are those of refinery 0.9, `refinery_core::util`, `runner` and `traits`. A database that
//! starts from nothing takes `V` and `U` in the order of their versions. There is no way back: "To
//! undo/rollback a migration, you have to generate a new one" (README, "Rollback").
//!
//! Three things are seen a little differently. refinery warns of a name that it does not understand
//! and passes over it; where the name starts like a migration's, that is an error here. It commits a
//! migration before it notes it in its books; here both are one transaction. And a migration in Rust
//! is SQL that only the project's own program knows, so it is named as one that cannot be run.

use std::collections::BTreeMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::num::IntErrorKind;
use std::sync::Arc;

use super::dialect::Dialect;
use super::{Claim, Entry, LayoutError, Library, Options, SourceTree};
use crate::Backend;
use crate::history::{Bookkeeping, Downgrade, History, Revision, RevisionId, Sending, Tool};

const NAME: &str = "refinery";
const FORM: &str =
    "\"V<version>__<name>.sql\" or the same with \"U\", the name of letters, digits and underscores";
const TABLE: &str = "refinery_schema_history";

/// The layout of refinery's files.
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
        Claim::by_names(folder.entries().any(|(path, entry)| {
            let ours = matches!(FileName::parse(path), Ok(Some(_)) | Err(NameFault::TooLarge));
            ours && *entry != Entry::Folder
        }))
    }

    fn library(&self) -> Option<Library> {
        Some(Library { manifest: "Cargo.toml", name: NAME })
    }

    fn options(&self) -> &'static [&'static str] {
        &["bookkeeping"]
    }

    fn depth(&self) -> usize {
        16
    }

    fn read_with(
        &self,
        folder: &SourceTree,
        backend: Backend,
        options: &Options,
    ) -> Result<History, LayoutError> {
        let mut found: BTreeMap<i64, (&str, Revision)> = BTreeMap::new();
        for (path, entry) in folder.entries() {
            let mut folders = path.split('/');
            let file = folders.next_back().unwrap_or(path);
            // A folder that is named for a dialect is one that the program gives refinery for it alone.
            let dialect = folders.find_map(Dialect::named).unwrap_or(Dialect::Common);
            if *entry == Entry::Folder || !dialect.serves(backend) {
                continue;
            }
            let Some(name) = FileName::parse(file).map_err(|fault| fault.of(folder.path_of(path)))? else {
                continue;
            };
            if name.is_rust {
                return Err(LayoutError::NotSql { file: folder.path_of(path) });
            }
            let revision = Revision {
                id: RevisionId::new(name.version.to_string()),
                name: name.shown(),
                parents: Vec::new(),
                upgrade: folder.script(path)?,
                downgrade: Downgrade::Missing,
                upgrade_in_transaction: true,
                downgrade_in_transaction: true,
            };
            if let Some((first, _)) = found.insert(name.version, (path, revision)) {
                return Err(LayoutError::DuplicateVersion {
                    version: name.version.to_string(),
                    first: folder.path_of(first),
                    second: folder.path_of(path),
                });
            }
        }
        let largest = found.last_key_value().map_or(0, |(version, _)| *version);
        let tool = Refinery {
            table: options.bookkeeping.clone().unwrap_or_else(|| TABLE.to_owned()),
            int8: i32::try_from(largest).is_err(),
        };
        let revisions = found.into_values().map(|(_, revision)| revision).collect();
        Ok(History::line(Arc::new(tool), revisions)?)
    }
}

/// A file name, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileName<'a> {
    prefix: char,
    version: i64,
    name: &'a str,
    is_rust: bool,
}

/// Whether refinery takes a file of that name.
pub(super) fn may_be_its_own(file: &str) -> bool {
    matches!(FileName::parse(file), Ok(Some(_)))
}

/// What is wrong with a file name.
#[derive(Debug)]
enum NameFault {
    /// refinery passes over it.
    PassedOver,
    /// Its version has a dot, which the pattern of names allows and numbers do not.
    NoNumber(String),
    TooLarge,
}

impl NameFault {
    fn of(self, file: String) -> LayoutError {
        let reason = match self {
            Self::TooLarge => return LayoutError::VersionTooLarge { file, tool: NAME },
            Self::PassedOver => "refinery passes over it with a warning".to_owned(),
            Self::NoNumber(version) => format!("\"{version}\" is not a whole number"),
        };
        LayoutError::Name { file, tool: NAME, reason, form: FORM }
    }
}

impl<'a> FileName<'a> {
    /// Takes a name apart; nothing if nobody would take it for a migration.
    fn parse(file: &'a str) -> Result<Option<Self>, NameFault> {
        let Some((stem, extension)) = file.rsplit_once('.') else { return Ok(None) };
        let (is_rust, is_sql) = (extension == "rs", extension == "sql");
        let mut letters = stem.chars();
        let prefix = letters.next().filter(|prefix| "VvUu".contains(*prefix));
        let rest = letters.as_str();
        let Some(prefix) = prefix.filter(|_| rest.starts_with(|letter: char| letter.is_ascii_digit())) else {
            return Ok(None);
        };
        // Of code, `v2_api.rs` is as good a name as any.
        let passed_over = || if is_sql { Err(NameFault::PassedOver) } else { Ok(None) };
        if !(is_rust || is_sql) {
            return Ok(None);
        }
        let Some((version, name)) = rest.split_once("__") else { return passed_over() };
        let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
        let is_version = version.chars().all(|letter| letter.is_ascii_digit() || letter == '.');
        if prefix.is_ascii_lowercase() || !is_version || name.is_empty() || !name.chars().all(is_word) {
            return passed_over();
        }
        let version = version.parse::<i64>().map_err(|error| match error.kind() {
            IntErrorKind::PosOverflow => NameFault::TooLarge,
            _ => NameFault::NoNumber(version.to_owned()),
        })?;
        Ok(Some(Self { prefix, version, name, is_rust }))
    }

    /// refinery's `Display` of a migration.
    fn shown(&self) -> String {
        let Self { prefix, version, name, .. } = self;
        format!("{prefix}{version}__{name}")
    }
}

/// refinery as a tool that runs revisions.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Refinery {
    table: String,
    /// Whether versions have 64 bits, which is a feature of refinery that some projects turn on. A
    /// version that needs them tells.
    int8: bool,
}

impl Refinery {
    /// `Migration::unapplied`: SipHash 1-3 without a key, which the standard library has, too.
    fn checksum(&self, version: i64, name: &str, sql: &str) -> u64 {
        let mut hasher = DefaultHasher::new();
        name.hash(&mut hasher);
        match i32::try_from(version) {
            Ok(version) if !self.int8 => version.hash(&mut hasher),
            _ => version.hash(&mut hasher),
        }
        sql.hash(&mut hasher);
        hasher.finish()
    }
}

impl Tool for Refinery {
    fn name(&self) -> &'static str {
        NAME
    }

    fn sending(&self) -> Sending {
        Sending::Whole
    }

    fn outside_transaction(&self) -> &'static str {
        "refinery opens a transaction for every migration, so let something else run it"
    }

    /// rusqlite's bundled library is built with `SQLITE_DEFAULT_FOREIGN_KEYS=1` (`libsqlite3-sys`,
    /// `build.rs`). With a library of the system they are off.
    fn foreign_keys(&self) -> bool {
        true
    }

    fn bookkeeping(&self, _: Backend) -> Bookkeeping {
        let version = if self.int8 { "int8" } else { "int4" };
        let create = format!(
            "CREATE TABLE IF NOT EXISTS {}(
             version {version} PRIMARY KEY,
             name VARCHAR(255),
             applied_on VARCHAR(255),
             checksum VARCHAR(255));",
            self.table
        );
        Bookkeeping { tables: vec![self.table.clone()], create: Some(create) }
    }

    fn record(&self, _: Backend, revision: &Revision) -> Option<String> {
        let version = version(revision);
        let name = revision.name.split_once("__").map_or("", |(_, name)| name);
        let checksum = self.checksum(version, name, &revision.upgrade.text);
        Some(format!(
            "INSERT INTO {} (version, name, applied_on, checksum) VALUES ({version}, '{name}', \
             '1970-01-01T00:00:00Z', '{checksum}')",
            self.table
        ))
    }

    fn forget(&self, _: Backend, revision: &Revision) -> Option<String> {
        Some(format!("DELETE FROM {} WHERE version = {}", self.table, version(revision)))
    }
}

fn version(revision: &Revision) -> i64 {
    let number = revision.id.as_str().parse();
    number.expect("the id of a revision of refinery is its version, which was read as a number")
}

#[cfg(test)]
mod tests;
