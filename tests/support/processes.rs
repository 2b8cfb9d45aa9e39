//! The processes that a run starts, as `/proc` shows them.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

/// A process with its command line.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: Pid,
    pub command: String,
}

/// All processes below this one, those closer to it first.
pub fn below(pid: Pid) -> Vec<Process> {
    let mut found: Vec<Process> = Vec::new();
    let mut parents = vec![pid.as_raw_nonzero().get()];
    let all: Vec<(i32, i32)> = fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            // The name before it stands in parentheses and may hold anything.
            let parent = stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    while let Some(parent) = parents.pop() {
        for (pid, _) in all.iter().filter(|(_, of)| *of == parent) {
            parents.push(*pid);
            let command = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let command = String::from_utf8_lossy(&command).replace('\0', " ");
            found.push(Process { pid: Pid::from_raw(*pid).unwrap(), command });
        }
    }
    found
}

/// Waits for something to happen.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    let patience = Instant::now() + Duration::from_secs(60);
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(Instant::now() < patience, "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Waits until a process is gone, or has ended and only waits for another to take note of it.
pub fn wait_until_gone(process: &Process) {
    let stat = format!("/proc/{}/stat", process.pid.as_raw_nonzero());
    let has_ended = || {
        let stat = fs::read_to_string(&stat).ok()?;
        stat.rsplit_once(')')?.1.trim_start().starts_with('Z').then_some(())
    };
    wait_for(&format!("the end of {}", process.command), || {
        test_kill_process(process.pid).is_err().then_some(()).or_else(has_ended)
    });
}

/// Ends a process at once.
pub fn kill(process: &Process) {
    kill_process(process.pid, Signal::KILL).unwrap();
}
