//! Alembic, run by the project's own interpreter through the project's own `env.py`.
//!
//! One process for each backend stays while the walks are taken; `resident.py` is what it runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use switchback_core::Backend;
use switchback_core::config::{HistoryConfig, UrlBy};
use switchback_core::evidence::{Failure, Outcome};
use switchback_core::history::{Direction, Downgrade, Driven, History, Revision, RevisionId, Script};
use switchback_core::report::Location;
use switchback_core::schema::{Kind, ObjectId};

use super::process::{LIMIT, Resident, Silence, last_lines, shown};
use super::{Declaring, Done, DriveError, Order, Place, python};

pub(super) const NAME: &str = "alembic";
const RESIDENT: &str = concat!(
    include_str!("alembic/guard.py"),
    include_str!("alembic/source.py"),
    include_str!("alembic/running.py"),
    include_str!("alembic/visit.py"),
    include_str!("alembic/resident.py"),
);

/// Alembic for one backend.
#[derive(Debug)]
pub(super) struct Alembic {
    backend: Backend,
    python: PathBuf,
    root: PathBuf,
    /// The folder with Alembic's settings.
    folder: PathBuf,
    config: HistoryConfig,
    resident: Option<Resident>,
    told: Told,
    /// The tables of its books.
    tables: Vec<String>,
}

/// What Alembic says of a project.
#[derive(Clone, Debug, Default, Deserialize)]
struct Told {
    #[serde(default)]
    drivers: Vec<String>,
    #[serde(default)]
    env_file: String,
    #[serde(default)]
    env_async: bool,
    #[serde(default)]
    version_table: Option<String>,
    #[serde(default)]
    version_table_schema: Option<String>,
    revisions: Vec<ToldRevision>,
}

#[derive(Clone, Debug, Deserialize)]
struct ToldRevision {
    id: String,
    #[serde(default)]
    down: Vec<String>,
    #[serde(default)]
    depends_on: Vec<String>,
    file: String,
    #[serde(default)]
    upgrade_line: Option<u32>,
    #[serde(default)]
    downgrade_line: Option<u32>,
    #[serde(default)]
    upgrade_empty: bool,
    downgrade: String,
    #[serde(default)]
    reason: Option<String>,
}

/// How a step failed, in Alembic's words.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Trouble {
    kind: Option<String>,
    message: String,
    code: Option<String>,
    detail: Option<String>,
    statement: Option<String>,
    file: Option<String>,
    line: Option<u32>,
    traceback: Option<String>,
    help: Option<String>,
}

impl Alembic {
    pub(super) fn open(
        config: &HistoryConfig,
        root: &Path,
        folder: &str,
        backend: Backend,
    ) -> Result<(Self, History), DriveError> {
        let path = root.join(folder);
        let path = path.canonicalize().map_err(|error| {
            DriveError::new(format!("the folder \"{}\" cannot be used: {error}", path.display()))
        })?;
        let python = interpreter(config, root, &path)?;
        let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
        let mut alembic = Self {
            backend,
            python,
            root,
            folder: path,
            config: config.clone(),
            resident: None,
            told: Told::default(),
            tables: Vec::new(),
        };
        alembic.told = alembic.start()?;
        alembic.tables = alembic.books();
        let history = alembic.history()?;
        Ok((alembic, history))
    }

    /// Starts the process and lets it read the project.
    fn start(&mut self) -> Result<Told, DriveError> {
        let mut command = Command::new(&self.python);
        // Nothing of the project's is written to, not even caches of its modules.
        command.args(["-X", "utf8", "-B", "-c", RESIDENT]).current_dir("/");
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        let resident = Resident::start(command).map_err(|error| {
            DriveError::new(format!("\"{}\" does not start: {error}", self.python.display()))
        })?;
        self.resident = Some(resident);
        // Revisions may load settings of the project, which want a URL, and keep it: a database of no run
        // stands for those to come.
        let scheme = self.config.scheme.get(&self.backend);
        let plain = if self.backend == Backend::Postgres { "postgresql" } else { "sqlite" };
        let nowhere = Place::nowhere(self.backend).for_sqlalchemy(scheme.map_or(plain, String::as_str));
        let request = json!({
            "do": "open", "folder": self.folder, "ini": self.config.ini, "section": NAME,
            "x": self.config.x, "env": self.config.env_before(self.backend),
            "url": nowhere, "url_by": self.url_by(), "any_driver": scheme.is_none(),
        });
        let answer = self.request(request)?;
        let told = answer.get("ok").cloned().unwrap_or_default();
        serde_json::from_value(told).map_err(|error| self.garbled(&error.to_string()))
    }

    /// Puts a request to the process, started anew if need be.
    fn request(&mut self, mut request: Value) -> Result<Value, DriveError> {
        if self.resident.is_none() {
            self.start()?;
        }
        let limit = self.config.time_limit.map_or(LIMIT, Duration::from_secs);
        let Some(resident) = self.resident.as_mut() else {
            return Err(DriveError::new("alembic's process is gone"));
        };
        resident.said();
        request["id"] = json!(1);
        let asked = resident.ask(&request, limit);
        match asked {
            Ok(answer) => match answer.get("error") {
                None => Ok(answer),
                Some(error) => Err(self.error(error)),
            },
            Err(silence) => {
                let said = resident.said();
                self.resident = None;
                let hint = match silence {
                    Silence::TimedOut(_) => "a step that needs longer gets it by [history] time_limit",
                    _ => "run \"alembic upgrade head\" by hand to see it",
                };
                let message = format!("alembic gave no answer: {silence}{}", shown(&said));
                Err(DriveError::new(message).with_help(hint))
            }
        }
    }

    fn error(&mut self, error: &Value) -> DriveError {
        let said = self.resident.as_mut().map(Resident::said).unwrap_or_default();
        let trouble: Trouble = serde_json::from_value(error.clone()).unwrap_or_default();
        let place = match (&trouble.file, trouble.line) {
            (Some(file), Some(line)) => format!("{}:{line}: ", self.relative(file)),
            _ => String::new(),
        };
        let kind = match trouble.kind.as_deref() {
            Some("import") => "alembic's environment cannot be loaded",
            Some("history") => "alembic cannot read its history",
            Some("state") => "the step does not fit what alembic says is applied",
            Some("connect") => "the project cannot connect",
            Some("wrong-database") => "the project would connect to another database",
            Some("exit") => "the project's env.py ended the program",
            _ => "alembic's environment does not work",
        };
        // Where Python says it in its own words, that is what its users know to read.
        let traceback = trouble.traceback.unwrap_or_default();
        let message = format!("{kind}: {place}{}{}{}", trouble.message, shown(&traceback), shown(&said));
        let error = DriveError::new(message);
        match trouble.help {
            Some(help) => error.with_help(help),
            None => error,
        }
    }

    fn garbled(&self, why: &str) -> DriveError {
        let python = self.python.display();
        DriveError::new(format!("what alembic says under \"{python}\" cannot be read: {why}"))
    }

    fn books(&self) -> Vec<String> {
        let table = self.told.version_table.as_deref().unwrap_or("alembic_version");
        let mut tables = self.config.bookkeeping.clone();
        if tables.is_empty() {
            tables.push(match &self.told.version_table_schema {
                Some(schema) if self.backend == Backend::Postgres => format!("{schema}.{table}"),
                _ => table.to_owned(),
            });
        }
        tables
    }

    fn history(&self) -> Result<History, DriveError> {
        let tool = Driven {
            name: NAME,
            tables: self.tables.clone(),
            tells_all: true,
            outside_transaction: "put the statement into \"with op.get_context().autocommit_block():\"",
        };
        let mut sources = BTreeMap::new();
        let revisions = self.told.revisions.iter().map(|told| {
            let source = sources
                .entry(told.file.clone())
                .or_insert_with(|| std::fs::read_to_string(&told.file).unwrap_or_default());
            self.revision(told, source)
        });
        Ok(History::new(Arc::new(tool), revisions.collect())?)
    }

    fn revision(&self, told: &ToldRevision, source: &str) -> Revision {
        let file = self.relative(&told.file);
        let script = |line: Option<u32>| match line {
            Some(line) => Script::new(&*file, body(source, line)).from_line(line),
            None => Script::new(&*file, ""),
        };
        let empty = |line: Option<u32>| Script::new(&*file, "").from_line(line.unwrap_or(1));
        let reason = told.reason.clone().unwrap_or_default();
        let downgrade = match told.downgrade.as_str() {
            "code" => Downgrade::Script(script(told.downgrade_line)),
            "explained" => Downgrade::Explained(empty(told.downgrade_line), reason),
            "empty" => Downgrade::Empty(empty(told.downgrade_line)),
            _ => Downgrade::Missing,
        };
        let stem = Path::new(&told.file).file_stem().map(|stem| stem.to_string_lossy().into_owned());
        let ids = told.down.iter().chain(&told.depends_on);
        Revision {
            id: RevisionId::new(&*told.id),
            name: stem.unwrap_or_else(|| told.id.clone()),
            parents: ids.map(|id| RevisionId::new(&**id)).collect(),
            upgrade: if told.upgrade_empty { empty(told.upgrade_line) } else { script(told.upgrade_line) },
            downgrade,
            upgrade_in_transaction: true,
            downgrade_in_transaction: true,
        }
    }

    pub(super) fn step(&mut self, place: &Place, order: &Order) -> Result<Done, DriveError> {
        let direction = order.direction.name();
        let request = self.on(
            place,
            json!({
                "do": "step", "direction": direction, "revision": order.revision.id.as_str(),
            }),
        )?;
        let answer = self.request(request)?;
        let ids = |value: &Value| -> Vec<RevisionId> {
            let ids = value.as_array().into_iter().flatten().filter_map(Value::as_str);
            ids.map(RevisionId::new).collect()
        };
        if let Some(failed) = answer.get("failed") {
            let script = match order.direction {
                Direction::Upgrade => Some(&order.revision.upgrade),
                Direction::Downgrade => order.revision.downgrade.script(),
            };
            let failure = self.failure(failed, script);
            return Ok(Done { outcome: Outcome::Failed(failure), sent: sent(failed), heads: None });
        }
        let ok = answer.get("ok").ok_or_else(|| self.garbled(&answer.to_string()))?;
        self.keeps_known_books(ok)?;
        Ok(Done { outcome: Outcome::Applied, sent: sent(ok), heads: ok.get("heads").map(ids) })
    }

    /// Rows are made up in every table that is not known to be Alembic's own.
    fn keeps_known_books(&self, answer: &Value) -> Result<(), DriveError> {
        let Some(table) = answer.pointer("/options/version_table").and_then(Value::as_str) else {
            return Ok(());
        };
        let known = |one: &String| one.rsplit('.').next() == Some(table);
        if self.tables.iter().any(known) {
            return Ok(());
        }
        Err(DriveError::new(format!(
            "alembic keeps its books in \"{table}\", which env.py says only as it runs"
        ))
        .with_help(format!("say bookkeeping = \"{table}\" under [history]")))
    }

    pub(super) fn declare(&mut self, place: &Place) -> Result<Declaring, DriveError> {
        let request = self.on(place, json!({ "do": "metadata" }))?;
        let answer = self.request(request)?;
        if let Some(why) = answer.get("none") {
            let why = why.as_str().unwrap_or("env.py gives no target_metadata");
            return Ok(Declaring::Nothing(why.to_owned()));
        }
        let outcome = match answer.get("failed") {
            Some(failed) => Outcome::Failed(self.failure(failed, None)),
            None => Outcome::Applied,
        };
        Ok(Declaring::Built(self.relative(&self.told.env_file), outcome))
    }

    /// What `alembic upgrade --sql` or `downgrade --sql` writes.
    pub(super) fn sql(
        &mut self,
        direction: Direction,
        from: Option<&str>,
        to: &str,
    ) -> Result<String, DriveError> {
        let request = json!({ "do": "sql", "direction": direction.name(), "from": from, "to": to });
        let request = self.on(&Place::nowhere(self.backend), request)?;
        let answer = self.request(request)?;
        if let Some(failed) = answer.get("failed") {
            let failure = self.failure(failed, None);
            let place = failure.location.map(|place| format!("{place}: ")).unwrap_or_default();
            return Err(DriveError::new(format!("{place}{}", failure.message))
                .with_help("Alembic's offline mode has no database that a revision could look into"));
        }
        let sql = answer.pointer("/ok/sql").and_then(Value::as_str);
        sql.map(str::to_owned).ok_or_else(|| self.garbled(&answer.to_string()))
    }

    /// Has the process leave a database. One that does not is ended, and starts anew with the next step.
    pub(super) fn leave(&mut self, place: &Place) {
        if self.resident.is_some()
            && let Ok(scheme) = self.scheme()
            && self.request(json!({ "do": "release", "url": place.for_sqlalchemy(&scheme) })).is_err()
        {
            self.resident = None;
        }
    }

    /// The objects that the project leaves out of what is compared (`include_name`, `include_object`).
    pub(super) fn left_out(&mut self, objects: &[ObjectId]) -> Result<Vec<ObjectId>, DriveError> {
        let kinds =
            BTreeMap::from([(Kind::Table, "table"), (Kind::Column, "column"), (Kind::Index, "index")]);
        let known: Vec<(&ObjectId, &str)> = objects
            .iter()
            .filter(|id| id.group_kind == Kind::Table)
            .filter_map(|id| Some((id, *kinds.get(&id.kind())?)))
            .collect();
        let told = known.iter().map(|(id, kind)| {
            let table = id.group.local();
            json!([kind, id.group.namespace(), table, id.part.as_ref().map_or(table, |(_, name)| name)])
        });
        let answer = self.request(json!({ "do": "left_out", "objects": told.collect::<Vec<_>>() }))?;
        let places = answer.pointer("/ok/left_out").and_then(Value::as_array);
        let places =
            places.ok_or_else(|| self.garbled(&answer.to_string()))?.iter().filter_map(Value::as_u64);
        let at = |place: u64| known.get(usize::try_from(place).ok()?).map(|(id, _)| (*id).clone());
        Ok(places.filter_map(at).collect())
    }

    /// A request that concerns a database.
    fn on(&self, place: &Place, mut request: Value) -> Result<Value, DriveError> {
        let scheme = self.scheme()?;
        request["url"] = json!(place.for_sqlalchemy(&scheme));
        request["url_by"] = self.url_by();
        let env = self.config.env.iter().map(|(name, value)| (name.clone(), json!(place.filled(value))));
        request["env"] = Value::Object(env.collect());
        Ok(request)
    }

    fn url_by(&self) -> Value {
        match &self.config.url {
            None => Value::Null,
            Some(UrlBy::Env(name)) => json!({ "env": name }),
            Some(UrlBy::X(name)) => json!({ "x": name }),
            Some(UrlBy::Ini) => json!("sqlalchemy.url"),
            Some(UrlBy::Redirect) => json!("redirect"),
        }
    }

    /// The dialect and driver of SQLAlchemy's URLs: the config's, or one that is installed.
    fn scheme(&self) -> Result<String, DriveError> {
        if let Some(scheme) = self.config.scheme.get(&self.backend) {
            return Ok(scheme.clone());
        }
        let (dialect, waiting, blocking): (&str, &[&str], &[&str]) = match self.backend {
            Backend::Postgres => ("postgresql", &["asyncpg", "psycopg"], &["psycopg2", "psycopg", "pg8000"]),
            Backend::Sqlite => ("sqlite", &["aiosqlite"], &["sqlite3"]),
        };
        let wanted = if self.told.env_async { waiting } else { blocking };
        let installed = |driver: &&&str| self.told.drivers.iter().any(|one| one == **driver);
        match wanted.iter().find(installed) {
            Some(&"sqlite3") => Ok(dialect.to_owned()),
            Some(driver) => Ok(format!("{dialect}+{driver}")),
            None => Err(DriveError::new(format!(
                "no driver for {} is installed for \"{}\": looked for {}",
                self.backend,
                self.python.display(),
                wanted.join(", ")
            ))
            .with_help(format!(
                "install one there, or name another with [history] scheme = {{ {} = \"{dialect}+…\" }}",
                self.backend
            ))),
        }
    }

    fn failure(&mut self, failed: &Value, script: Option<&Script>) -> Failure {
        let said = self.resident.as_mut().map(Resident::said).unwrap_or_default();
        let trouble: Trouble = serde_json::from_value(failed.clone()).unwrap_or_default();
        let location = match (&trouble.file, trouble.line) {
            (Some(file), Some(line)) => Some(Location { file: self.relative(file), line }),
            _ => script.map(|script| Location { file: script.path.clone(), line: script.line_of(0) }),
        };
        // Where the statement or the line is known, the database's or Python's own message says enough.
        let more = trouble.statement.is_none() && trouble.file.is_none();
        let more = more.then(|| [trouble.traceback.unwrap_or_default(), said].map(|text| last_lines(&text)));
        let told = std::iter::once(trouble.detail).chain(more.into_iter().flatten().map(Some));
        let told: Vec<String> = told.flatten().filter(|text| !text.trim().is_empty()).collect();
        Failure {
            message: without_addresses(&trouble.message),
            code: trouble.code,
            detail: Some(told.join("\n")).filter(|text| !text.is_empty()),
            statement: trouble.statement,
            ordinal: None,
            location,
        }
    }

    /// A path as messages show it: below the project, or as it is.
    fn relative(&self, file: &str) -> String {
        let path = Path::new(file);
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}

/// A text of Python's without the addresses of objects, which differ from run to run.
fn without_addresses(text: &str) -> String {
    let mut parts = text.split(" at 0x");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        told.push_str(part.trim_start_matches(|c: char| c.is_ascii_hexdigit()));
    }
    told
}

/// The SQL that was sent, one statement after the other.
fn sent(answer: &Value) -> Option<Arc<str>> {
    let statements = answer.get("statements")?.as_array()?.iter().filter_map(Value::as_str);
    let mut text = String::new();
    for statement in statements {
        text.push_str(statement.trim().trim_end_matches(';'));
        text.push_str(";\n");
    }
    Some(text.into())
}

/// The lines of a function, from its first one on.
fn body(source: &str, line: u32) -> String {
    let start = usize::try_from(line).unwrap_or(1).saturating_sub(1);
    let begins =
        |line: &&str| ["def ", "async def ", "class ", "@"].iter().any(|start| line.starts_with(start));
    let mut lines = source.lines().skip(start);
    let first = lines.next().unwrap_or_default();
    let mut text = format!("{first}\n");
    for line in lines.take_while(|line| !begins(line)) {
        text.push_str(line);
        text.push('\n');
    }
    text
}

fn interpreter(config: &HistoryConfig, root: &Path, folder: &Path) -> Result<PathBuf, DriveError> {
    if let Some(named) = &config.python {
        // A bare name is looked for on the PATH, anything else is a path from the config on.
        let path = if named.contains('/') { root.join(named) } else { PathBuf::from(named) };
        let path = if path.is_relative() && named.contains('/') {
            std::env::current_dir().map(|here| here.join(&path)).unwrap_or(path)
        } else {
            path
        };
        return python::try_alembic(&path).map(|()| path.clone()).map_err(|why| {
            DriveError::new(format!("[history] python: \"{named}\" cannot run alembic: {why}"))
                .with_help("name the interpreter of the environment in which alembic is installed")
        });
    }
    let mut tried = Vec::new();
    for candidate in python::candidates(folder, |name| std::env::var_os(name).map(PathBuf::from)) {
        match python::try_alembic(&candidate.path) {
            Ok(()) => return Ok(candidate.path),
            Err(why) => tried.push(format!("{}: {why}", candidate.from)),
        }
    }
    Err(DriveError::new(format!("no interpreter was found that has alembic: {}", tried.join("; ")))
        .with_help("install the project's requirements, or name its interpreter with [history] python"))
}

/// The folders of a project, relative to it, in which Alembic has its settings.
pub fn folders(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut left = vec![(String::new(), 0)];
    while let Some((name, depth)) = left.pop() {
        let folder = root.join(&name);
        if is_configured(&folder) {
            found.push(if name.is_empty() { ".".to_owned() } else { name.clone() });
            continue;
        }
        if depth < 3 {
            let below = std::fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok);
            let below = below.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
            let names = below.map(|entry| entry.file_name().to_string_lossy().into_owned());
            let wanted =
                |name: &String| !name.starts_with('.') && !crate::files::NOT_OURS.contains(&name.as_str());
            let join = |one: String| if name.is_empty() { one } else { format!("{name}/{one}") };
            left.extend(names.filter(wanted).map(|one| (join(one), depth + 1)));
        }
    }
    found.sort();
    found
}

/// Whether Alembic has its settings in a folder; Flask-Migrate keeps them in one below, and is run from
/// here all the same.
pub fn is_configured(folder: &Path) -> bool {
    let text = |file: &str| std::fs::read_to_string(folder.join(file)).unwrap_or_default();
    let has = |text: &str, head: &str| text.lines().any(|line| line.trim() == head);
    let flask = text("migrations/alembic.ini");
    let own = flask.lines().any(|line| line.trim_start().starts_with("script_location"));
    has(&text("alembic.ini"), "[alembic]")
        || has(&text("pyproject.toml"), "[tool.alembic]")
        || has(&flask, "[alembic]") && !own
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_ends_where_the_next_one_begins() {
        let source = "import x\n\ndef upgrade():\n    a()\n\n    b()\n\n\ndef downgrade():\n    c()\n";
        assert_eq!(body(source, 3), "def upgrade():\n    a()\n\n    b()\n\n\n");
        assert_eq!(body(source, 9), "def downgrade():\n    c()\n");
    }

    #[test]
    fn no_address_is_told() {
        let text = "cannot drop <object at 0x7f7b4e023ce0>, <None>; it has no name";
        assert_eq!(without_addresses(text), "cannot drop <object>, <None>; it has no name");
    }

    #[test]
    fn settings_are_found_below_a_project() {
        let root = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| {
            let path = root.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("api/alembic.ini", "# x\n[alembic]\nscript_location = a\n");
        write("node_modules/x/alembic.ini", "[alembic]\n");
        write("worker/pyproject.toml", "[tool.alembic]\n");
        write("other/pyproject.toml", "[project]\n");
        write("flask/migrations/alembic.ini", "# no place of scripts\n[alembic]\n");
        assert_eq!(folders(root.path()), ["api", "flask", "worker"]);
    }
}
