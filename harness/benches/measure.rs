//! Running whole processes and measuring them from outside.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What a process took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Taken {
    /// From start to end.
    pub(crate) wall: Duration,
    /// The most memory that it held, in bytes.
    pub(crate) peak: u64,
}

/// Runs a process to its end, which must be a success.
pub(crate) fn run(command: &mut Command) -> Taken {
    let started = Instant::now();
    let mut child =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("the program is installed");
    let status_file = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    let status = loop {
        // The kernel keeps the high-water mark; the last look before the end is a few milliseconds old.
        if let Ok(status) = fs::read_to_string(&status_file) {
            let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let kilobytes = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
            peak = peak.max(kilobytes.unwrap_or(0) * 1024);
        }
        match child.try_wait().expect("a child can be waited for") {
            Some(status) => break status,
            None => std::thread::sleep(Duration::from_millis(2)),
        }
    };
    let wall = started.elapsed();
    if !status.success() {
        let mut text = String::new();
        if let Some(mut stderr) = child.stderr.take() {
            let _ = std::io::Read::read_to_string(&mut stderr, &mut text);
        }
        panic!("{command:?} ended with {status}: {text}");
    }
    Taken { wall, peak }
}

/// The median of several values.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Prints a figure with its aim: a ratio that is to be no more than `aim`.
pub(crate) fn figure(bench: &str, text: &str, ratio: f64, aim: f64) {
    let verdict = if ratio <= aim { "reached" } else { "missed" };
    println!("{bench:<8}{text}: {ratio:.2} times (aim {aim} or less, {verdict})");
}
