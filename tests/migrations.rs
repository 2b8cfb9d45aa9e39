//! What a project that uses Switchback writes in its own `tests/migrations.rs`; README.md shows it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use sqlx::migrate::Migrator;
use switchback::{Backend, Check};

static POSTGRES: Migrator = sqlx::migrate!("scenarios/calista/migrations/postgres");
static SQLITE: Migrator = sqlx::migrate!("scenarios/calista/migrations/sqlite");

#[test]
fn the_migrations_of_a_folder_hold() {
    Check::new("scenarios/entries").deny_warnings().assert_clean();
}

#[test]
fn the_migrations_in_the_binary_hold() -> Result<(), switchback::Error> {
    Check::new("scenarios/calista")
        .migrations(Backend::Postgres, &POSTGRES)?
        .migrations(Backend::Sqlite, &SQLITE)?
        .assert_clean();
    Ok(())
}

#[test]
fn migrations_in_the_binary_are_those_of_the_folder() -> Result<(), switchback::Error> {
    let from_files = Check::new("scenarios/calista").backend(Backend::Sqlite).run_blocking()?;
    let handed = Check::new("scenarios/calista").migrations(Backend::Sqlite, &SQLITE)?.run_blocking()?;
    assert_eq!(handed.backends, from_files.backends);
    assert_eq!(handed.findings, from_files.findings);
    Ok(())
}

#[test]
fn a_backend_that_is_not_handed_over_is_said_not_to_have_run() -> Result<(), switchback::Error> {
    let report = Check::new("scenarios/calista").migrations(Backend::Sqlite, &SQLITE)?.run_blocking()?;
    let said =
        report.not_run.iter().find(|one| one.backend == Some(Backend::Postgres) && one.check.is_none());
    assert_eq!(said.unwrap().reason, "no migrations were handed over for it");
    Ok(())
}

#[test]
#[should_panic(expected = "downgrade of 20250102000000_index_notes left index \"ix_notes_created_at\"")]
fn a_finding_fails_the_test() {
    Check::new("scenarios/checks/downgrade-leaves-trace/bad").backend(Backend::Sqlite).assert_clean();
}

#[tokio::test]
async fn there_is_a_form_for_async_tests() -> Result<(), switchback::Error> {
    let report = Check::new("scenarios/homesec").backend(Backend::Sqlite).run().await?;
    assert_eq!(report.findings, []);
    Ok(())
}
