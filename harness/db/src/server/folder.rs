//! The folder of a run, and its lease: whoever holds the lock on the folder is its living owner, so
//! a folder whose lock can be had was left behind.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};

use super::ServerError;
use super::lease::is_guarded;
use super::run::RunId;
use super::user::ServiceUser;
use crate::files::plain;

const LEFT: &str = "switchback-pg-";
/// A folder that its user wants to keep is no leftover, so it has another name.
const KEPT: &str = "switchback-kept-";
/// A folder in memory, which Linux has.
const MEMORY: &str = "/dev/shm";
/// Below this a folder in memory is too small for a server and a history's data.
const ROOM: u64 = 512 << 20;
/// The path of a Unix socket has at most 103 bytes on macOS, 107 on Linux.
const LONGEST_SOCKET: usize = 103;

/// A folder of this run, ours as long as the value lives.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Whether it is not ours to remove: it is to be kept, or others use it.
    stays: bool,
    lease: File,
}

impl Drop for RunFolder {
    fn drop(&mut self) {
        if !self.stays {
            // Whatever used it may have removed it already.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

impl RunFolder {
    /// Makes the folder for a server's data: in the folder that `TMPDIR` names, else in memory where
    /// there is room, else in the system's temporary folder.
    pub(crate) fn make(run: &RunId, user: Option<&ServiceUser>, keep: bool) -> Result<Self, ServerError> {
        let name = format!("{}{run}", if keep { KEPT } else { LEFT });
        let mut refused = Vec::new();
        for base in bases(keep) {
            let made = serves(&base, &name, user).and_then(|()| {
                let made = Self::make_in(&base, &name, user, keep);
                made.map_err(|e| format!("cannot be written: {}", plain(&e)))
            });
            match made {
                Ok(folder) => return Ok(folder),
                Err(reason) => refused.push(format!("\"{}\" {reason}", base.display())),
            }
        }
        Err(ServerError::NoFolder { reason: refused.join("; ") })
    }

    fn make_in(base: &Path, name: &str, user: Option<&ServiceUser>, keep: bool) -> io::Result<Self> {
        let path = base.join(name);
        loop {
            fs::DirBuilder::new().mode(0o700).create(&path)?;
            let lease = match File::open(&path) {
                Ok(folder) => folder,
                Err(e) if e.kind() == ErrorKind::NotFound => continue,
                Err(e) => return Err(e),
            };
            lease.lock()?;
            // Between its making and its locking the folder looked like one left behind, and
            // another run may have removed it.
            let same = |here: fs::Metadata| lease.metadata().is_ok_and(|m| m.ino() == here.ino());
            if !fs::metadata(&path).is_ok_and(same) {
                continue;
            }
            if let Some(user) = user {
                chown(&path, Some(user.uid), Some(user.gid))?;
            }
            return Ok(Self { path, stays: keep, lease });
        }
    }

    /// Makes an empty folder that only says that its run lives.
    #[cfg(feature = "containers")]
    pub(crate) fn lease(run: &RunId) -> Result<Self, ServerError> {
        let base = std::env::temp_dir();
        Self::make_in(&base, &format!("{LEFT}{run}"), None, false)
            .map_err(|e| ServerError::file("make a folder in", base, e))
    }

    /// Lets other processes be its owners, too. From now on the guardian removes it.
    pub(crate) fn share(&mut self) -> io::Result<()> {
        flock(&self.lease, FlockOperation::LockShared)?;
        self.stays = true;
        Ok(())
    }

    /// Becomes one of the owners of a folder that is shared.
    pub(crate) fn join(path: &Path) -> Option<Self> {
        let lease = File::open(path).ok()?;
        lease.lock_shared().ok()?;
        Some(Self { path: path.to_owned(), stays: true, lease })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether the owner of a folder is dead.
#[cfg(feature = "containers")]
pub(crate) fn is_left(folder: &Path) -> bool {
    match File::open(folder) {
        Ok(lease) => lease.try_lock().is_ok(),
        Err(e) => e.kind() == ErrorKind::NotFound,
    }
}

/// Removes the folders, and stops the servers, of runs whose owner is dead.
pub(crate) fn sweep(user: Option<&ServiceUser>) {
    for base in bases(false) {
        let entries = fs::read_dir(&base).into_iter().flatten().flatten();
        for entry in entries.filter(|e| e.file_name().to_string_lossy().starts_with(LEFT)) {
            let path = entry.path();
            let ours = fs::symlink_metadata(&path).is_ok_and(|found| {
                let owner = found.uid();
                let us = owner == geteuid().as_raw() || user.is_some_and(|u| u.uid == owner);
                found.is_dir() && us
            });
            if !ours {
                continue;
            }
            let Ok(lease) = File::open(&path) else {
                continue;
            };
            // One that processes share may have none at the moment, and its guardian waits for the next.
            if !is_guarded(&path) && lease.try_lock().is_ok() {
                stop_server_in(&path);
                // A guardian may be removing it at the same moment, which is as good.
                let _ = fs::remove_dir_all(&path);
            }
        }
    }
}

/// Stops the server that runs in a folder left behind, if one still does.
fn stop_server_in(folder: &Path) {
    let data = folder.join("data");
    let pid = fs::read_to_string(data.join("postmaster.pid"))
        .ok()
        .and_then(|text| text.lines().next()?.trim().parse().ok())
        .and_then(Pid::from_raw);
    let Some(pid) = pid.filter(|&pid| runs_in(pid, &data)) else {
        return;
    };
    // The server's "immediate" shutdown: nothing in the folder is wanted any more.
    let _ = kill_process(pid, Signal::QUIT);
    let patience = Instant::now() + Duration::from_secs(6);
    while test_kill_process(pid).is_ok() && Instant::now() < patience {
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Whether the process is the server of that data folder: its number may belong to another by now.
fn runs_in(pid: Pid, data: &Path) -> bool {
    let data = data.to_string_lossy();
    let number = pid.as_raw_nonzero().to_string();
    let command = match fs::read(format!("/proc/{number}/cmdline")) {
        Ok(command) => command,
        Err(_) if Path::new("/proc/self").exists() => return false,
        Err(_) => std::process::Command::new("ps")
            .args(["-o", "args=", "-p", &number])
            .output()
            .map(|found| found.stdout)
            .unwrap_or_default(),
    };
    String::from_utf8_lossy(&command).contains(&*data)
}

/// Where a run's folder may lie: memory is the quickest, but whoever sets `TMPDIR` has chosen. What is
/// kept must outlast the memory.
fn bases(keep: bool) -> Vec<PathBuf> {
    let mut bases = vec![std::env::temp_dir()];
    let memory = PathBuf::from(MEMORY);
    if memory.is_dir() && !keep {
        let named = std::env::var_os("TMPDIR").is_some_and(|folder| !folder.is_empty());
        bases.insert(usize::from(named), memory);
    }
    bases
}

/// Whether a folder of that name in `base` could hold a server's data and sockets.
fn serves(base: &Path, name: &str, user: Option<&ServiceUser>) -> Result<(), String> {
    let base = fs::canonicalize(base).map_err(|e| format!("cannot be used: {}", plain(&e)))?;
    if base.join(name).join(".s.PGSQL.65535").as_os_str().len() > LONGEST_SOCKET {
        return Err("has a path too long for a Unix socket".to_owned());
    }
    if base == Path::new(MEMORY) {
        let free = rustix::fs::statvfs(&base).map_err(|e| format!("cannot be measured: {e}"))?;
        if free.f_bavail.saturating_mul(free.f_frsize) < ROOM {
            return Err(format!("has less than {} MB free", ROOM >> 20));
        }
    }
    if let Some(user) = user {
        let closed =
            base.ancestors().find(|folder| fs::metadata(folder).is_ok_and(|found| found.mode() & 0o001 == 0));
        if let Some(folder) = closed {
            let (folder, user) = (folder.display(), &user.name);
            return Err(format!("is out of reach for user \"{user}\", who may not enter \"{folder}\""));
        }
    }
    Ok(())
}
