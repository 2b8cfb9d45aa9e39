//! A process that answers requests, a line of JSON each, until its input ends.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::ops::{Deref, DerefMut};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::Value;

/// How long a step may take, unless the config says otherwise.
pub(super) const LIMIT: Duration = Duration::from_secs(300);
/// How many lines of what a tool says are shown.
const SHOWN: usize = 20;
/// How much of what a process says is kept.
pub(super) const KEPT: usize = 64 * 1024;

/// A process with a private pipe for requests and answers. Whatever else it says is kept, to be shown
/// when something fails.
#[derive(Debug)]
pub(super) struct Resident {
    child: Leader,
    requests: Option<ChildStdin>,
    answers: Receiver<String>,
    said: Arc<Mutex<String>>,
}

/// Why a request was not answered.
#[derive(Debug)]
pub(super) enum Silence {
    /// The process ended, with this status.
    Ended(String),
    /// It took longer than it may, and was killed.
    TimedOut(Duration),
    /// What it wrote is no answer.
    Garbled(String),
}

impl std::fmt::Display for Silence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ended(status) => write!(f, "the process ended ({status})"),
            Self::TimedOut(limit) => {
                write!(f, "there was no answer within {} seconds, so the process was killed", limit.as_secs())
            }
            Self::Garbled(line) => write!(f, "the answer cannot be read: {line}"),
        }
    }
}

impl Resident {
    /// Starts the process.
    pub(super) fn start(mut command: Command) -> std::io::Result<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = Leader::start(&mut command)?;
        let requests = child.stdin.take();
        let (sender, answers) = channel();
        if let Some(output) = child.stdout.take() {
            std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        break;
                    }
                }
            });
        }
        let said = Arc::default();
        if let Some(errors) = child.stderr.take() {
            let said = Arc::clone(&said);
            std::thread::spawn(move || listen(errors, &said, KEPT));
        }
        Ok(Self { child, requests, answers, said })
    }

    /// Sends a request and waits for its answer.
    pub(super) fn ask(&mut self, request: &Value, limit: Duration) -> Result<Value, Silence> {
        let line = format!("{request}\n");
        let written = self.requests.as_mut().map(|pipe| pipe.write_all(line.as_bytes()).and(pipe.flush()));
        if !matches!(written, Some(Ok(()))) {
            return Err(self.ended());
        }
        match self.answers.recv_timeout(limit) {
            Ok(line) => serde_json::from_str(&line).map_err(|_| Silence::Garbled(line)),
            Err(RecvTimeoutError::Timeout) => {
                self.child.kill();
                Err(Silence::TimedOut(limit))
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.ended()),
        }
    }

    /// What the process has said since this was asked last, besides its answers.
    pub(super) fn said(&mut self) -> String {
        std::mem::take(&mut *self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn ended(&mut self) -> Silence {
        let since = Instant::now();
        self.requests = None;
        // Its output has ended, so it is about to end itself.
        while since.elapsed() < Duration::from_secs(2) {
            if let Ok(Some(status)) = self.child.try_wait() {
                return Silence::Ended(status.to_string());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        self.child.kill();
        Silence::Ended("it closed its output".to_owned())
    }
}

impl Drop for Resident {
    fn drop(&mut self) {
        // It ends by itself with its input; what it may have left behind ends with its leader.
        self.requests = None;
        let since = Instant::now();
        while since.elapsed() < Duration::from_millis(500) {
            if matches!(self.child.try_wait(), Ok(Some(_))) {
                break;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// A process that leads a group of its own, so that what it starts ends with it.
#[derive(Debug)]
pub(super) struct Leader(Child);

/// The groups that have not ended; nothing once no more may be started.
static LIVING: Mutex<Option<BTreeSet<i32>>> = Mutex::new(Some(BTreeSet::new()));

fn living() -> MutexGuard<'static, Option<BTreeSet<i32>>> {
    LIVING.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Leader {
    pub(super) fn start(command: &mut Command) -> std::io::Result<Self> {
        let mut living = living();
        let living = living.as_mut().ok_or_else(|| std::io::Error::other("this process is about to end"))?;
        let child = command.process_group(0).spawn()?;
        living.extend(i32::try_from(child.id()));
        Ok(Self(child))
    }

    /// Kills the whole group.
    pub(super) fn kill(&mut self) {
        if let Ok(id) = i32::try_from(self.0.id()) {
            // Once it has been waited for, another group may get its number.
            let is_ours = living().as_mut().is_some_and(|living| living.remove(&id));
            if is_ours {
                kill_group(id);
            }
        }
        let _ = self.0.wait();
    }
}

impl Deref for Leader {
    type Target = Child;

    fn deref(&self) -> &Child {
        &self.0
    }
}

impl DerefMut for Leader {
    fn deref_mut(&mut self) -> &mut Child {
        &mut self.0
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Kills every process that runs a step and lets none start any more, for a program that is about to end
/// in the middle of one.
pub fn stop() {
    let living = living().take();
    living.into_iter().flatten().for_each(kill_group);
}

fn kill_group(leader: i32) {
    if let Some(group) = Pid::from_raw(leader) {
        // A group that is gone is what is wanted.
        let _ = kill_process_group(group, Signal::KILL);
    }
}

/// The end of what a tool said.
pub(super) fn last_lines(said: &str) -> String {
    let lines: Vec<&str> = said.trim().lines().collect();
    lines[lines.len().saturating_sub(SHOWN)..].join("\n")
}

/// The same, below a message.
pub(super) fn shown(said: &str) -> String {
    if said.trim().is_empty() { String::new() } else { format!("\n{}", last_lines(said)) }
}

/// Keeps the end of what is said.
pub(super) fn listen(mut from: impl Read, said: &Mutex<String>, kept: usize) {
    let mut buffer = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut buffer) {
        let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
        said.push_str(&String::from_utf8_lossy(&buffer[..read]));
        if said.len() / 2 > kept {
            let mut cut = said.len() - kept;
            while !said.is_char_boundary(cut) {
                cut += 1;
            }
            said.drain(..cut);
        }
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    fn shell(script: &str) -> Resident {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        Resident::start(command).expect("there is a shell")
    }

    #[test]
    fn a_request_is_answered() {
        let mut cat = shell("echo hello >&2; exec cat");
        let limit = Duration::from_secs(20);
        assert_eq!(cat.ask(&json!({"id": 1}), limit).unwrap(), json!({"id": 1}));
        assert_eq!(cat.ask(&json!({"id": 2}), limit).unwrap(), json!({"id": 2}));
        assert_eq!(cat.said(), "hello\n");
    }

    #[rstest]
    #[case::ends("exit 3", "the process ended (exit status: 3)")]
    #[case::hangs("sleep 600 & wait", "there was no answer within 1 seconds, so the process was killed")]
    #[case::says_something_else("echo what; cat", "the answer cannot be read: what")]
    fn silence_has_a_reason(#[case] script: &str, #[case] reason: &str) {
        let limit = if script.contains("sleep") { 1 } else { 20 };
        let silence = shell(script).ask(&json!({}), Duration::from_secs(limit)).unwrap_err();
        assert_eq!(silence.to_string(), reason);
    }
}
