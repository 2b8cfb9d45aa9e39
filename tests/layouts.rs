//! The same little history in the files of each tool comes to the same schema.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::{is_skipped, record, report, scenario};
use switchback::{Backend, Check};

/// The tools that have a scenario below `scenarios/layouts`.
const TOOLS: [&str; 4] = ["flyway", "liquibase", "pattern", "refinery"];

fn layout(tool: &str, backend: Backend) -> Check {
    scenario(&format!("layouts/{tool}"), backend)
}

#[rstest]
fn nothing_is_found(
    #[values("flyway", "liquibase", "pattern", "refinery")] tool: &str,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let report = report(&layout(tool, backend));
    let open: Vec<_> = report.open().collect();
    assert!(open.is_empty(), "{open:#?}");
    // Each revision goes up on both walks, and, where the tool has a way back, down and up again.
    let steps = if tool == "refinery" { 2 } else { 6 };
    let run = &report.backends[0];
    assert_eq!((run.revisions, run.steps), (4, 4 * steps));
}

#[rstest]
fn the_backends_agree(#[values("flyway", "liquibase", "pattern", "refinery")] tool: &str) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let report = report(&Check::new(support::repository("scenarios/layouts").join(tool)));
    let open: Vec<_> = report.open().collect();
    assert!(open.is_empty(), "{open:#?}");
}

#[rstest]
fn the_schema_is_the_same(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let head = |tool: &&str| {
        let evidence = record(&layout(tool, backend));
        let recording = &evidence.recordings[&backend];
        assert!(recording.reached_head(), "{tool}");
        recording.head().to_string()
    };
    let heads: Vec<_> = TOOLS.iter().map(head).collect();
    for (tool, text) in TOOLS.iter().zip(&heads) {
        assert_eq!(text, &heads[0], "{tool} and {}", TOOLS[0]);
    }
    let wanted = ["fk_books_author_id", "ix_books_author_id", "language", "authors_keep_name"];
    assert!(wanted.iter().all(|name| heads[0].contains(name)), "{}", heads[0]);
}
