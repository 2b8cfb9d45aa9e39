//! A whole scenario on PostgreSQL from a container, once for each version whose image is here.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::BTreeSet;
use std::process::Command;

use support::{is_skipped, report, repository};
use switchback::{Backend, Check};

/// The versions whose images an engine has here; nothing where there is no engine.
fn local_images() -> BTreeSet<u32> {
    let listed = Command::new("docker").args(["images", "--format", "{{.Tag}}", "postgres"]).output();
    let text = listed.map(|listed| String::from_utf8(listed.stdout).unwrap()).unwrap_or_default();
    text.lines().filter_map(|tag| tag.parse().ok()).collect()
}

#[test]
fn a_scenario_holds_on_each_container() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let check = Check::new(repository("scenarios/calista"));
    let images = local_images();
    for version in &images {
        let found = report(&check.clone().postgres_version(version.to_string()));
        assert!(found.is_complete(), "{version}: {:#?}", found.not_run);
        let postgres = found.backends.iter().find(|run| run.backend == Backend::Postgres).unwrap();
        assert_eq!(postgres.source, format!("container postgres:{version}"));
        assert!(postgres.version.starts_with(&version.to_string()), "{}", postgres.version);
        assert_eq!(found.open().count(), 0, "{version}: {:#?}", found.findings);
    }
    if images.is_empty() {
        let found = report(&check);
        let postgres = found.backends.iter().find(|run| run.backend == Backend::Postgres).unwrap();
        let container = postgres.passed_over.iter().find(|source| source.starts_with("container: "));
        assert!(postgres.source.starts_with("container ") || container.is_some(), "{postgres:#?}");
    }
}
