//! Flyway: `V1.2__name.sql`, `U1.2__name.sql` to undo it, and `R__name.sql`, which may be repeated.
//!
//! The rules are those of Flyway 13, `org.flywaydb.core.internal`: `ResourceNameParser` and
//! `MigrationVersion` for names, `ResolvedMigrationComparator` for their order, `SqlScriptMetadata` for
//! a `.sql.conf` beside a script, `PlaceholderReplacingReader` for placeholders, and the parsers of the
//! two databases for what can run in a transaction. Folders are read with all below them; where one of
//! them is named for a dialect, as in `db/migration/{vendor}`, what is in it is for that one alone.
//!
//! Statements are cut by [`sql::split`](crate::sql::split). Flyway's own parser cuts where that does,
//! but for scripts that it takes for incomplete, such as those with a `BEGIN` of SQLite's own. A
//! `COPY … FROM STDIN` with its rows is refused, since nothing here would send them. So are migrations in
//! Java, and callbacks, unless the config says that they can be left out.

mod books;
mod script;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::books::{Entry as BookEntry, Flyway};
use self::script::{Conf, Placeholders};
use super::dialect::Dialect;
use super::{Claim, Entry, LayoutError, Options, SourceTree, refinery};
use crate::Backend;
use crate::history::{History, Revision, RevisionId, Script};

const NAME: &str = "flyway";
const FORM: &str = "\"V<version>__<description>.sql\", the same with \"U\" to undo it, and \"R__<description>.sql\", \
                    the version being numbers with dots or underscores";
const CONF: &str = ".conf";

/// The layout of Flyway's files.
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
            let file = match path.split_once('/') {
                None => path,
                // With a folder for each dialect, what is beside them counts, too; but where the names may
                // be refinery's as well, each folder is a history of its own.
                Some((first, file)) if Dialect::named(first).is_some() && !refinery::may_be_its_own(file) => {
                    file
                }
                Some(_) => return false,
            };
            *entry != Entry::Folder && matches!(FileName::parse(file), Ok(Some(_)))
        }))
    }

    fn reads(&self, path: &str) -> bool {
        path.strip_suffix(CONF).unwrap_or(path).to_ascii_lowercase().ends_with(".sql")
    }

    fn options(&self) -> &'static [&'static str] {
        &["placeholders", "mixed", "callbacks", "bookkeeping"]
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
        let mut reader = Reader { folder, backend, options, tool: Flyway::new(options) };
        let files = reader.files()?;
        let mut undone = files.undo;
        let mut revisions = Vec::new();
        for (version, file) in files.versioned {
            let undo = undone.remove(&version);
            revisions.extend(reader.revision(file, undo)?);
        }
        if let Some(undo) = undone.into_values().next() {
            let expected = format!("an upgrade \"V{}\"", undo.name.stem.trim_start_matches('U'));
            return Err(LayoutError::DownWithoutUp { file: folder.path_of(undo.path), expected });
        }
        for file in files.repeatable.into_values() {
            revisions.extend(reader.revision(file, None)?);
        }
        Ok(History::line(Arc::new(reader.tool), revisions)?)
    }
}

/// A migration's file.
#[derive(Clone, Debug)]
struct File<'a> {
    path: &'a str,
    name: FileName<'a>,
}

/// The files of a folder, in the order in which Flyway runs them.
#[derive(Default)]
struct Files<'a> {
    versioned: BTreeMap<Version, File<'a>>,
    undo: BTreeMap<Version, File<'a>>,
    repeatable: BTreeMap<String, File<'a>>,
}

struct Reader<'a> {
    folder: &'a SourceTree,
    backend: Backend,
    options: &'a Options,
    tool: Flyway,
}

impl<'a> Reader<'a> {
    fn files(&self) -> Result<Files<'a>, LayoutError> {
        let mut files = Files::default();
        for (path, entry) in self.folder.entries() {
            let mut folders = path.split('/');
            let file = folders.next_back().unwrap_or(path);
            let dialect = folders.find_map(Dialect::named).unwrap_or(Dialect::Common);
            if *entry == Entry::Folder || !dialect.serves(self.backend) {
                continue;
            }
            let in_folder = |file: &str| self.folder.path_of(file);
            let parsed = FileName::parse(file).map_err(|reason| LayoutError::Name {
                file: in_folder(path),
                tool: NAME,
                reason: reason.to_owned(),
                form: FORM,
            })?;
            let Some(name) = parsed else {
                if is_callback(file) && !self.options.callbacks_skipped {
                    let problem = "callbacks are not run here: write callbacks = \"skipped\" under [history] if \
                                   no migration needs what they do";
                    return Err(LayoutError::Part {
                        file: in_folder(path),
                        line: 1,
                        problem: problem.to_owned(),
                    });
                }
                continue;
            };
            if name.is_java {
                return Err(LayoutError::NotSql { file: in_folder(path) });
            }
            let (kind, version) = (name.kind, name.version.clone());
            let label = version.as_ref().map_or_else(|| name.description(), Version::to_string);
            let file = File { path, name };
            let first = match (kind, version) {
                (Kind::Versioned, Some(version)) => files.versioned.insert(version, file),
                (Kind::Undo, Some(version)) => files.undo.insert(version, file),
                _ => files.repeatable.insert(file.name.description(), file),
            };
            if let Some(first) = first {
                return Err(LayoutError::DuplicateVersion {
                    version: label,
                    first: in_folder(first.path),
                    second: in_folder(path),
                });
            }
        }
        Ok(files)
    }

    /// The revision that a file is, unless its configuration says that it is not to be executed.
    fn revision(&mut self, file: File<'a>, undo: Option<File<'a>>) -> Result<Option<Revision>, LayoutError> {
        let Some(upgrade) = self.script(&file)? else { return Ok(None) };
        let undo = match undo {
            Some(undo) => self.script(&undo)?.map(|script| (undo, script)),
            None => None,
        };
        let id = match &file.name.version {
            Some(version) => RevisionId::new(version.to_string()),
            None => RevisionId::new(file.name.stem),
        };
        let mut entry = BookEntry {
            version: file.name.version.as_ref().map(Version::to_string),
            description: file.name.description(),
            script: file.path.to_owned(),
            checksum: upgrade.checksum,
            undo: None,
        };
        let (mut downgrade, mut downgrade_in_transaction) = (None, true);
        if let Some((undo, ready)) = undo {
            entry.undo = Some((undo.path.to_owned(), undo.name.description(), ready.checksum));
            downgrade_in_transaction = ready.in_transaction;
            downgrade = Some(ready.script);
        }
        self.tool.note(id.clone(), entry);
        Ok(Some(Revision {
            id,
            name: file.name.stem.to_owned(),
            parents: Vec::new(),
            upgrade_in_transaction: upgrade.in_transaction,
            downgrade_in_transaction,
            upgrade: upgrade.script,
            downgrade: super::downgrade(downgrade, self.backend, &[]),
        }))
    }

    /// A file as Flyway would run it, if it would.
    fn script(&self, file: &File<'_>) -> Result<Option<Ready>, LayoutError> {
        let raw = self.folder.script(file.path)?;
        let checksum = books::checksum(&raw.text);
        let placeholders = Placeholders::new(self.options, &self.tool.table, self.backend, file.path);
        let conf = format!("{}{CONF}", file.path);
        let conf = match self.folder.get(&conf) {
            None | Some(Entry::Folder) => Conf::default(),
            Some(_) => Conf::read(&self.folder.script(&conf)?, &placeholders)?,
        };
        if !conf.should_execute {
            return Ok(None);
        }
        let text = raw.text.strip_prefix('\u{feff}').unwrap_or(&raw.text);
        let text = if conf.placeholder_replacement {
            placeholders.replace(text, &raw.path)?
        } else {
            text.to_owned()
        };
        let script = Script::new(raw.path, text);
        let in_transaction = match conf.execute_in_transaction {
            Some(said) => said,
            None => script::can_be_in_transaction(&script, self.backend, self.options.mixed)?,
        };
        script::refuse_rows(&script, self.backend)?;
        Ok(Some(Ready { script, in_transaction, checksum }))
    }
}

/// Whether a file is run around migrations: those names of `org.flywaydb.core.api.callback.Event`.
fn is_callback(file: &str) -> bool {
    const EVENTS: [&str; 20] = [
        "afterConnect",
        "afterEachMigrate",
        "afterEachMigrateStatement",
        "afterEachUndo",
        "afterEachUndoStatement",
        "afterMigrate",
        "afterMigrateApplied",
        "afterUndo",
        "afterVersioned",
        "beforeConnect",
        "beforeCreateSchema",
        "beforeEachMigrate",
        "beforeEachMigrateStatement",
        "beforeEachUndo",
        "beforeEachUndoStatement",
        "beforeMigrate",
        "beforeRepeatables",
        "beforeUndo",
        "createSchema",
        "afterMigrateOperationFinish",
    ];
    let stem =
        file.rsplit_once('.').filter(|(_, suffix)| suffix.eq_ignore_ascii_case("sql")).map(|(stem, _)| stem);
    stem.is_some_and(|stem| EVENTS.contains(&stem.split("__").next().unwrap_or(stem)))
}

/// A script that can be run.
struct Ready {
    script: Script,
    in_transaction: bool,
    checksum: i32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Versioned,
    Undo,
    Repeatable,
}

/// A file name, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
struct FileName<'a> {
    /// The name without its suffix.
    stem: &'a str,
    kind: Kind,
    version: Option<Version>,
    /// The description with its underscores.
    rest: &'a str,
    is_java: bool,
}

impl<'a> FileName<'a> {
    /// Takes a name apart; nothing if nobody would take it for a migration. Flyway passes over names
    /// that it does not understand; where one looks like a migration's, that is said.
    fn parse(file: &'a str) -> Result<Option<Self>, &'static str> {
        let Some((stem, suffix)) = file.rsplit_once('.') else { return Ok(None) };
        let is_java = matches!(suffix, "java" | "kt");
        if !is_java && !suffix.eq_ignore_ascii_case("sql") {
            return Ok(None);
        }
        let mut letters = stem.chars();
        let prefix = letters.next().unwrap_or_default();
        let (version, rest) = letters.as_str().split_once("__").unwrap_or((letters.as_str(), ""));
        let has_separator = letters.as_str().contains("__");
        let starts_with_digit = version.starts_with(|letter: char| letter.is_ascii_digit());
        let looks_like_one = has_separator && (version.is_empty() || starts_with_digit);
        let kind = match prefix {
            'V' => Kind::Versioned,
            'U' => Kind::Undo,
            'R' => Kind::Repeatable,
            'v' | 'u' | 'r' if looks_like_one && !is_java => {
                return Err("Flyway passes over a prefix in lower case");
            }
            _ => return Ok(None),
        };
        let passed_over = |reason| if is_java { Ok(None) } else { Err(reason) };
        let name = |version| Some(Self { stem, kind, version, rest, is_java });
        if kind == Kind::Repeatable {
            return match (has_separator, version.is_empty()) {
                (true, true) => Ok(name(None)),
                (true, false) if starts_with_digit => {
                    passed_over("it has a version, which makes Flyway pass over it")
                }
                _ => Ok(None),
            };
        }
        match Version::parse(version) {
            Some(version) => Ok(name(Some(version))),
            None if version.is_empty() && has_separator => {
                passed_over("it has no version, which makes Flyway pass over it")
            }
            None if looks_like_one => passed_over("Flyway cannot read its version and passes over it"),
            None => Ok(None),
        }
    }

    fn description(&self) -> String {
        self.rest.replace('_', " ")
    }
}

/// A version as numbers of any length. `1`, `1.0` and `01_0` are the same one.
#[derive(Clone, Debug)]
struct Version {
    /// Its parts without the zeros that they begin with and the zeros that it ends with.
    parts: Vec<String>,
    /// As Flyway shows it, with dots.
    shown: String,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let shown = text.replace('_', ".");
        let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !shown.split('.').all(is_number) {
            return None;
        }
        let mut parts: Vec<_> =
            shown.split('.').map(|part| part.trim_start_matches('0').to_owned()).collect();
        while parts.last().is_some_and(String::is_empty) {
            parts.pop();
        }
        Some(Self { parts, shown })
    }

    fn key(&self) -> impl Iterator<Item = (usize, &str)> {
        self.parts.iter().map(|part| (part.len(), part.as_str()))
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.shown)
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(other.key())
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

impl Eq for Version {}

#[cfg(test)]
mod tests;
