//! What the integration tests share.

#![allow(dead_code, unreachable_pub, reason = "each test binary uses its own part")]
#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic and say why")]

pub mod command;
pub mod fake_postgres;
pub mod given;
pub mod machine;
pub mod neighbours;
pub mod processes;
pub mod python;
pub mod store;
pub mod theirs;

use std::path::{Path, PathBuf};

use switchback::evidence::Evidence;
use switchback::report::Report;
use switchback::{Backend, Check};

/// A folder of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The check of a scenario on one backend.
pub fn scenario(name: &str, backend: Backend) -> Check {
    Check::new(repository("scenarios").join(name)).backend(backend)
}

/// Whether the environment leaves a backend out; the tests say so aloud and have nothing to do.
pub fn is_skipped(backend: Backend) -> bool {
    let asked = std::env::var("SKIP_POSTGRES_TESTS").is_ok_and(|value| !value.is_empty() && value != "0");
    let skipped = backend == Backend::Postgres && asked;
    if skipped {
        eprintln!("skipped on {backend}: SKIP_POSTGRES_TESTS is set");
    }
    skipped
}

/// Runs a check to its report.
pub fn report(check: &Check) -> Report {
    let report = check.run_blocking().unwrap_or_else(|error| panic!("{error}"));
    assert!(report.is_complete(), "{:#?}", report.not_run);
    report
}

/// Records everything there is to see.
pub fn record(check: &Check) -> Evidence {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let evidence = runtime.block_on(check.record(&())).unwrap_or_else(|error| panic!("{error}"));
    assert!(evidence.not_run.iter().all(|one| !one.failed), "{:#?}", evidence.not_run);
    evidence
}
