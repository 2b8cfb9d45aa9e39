//! What a project that uses Switchback writes in its own `tests/migrations.rs`; README.md shows it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::{fixture, rstest};
use sqlx::migrate::Migrator;
use switchback::{Backend, Check, Database};

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

/// A database of each test's own.
#[fixture]
async fn database(#[default(Backend::Sqlite)] backend: Backend) -> Option<Database> {
    if support::is_skipped(backend) {
        return None;
    }
    let made = Check::new("scenarios/calista").database(backend).await;
    Some(made.unwrap_or_else(|error| panic!("{error}")))
}

const APPEND: &str = "INSERT INTO event_store (event_id, stream_id, stream_type, version, event_type, payload) \
                      VALUES ('00000000-0000-4000-8000-000000000001', 'order-1', 'order', 1, 'placed', '{}')";

#[rstest]
#[tokio::test]
async fn a_fixture_gives_each_test_its_own_database(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
    #[future(awt)]
    #[with(backend)]
    database: Option<Database>,
) -> Result<(), Box<dyn std::error::Error>> {
    let Some(database) = database else { return Ok(()) };
    assert_eq!(database.backend(), backend);
    let affected = match backend {
        Backend::Postgres => sqlx::query(APPEND).execute(&database.pg_pool()?).await?.rows_affected(),
        Backend::Sqlite => sqlx::query(APPEND).execute(&database.sqlite_pool()?).await?.rows_affected(),
    };
    assert_eq!(affected, 1);
    Ok(())
}

#[rstest]
#[tokio::test]
async fn what_another_test_wrote_is_not_in_it(
    #[future(awt)] database: Option<Database>,
) -> Result<(), Box<dyn std::error::Error>> {
    let database = database.ok_or("sqlite is never left out")?;
    let count = sqlx::query_scalar("SELECT count(*) FROM event_store");
    let count: i64 = count.fetch_one(&database.sqlite_pool()?).await?;
    assert_eq!(count, 0);
    Ok(())
}
