//! What each revision of each scenario does to each database, recorded for people to review.
//!
//! `cargo insta review` shows what has changed; `tests/tidy` finds recordings that nothing makes
//! any more.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::{is_skipped, record, repository, scenario};
use switchback::Backend;

#[rstest]
fn each_revision_and_head(
    #[values("calista", "entries", "homesec", "queue_jobs", "syfthub")] name: &str,
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let evidence = record(&scenario(name, backend));
    let recording = &evidence.recordings[&backend];
    assert!(recording.reached_head());

    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(repository("snapshots").join(name).join(backend.name()));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        for (revision, before, after) in recording.trunk_changes() {
            let name = recording.name(revision);
            insta::assert_snapshot!(name, before.diff(after).to_string());
        }
        insta::assert_snapshot!("head", recording.head().to_string());
    });
}
