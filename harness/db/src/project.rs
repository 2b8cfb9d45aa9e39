//! Finding what a project has: its config, its histories, and the files that they name.

mod manifest;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use switchback_core::Backend;
use switchback_core::config::{self, Config, ConfigError, HistoryPlace};
use switchback_core::history::{History, Script};
use switchback_core::layout::dialect::Dialect;
use switchback_core::layout::{self, Entry, Layout, LayoutError, SourceTree};
use switchback_core::report::Location;

use self::search::Source;
use crate::drive::{self, DriveError, Driver};
use crate::files::{Limits, plain, read_file, read_tree};
use crate::sqlite::{Functions, FunctionsError};

/// What a project says and has.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name: that of its folder.
    pub name: String,
    /// The folder that all paths are relative to.
    pub root: PathBuf,
    /// What it says about itself.
    pub config: Config,
    /// The file that says it, if there is one.
    pub config_path: Option<PathBuf>,
    /// What is to be proved.
    pub histories: BTreeMap<Backend, History>,
    /// Where they were read from.
    pub sources: Vec<Seen>,
    /// The tools that run these histories themselves.
    pub drivers: BTreeMap<Backend, Driver>,
    /// Backends without a history, and why.
    pub not_run: Vec<(Backend, String)>,
    /// Backends whose tool could not be asked for its history, and why.
    pub broken: Vec<(Backend, String)>,
    /// What runs before the first revision.
    pub setup: BTreeMap<Backend, Script>,
    /// What declares the schema.
    pub metadata: BTreeMap<Backend, Script>,
    /// The rows that ride along.
    pub fixtures: Vec<Script>,
}

/// Why there is nothing to prove.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The path leads nowhere.
    #[error("\"{}\" does not exist", .0.display())]
    NoSuchPath(
        /// The path.
        PathBuf,
    ),
    /// The path leads to a file that is no config.
    #[error("\"{}\" is a file: give the folder of the project, or its {config}", .0.display(), config = config::FILE)]
    NotAFolder(
        /// The path.
        PathBuf,
    ),
    /// Something could not be read.
    #[error("\"{}\" cannot be read: {reason}", path.display())]
    Unreadable {
        /// What.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The config is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The config names a folder or file that cannot be used.
    #[error("{key} in {config}: {source}", config = config::FILE)]
    Named {
        /// The key that names it, such as `[metadata] postgres`.
        key: String,
        /// What is wrong with it.
        source: LayoutError,
    },
    /// Files that make no history.
    #[error(transparent)]
    Layout(#[from] LayoutError),
    /// Functions that the application defines cannot be had.
    #[error(transparent)]
    Functions(#[from] FunctionsError),
    /// A tool that runs its revisions itself cannot be driven.
    #[error(transparent)]
    Drive(#[from] DriveError),
    /// There is nothing in the folder.
    #[error("\"{}\" is empty", .0.display())]
    EmptyFolder(
        /// The folder.
        PathBuf,
    ),
    /// Nothing looks like migrations.
    #[error("no migrations recognised in \"{}\": looked for {}", path.display(), search::looked_for())]
    NotRecognised {
        /// Where.
        path: PathBuf,
        /// What was seen further down.
        elsewhere: Vec<Seen>,
    },
    /// Several folders, or several tools in one, look like migrations.
    #[error("cannot tell which migrations to check: found {}", search::listed(.0))]
    Ambiguous(
        /// What was seen.
        Vec<Seen>,
    ),
}

/// A folder that looks like migrations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The folder, relative to the project.
    pub folder: String,
    /// The tool that it looks like.
    pub tool: &'static str,
    /// The backend that it is named for.
    pub backend: Option<Backend>,
}

impl DiscoverError {
    /// What to do about it, if that can be said.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::EmptyFolder(_) => Some(format!("looked for {}", search::looked_for())),
            Self::Drive(error) => error.help().map(str::to_owned),
            Self::NotRecognised { elsewhere: seen, .. } | Self::Ambiguous(seen) => {
                Some(search::config_to_write(seen))
            }
            _ => None,
        }
    }
}

/// Finds what there is at a path: the folder of a project, its `switchback.toml`, or a folder of
/// migrations. `checks` are the ids of all checks there are.
///
/// # Errors
///
/// If there is nothing to prove, or it cannot be told what.
pub fn discover(path: &Path, checks: &[&str]) -> Result<Project, DiscoverError> {
    let mut project = settings(path, checks)?;
    project.find_histories()?;
    project.group()?;
    Ok(project)
}

/// What a project says about itself, without looking for its migrations.
///
/// # Errors
///
/// If its config, or a file that it names, cannot be read.
pub fn settings(path: &Path, checks: &[&str]) -> Result<Project, DiscoverError> {
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => DiscoverError::NoSuchPath(path.to_owned()),
        _ => DiscoverError::Unreadable { path: path.to_owned(), reason: plain(&error) },
    };
    let is_config = path.extension().is_some_and(|extension| extension == "toml");
    let real = path.canonicalize().map_err(unreadable)?;
    let (root, config_path) = match (real.is_dir(), is_config) {
        (true, _) => {
            let config = path.join(config::FILE);
            (path.to_owned(), config.symlink_metadata().is_ok().then_some(config))
        }
        (false, true) => {
            let root = path.parent().filter(|root| !root.as_os_str().is_empty());
            (root.unwrap_or(Path::new(".")).to_owned(), Some(path.to_owned()))
        }
        (false, false) => return Err(DiscoverError::NotAFolder(path.to_owned())),
    };
    let config = match &config_path {
        None => Config::default(),
        Some(path) => read_config(path, checks)?,
    };
    let folder = if real.is_dir() { Some(real.as_path()) } else { real.parent() };
    let name = folder.and_then(Path::file_name).unwrap_or_default();

    let mut project = Project {
        name: name.to_string_lossy().into_owned(),
        histories: BTreeMap::new(),
        sources: Vec::new(),
        drivers: BTreeMap::new(),
        not_run: Vec::new(),
        broken: Vec::new(),
        setup: scripts(&root, &config.setup, |backend| format!("[{backend}] setup"))?,
        metadata: scripts(&root, &config.metadata, |backend| format!("[metadata] {backend}"))?,
        fixtures: Vec::new(),
        root,
        config,
        config_path,
    };
    for path in &project.config.rows.fixtures {
        project.fixtures.push(script(&project.root, path, "[rows] fixtures")?);
    }
    Ok(project)
}

fn read_config(path: &Path, checks: &[&str]) -> Result<Config, DiscoverError> {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    let unreadable =
        |error: io::Error| DiscoverError::Unreadable { path: path.to_owned(), reason: plain(&error) };
    let text = match Entry::from_bytes(fs::read(path).map_err(unreadable)?) {
        Entry::Text(text) => text,
        entry => {
            let tree = SourceTree::new("", [(file.to_string(), entry)]);
            tree.script(&file)?.text
        }
    };
    Ok(Config::parse(&text, &file, checks)?)
}

fn scripts(
    root: &Path,
    paths: &BTreeMap<Backend, String>,
    key: impl Fn(Backend) -> String,
) -> Result<BTreeMap<Backend, Script>, DiscoverError> {
    let read = |(backend, path): (&Backend, &String)| Ok((*backend, script(root, path, &key(*backend))?));
    paths.iter().map(read).collect()
}

/// A file that the config names.
fn script(root: &Path, path: &str, key: &str) -> Result<Script, DiscoverError> {
    let entry = read_file(&root.join(path), Limits::default());
    let tree = SourceTree::new("", [(path.to_owned(), entry)]);
    tree.script(path).map_err(|source| DiscoverError::Named { key: key.to_owned(), source })
}

impl Project {
    /// A line of its config.
    pub fn line_of_config(&self, line: usize) -> Location {
        let file = self.config_path.as_deref().and_then(Path::file_name);
        Location {
            file: file.map_or(config::FILE.into(), OsStr::to_string_lossy).into_owned(),
            line: u32::try_from(line).unwrap_or(u32::MAX),
        }
    }

    /// Tells its histories which of their revisions are only taken back together.
    ///
    /// # Errors
    ///
    /// If the config names revisions that are no group.
    pub fn group(&mut self) -> Result<(), DiscoverError> {
        let (groups, file) = (&self.config.history.groups, self.line_of_config(0).file);
        let mut grouped = config::grouped(groups, &self.histories, !self.broken.is_empty(), &file)?;
        for (backend, history) in std::mem::take(&mut self.histories) {
            let groups = grouped.remove(&backend).unwrap_or_default();
            self.histories.insert(backend, history.with_groups(groups));
        }
        Ok(())
    }

    /// The functions that its application defines on SQLite, each tried.
    ///
    /// # Errors
    ///
    /// If an extension cannot be loaded, or SQLite does not understand what stands in for a function.
    pub fn functions(&self) -> Result<Functions, DiscoverError> {
        let file = self.line_of_config(0).file;
        Ok(Functions::new(&self.config.sqlite, &self.root, &file)?)
    }

    fn find_histories(&mut self) -> Result<(), DiscoverError> {
        if let Some(folders) = self.driven_folders()? {
            return self.drive(folders);
        }
        match self.config.history.place.clone() {
            HistoryPlace::Unsaid => {
                let sources = search::usual_places(&self.root, self.layouts())?;
                let holder = self.read_sources(sources, true)?;
                self.tell_missing(|backend| format!("\"{holder}\" holds no folder for {backend}"));
            }
            HistoryPlace::Shared(folder) => {
                let sources = self.named_source(&folder, None)?;
                self.read_sources(sources, false)?;
                self.tell_missing(|backend| format!("\"{folder}\" holds no folder for {backend}"));
            }
            HistoryPlace::Each(folders) => {
                for (backend, folder) in folders {
                    let sources = self.named_source(&folder, Some(backend))?;
                    self.read_sources(sources, false)?;
                }
                let file = config::FILE;
                self.tell_missing(|backend| format!("{file} names no history for {backend}"));
            }
        }
        Ok(())
    }

    /// For each backend, the folder of a tool that runs its revisions itself, if the project has one.
    fn driven_folders(&self) -> Result<Option<BTreeMap<Backend, String>>, DiscoverError> {
        let history = &self.config.history;
        let is_driven = history.tool.as_deref().map(|tool| drive::TOOLS.contains(&tool));
        let both = |folder: &str| Backend::ALL.map(|backend| (backend, folder.to_owned())).into();
        let found = match (&history.place, is_driven) {
            (_, Some(false)) => return Ok(None),
            (HistoryPlace::Shared(folder), Some(true)) => both(folder),
            (HistoryPlace::Each(folders), Some(true)) => folders.clone(),
            (HistoryPlace::Unsaid, Some(true)) if history.commands.is_some() => both("."),
            (HistoryPlace::Shared(folder), None) if drive::has_alembic(&self.root.join(folder)) => {
                both(folder)
            }
            (HistoryPlace::Unsaid, _) => {
                let mut found = drive::alembic_folders(&self.root);
                let is_told = is_driven.is_some();
                found.retain(|folder| is_told || !search::is_aside(folder));
                // Further down, it is one of several that there may be.
                let elsewhere = !is_told && !found.iter().any(|folder| folder == ".");
                if elsewhere && search::usual_places(&self.root, self.layouts()).is_ok() {
                    return Ok(None);
                }
                match found.as_slice() {
                    [] if !is_told => return Ok(None),
                    [] => return Err(DriveError::without_settings(&self.root).into()),
                    [one] => both(one),
                    several => {
                        let seen = |folder: &String| Seen {
                            folder: folder.clone(),
                            tool: drive::ALEMBIC,
                            backend: None,
                        };
                        return Err(DiscoverError::Ambiguous(several.iter().map(seen).collect()));
                    }
                }
            }
            _ => return Ok(None),
        };
        Ok(Some(found))
    }

    /// Starts the tool for each backend, side by side, and asks it for its history.
    fn drive(&mut self, folders: BTreeMap<Backend, String>) -> Result<(), DiscoverError> {
        let same: BTreeSet<_> = folders.values().collect();
        let of = |backend| if same.len() == 1 { None } else { Some(backend) };
        let tool = self.config.history.tool.as_deref();
        let tool = drive::TOOLS.into_iter().find(|one| Some(*one) == tool).unwrap_or(drive::ALEMBIC);
        let seen = folders.iter().map(|(backend, folder)| Seen {
            folder: folder.clone(),
            tool,
            backend: of(*backend),
        });
        self.sources = seen.take(same.len()).collect();
        let (config, root) = (&self.config.history, self.root.as_path());
        let opened = std::thread::scope(|scope| {
            let open = |(backend, folder): &(Backend, String)| Driver::open(config, root, folder, *backend);
            let folders: Vec<_> = folders.into_iter().collect();
            let running: Vec<_> =
                folders.into_iter().map(|one| (one.0, scope.spawn(move || open(&one)))).collect();
            running.into_iter().map(|(backend, thread)| (backend, thread.join())).collect::<Vec<_>>()
        });
        let mut failed = Vec::new();
        for (backend, joined) in opened {
            match joined.unwrap_or_else(|_| Err(DriveError::new("the tool's driver ended"))) {
                Ok((driver, history)) => {
                    self.drivers.insert(backend, driver);
                    self.histories.insert(backend, history);
                }
                Err(error) => failed.push((backend, error)),
            }
        }
        // What one backend alone lacks is no reason to leave the other one out.
        if self.drivers.is_empty()
            && let Some((_, error)) = failed.pop()
        {
            return Err(error.into());
        }
        self.broken = failed.into_iter().map(|(backend, error)| (backend, error.told())).collect();
        self.tell_missing(|backend| format!("{} names no history for {backend}", config::FILE));
        Ok(())
    }

    /// The layouts that may be meant.
    fn layouts(&self) -> Vec<&'static dyn Layout> {
        match &self.config.history.tool {
            Some(tool) => layout::named(tool).into_iter().collect(),
            None => layout::LAYOUTS.to_vec(),
        }
    }

    /// What is in a folder that the config names, for that backend or for both.
    fn named_source(&self, folder: &str, backend: Option<Backend>) -> Result<Vec<Source>, DiscoverError> {
        let path = self.root.join(folder);
        let key = backend.map_or("path", Backend::name);
        let list = search::read_list(&self.root, folder);
        let list = list.map_err(|error| DiscoverError::Named {
            key: format!("[history] {key}"),
            source: LayoutError::Unreadable { file: folder.to_owned(), reason: plain(&error) },
        })?;
        // What reads all that is below a folder reads it as it is, dialects and what they share.
        if let ([layout], true) = (self.layouts().as_slice(), self.config.history.tool.is_some())
            && layout.depth() > 2
        {
            return Ok(vec![Source { folder: folder.to_owned(), backend, layout: *layout }]);
        }
        let found = match backend {
            None => search::sources(&self.root, &list, &self.layouts())?,
            Some(_) => search::recognised(&self.root, &list, &self.layouts()),
        };
        if !found.is_empty() {
            let of_backend = |source: Source| Source { backend: source.backend.or(backend), ..source };
            return search::unambiguous(found.into_iter().map(of_backend).collect());
        }
        match self.layouts().as_slice() {
            // The config names the tool, so it is the tool that judges the files, or that there are
            // none yet.
            [layout] if self.config.history.tool.is_some() => {
                Ok(vec![Source { folder: folder.to_owned(), backend, layout: *layout }])
            }
            _ if search::is_empty(&list) => Err(DiscoverError::EmptyFolder(path)),
            _ => Err(DiscoverError::NotRecognised { elsewhere: search::further_down(&path, folder), path }),
        }
    }

    /// Reads the histories, and says which folder holds those of the dialects. If nobody said that a
    /// folder is for both backends, its SQL may tell that it is for one.
    fn read_sources(&mut self, sources: Vec<Source>, guess: bool) -> Result<String, DiscoverError> {
        let holder = sources.first().and_then(|source| source.folder.rsplit_once('/'));
        let holder = holder.map_or(".", |(holder, _)| holder).to_owned();
        for source in sources {
            self.sources.push(source.seen());
            let wanted = |path: &str| source.layout.reads(path);
            let limits = Limits { depth: source.layout.depth(), ..Limits::default() };
            let tree = read_tree(&self.root, &source.folder, &wanted, limits);
            let tree = tree.map_err(|error| DiscoverError::Unreadable {
                path: self.root.join(&source.folder),
                reason: plain(&error),
            })?;
            match source.backend {
                Some(backend) => {
                    let history = source.layout.read_with(&tree, backend, &self.config.history.options)?;
                    self.histories.insert(backend, history);
                }
                None => self.read_shared(&source, &tree, guess)?,
            }
        }
        Ok(holder)
    }

    fn read_shared(&mut self, source: &Source, tree: &SourceTree, guess: bool) -> Result<(), DiscoverError> {
        let mut histories = BTreeMap::new();
        for backend in Backend::ALL {
            let history = source.layout.read_with(tree, backend, &self.config.history.options)?;
            histories.insert(backend, history);
        }
        let all_empty = histories.values().all(History::is_empty);
        let only = if guess { self.written_for(source, &histories) } else { None };
        for (backend, history) in histories {
            if history.is_empty() && !all_empty {
                let reason = format!("no revision in \"{}\" is for {backend}", source.folder);
                self.not_run.push((backend, reason));
            } else if let Some((_, why)) = only.as_ref().filter(|(one, _)| *one != backend) {
                let (folder, file) = (&source.folder, config::FILE);
                let reason = format!(
                    "{why}; if \"{folder}\" is for {backend} too, say so with [history] path = \
                     \"{folder}\" in {file}"
                );
                self.not_run.push((backend, reason));
            } else {
                self.histories.insert(backend, history);
            }
        }
        Ok(())
    }

    /// The one backend that a folder is for, and what shows it, where nobody said so.
    fn written_for(
        &self,
        source: &Source,
        histories: &BTreeMap<Backend, History>,
    ) -> Option<(Backend, String)> {
        let scripts = |history: &History| -> Vec<_> {
            let revisions = history.revisions().iter();
            revisions.map(|revision| revision.upgrade.path.clone()).collect()
        };
        let first = histories.values().next()?;
        // With variants in it, each backend has a history of its own.
        if histories.values().any(|history| scripts(history) != scripts(first)) {
            return None;
        }
        let folder = source.folder.rsplit('/').next().unwrap_or_default();
        for name in [folder, self.name.as_str()] {
            if let Some(backend) = Dialect::in_name(name) {
                return Some((backend, format!("\"{name}\" is named for {backend}")));
            }
        }
        if let Some((backend, mark)) = layout::written_for(first) {
            let why = format!("\"{}\" in {}:{} is {backend}'s alone", mark.text, mark.file, mark.line);
            return Some((backend, why));
        }
        let backend = manifest::only_backend(&self.root)?;
        Some((backend, format!("Cargo.toml asks for a driver of {backend} alone")))
    }

    /// Gives a reason for each backend of which nothing is known yet.
    fn tell_missing(&mut self, reason: impl Fn(Backend) -> String) {
        for backend in Backend::ALL {
            let told = self.not_run.iter().chain(&self.broken).any(|(one, _)| *one == backend);
            if !told && !self.histories.contains_key(&backend) {
                self.not_run.push((backend, reason(backend)));
            }
        }
    }
}

#[cfg(test)]
mod tests;
