//! One small history in the files of each tool: each is clean, and all make the same schema.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use rstest::rstest;
use support::{is_skipped, record, report, repository, scenario};
use switchback::{Backend, Check};

#[rstest]
fn the_history_of_a_tool_is_clean(
    #[values("dbmate", "golang-migrate", "goose", "numbered")] tool: &str,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let report = report(&scenario(&format!("layouts/{tool}"), backend));
    let open: Vec<_> = report.open().collect();
    assert!(open.is_empty(), "{open:#?}");
    for run in report.backends {
        // Up, down and up again, the trunk, and from head to base and back.
        assert_eq!((run.revisions, run.steps), (4, 24));
    }
}

#[rstest]
fn both_backends_of_a_tool_agree(#[values("dbmate", "golang-migrate", "goose", "numbered")] tool: &str) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let report = report(&Check::new(repository("scenarios/layouts").join(tool)));
    let open: Vec<_> = report.open().collect();
    assert!(open.is_empty(), "{open:#?}");
}

#[rstest]
fn all_tools_make_the_same_schema(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let mut heads: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for folder in fs::read_dir(repository("scenarios/layouts")).unwrap() {
        let tool = folder.unwrap().file_name().into_string().unwrap();
        let evidence = record(&scenario(&format!("layouts/{tool}"), backend));
        let head = evidence.recordings[&backend].head().to_string();
        heads.entry(head).or_default().insert(tool);
    }
    let tools: Vec<_> = heads.values().collect();
    assert_eq!(tools.len(), 1, "they differ: {tools:?}");

    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(repository("snapshots/layouts"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    for head in heads.into_keys() {
        settings.bind(|| insta::assert_snapshot!(backend.name(), head));
    }
}
