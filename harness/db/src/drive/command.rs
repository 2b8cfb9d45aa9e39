//! Any other tool, by the commands that its users type.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use switchback_core::Backend;
use switchback_core::config::{CommandsConfig, HistoryConfig, UrlBy};
use switchback_core::evidence::{Failure, Outcome};
use switchback_core::history::{Direction, Downgrade, Driven, History, Revision, RevisionId, Script};
use switchback_core::report::Location;

use super::process::{KEPT, LIMIT, Leader, last_lines, listen, shown};
use super::{Done, DriveError, Order, Place, python};

pub(super) const NAME: &str = "command";
/// The variables in which a tool may find a database of the user's.
const OTHERS: [&str; 13] = [
    "DATABASE_URL",
    "DB_DSN",
    "DB_URL",
    "POSTGRES_URL",
    "SQLALCHEMY_DATABASE_URI",
    "PGDATABASE",
    "PGHOST",
    "PGHOSTADDR",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGSERVICE",
    "PGUSER",
];

/// A project's own commands for one backend.
#[derive(Debug)]
pub(super) struct Commands {
    backend: Backend,
    folder: PathBuf,
    config: HistoryConfig,
    commands: CommandsConfig,
}

/// What a command said.
struct Said {
    success: Result<(), String>,
    output: String,
    errors: String,
}

impl Commands {
    pub(super) fn open(
        config: &HistoryConfig,
        root: &Path,
        folder: &str,
        backend: Backend,
    ) -> Result<(Self, History), DriveError> {
        let Some(commands) = config.commands.clone() else {
            return Err(DriveError::new(
                "tool = \"command\" needs the commands up and history under [history]",
            ));
        };
        let path = root.join(folder);
        let folder = path.canonicalize().map_err(|error| {
            DriveError::new(format!("the folder \"{}\" cannot be used: {error}", path.display()))
        })?;
        let this = Self { backend, folder, config: config.clone(), commands };
        let history = this.history()?;
        Ok((this, history))
    }

    /// The history as its command lists it: a line for each revision with its id and, where the tool
    /// has more to say, its name and its file.
    fn history(&self) -> Result<History, DriveError> {
        let command = self.commands.history.replace("{backend}", self.backend.name());
        let said = self.run(&command, &command, &self.environment(None), "history")?;
        if let Err(status) = &said.success {
            return Err(DriveError::new(format!(
                "the command that lists the history failed ({status}): {command}{}",
                shown(&said.errors)
            )));
        }
        let revision = |line: &str| {
            let mut words = line.split_whitespace();
            let id = words.next()?;
            let name = words.next().unwrap_or(id);
            let file = words.next().unwrap_or_default();
            let script = Script::new(file, "-");
            Some(Revision {
                id: RevisionId::new(id),
                name: name.to_owned(),
                parents: Vec::new(),
                downgrade: match self.commands.down {
                    Some(_) => Downgrade::Script(script.clone()),
                    None => Downgrade::Missing,
                },
                upgrade: script,
                upgrade_in_transaction: true,
                downgrade_in_transaction: true,
            })
        };
        let revisions: Vec<Revision> = said.output.lines().filter_map(revision).collect();
        if revisions.is_empty() {
            return Err(DriveError::new(format!(
                "the command that lists the history lists nothing: {command}{}",
                shown(&said.errors)
            ))
            .with_help(
                "let it print a line for each revision: its id and, if there are, its name and file",
            ));
        }
        let tool = Driven {
            name: NAME,
            tables: self.config.bookkeeping.clone(),
            tells_all: false,
            outside_transaction: "tell the tool to run the revision outside a transaction",
        };
        Ok(History::line(Arc::new(tool), revisions)?)
    }

    pub(super) fn step(&self, place: &Place, order: &Order) -> Result<Done, DriveError> {
        let command = match order.direction {
            Direction::Upgrade => Some(&self.commands.up),
            Direction::Downgrade => self.commands.down.as_ref(),
        };
        let Some(command) = command else {
            return Err(DriveError::new("there is no command for a downgrade: give one as [history] down"));
        };
        let environment = self.environment(Some(place));
        let previous = order.previous.as_ref().map(RevisionId::as_str);
        let filled = self.filled(command, place, order, previous.unwrap_or(&self.commands.base));
        let said = self.run(&filled, command, &environment, order.direction.name())?;
        if let Err(status) = said.success {
            let all = format!("{}\n{}", said.output.trim_end(), said.errors.trim_end());
            let last_of = |said: &str| said.lines().rfind(|line| !line.trim().is_empty()).map(str::to_owned);
            let last = last_of(&said.errors).or_else(|| last_of(&said.output));
            let file = &order.revision.upgrade.path;
            let failure = Failure {
                message: last.unwrap_or_else(|| format!("the command ended with {status}")),
                detail: Some(last_lines(&all)),
                location: (!file.is_empty()).then(|| Location { file: file.clone(), line: 1 }),
                ..Failure::new(String::new())
            };
            return Ok(Done { outcome: Outcome::Failed(failure), sent: None, heads: None });
        }
        let heads = self.current(place, &environment)?;
        Ok(Done { outcome: Outcome::Applied, sent: None, heads })
    }

    /// What is applied, where there is a command that tells: an id on each line.
    fn current(
        &self,
        place: &Place,
        environment: &[(String, String)],
    ) -> Result<Option<Vec<RevisionId>>, DriveError> {
        let Some(command) = &self.commands.current else { return Ok(None) };
        let said = self.run(&place.filled(command), command, environment, "current")?;
        if let Err(status) = said.success {
            return Err(DriveError::new(format!(
                "the command that tells what is applied failed ({status}): {command}{}",
                shown(&said.errors)
            )));
        }
        let ids = said.output.lines().filter_map(|line| line.split_whitespace().next());
        Ok(Some(ids.map(RevisionId::new).collect()))
    }

    fn filled(&self, command: &str, place: &Place, order: &Order, previous: &str) -> String {
        let command = place.filled(command);
        let parts = [
            ("{revision}", order.revision.id.as_str()),
            ("{name}", &order.revision.name),
            ("{previous}", previous),
            ("{backend}", self.backend.name()),
        ];
        parts.iter().fold(command, |command, (part, value)| command.replace(part, value))
    }

    /// What the commands find in their environment.
    fn environment(&self, place: Option<&Place>) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let name = match &self.config.url {
            Some(UrlBy::Env(name)) => name,
            _ => "DATABASE_URL",
        };
        let url = self.config.scheme.get(&self.backend).map_or("{url}", String::as_str);
        // Who asks for the history alone gets a database that is nowhere, and none of the user's.
        let url = place.unwrap_or(&Place::nowhere(self.backend)).filled(url);
        found.push((name.to_owned(), url));
        match place {
            Some(place) => {
                let filled = |(name, value): (&String, &String)| (name.clone(), place.filled(value));
                found.extend(self.config.env.iter().map(filled));
            }
            None => found.extend(self.config.env_before(self.backend)),
        }
        found.push(("SWITCHBACK_BACKEND".to_owned(), self.backend.name().to_owned()));
        found
    }

    /// What is found by name: first what the project itself has installed.
    fn path(&self) -> OsString {
        let mut folders: Vec<PathBuf> =
            python::own_environments(&self.folder).into_iter().map(|path| path.join("bin")).collect();
        folders.push(self.folder.join("node_modules/.bin"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        folders.extend(std::env::split_paths(&path));
        std::env::join_paths(folders).unwrap_or(path)
    }

    /// Runs a command. What is told of it has no passwords filled in.
    fn run(
        &self,
        command: &str,
        told: &str,
        environment: &[(String, String)],
        doing: &str,
    ) -> Result<Said, DriveError> {
        let limit = self.config.time_limit.map_or(LIMIT, Duration::from_secs);
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).current_dir(&self.folder);
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A tool that is told nothing must not find the user's own database.
        for variable in OTHERS {
            shell.env_remove(variable);
        }
        shell.env("PATH", self.path()).env("PYTHONDONTWRITEBYTECODE", "1");
        shell.envs(environment.iter().map(|(name, value)| (name, value)));
        let failed = |error: std::io::Error| DriveError::new(format!("\"{told}\" does not start: {error}"));
        let mut child = Leader::start(&mut shell).map_err(failed)?;
        let (output, errors) = (Arc::<Mutex<String>>::default(), Arc::<Mutex<String>>::default());
        let (ended, listeners) = channel();
        if let Some(pipe) = child.stdout.take() {
            let (to, ended) = (Arc::clone(&output), ended.clone());
            std::thread::spawn(move || {
                listen(pipe, &to, usize::MAX);
                ended.send(())
            });
        }
        if let Some(pipe) = child.stderr.take() {
            let (to, ended) = (Arc::clone(&errors), ended.clone());
            std::thread::spawn(move || {
                listen(pipe, &to, KEPT);
                ended.send(())
            });
        }
        let since = Instant::now();
        let status = loop {
            match child.try_wait().map_err(failed)? {
                Some(status) => break status,
                None if since.elapsed() < limit => std::thread::sleep(Duration::from_millis(5)),
                None => {
                    child.kill();
                    let seconds = limit.as_secs();
                    return Err(DriveError::new(format!(
                        "the command for {doing} took longer than {seconds} seconds and was killed: {told}{}",
                        shown(&errors.lock().unwrap_or_else(PoisonError::into_inner))
                    ))
                    .with_help("a command that needs longer gets it by [history] time_limit"));
                }
            }
        };
        // What a command leaves running would hold its pipes, and the database, open.
        child.kill();
        for _ in 0..2 {
            // Something that has left the group may hold a pipe open for as long as it likes.
            let _ = listeners.recv_timeout(Duration::from_secs(1));
        }
        let taken =
            |said: &Mutex<String>| std::mem::take(&mut *said.lock().unwrap_or_else(PoisonError::into_inner));
        let success = if status.success() { Ok(()) } else { Err(status.to_string()) };
        Ok(Said { success, output: taken(&output), errors: taken(&errors) })
    }
}
