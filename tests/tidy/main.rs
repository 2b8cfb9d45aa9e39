//! The rules of the repository that no compiler keeps, and what to do where one is broken.

mod rules;

use std::fs;
use std::path::Path;

use switchback::checks;

use rules::*;

/// Reads the repository, but for what git ignores.
fn repository() -> Files {
    let mut files = Files::new();
    read(Path::new(env!("CARGO_MANIFEST_DIR")), "", &mut files);
    assert!(files.contains_key("tests/tidy/main.rs"));
    files
}

fn read(folder: &Path, prefix: &str, files: &mut Files) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for entry in entries.map(|entry| entry.expect("a folder can be listed")) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{prefix}{name}");
        let kind = entry.file_type().expect("an entry has a type");
        let ours = !name.starts_with('.') || [".ci", ".github"].contains(&name.as_str());
        if kind.is_dir() && ours && path != "target" {
            read(&entry.path(), &format!("{path}/"), files);
        } else if kind.is_file()
            && name != ".git"
            && !name.ends_with(".new")
            && !name.ends_with(".pending-snap")
        {
            let bytes = fs::read(entry.path()).unwrap_or_else(|error| panic!("{path}: {error}"));
            files.insert(path, String::from_utf8_lossy(&bytes).into_owned());
        }
    }
}

fn ids() -> Vec<&'static str> {
    checks::ALL.iter().map(|check| check.id).collect()
}

#[track_caller]
fn holds(rule: &str, broken: &[String]) {
    assert!(broken.is_empty(), "{rule}\n  {}", broken.join("\n  "));
}

#[test]
fn files_are_short() {
    let rule = format!("a file has at most {MOST_LINES} lines: split it by what its parts do");
    holds(&rule, &long_files(&repository()));
}

#[test]
fn no_file_names_a_machine() {
    holds(
        "a file is as true elsewhere: take out names of one machine and of registries",
        &names_of_machines(&repository()),
    );
}

#[test]
fn scenarios_have_a_config() {
    holds(
        "each scenario has a switchback.toml: write it, or remove the folder",
        &scenarios_without_config(&repository()),
    );
}

#[test]
fn checks_have_a_bad_and_a_good_scenario() {
    let rule = "each check has scenarios/checks/<id>/bad and good, and each of those a check";
    holds(rule, &checks_and_their_scenarios(&repository(), &ids()));
}

#[test]
fn snapshots_belong_to_a_scenario() {
    let rule = "each revision has its snapshots: `make snapshots` records those that are missing, \
                `git rm` removes those that belong to nothing";
    let checks: Vec<(&str, bool)> = checks::ALL.iter().map(|check| (check.id, check.needs_both())).collect();
    holds(rule, &snapshots_of_scenarios(&repository(), &checks));
}

#[test]
fn the_layout_is_true() {
    holds(
        "the layout in ARCHITECTURE.md names each folder and its one job: mend it there",
        &untrue_layout(&repository()),
    );
}

#[test]
fn dependencies_are_explained() {
    let rule = "\"Dependencies\" in ARCHITECTURE.md says of each crate in Cargo.toml why it is there";
    holds(rule, &unexplained_dependencies(&repository()));
}

#[test]
fn dependencies_are_used() {
    holds(
        "a crate depends on what its sources use: take the rest out of its manifest",
        &unused_dependencies(&repository()),
    );
}

#[test]
fn unsafe_code_is_in_one_place() {
    let rule = format!("{UNSAFE} alone may hold unsafe code: a driver's safe interface serves elsewhere");
    holds(&rule, &unsafe_code(&repository()));
}

#[test]
fn core_is_pure() {
    let rule = "harness/core has no I/O and no clock: what needs them belongs into harness/db";
    holds(rule, &impurities_of_core(&repository()));
}
