//! Tests that need a process of their own: to be killed, or with another environment. Such a test
//! runs itself anew as a child.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Set in a child.
pub(crate) const CHILD: &str = "SWITCHBACK_TEST_CHILD";
const WORD: &str = "child tells: ";

/// Runs the test of that name as a child, until it has told something.
pub(crate) fn child(test: &str, environment: &[(&str, String)]) -> (Child, String) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let word =
        lines.map_while(Result::ok).find_map(|line| line.split_once(WORD).map(|(_, word)| word.to_owned()));
    (child, word.expect("the child tells something"))
}

/// The child's part: tells something and waits to be killed.
pub(crate) fn told(word: &str) {
    #[expect(clippy::print_stdout, reason = "the parent reads it")]
    {
        println!("{WORD}{word}");
    }
    std::io::read_to_string(std::io::stdin()).unwrap();
}

pub(crate) fn eventually(condition: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < patience, "it did not happen within 20 seconds");
        std::thread::sleep(Duration::from_millis(10));
    }
}
