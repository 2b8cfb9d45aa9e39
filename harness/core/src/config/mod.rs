//! `switchback.toml`: what a project says about itself.
//!
//! Only keys that something reads are known; all others are errors. Paths are relative to the file
//! and may climb out of its folder with `..`, as in a repository where one crate holds the tests of
//! another's migrations; absolute ones are errors, since they are true on one machine only.

mod accept;
mod driven;
mod groups;
mod options;
mod reader;
mod sqlite;

use std::collections::{BTreeMap, BTreeSet};

pub use accept::{Accept, Pattern};
pub use driven::{CommandsConfig, DRIVEN, UrlBy};
pub use groups::{GroupConfig, grouped};
pub use reader::{ConfigError, Problem, nearest};
pub use sqlite::{FunctionConfig, SqliteConfig};

use self::reader::{Document, Section};
use crate::Backend;
use crate::layout::{self, Options};
use crate::versions::Version;

/// The name of the file.
pub const FILE: &str = "switchback.toml";

/// The environment variables that may hold the URL of a PostgreSQL server, unless the config names
/// others.
pub const URL_ENV: [&str; 2] = ["DATABASE_URL", "DB_DSN"];

/// What a project's config says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Config {
    /// Where the revisions are.
    pub history: HistoryConfig,
    /// For each backend, the file that declares its schema.
    pub metadata: BTreeMap<Backend, String>,
    /// How to come by a PostgreSQL.
    pub postgres: PostgresConfig,
    /// How the application uses SQLite.
    pub sqlite: SqliteConfig,
    /// For each backend, the file that runs before its first revision.
    pub setup: BTreeMap<Backend, String>,
    /// For each backend, the oldest version that the project supports.
    pub oldest: BTreeMap<Backend, Version>,
    /// The tables that promise to be append-only.
    pub append_only: BTreeSet<String>,
    /// The rows that ride along.
    pub rows: RowsConfig,
    /// Checks whose severity the project has set.
    pub checks: BTreeMap<String, Level>,
    /// Findings that the project has accepted.
    pub accept: Vec<Accept>,
}

/// `[history]`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HistoryConfig {
    /// The tool, if it is not to be recognised.
    pub tool: Option<String>,
    /// Where the revisions are.
    pub place: HistoryPlace,
    /// The interpreter of a project in Python.
    pub python: Option<String>,
    /// The file with Alembic's settings below the folder, if it is not `alembic.ini`.
    pub ini: Option<String>,
    /// How a tool that runs its revisions itself learns which database to use.
    pub url: Option<UrlBy>,
    /// For each backend, the scheme of that URL, or for commands the whole of it.
    pub scheme: BTreeMap<Backend, String>,
    /// What is in the environment of such a tool.
    pub env: BTreeMap<String, String>,
    /// What Alembic is given as `-x`.
    pub x: Vec<String>,
    /// How many seconds a step of such a tool may take.
    pub time_limit: Option<u64>,
    /// The tables in which such a tool remembers what is applied, if that is not known.
    pub bookkeeping: Vec<String>,
    /// The commands of any other tool.
    pub commands: Option<CommandsConfig>,
    /// What the layout of the tool has to know.
    pub options: Options,
    /// The revisions that are only taken back together.
    pub groups: Vec<GroupConfig>,
}

impl HistoryConfig {
    /// What is in the environment of a tool before it is told which database to use: all that names
    /// nothing of one but its backend.
    pub fn env_before(&self, backend: Backend) -> BTreeMap<String, String> {
        let filled = |value: &String| value.replace("{backend}", backend.name());
        let all = self.env.iter().map(|(name, value)| (name.clone(), filled(value)));
        all.filter(|(_, value)| !value.contains('{')).collect()
    }
}

/// Where a project keeps its revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum HistoryPlace {
    /// It does not say.
    #[default]
    Unsaid,
    /// One folder for both backends.
    Shared(String),
    /// A folder each, or one for a backend that is the only one.
    Each(BTreeMap<Backend, String>),
}

/// `[postgres]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostgresConfig {
    /// The version wanted, such as `17`.
    pub version: Option<String>,
    /// The URL of a server.
    pub url: Option<String>,
    /// The environment variables in which the URL of a server may be, the first that is set counts.
    pub url_env: Vec<String>,
    /// The container image to use, such as `registry.example/postgres:17-alpine`.
    pub image: Option<String>,
    /// Where an image that names no registry comes from instead of Docker Hub, such as
    /// `mirror.example/library`.
    pub registry: Option<String>,
    /// The platform of the image, such as `linux/amd64`, if it is not the machine's.
    pub platform: Option<String>,
}

impl Default for PostgresConfig {
    fn default() -> Self {
        let url_env = URL_ENV.map(str::to_owned).into();
        Self { version: None, url: None, url_env, image: None, registry: None, platform: None }
    }
}

/// `[rows]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowsConfig {
    /// How many rows are made up for each table; none are for 0.
    pub per_table: usize,
    /// The project's own values for `table.column`.
    pub values: BTreeMap<String, Vec<String>>,
    /// Files of rows, in JSON or SQL.
    pub fixtures: Vec<String>,
    /// The seed of what is made up.
    pub seed: u64,
    /// Whether it is tried which values columns take that their types do not mean.
    pub types: bool,
}

impl RowsConfig {
    /// The most rows that are made up for a table.
    pub const MOST: u64 = 1000;
}

impl Default for RowsConfig {
    fn default() -> Self {
        Self { per_table: 4, values: BTreeMap::new(), fixtures: Vec::new(), seed: 1, types: true }
    }
}

/// How much a finding of a check weighs in this project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// The check is not run.
    Off,
    /// Worth knowing.
    Note,
    /// Worth mending.
    Warning,
    /// Fails the run.
    Error,
}

impl Level {
    const WORDS: [(&str, Self); 4] =
        [("error", Self::Error), ("warning", Self::Warning), ("note", Self::Note), ("off", Self::Off)];
}

impl Config {
    /// Why the project is not to be run on a version of a backend, if it is not.
    pub fn refuses(&self, backend: Backend, version: &Version) -> Option<String> {
        let oldest = self.oldest.get(&backend).filter(|oldest| version < *oldest)?;
        Some(format!("{backend} {version} is older than {oldest}, the oldest that the project supports"))
    }

    /// Reads the text of a config. `file` is its name for messages, and `checks` are the ids of all
    /// checks there are.
    ///
    /// # Errors
    ///
    /// If it is not TOML, a key is unknown, a value has the wrong type or makes no sense, or a
    /// reason is missing.
    ///
    /// ```
    /// use switchback_core::config::Config;
    ///
    /// let error = Config::parse("[sqlite]\nforeing_keys = true\n", "switchback.toml", &[]).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "switchback.toml:2: unknown key \"foreing_keys\" in [sqlite]: did you mean \"foreign_keys\"?"
    /// );
    /// ```
    pub fn parse(text: &str, file: &str, checks: &[&str]) -> Result<Self, ConfigError> {
        let document = Document::new(text, file);
        let mut top = document.parse()?;
        let mut config = Self::default();

        if let Some(mut section) = top.section("history")? {
            config.history = history(&mut section)?;
            section.refuse_unknown()?;
        }
        if let Some(mut section) = top.section("metadata")? {
            config.metadata = per_backend(&mut section)?;
            section.refuse_unknown()?;
        }
        if let Some(mut section) = top.section("postgres")? {
            config.postgres = postgres(&mut section)?;
            config.setup.extend(section.path("setup")?.map(|path| (Backend::Postgres, path)));
            config.oldest.extend(oldest(&mut section)?.map(|version| (Backend::Postgres, version)));
            section.refuse_unknown()?;
        }
        if let Some(mut section) = top.section("sqlite")? {
            config.sqlite = sqlite::read(&mut section)?;
            config.setup.extend(section.path("setup")?.map(|path| (Backend::Sqlite, path)));
            config.oldest.extend(oldest(&mut section)?.map(|version| (Backend::Sqlite, version)));
            section.refuse_unknown()?;
        }
        if let Some(mut section) = top.section("append_only")? {
            config.append_only = section.strings("tables")?.unwrap_or_default().into_iter().collect();
            section.refuse_unknown()?;
        }
        if let Some(mut section) = top.section("rows")? {
            config.rows = rows(&mut section)?;
            section.refuse_unknown()?;
        }
        if let Some(mut section) = top.section("checks")? {
            for id in checks {
                if let Some(level) = section.choice(id, &Level::WORDS)? {
                    config.checks.insert((*id).to_owned(), level);
                }
            }
            section.refuse_unknown_names("check")?;
        }
        for mut section in top.sections("accept")? {
            config.accept.push(accept::read(&mut section, checks)?);
        }
        top.refuse_unknown()?;
        Ok(config)
    }
}

fn history(section: &mut Section<'_>) -> Result<HistoryConfig, ConfigError> {
    let layouts = layout::LAYOUTS.iter().map(|layout| layout.name());
    let tools: Vec<_> = layouts.chain(DRIVEN).map(|tool| (tool, tool)).collect();
    let tool = section.choice("tool", &tools)?.map(str::to_owned);
    let shared = section.path("path")?;
    let each = per_backend(section)?;
    let place = match (shared, each.is_empty()) {
        (Some(path), true) => HistoryPlace::Shared(path),
        (Some(_), false) => {
            return Err(section.problem_at("path", Problem::PathAndFolders));
        }
        (None, true) => HistoryPlace::Unsaid,
        (None, false) => HistoryPlace::Each(each),
    };
    let groups = groups::read(section)?;
    let mut config = HistoryConfig { tool, place, groups, ..HistoryConfig::default() };
    driven::read(section, &mut config)?;
    options::read(section, &mut config)?;
    Ok(config)
}

fn rows(section: &mut Section<'_>) -> Result<RowsConfig, ConfigError> {
    let defaults = RowsConfig::default();
    let per_table = section.number("per_table", RowsConfig::MOST)?;
    Ok(RowsConfig {
        per_table: per_table.and_then(|number| usize::try_from(number).ok()).unwrap_or(defaults.per_table),
        values: section.values("values")?.unwrap_or_default(),
        fixtures: section.paths("fixtures")?.unwrap_or_default(),
        types: section.boolean("types")?.unwrap_or(defaults.types),
        seed: section.number("seed", i64::MAX.unsigned_abs())?.unwrap_or(defaults.seed),
    })
}

/// A path for each backend that the section names.
fn per_backend(section: &mut Section<'_>) -> Result<BTreeMap<Backend, String>, ConfigError> {
    let mut paths = BTreeMap::new();
    for backend in Backend::ALL {
        if let Some(path) = section.path(backend.name())? {
            paths.insert(backend, path);
        }
    }
    Ok(paths)
}

/// A text for each backend in a table of the section.
fn per_backend_texts(section: &mut Section<'_>, key: &str) -> Result<BTreeMap<Backend, String>, ConfigError> {
    let mut texts = section.texts(key)?.unwrap_or_default();
    let found = Backend::ALL.into_iter().filter_map(|one| Some((one, texts.remove(one.name())?))).collect();
    match texts.pop_first() {
        Some((unknown, _)) => Err(section.problem_at(key, Problem::NoBackend(unknown))),
        None => Ok(found),
    }
}

/// The oldest version of the section's backend that the project supports.
fn oldest(section: &mut Section<'_>) -> Result<Option<Version>, ConfigError> {
    let Some(text) = section.string("oldest")? else { return Ok(None) };
    text.parse().map(Some).map_err(|_| section.problem_at("oldest", Problem::Oldest))
}

fn postgres(section: &mut Section<'_>) -> Result<PostgresConfig, ConfigError> {
    let mut config = PostgresConfig {
        version: section.string("version")?,
        url: section.string("url")?,
        image: section.string("image")?,
        registry: section.string("registry")?,
        platform: section.string("platform")?,
        ..PostgresConfig::default()
    };
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if config.version.as_ref().is_some_and(|version| !version.split('.').all(is_number)) {
        return Err(section.problem_at("version", Problem::Version));
    }
    if let Some(names) = section.strings("url_env")? {
        config.url_env = names;
    }
    Ok(config)
}

#[cfg(test)]
mod tests;
