//! Which versions there are, and runs that ask for one.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rstest::rstest;
use serde_json::Value;
use support::command::{Project, Ran};

const CREATE: (&str, &str) = ("1_create.up.sql", "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);\n");
const DROP: (&str, &str) = ("1_create.down.sql", "DROP TABLE notes;\n");
const FORGET: (&str, &str) = ("1_create.down.sql", "SELECT 1;\n");

/// A history of SQLite alone, which needs nothing on the machine.
fn on_sqlite(down: (&str, &str)) -> Project {
    let project = Project::new().with("switchback.toml", "[history]\ntool = \"sqlx\"\nsqlite = \"m\"\n");
    [CREATE, down].iter().fold(project, |project, (name, text)| project.with(&format!("m/{name}"), text))
}

/// The command without what the developer's environment asks for.
fn run(project: &Project, words: &str, environment: &[(&str, &str)]) -> Ran {
    let names = ["SWITCHBACK_POSTGRES_VERSION", "SWITCHBACK_SQLITE_VERSION", "SWITCHBACK_SQLITE_LIBRARIES"];
    let command = names.iter().fold(project.command(words), |command, name| command.env(name, ""));
    environment.iter().fold(command, |command, (name, value)| command.env(name, value)).run()
}

#[test]
fn the_list_has_every_version_and_what_a_folder_of_binaries_holds() {
    let project = Project::new();
    let bin = project.root().join("postgres/14/bin");
    fs::create_dir_all(&bin).unwrap();
    for name in ["postgres", "initdb"] {
        fs::write(bin.join(name), "#!/bin/sh\necho 'postgres (PostgreSQL) 14.99'\n").unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let folder = project.root().join("postgres");
    let environment = [("SWITCHBACK_POSTGRES_BINARIES", folder.to_str().unwrap())];
    let found = format!("server binaries of 14.99 in {}", bin.display());
    let found = found.replace(project.root().parent().unwrap().to_str().unwrap(), "[folder]");
    let text = run(&project, "versions", &environment).ends(0).says(&found).says("\nsqlite\n  3.");
    let listed = |major: u32| text.stdout.contains(&format!("\n  {major:<8} "));
    assert!((13..=18).all(listed), "{text}");

    let json = run(&project, "versions --format json", &environment).ends(0).stdout;
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&json["format"], &json["switchback"]), (&1.into(), &env!("CARGO_PKG_VERSION").into()));
    let majors = json["postgres"].as_array().unwrap();
    let of = |major: u32| majors.iter().find(|one| one["version"] == major).unwrap();
    let sources = of(14)["sources"].as_array().unwrap();
    let binaries = sources.iter().find(|source| source["kind"] == "binaries").unwrap();
    assert_eq!((&of(14)["proven"], &binaries["version"]), (&true.into(), &"14.99".into()));
    assert!(json["sqlite"]["proven"].as_array().unwrap().len() >= 4, "{json:#}");
}

#[rstest]
#[case::any("check", &[], 0, "1 revision")]
#[case::the_one_in_use("check --sqlite 3", &[], 0, "1 revision")]
#[case::another("check --sqlite 3.1", &[], 3, "3.1 is asked for")]
#[case::another_in_the_environment("check", &[("SWITCHBACK_SQLITE_VERSION", "3.1.2")], 3, "3.1.2 is asked for")]
#[case::the_command_line_outranks_it("check --sqlite 3", &[("SWITCHBACK_SQLITE_VERSION", "3.1")], 0, "1 revision")]
#[case::no_version("check --sqlite new", &[], 2, "the version of SQLite: \"new\" is not a version")]
#[case::no_version_in_the_environment(
    "check",
    &[("SWITCHBACK_POSTGRES_VERSION", "new")],
    2,
    "SWITCHBACK_POSTGRES_VERSION: \"new\" is not a version"
)]
fn a_run_asks_for_a_version(
    #[case] words: &str,
    #[case] environment: &[(&str, &str)],
    #[case] code: i32,
    #[case] said: &str,
) {
    run(&on_sqlite(DROP), words, environment).ends(code).says(said);
}

#[test]
fn a_library_that_is_too_old_for_the_project_does_not_pass() {
    let project = on_sqlite(DROP).adding("switchback.toml", "\n[sqlite]\noldest = \"4\"\n");
    let reason = "is older than 4, the oldest that the project supports";
    run(&project, "check", &[]).ends(3).says(reason);
    run(&project, "matrix", &[]).ends(3).says(reason);
}

#[rstest]
#[case::clean(DROP, "matrix", 0, "ok ")]
#[case::found(FORGET, "matrix", 1, "!")]
#[case::found_on_all(FORGET, "matrix --same", 0, " found ")]
#[case::no_such_library(DROP, "matrix --sqlite 3.1", 2, "there is no SQLite 3.1 here")]
#[case::no_version(DROP, "matrix --sqlite new", 2, "is not a version")]
#[case::without_the_other(DROP, "matrix", 0, "note: postgres left out: SKIP_POSTGRES_TESTS is set")]
#[case::with_what_is_left_out(
    DROP,
    "matrix --postgres 13",
    2,
    "--postgres asks for versions, but SKIP_POSTGRES_TESTS is set"
)]
fn the_matrix_has_a_cell_for_the_library(
    #[case] down: (&str, &str),
    #[case] words: &str,
    #[case] code: i32,
    #[case] said: &str,
) {
    run(&on_sqlite(down), words, &[("SKIP_POSTGRES_TESTS", "1")]).ends(code).says(said);
}

#[test]
fn a_server_that_cannot_be_had_fails_its_cell() {
    let project = Project::sqlx(&[CREATE, DROP]);
    let ran =
        run(&project, "matrix --postgres 99 --format json", &[("DOCKER_HOST", "unix:///none.sock")]).ends(3);
    let json: Value = serde_json::from_str(&ran.stdout).unwrap();
    let cells = json["rows"][0]["cells"].as_array().unwrap();
    let cell = |backend: &str| cells.iter().find(|cell| cell["backend"] == backend).unwrap();
    let failed = cell("postgres");
    assert_eq!((&failed["version"], &failed["outcome"]), (&"99".into(), &"failed".into()), "{json:#}");
    assert!(failed["reason"].as_str().unwrap().contains("none of version 99"), "{json:#}");
}

/// A program has one library for as long as it lives, unless it was linked with one of the machine.
#[cfg(feature = "bundled-sqlite")]
#[test]
fn a_folder_of_libraries_is_of_no_use_to_a_bundled_one() {
    let environment = [("SWITCHBACK_SQLITE_LIBRARIES", "/none")];
    run(&on_sqlite(DROP), "matrix", &environment).ends(2).says("has a SQLite library of its own");
}
