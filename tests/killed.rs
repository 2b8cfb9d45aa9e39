//! A run that is killed at whatever moment leaves nothing that the next one does not remove.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::time::Instant;

use rstest::rstest;
use rustix::process::{Signal, kill_process};
use support::command::{Invocation, Project};
use support::given::Given;
use support::is_skipped;
use support::processes::{Process, below, wait_until_gone};
use switchback::Backend;

/// Kills a run at these of a hundred moments that are spread over what one takes from start to end.
fn kill<'a>(moments: &[u32], command: impl Fn() -> Invocation<'a>) {
    let started = Instant::now();
    command().run().ends(0);
    let whole = started.elapsed();
    let mut killed = 0;
    for moment in moments {
        let running = command().start();
        std::thread::sleep(whole * *moment / 100);
        let started: Vec<Process> = below(running.pid());
        kill_process(running.pid(), Signal::KILL).unwrap();
        // One may have ended by then.
        killed += usize::from(running.was_killed());
        // Nobody is left to wait for a server, yet it ends.
        started.iter().for_each(wait_until_gone);
    }
    assert!(killed > moments.len() / 2, "{killed} of {} runs were killed", moments.len());
    command().run().ends(0);
}

fn project() -> Project {
    let tables = (1..=4).flat_map(|number| {
        let up = format!("CREATE TABLE t{number} (id INTEGER PRIMARY KEY, name TEXT NOT NULL);\n");
        [
            (format!("{number}_t.up.sql"), up),
            (format!("{number}_t.down.sql"), format!("DROP TABLE t{number};\n")),
        ]
    });
    let files: Vec<(String, String)> = tables.collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    Project::sqlx(&files)
}

#[rstest]
fn a_hundred_moments_leave_no_process_and_no_folder(#[values(0, 1, 2, 3)] quarter: u32) {
    let project = project();
    let both = if is_skipped(Backend::Postgres) { "--backend sqlite" } else { "" };
    let words = format!("check {both} --skip behaviour-mismatch");
    let moments: Vec<u32> = (0..100).filter(|moment| moment % 4 == quarter).collect();
    kill(&moments, || project.command(&words).env("DOCKER_HOST", "unix:///nowhere"));
    let left: Vec<_> = std::fs::read_dir(project.tmp()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn moments_on_a_given_server_leave_no_database_and_no_role() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let (given, project) = (Given::new(), project());
    let before = given.objects();
    let moments: Vec<u32> = (0..100).step_by(4).collect();
    kill(&moments, || project.command("check --backend postgres --postgres-url").arg(given.url()));
    assert_eq!(given.objects(), before);
    given.close();
}
