//! The lease on a server that several processes use: a named pipe in its folder. Each of them holds it
//! open for writing, and the server's guardian listens. However a process ends, the system closes its
//! end; when the last one is closed, the guardian hears the end of the pipe.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::fs::{OFlags, fcntl_setfl};

/// The pipe, which the guardian takes away before it stops the server; it knows the name, too.
const PIPE: &str = "lease";

/// One process's part in a server, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Lease(#[expect(dead_code, reason = "it is there to be open")] File);

impl Lease {
    /// Makes the pipe in a server's folder. Returns the first lease, and the end for the guardian.
    pub(crate) fn make(folder: &Path) -> io::Result<(Self, File)> {
        let pipe = folder.join(PIPE);
        let mut mkfifo = Command::new("mkfifo");
        let made = mkfifo.args(["-m", "600"]).arg(&pipe).stdin(Stdio::null()).output()?;
        if !made.status.success() {
            return Err(io::Error::other(String::from_utf8_lossy(&made.stderr).trim().to_owned()));
        }
        // Only so can an end be opened while there is no other.
        let heard = OpenOptions::new().read(true).custom_flags(nonblocking()).open(&pipe)?;
        let lease = OpenOptions::new().write(true).open(&pipe)?;
        fcntl_setfl(&heard, OFlags::empty())?;
        Ok((Self(lease), heard))
    }

    /// Takes part in the server of a folder, unless its guardian has gone or is about to stop it.
    pub(crate) fn join(folder: &Path) -> Option<Self> {
        let mut pipe = open(folder)?;
        // A word, so that the guardian hears of those who came and went while it was not listening.
        pipe.write_all(b"x").ok()?;
        Some(Self(pipe))
    }
}

/// Whether the server of a folder has a guardian that listens for leases.
pub(crate) fn is_guarded(folder: &Path) -> bool {
    open(folder).is_some()
}

fn open(folder: &Path) -> Option<File> {
    // Does not wait, and fails where nobody listens.
    OpenOptions::new().write(true).custom_flags(nonblocking()).open(folder.join(PIPE)).ok()
}

fn nonblocking() -> i32 {
    i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default()
}
