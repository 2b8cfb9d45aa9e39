//! calista's events stay as they were appended, on either database: the tests that a project with
//! an event store writes for its own promise.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use support::store::Store;
use switchback::Backend;

const FIRST: &str = "00000000-0000-4000-8000-000000000001";
const SECOND: &str = "00000000-0000-4000-8000-000000000002";

async fn append(store: &mut Store, id: &str, stream: &str, version: &str) -> Result<(), String> {
    let sql = store.sql(
        "INSERT INTO event_store (event_id, stream_id, stream_type, version, event_type, payload) \
         VALUES ($1::uuid, $2, 'order', $3::integer, 'placed', '{\"n\": 1}')",
        "INSERT INTO event_store (event_id, stream_id, stream_type, version, event_type, payload) \
         VALUES ($1, $2, 'order', CAST($3 AS INTEGER), 'placed', '{\"n\": 1}')",
    );
    store.run(sql, &[id, stream, version]).await
}

/// Everything that is in the store.
async fn content(store: &mut Store) -> Vec<Vec<Option<String>>> {
    let sql = "SELECT CAST(position AS text), CAST(event_id AS text), stream_id, CAST(version AS text), event_type, \
               CAST(payload AS text), CAST(metadata AS text), CAST(recorded_at AS text) \
               FROM event_store ORDER BY position";
    store.rows(sql, &[]).await.unwrap()
}

/// A store with two events, or nothing where the backend is left out.
async fn filled(backend: Backend) -> Option<Store> {
    let mut store = Store::at_head("calista", backend).await?;
    append(&mut store, FIRST, "order-1", "1").await.unwrap();
    append(&mut store, SECOND, "order-1", "2").await.unwrap();
    assert_eq!(content(&mut store).await.len(), 2);
    Some(store)
}

#[rstest]
#[case::update("UPDATE event_store SET event_type = 'forged'")]
#[case::update_of_what_is_null("UPDATE event_store SET correlation_id = event_id")]
#[case::update_of_one("UPDATE event_store SET payload = '{}' WHERE version = 2")]
#[case::delete("DELETE FROM event_store")]
#[case::delete_of_one("DELETE FROM event_store WHERE version = 2")]
#[case::upsert(
    "INSERT INTO event_store (event_id, stream_id, stream_type, version, event_type, payload) \
     SELECT event_id, stream_id, stream_type, version, event_type, payload FROM event_store WHERE version = 1 \
     ON CONFLICT (event_id) DO UPDATE SET event_type = 'forged'"
)]
#[tokio::test]
async fn an_event_is_not_changed(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
    #[case] statement: &str,
) {
    let Some(mut store) = filled(backend).await else { return };
    let before = content(&mut store).await;
    let refused = store.run(statement, &[]).await.unwrap_err();
    assert!(refused.contains("append-only"), "{refused}");
    assert_eq!(content(&mut store).await, before);
}

#[rstest]
#[case::truncate(Backend::Postgres, "TRUNCATE event_store CASCADE")]
#[case::replica(Backend::Postgres, "SET session_replication_role = replica; DELETE FROM event_store")]
#[case::replace(
    Backend::Sqlite,
    "INSERT OR REPLACE INTO event_store (position, event_id, stream_id, stream_type, version, event_type, payload) \
     SELECT position, event_id, stream_id, stream_type, version, 'forged', payload FROM event_store"
)]
#[case::replace_by_another_key(
    Backend::Sqlite,
    "REPLACE INTO event_store (event_id, stream_id, stream_type, version, event_type, payload) \
     SELECT 'new', stream_id, stream_type, version, 'forged', payload FROM event_store"
)]
#[case::update_or_replace(
    Backend::Sqlite,
    "UPDATE OR REPLACE event_store SET position = 1 WHERE position = 2"
)]
#[tokio::test]
async fn nor_in_the_ways_that_only_one_database_has(#[case] backend: Backend, #[case] statement: &str) {
    let Some(mut store) = filled(backend).await else { return };
    let before = content(&mut store).await;
    let (settings, statement) = statement.rsplit_once("; ").unwrap_or(("", statement));
    store.run(settings, &[]).await.unwrap();
    let refused = store.run(statement, &[]).await.unwrap_err();
    assert!(refused.contains("append-only"), "{refused}");
    assert_eq!(content(&mut store).await, before);
}

#[rstest]
#[tokio::test]
async fn events_are_still_appended_and_numbered(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let Some(mut store) = filled(backend).await else { return };
    let third = "00000000-0000-4000-8000-000000000003";
    append(&mut store, third, "order-2", "1").await.unwrap();
    let positions: Vec<String> =
        content(&mut store).await.into_iter().map(|mut row| row.remove(0).unwrap()).collect();
    assert_eq!(positions, ["1", "2", "3"]);
}

#[rstest]
#[tokio::test]
async fn two_writers_cannot_append_the_same_version(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let Some(mut store) = filled(backend).await else { return };
    let before = content(&mut store).await;
    append(&mut store, "00000000-0000-4000-8000-000000000003", "order-1", "2").await.unwrap_err();
    assert_eq!(content(&mut store).await, before);
}

#[rstest]
#[tokio::test]
async fn a_projection_may_be_rebuilt(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    let Some(mut store) = filled(backend).await else { return };
    let project = "INSERT INTO stream_index (stream_id, stream_type, last_event_id, last_version, updated_at) \
                   SELECT stream_id, stream_type, event_id, version, recorded_at FROM event_store WHERE version = 2";
    for _ in 0..2 {
        store.run("DELETE FROM stream_index", &[]).await.unwrap();
        store.run(project, &[]).await.unwrap();
    }
    assert_eq!(store.one("SELECT CAST(last_version AS text) FROM stream_index", &[]).await, "2");
}
