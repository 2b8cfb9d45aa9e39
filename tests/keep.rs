//! What `--keep` keeps is there when the run is over, is named with the way to it, and is no later
//! run's leftover.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use support::command::{Project, Ran};
use support::is_skipped;
use switchback::Backend;

const TABLE: (&str, &str) = ("1_a.up.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n");
const DROP: (&str, &str) = ("1_a.down.sql", "DROP TABLE t;\n");
/// The way to a folder of such a name must be told so that a shell takes it.
const TMP: &str = "tmp – it's";

fn project() -> (Project, PathBuf) {
    let project = Project::sqlx(&[TABLE, DROP]).with_folder(TMP);
    let tmp = project.root().join(TMP);
    (project, tmp)
}

fn check(project: &Project, tmp: &Path, words: &str) -> Ran {
    let command = project.command(&format!("check {words}")).env("TMPDIR", tmp);
    // What a container keeps, the tests of the servers see to.
    command.env("DOCKER_HOST", "unix:///nonexistent").run()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// Runs a command that a run has told, and returns what it prints.
fn run(command: &str) -> String {
    let done = Command::new("/bin/sh").args(["-c", command]).stdin(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{command}: {}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

#[test]
fn databases_of_sqlite() {
    let (project, tmp) = project();
    let ran = check(&project, &tmp, "--keep --backend sqlite").ends(0);
    let kept = entries(&tmp).remove(0);
    ran.says(&format!("kept in [folder]/project/{TMP}/{}", kept.file_name().unwrap().to_string_lossy()));
    check(&project, &tmp, "--backend sqlite").ends(0);
    assert_eq!(entries(&tmp), [kept.as_path()]);
    assert!(kept.join("trunk-1.sqlite").metadata().unwrap().len() > 0);
}

#[test]
fn a_private_server_of_postgres() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let (project, tmp) = project();
    let ran = check(&project, &tmp, "--keep --backend postgres").ends(0);
    let ran = ran.says("databases kept in [folder]/project/");
    ran.clone().keeps_quiet_about("postgres://").keeps_quiet_about("password");
    let kept = entries(&tmp);
    assert_eq!(kept.len(), 1, "{kept:?}");
    check(&project, &tmp, "--backend postgres").ends(0);
    assert_eq!(entries(&tmp), kept);

    let root = project.root().parent().unwrap().display().to_string();
    let told: Vec<String> = ran.stdout.split('`').map(|text| text.replace("[folder]", &root)).collect();
    let (start, list) = (&told[1], &told[3]);
    run(&format!("{start} >/dev/null"));
    let found = run(&format!("{list} -A -t"));
    let rows = run(&list.replace(" -l", " -A -t -c 'SELECT 1'"));
    run(&start.replace(" start", " -m fast stop"));
    assert!(found.contains("switchback_") && found.contains("_trunk|"), "{found}");
    assert_eq!(rows, "1\n");
}

#[test]
fn a_failed_run_names_what_it_keeps() {
    let broken = "SELECT 1;\nCREATE TABEL u;\n";
    let project = Project::sqlx(&[TABLE, DROP])
        .with("setup.sql", broken)
        .adding("switchback.toml", "\n[sqlite]\nsetup = \"setup.sql\"\n[postgres]\nsetup = \"setup.sql\"\n")
        .with_folder(TMP);
    let tmp = project.root().join(TMP);
    for backend in Backend::ALL.into_iter().filter(|backend| !is_skipped(*backend)) {
        let before = entries(&tmp);
        let ran = check(&project, &tmp, &format!("--keep --backend {backend}")).ends(3);
        let new = entries(&tmp).into_iter().find(|folder| !before.contains(folder));
        let name = new.unwrap().file_name().unwrap().to_string_lossy().into_owned();
        ran.says("the setup failed: setup.sql:2").says("kept in [folder]").says(&name);
    }
}
