//! The guardian: a small shell that runs a server for us and outlives us just long enough to stop
//! it. A process that is killed cannot clean up, and a static is never dropped; a pipe is closed
//! in either case.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::ServerError;
use super::lease::Lease;
use super::user::ServiceUser;

/// The server ends its sessions within five seconds or kills them.
const PATIENCE: Duration = Duration::from_secs(15);

/// How long a server that processes share waits for the next one, when the last has ended. A runner
/// that gives each test a process of its own starts one within milliseconds; `cargo test` does not
/// take longer from one test binary to the next.
const LINGERS: &str = "3";

/// A running guardian; its server stops when this is dropped, or our process ends. One that is shared
/// stops when all of them have.
#[derive(Debug)]
pub(crate) struct Guardian {
    /// None, if another process started it.
    child: Option<Child>,
    folder: PathBuf,
    lease: Option<Lease>,
}

/// When the guardian ends the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// When its owner ends; the folder stays.
    Kept,
    /// When its owner ends.
    Dropped,
    /// When the last process that uses it ends, and for some seconds no other comes.
    Unused,
}

impl Guardian {
    /// Runs `program` under a guardian of its own process group, so that Ctrl-C does not reach it.
    ///
    /// Guardian and server are the same user, so that the one may signal the other.
    pub(crate) fn start<A: AsRef<OsStr>>(
        program: &Path,
        arguments: impl IntoIterator<Item = A>,
        folder: &Path,
        user: Option<&ServiceUser>,
        until: Until,
    ) -> Result<Self, ServerError> {
        // "Immediate" is the quickest stop; what is kept is shut down cleanly.
        let (signal, end) = match until {
            Until::Kept => ("INT", "keep"),
            Until::Dropped => ("QUIT", "remove"),
            Until::Unused => ("QUIT", LINGERS),
        };
        let (lease, stdin) = match until {
            Until::Unused => {
                let made = Lease::make(folder);
                let (lease, heard) = made.map_err(|e| ServerError::file("make a pipe in", folder, e))?;
                (Some(lease), Stdio::from(heard))
            }
            Until::Kept | Until::Dropped => (None, Stdio::piped()),
        };
        let mut command = clean_command(Path::new("/bin/sh"), user);
        command
            .args(["-c", include_str!("guardian.sh"), "switchback-guardian"])
            .arg(folder)
            .args([signal, end])
            .arg(program)
            .args(arguments)
            .process_group(0)
            .stdin(stdin)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().map_err(|e| ServerError::file("run", "/bin/sh", e))?;
        Ok(Self { child: Some(child), folder: folder.to_owned(), lease })
    }

    /// That of a server which another process has started, unless it is about to stop.
    pub(crate) fn join(folder: &Path) -> Option<Self> {
        let mut joined = Self { child: None, folder: folder.to_owned(), lease: Lease::join(folder) };
        (joined.lease.is_some() && !joined.server_stopped()).then_some(joined)
    }

    /// Lets the server be others', too, who are not waited for.
    pub(crate) fn share(&mut self) {
        self.child = None;
    }

    /// Whether the server has ended by itself.
    pub(crate) fn server_stopped(&mut self) -> bool {
        self.folder.join("stopped").exists() || !self.may_live()
    }

    fn may_live(&mut self) -> bool {
        self.child.as_mut().is_none_or(|child| matches!(child.try_wait(), Ok(None)))
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.lease.take());
        // Others may use it for as long as they like.
        let Some(child) = &mut self.child else { return };
        drop(child.stdin.take());
        let patience = Instant::now() + PATIENCE;
        while matches!(child.try_wait(), Ok(None)) && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// A shell that removes a container when our process ends before the container does.
#[cfg(feature = "containers")]
#[derive(Debug)]
pub(crate) struct Remover(Option<Child>);

#[cfg(feature = "containers")]
impl Remover {
    /// Needs Docker's command line; without it the next run removes what this one left.
    pub(crate) fn of_container(id: &str, lease: &Path) -> Self {
        let script = "command -v docker >/dev/null || exit
            cat >/dev/null; docker rm -fv \"$1\"; rmdir \"$2\"";
        let child = Command::new("/bin/sh")
            .args(["-c", script, "switchback-guardian", id])
            .arg(lease)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        Self(child.ok())
    }

    /// Lets the container be.
    pub(crate) fn forget(mut self) {
        if let Some(mut child) = self.0.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[cfg(feature = "containers")]
impl Drop for Remover {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // Closes the pipe first.
            let _ = child.wait();
        }
    }
}

/// A command with nothing of our environment that would change what PostgreSQL does, run as `user`.
pub(crate) fn clean_command(program: &Path, user: Option<&ServiceUser>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C").env("TZ", "UTC").current_dir("/");
    for name in ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH"] {
        command.envs(std::env::var_os(name).map(|value| (name, value)));
    }
    if let Some(user) = user {
        command.uid(user.uid).gid(user.gid);
    }
    command
}
