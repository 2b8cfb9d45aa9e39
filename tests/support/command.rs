//! Running the built command on a project of a test's own, as its users do.
//!
//! Whatever the input, a run ends in time, never panics, and leaves nothing in the folder for
//! temporary files; [`Running::end`] sees to that for all tests.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// A run that takes longer hangs: the slowest starts a server and waits out a silent one.
const LIMIT: Duration = Duration::from_secs(120);

/// A project in a temporary folder, beside a folder for the temporary files of its runs.
pub struct Project {
    folder: TempDir,
    name: &'static str,
}

impl Project {
    /// A project with nothing in it.
    pub fn new() -> Self {
        Self::named("project")
    }

    /// The same, in a folder of that name.
    pub fn named(name: &'static str) -> Self {
        let folder = tempfile::Builder::new().prefix("sb").tempdir_in(quickest_folder()).unwrap();
        // A server that runs as another user has to be able to enter.
        fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let project = Self { folder, name };
        fs::create_dir(project.root()).unwrap();
        fs::create_dir(project.tmp()).unwrap();
        project
    }

    /// A copy of a folder of the repository.
    pub fn copy_of(path: &str) -> Self {
        let project = Self::new();
        copy(&super::repository(path), &project.root());
        project
    }

    /// A history in sqlx's layout, one folder for both backends, from the name and text of each file.
    pub fn sqlx(files: &[(&str, &str)]) -> Self {
        let project =
            Self::new().with("switchback.toml", "[history]\ntool = \"sqlx\"\npath = \"migrations\"\n");
        fs::create_dir(project.root().join("migrations")).unwrap();
        files.iter().fold(project, |project, (name, text)| project.with(&format!("migrations/{name}"), text))
    }

    /// With this file.
    pub fn with(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    /// With more text at the end of this file.
    pub fn adding(self, path: &str, text: &str) -> Self {
        let before = self.read(path);
        self.with(path, before + text)
    }

    /// With a symbolic link.
    pub fn linking(self, path: &str, target: &str) -> Self {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
        self
    }

    /// With an empty folder.
    pub fn with_folder(self, path: &str) -> Self {
        fs::create_dir_all(self.root().join(path)).unwrap();
        self
    }

    /// The folder of the project.
    pub fn root(&self) -> PathBuf {
        self.folder.path().join(self.name)
    }

    /// The folder for temporary files.
    pub fn tmp(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// What is in a file.
    pub fn read(&self, path: &str) -> String {
        fs::read_to_string(self.root().join(path)).unwrap()
    }

    /// Runs `switchback` in the project's folder with these words.
    pub fn run(&self, words: &str) -> Ran {
        self.command(words).run()
    }

    /// The same, to be said more about. No URL of the developer's own plays a part in it.
    pub fn command(&self, words: &str) -> Invocation<'_> {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchback"));
        command.args(words.split_whitespace()).current_dir(self.root()).env("TMPDIR", self.tmp());
        for variable in ["DATABASE_URL", "DB_DSN", "CLICOLOR_FORCE"] {
            command.env_remove(variable);
        }
        Invocation { project: self, command }
    }

    /// Takes the place of this project out of a text, so that it is the same in every run.
    fn redact(&self, text: &str) -> String {
        let folder = self.folder.path().to_string_lossy();
        let text = text.replace(&*folder, "[folder]");
        text.lines()
            .map(|line| match line.split_once(" in ") {
                Some((verdict, time)) if time.ends_with(" s") => format!("{verdict} in [time]\n"),
                _ => format!("{line}\n"),
            })
            .collect()
    }
}

/// In memory where there is room for files of 50 MB and for servers, as runs do that are told of no
/// folder for temporary files; these are told of one, so that what they leave is found.
fn quickest_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    let room = rustix::fs::statvfs(memory).map_or(0, |found| found.f_bavail.saturating_mul(found.f_frsize));
    if room > 2 << 30 { memory.to_owned() } else { std::env::temp_dir() }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy(&from, &to);
        } else {
            fs::copy(from, to).unwrap();
        }
    }
}

/// A command that is about to run.
pub struct Invocation<'a> {
    project: &'a Project,
    command: Command,
}

impl<'a> Invocation<'a> {
    /// With this variable in its environment.
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// With one more argument, which may hold blanks.
    pub fn arg(mut self, argument: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.arg(argument);
        self
    }

    /// In this folder.
    pub fn within(mut self, folder: impl AsRef<Path>) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// By way of another command, which is made from it.
    pub fn by(mut self, way: impl FnOnce(&Command) -> Command) -> Self {
        self.command = way(&self.command);
        self
    }

    /// Runs it to its end.
    pub fn run(self) -> Ran {
        self.start().end()
    }

    /// Starts it.
    pub fn start(mut self) -> Running<'a> {
        self.command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Running { project: self.project, child: self.command.spawn().unwrap() }
    }
}

/// A command that runs.
pub struct Running<'a> {
    project: &'a Project,
    child: Child,
}

impl Running<'_> {
    /// The number of its process.
    pub fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Waits until it is over after it was killed, which leaves it no time to clean up. Says whether it
    /// was, and had not ended by itself before.
    pub fn was_killed(mut self) -> bool {
        let status = self.child.wait().unwrap();
        std::os::unix::process::ExitStatusExt::signal(&status) == Some(Signal::KILL.as_raw())
    }

    /// Waits until it is over.
    pub fn end(mut self) -> Ran {
        let pid = self.pid();
        let (sender, receiver) = mpsc::channel();
        let mut pipes = (self.child.stdout.take().unwrap(), self.child.stderr.take().unwrap());
        let mut child = self.child;
        std::thread::spawn(move || {
            let stderr = std::thread::spawn(move || read(&mut pipes.1));
            let stdout = read(&mut pipes.0);
            let status = child.wait().unwrap();
            // Nobody listens any more once the time is up.
            let _ = sender.send((status, stdout, stderr.join().unwrap()));
        });
        let Ok((status, stdout, stderr)) = receiver.recv_timeout(LIMIT) else {
            kill_process(pid, Signal::KILL).unwrap();
            panic!("it did not end within {LIMIT:?}");
        };
        assert!(!stderr.contains("panicked"), "{stderr}");
        assert!(!stderr.contains(super::machine::LEFT), "{stderr}");
        let left: Vec<_> = fs::read_dir(self.project.tmp())
            .into_iter()
            .flatten()
            .map(|entry| entry.unwrap().path())
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}\n{stderr}");
        let (stdout, stderr) = (self.project.redact(&stdout), self.project.redact(&stderr));
        Ran { code: status.code(), stdout, stderr }
    }
}

fn read(pipe: &mut impl Read) -> String {
    let mut bytes = Vec::new();
    pipe.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// How a run ended and what it said.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The exit code, unless a signal killed it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Fails the test unless it ended with this code.
    #[track_caller]
    pub fn ends(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self}");
        self
    }

    /// Fails the test unless it said this, on either stream.
    #[track_caller]
    pub fn says(self, what: &str) -> Self {
        assert!(self.stdout.contains(what) || self.stderr.contains(what), "\"{what}\" is not in:\n{self}");
        self
    }

    /// Fails the test if it said this, on either stream.
    #[track_caller]
    pub fn keeps_quiet_about(self, what: &str) -> Self {
        assert!(!self.stdout.contains(what) && !self.stderr.contains(what), "\"{what}\" is in:\n{self}");
        self
    }
}

impl std::fmt::Display for Ran {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}exit code: {:?}", self.stdout, self.stderr, self.code)
    }
}
