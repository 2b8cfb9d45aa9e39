//! The five reference systems hold on both databases, and nothing about them is left unjudged.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::{is_skipped, report, scenario};
use switchback::Backend;

#[rstest]
fn nothing_is_found_and_everything_is_judged(
    #[values("calista", "entries", "homesec", "queue_jobs", "syfthub")] name: &str,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let report = report(&scenario(name, backend));
    assert_eq!(report.findings, []);
    assert_eq!(report.not_run, []);
    // Up, down and up again, the trunk, and from head to base and back.
    let run = &report.backends[0];
    assert_eq!(run.steps, run.revisions * 6);
}
