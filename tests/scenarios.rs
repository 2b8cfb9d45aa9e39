//! The five reference systems hold on both databases, and nothing about them is left unjudged.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::{is_skipped, report, repository};
use switchback::{Backend, Check, checks};

#[rstest]
fn nothing_is_found_and_everything_is_judged(
    #[values("calista", "entries", "homesec", "queue_jobs", "syfthub")] name: &str,
) {
    let mut check = Check::new(repository("scenarios").join(name));
    if is_skipped(Backend::Postgres) {
        check = check.backend(Backend::Sqlite);
        let compare = checks::ALL.iter().filter(|check| check.needs_both());
        check = compare.fold(check, |check, one| check.skip(one.id));
    }
    let report = report(&check);
    let open: Vec<_> = report.open().collect();
    assert!(open.is_empty(), "{open:#?}");
    assert_eq!((report.not_run, report.unused_accepts), (Vec::new(), Vec::new()));
    for run in report.backends {
        // Up, down and up again, the trunk, and from head to base and back.
        assert_eq!(run.steps, run.revisions * 6);
    }
}
