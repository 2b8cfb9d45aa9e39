//! Any tool can be driven by its commands; one that fails, hangs or says what is not so is told.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::Command;

use rstest::rstest;
use support::command::Project;
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
#[case::is_elsewhere(
    "up = \"true\"\nhistory = \"echo 1; echo 2\"\ncurrent = \"echo 2\"",
    1,
    &["afterwards command says that \"2\" is applied, which is not so"]
)]
#[case::has_an_environment(
    "up = 'test \"$DB\" = \"$WHERE\" && test \"$WHERE\" = \"{path}\" && test -n \"$WHERE\"'\nhistory = \"echo 1\"\n\
     url = { env = \"WHERE\" }\nscheme = { sqlite = \"{path}\" }\nenv = { DB = \"{path}\" }",
    0,
    &["no revision has a downgrade"]
)]
fn what_a_command_does_is_told(#[case] commands: &str, #[case] code: i32, #[case] told: &[&str]) {
    let ran = project(commands).run("check --backend sqlite").ends(code);
    told.iter().fold(ran, |ran, told| ran.says(told));
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
