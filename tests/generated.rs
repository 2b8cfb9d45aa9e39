//! The files that are made from the table of versions are as it says.
//!
//! `make generated` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::fs;

use rstest::rstest;
use support::repository;
use switchback::Backend;
use switchback_core::versions;

#[rstest]
#[case::nightly_workflow(".github/workflows/nightly.yml", nightly())]
#[case::compose_file("docker/compose.yml", compose())]
fn a_file_is_as_the_table_says(#[case] path: &str, #[case] made: String) {
    let file = repository(path);
    if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
        fs::write(&file, &made).unwrap();
    }
    let there = fs::read_to_string(&file).unwrap_or_default();
    assert!(there == made, "{path} is not what harness/core/versions.toml makes of it: run `make generated`");
}

fn versions(backend: Backend) -> impl Iterator<Item = String> {
    versions::proven(backend).iter().map(ToString::to_string)
}

/// The versions of a backend as a list in YAML, each a string, since 3.10 would be a number.
fn list(backend: Backend) -> String {
    let quoted: Vec<String> = versions(backend).map(|version| format!("\"{version}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

fn nightly() -> String {
    let (postgres, sqlite) = (list(Backend::Postgres), list(Backend::Sqlite));
    include_str!("support/nightly.yml").replace("[postgres]", &postgres).replace("[sqlite]", &sqlite)
}

fn compose() -> String {
    let (head, service) = include_str!("support/compose.yml").split_once("  postgres-[version]:").unwrap();
    let services = versions(Backend::Postgres)
        .map(|version| format!("  postgres-[version]:{service}").replace("[version]", &version));
    format!("{head}{}", services.collect::<String>())
}
