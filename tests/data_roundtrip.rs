//! What homesec writes, it reads back, on either database: the tests that a project with two
//! databases writes for its own repository layer.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use serde_json::{Value, json};
use support::store::Store;
use switchback::{Backend, Check};

/// A clip's state as documents that were awkward somewhere once.
fn states() -> Vec<(&'static str, Value)> {
    vec![
        (
            "front_door-1",
            json!({"camera_name": "front_door", "status": "done", "upload": {"state": "uploaded"}}),
        ),
        (
            "garage-'north'",
            json!({"camera_name": "garage \"left\"", "status": "failed", "error": "\\\\nas\n(2nd)"}),
        ),
        (
            "Überwachung-📷-監視",
            json!({"camera_name": "Höfe 📷", "status": "recorded", "notes": [null, true, -0.5]}),
        ),
        ("deep", json!({"a": [[[{"b": {"c": []}}]]], "big": 9_007_199_254_740_993_i64, "empty": ""})),
        (" ", json!({})),
    ]
}

async fn save(store: &mut Store, clip: &str, state: &Value) {
    let sql = store.sql(
        "INSERT INTO clip_states (clip_id, data) VALUES ($1, $2::jsonb) \
         ON CONFLICT (clip_id) DO UPDATE SET data = excluded.data",
        "INSERT INTO clip_states (clip_id, data) VALUES ($1, $2) \
         ON CONFLICT (clip_id) DO UPDATE SET data = excluded.data",
    );
    store.run(sql, &[clip, &state.to_string()]).await.unwrap();
}

async fn load(store: &mut Store, clip: &str) -> Value {
    let sql = store.sql(
        "SELECT data::text FROM clip_states WHERE clip_id = $1",
        "SELECT data FROM clip_states WHERE clip_id = $1",
    );
    serde_json::from_str(&store.one(sql, &[clip]).await).unwrap()
}

async fn log(store: &mut Store, logger: &str) -> Result<(), String> {
    store.run("INSERT INTO logs (logger) VALUES ($1)", &[logger]).await
}

#[rstest]
#[tokio::test]
async fn a_state_is_read_back_as_it_was_written(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let Some(mut store) = Store::at_head("homesec", backend).await else { return };
    for (clip, state) in states() {
        save(&mut store, clip, &state).await;
        assert_eq!(load(&mut store, clip).await, state, "{clip}");
    }
}

#[rstest]
#[tokio::test]
async fn a_state_that_is_saved_again_is_the_new_one(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let Some(mut store) = Store::at_head("homesec", backend).await else { return };
    save(&mut store, "a", &json!({"status": "queued"})).await;
    save(&mut store, "a", &json!({"status": "done"})).await;
    assert_eq!(load(&mut store, "a").await, json!({"status": "done"}));
    assert_eq!(store.one("SELECT CAST(count(*) AS text) FROM clip_states", &[]).await, "1");
}

#[rstest]
#[tokio::test]
async fn states_are_found_by_what_is_in_them(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    let Some(mut store) = Store::at_head("homesec", backend).await else { return };
    for (clip, state) in states() {
        save(&mut store, clip, &state).await;
    }
    let by_camera = store.sql(
        "SELECT clip_id FROM clip_states WHERE data->>'camera_name' = $1",
        "SELECT clip_id FROM clip_states WHERE json_extract(data, '$.camera_name') = $1",
    );
    assert_eq!(store.one(by_camera, &["Höfe 📷"]).await, "Überwachung-📷-監視");
    let by_upload = store.sql(
        "SELECT clip_id FROM clip_states WHERE data#>>'{upload,state}' = $1",
        "SELECT clip_id FROM clip_states WHERE json_extract(data, '$.upload.state') = $1",
    );
    assert_eq!(store.one(by_upload, &["uploaded"]).await, "front_door-1");
}

#[rstest]
#[tokio::test]
async fn events_come_back_in_the_order_of_their_time(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let Some(mut store) = Store::at_head("homesec", backend).await else { return };
    save(&mut store, "a", &json!({})).await;
    let add = store.sql(
        "INSERT INTO clip_events (clip_id, event_type, occurred_at) VALUES ('a', $1, $2::timestamptz)",
        "INSERT INTO clip_events (clip_id, event_type, occurred_at) VALUES ('a', $1, $2)",
    );
    for (event, at) in [
        ("last", "2025-01-10 09:15:02.5+00:00"),
        ("first", "1969-12-31 23:59:59+00:00"),
        ("middle", "2025-01-10 09:15:02+00:00"),
    ] {
        store.run(add, &[event, at]).await.unwrap();
    }
    let rows = store.rows("SELECT event_type FROM clip_events ORDER BY occurred_at", &[]).await.unwrap();
    let order: Vec<&str> = rows.iter().map(|row| row[0].as_deref().unwrap()).collect();
    assert_eq!(order, ["first", "middle", "last"]);
}

#[rstest]
#[tokio::test]
async fn a_log_entry_gets_its_own_id_and_defaults(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let Some(mut store) = Store::at_head("homesec", backend).await else { return };
    log(&mut store, "recorder").await.unwrap();
    log(&mut store, "uploader").await.unwrap();
    let rows =
        store.rows("SELECT CAST(id AS text), level, message FROM logs ORDER BY id", &[]).await.unwrap();
    let row = |id: &str| vec![Some(id.to_owned()), Some("INFO".to_owned()), Some(String::new())];
    assert_eq!(rows, [row("1"), row("2")]);
}

#[rstest]
#[tokio::test]
async fn a_clip_takes_its_events_with_it_and_leaves_its_log(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    let Some(mut store) = Store::at_head("homesec", backend).await else { return };
    save(&mut store, "a", &json!({})).await;
    store.run("INSERT INTO clip_events (clip_id, event_type) VALUES ('a', 'started')", &[]).await.unwrap();
    store.run("INSERT INTO logs (logger, clip_id) VALUES ('recorder', 'a')", &[]).await.unwrap();
    store.run("DELETE FROM clip_states WHERE clip_id = $1", &["a"]).await.unwrap();
    assert_eq!(store.one("SELECT CAST(count(*) AS text) FROM clip_events", &[]).await, "0");
    let left = store.rows("SELECT logger, clip_id FROM logs", &[]).await.unwrap();
    assert_eq!(left, [[Some("recorder".to_owned()), None]]);
}

#[rstest]
#[tokio::test]
async fn what_is_no_state_is_refused(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    let Some(mut store) = Store::at_head("homesec", backend).await else { return };
    let broken = store.sql(
        "INSERT INTO clip_states (clip_id, data) VALUES ('a', $1::jsonb)",
        "INSERT INTO clip_states (clip_id, data) VALUES ('a', $1)",
    );
    store.run(broken, &["{\"status\":"]).await.unwrap_err();
    store.run("INSERT INTO clip_events (clip_id, event_type) VALUES ('nobody', 'x')", &[]).await.unwrap_err();
    store.run("INSERT INTO logs (logger, level) VALUES ('x', $1)", &["LOUD"]).await.unwrap_err();
}

/// The migrations keep what the release before wrote.
#[rstest]
#[tokio::test]
async fn a_database_can_be_had_at_any_revision(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if support::is_skipped(backend) {
        return;
    }
    let check = Check::new(support::repository("scenarios/homesec"));
    let history = std::fs::read_dir(support::repository(&format!("scenarios/homesec/migrations/{backend}")));
    let mut files: Vec<String> =
        history.unwrap().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned()).collect();
    files.sort();
    let first = files[0].split('_').next().unwrap().to_owned();
    let mut store = Store::of(check.database_at(backend, &first).await.unwrap()).await;
    let tables = store.sql(
        "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public' AND tablename = 'logs'",
        "SELECT name FROM sqlite_schema WHERE name = 'logs'",
    );
    assert_eq!(store.rows(tables, &[]).await.unwrap().len(), 0, "logs come with a later revision");
    let unknown = check.database_at(backend, "nothing").await.unwrap_err().to_string();
    assert!(unknown.contains("has no revision \"nothing\""), "{unknown}");
}
