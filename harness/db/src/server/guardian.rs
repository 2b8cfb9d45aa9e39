//! The guardian: a small shell that runs a server for us and outlives us just long enough to stop
//! it. A process that is killed cannot clean up, and a static is never dropped; a pipe is closed
//! in either case.

use std::ffi::OsStr;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::ServerError;
use super::user::ServiceUser;

/// The server ends its sessions within five seconds or kills them.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running guardian; its server stops when this is dropped, or our process ends.
#[derive(Debug)]
pub(crate) struct Guardian {
    child: Child,
    folder: PathBuf,
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
        keep: bool,
    ) -> Result<Self, ServerError> {
        // "Immediate" is the quickest stop; what is kept is shut down cleanly.
        let (signal, kept) = if keep { ("INT", "keep") } else { ("QUIT", "remove") };
        let mut command = clean_command(Path::new("/bin/sh"), user);
        command
            .args(["-c", include_str!("guardian.sh"), "switchback-guardian"])
            .arg(folder)
            .args([signal, kept])
            .arg(program)
            .args(arguments)
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = command.spawn().map_err(|e| ServerError::file("run", "/bin/sh", e))?;
        Ok(Self { child, folder: folder.to_owned() })
    }

    /// Whether the server has ended by itself.
    pub(crate) fn server_stopped(&mut self) -> bool {
        self.folder.join("stopped").exists() || !matches!(self.child.try_wait(), Ok(None))
    }
}

impl Drop for Guardian {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let patience = Instant::now() + PATIENCE;
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < patience {
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
