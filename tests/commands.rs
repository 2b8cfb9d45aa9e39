//! Any tool can be driven by its commands; one that fails, hangs or says what is not so is told.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic and say why")]

mod support;

use std::process::Command;

use rstest::rstest;
use rustix::process::{Signal, kill_process};
use support::command::Project;
use support::processes::{Process, below, wait_for, wait_until_gone};
use support::python::interpreter;
use support::{is_skipped, report, repository};
use switchback::report::Severity;
use switchback::{Backend, Check};

fn project(commands: &str) -> Project {
    Project::new().with("switchback.toml", format!("[history]\ntool = \"command\"\n{commands}\n"))
}

#[rstest]
#[case::no_history(
    "up = \"true\"\nhistory = \"echo what; echo no such tool >&2; exit 4\"",
    2,
    &["the command that lists the history failed (exit status: 4)", "no such tool"]
)]
#[case::fails(
    "up = \"echo {revision} after {previous} on {backend}; echo it broke >&2; exit 1\"\nhistory = \"echo 1 one\"\nbase = \"zero\"",
    1,
    &["error[upgrade-fails]: upgrade of one failed (sqlite): it broke", "1 after zero on sqlite"]
)]
#[case::hangs(
    "up = \"sleep 600\"\nhistory = \"echo 1\"\ntime_limit = 1",
    3,
    &["the command for upgrade took longer than 1 seconds and was killed: sleep 600", "[history] time_limit"]
)]
#[case::lists_nothing(
    "up = \"true\"\nhistory = \"ls nowhere | cat\"",
    2,
    &["the command that lists the history lists nothing: ls nowhere | cat", "nowhere"]
)]
#[case::leaves_something_running(
    "up = \"setsid sleep 600 & echo no >&2; exit 1\"\nhistory = \"echo 1\"",
    1,
    &["error[upgrade-fails]: upgrade of 1 failed (sqlite): no"]
)]
// What it is given is right, or it would be the upgrade that fails.
#[case::goes_elsewhere(
    "up = 'test \"$DB\" = \"$WHERE\" && test \"$WHERE\" = \"{path}\" && test -n \"$WHERE\"'\ndown = \"touch gone\"\n\
     history = \"echo 1\"\nurl = { env = \"WHERE\" }\nscheme = { sqlite = \"{path}\" }\nenv = { DB = \"{path}\" }",
    3,
    &["command says that 1 was applied, and nothing has changed in the database of this run"]
)]
fn what_a_command_does_is_told(#[case] commands: &str, #[case] code: i32, #[case] told: &[&str]) {
    let ran = project(commands).run("check --backend sqlite").ends(code);
    let told = told.iter().fold(ran, |ran, told| ran.says(told));
    assert!(!told.stdout.contains("clean"), "{told}");
}

/// A tool in Python that makes a table for each revision, and says that they are all applied.
#[test]
fn what_a_tool_says_of_itself_is_held_against_the_step() {
    let Some(python) = interpreter() else { return };
    let make = "import os, sqlite3, sys; sqlite3.connect(os.environ['WHERE']).execute(f'create table t{sys.argv[1]} (a)')";
    let commands = format!(
        "up = \"{} make.py {{revision}}\"\nhistory = \"echo 1; echo 2\"\ncurrent = \"echo 2\"\n\
         url = {{ env = \"WHERE\" }}\nscheme = {{ sqlite = \"{{path}}\" }}",
        python.display()
    );
    let ran = project(&commands).with("make.py", make).run("check --backend sqlite").ends(1);
    ran.says("afterwards command says that \"2\" is applied, which is not so");
}

/// What a tool does not tell may be anything, so that no table is passed over.
#[test]
fn a_sequence_left_behind_by_a_command_is_found() {
    let Some(python) = interpreter() else { return };
    if is_skipped(Backend::Postgres) {
        return;
    }
    let make = "import os, psycopg2\nwith psycopg2.connect(os.environ['WHERE']) as one:\n    \
                one.cursor().execute('create table t (id serial primary key, a int); \
                insert into t values (1, 1), (2, 2)')\n";
    let commands =
        format!("up = \"{} make.py\"\nhistory = \"echo 1\"\nurl = {{ env = \"WHERE\" }}\n", python.display());
    let ran = project(&commands).with("make.py", make).run("check --backend postgres").ends(1);
    ran.says("error[sequence-behind]");
}

#[test]
fn a_command_is_not_waited_for_on_ctrl_c() {
    let project = project("up = \"sleep 600\"\nhistory = \"echo 1\"");
    let running = project.command("check --backend sqlite").start();
    let asleep = |one: &Process| one.command.starts_with("sleep 600");
    let step = wait_for("the step", || below(running.pid()).into_iter().find(asleep));
    let asked = std::time::Instant::now();
    kill_process(running.pid(), Signal::INT).unwrap();
    running.end().ends(130).says("interrupted");
    assert!(asked.elapsed().as_secs() < 20);
    wait_until_gone(&step);
}

#[test]
fn django_is_driven_by_its_commands() {
    let folder = repository("scenarios/command/django");
    if interpreter().is_none() {
        let failed = Check::new(folder).backend(Backend::Sqlite).run_blocking().unwrap();
        assert!(failed.findings.iter().any(|finding| finding.check == "upgrade-fails"), "{failed:#?}");
        return;
    }
    let mut check = Check::new(folder);
    if is_skipped(Backend::Postgres) {
        check = check.backend(Backend::Sqlite).skip("parity-mismatch").skip("behaviour-mismatch");
    }
    let report = report(&check);
    let open: Vec<_> = report.open().filter(|finding| finding.severity > Severity::Note).collect();
    assert!(open.is_empty(), "{open:#?}");
    assert!(
        report.backends.iter().all(|run| (run.revisions, run.steps) == (3, 18)),
        "{:#?}",
        report.backends
    );
}

#[test]
fn sea_orm_is_driven_by_its_commands() {
    let scenario = repository("scenarios/command/sea_orm");
    let target = repository("target/sea_orm");
    let run = |words: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_switchback"));
        command.args(words.split_whitespace()).current_dir(&scenario).env("CARGO_TARGET_DIR", &target);
        let ran = command.output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap() + &String::from_utf8(ran.stderr).unwrap())
    };
    let (code, listed) = run("history");
    assert_eq!((code, listed.matches("m20250102_000001_orders").count()), (Some(0), 2), "{listed}");
    if !target.join("debug/migration").exists() {
        eprintln!("without sea-orm's migrations: `make sea-orm` builds them");
        return;
    }
    let both = if is_skipped(Backend::Postgres) { "--backend sqlite" } else { "" };
    let (code, report) = run(&format!("check --deny warnings {both}"));
    assert_eq!(code, Some(0), "{report}");
    assert!(report.contains("3 revisions") && report.contains(" steps on "), "{report}");
}
