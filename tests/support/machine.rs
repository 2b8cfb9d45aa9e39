//! Machines that lack something, such as room on a disk: a run there sees mounts of its own.

use std::process::{Command, Stdio};

use rustix::process::{getegid, geteuid};

/// Says what is left in the folder for temporary files, which nobody else can see there.
pub const LEFT: &str = "left behind on the machine: ";

/// Changes the mounts for a command and runs it, as the user that it is meant for.
const SCRIPT: &str = r#"
set -e
user=$1 group=$2 mounts=$3
shift 3
unshare=$(command -v unshare)
eval "$mounts"
set +e
if [ "$user" = 0 ]; then "$@"; else "$unshare" --user --map-user="$user" --map-group="$group" -- "$@"; fi
code=$?
PATH=/usr/bin:/bin
ls -A "$TMPDIR" | sed "s/^/left behind on the machine: /" >&2
exit $code
"#;

/// Whether such a machine can be made here. Where it can't, that is said aloud.
pub fn can_be_made() -> bool {
    let tried = unshare().args(["mount", "-t", "tmpfs", "none", "/mnt"]).stderr(Stdio::piped()).output();
    match tried {
        Ok(done) if done.status.success() => true,
        Ok(done) => {
            let said = String::from_utf8_lossy(&done.stderr);
            eprintln!("SKIPPED IN PART: no mounts of a test's own can be made here: {}", said.trim());
            false
        }
        Err(error) => {
            eprintln!("SKIPPED IN PART: no mounts of a test's own can be made here: unshare: {error}");
            false
        }
    }
}

fn unshare() -> Command {
    let mut unshare = Command::new("unshare");
    unshare.arg("--mount");
    if !geteuid().is_root() {
        unshare.args(["--user", "--map-root-user"]);
    }
    unshare.arg("--");
    unshare
}

/// The command on a machine that this shell script makes of a copy of our mounts.
pub fn after(mounts: &str, command: &Command) -> Command {
    let mut wrapped = unshare();
    wrapped.args(["/bin/sh", "-c", SCRIPT, "sh"]);
    wrapped.args([geteuid().as_raw().to_string(), getegid().as_raw().to_string()]);
    wrapping(wrapped.arg(mounts), command)
}

/// The command where no file can grow beyond so many bytes, which takes no right to make mounts.
pub fn with_files_up_to(bytes: u64, command: &Command) -> Command {
    let mut wrapped = Command::new("/bin/sh");
    // Counted in blocks; without the signal, a file that would grow too large is a failed write.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", bytes / 512);
    wrapping(wrapped.args(["-c", &script, "sh"]), command)
}

/// The command without the rights by which root reads and writes what its owner may not.
pub fn without_rights_of_root(command: &Command) -> Command {
    let mut wrapped = Command::new("setpriv");
    if geteuid().is_root() {
        wrapped.arg("--bounding-set=-dac_override,-dac_read_search");
    }
    wrapping(wrapped.arg("--"), command)
}

fn wrapping(wrapped: &mut Command, command: &Command) -> Command {
    wrapped.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => wrapped.env(name, value),
            None => wrapped.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        wrapped.current_dir(folder);
    }
    std::mem::replace(wrapped, Command::new("true"))
}
