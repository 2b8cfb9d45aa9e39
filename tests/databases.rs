//! Databases for a project's own tests: each has its own, on either backend, and none of them is left.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rstest::rstest;
use sqlx::{Connection as _, PgConnection};
use sqlx_sqlite::SqliteConnection;
use support::command::Project;
use support::given::Given;
use support::is_skipped;
use support::store::Store;
use switchback::{Backend, Check, Database};
use switchback_core::schema::Schema;
use switchback_db::introspect::{postgres, sqlite};

const USERS: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(40) NOT NULL);\n\
                     INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace');\n";
const ORDERS: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id),\n\
                      amount INTEGER NOT NULL CHECK (amount >= 0));\nCREATE INDEX ix_orders_user ON orders (user_id);\n";
const NOTES: &str =
    "ALTER TABLE users ADD COLUMN note TEXT;\nUPDATE users SET note = 'first' WHERE id = 1;\n";

/// A project of its own, so that no other test has made its databases before.
fn project() -> Project {
    let own = format!("-- {}\n", std::process::id());
    Project::sqlx(&[
        ("1_users.sql", &format!("{own}{USERS}")),
        ("2_orders.sql", ORDERS),
        ("3_notes.sql", NOTES),
    ])
}

async fn database(project: &Project, backend: Backend) -> Database {
    Check::new(project.root()).database(backend).await.unwrap()
}

async fn schema(database: &Database) -> Arc<Schema> {
    let (url, ignore) = (database.url(), vec!["_sqlx_migrations".to_owned()]);
    match database.backend() {
        Backend::Postgres => {
            let mut on = PgConnection::connect(&url).await.unwrap();
            let version: i32 =
                sqlx::query_scalar("SELECT current_setting('server_version_num')::int / 10000")
                    .fetch_one(&mut on)
                    .await
                    .unwrap();
            let mut reader = postgres::Reader::new(u32::try_from(version).unwrap(), "public", ignore);
            reader.full(&mut on).await.unwrap()
        }
        Backend::Sqlite => {
            let mut on = SqliteConnection::connect(&url).await.unwrap();
            sqlite::Reader::new(ignore).full(&mut on).await.unwrap()
        }
    }
}

/// All rows, and what the tool's books say.
async fn rows(store: &mut Store) -> Vec<Vec<Option<String>>> {
    let mut found = Vec::new();
    for sql in [
        "SELECT CAST(id AS text), name, note FROM users ORDER BY id",
        "SELECT CAST(id AS text), CAST(user_id AS text), CAST(amount AS text) FROM orders ORDER BY id",
        "SELECT CAST(version AS text), description FROM _sqlx_migrations ORDER BY version",
    ] {
        found.extend(store.rows(sql, &[]).await.unwrap());
    }
    found
}

async fn count(store: &mut Store, table: &str) -> u32 {
    store.one(&format!("SELECT CAST(count(*) AS text) FROM {table}"), &[]).await.parse().unwrap()
}

#[rstest]
#[tokio::test]
async fn what_one_test_writes_no_other_one_sees(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let project = project();
    let mut one = Store::of(database(&project, backend).await).await;
    let mut other = Store::of(database(&project, backend).await).await;
    one.run("DELETE FROM users WHERE id = 1", &[]).await.unwrap();
    other.run("INSERT INTO orders (id, user_id, amount) VALUES (1, 1, 5)", &[]).await.unwrap();
    let mut third = Store::of(database(&project, backend).await).await;
    let users = [count(&mut one, "users").await, count(&mut other, "users").await];
    assert_eq!((users, count(&mut third, "users").await), ([1, 2], 2));
    assert_eq!(count(&mut third, "orders").await, 0);
}

#[rstest]
#[tokio::test]
async fn a_copy_is_what_migrating_gives(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let project = project();
    let first = database(&project, backend).await;
    let copy = database(&project, backend).await;
    // What the recorder sees at head, where each revision is run.
    let evidence = Check::new(project.root()).backend(backend).record(&()).await.unwrap();
    let head = evidence.recordings().next().unwrap().head();
    for database in [first, copy] {
        assert_eq!(schema(&database).await.to_string(), head.to_string());
        let text = |text: &str| Some(text.to_owned());
        let expected = vec![
            vec![text("1"), text("Ada"), text("first")],
            vec![text("2"), text("Grace"), None],
            vec![text("1"), text("users")],
            vec![text("2"), text("orders")],
            vec![text("3"), text("notes")],
        ];
        assert_eq!(rows(&mut Store::of(database).await).await, expected);
    }
}

#[tokio::test]
async fn a_copy_has_the_settings_and_privileges_of_the_database_itself() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let set = "DO $$ BEGIN\n  EXECUTE format('ALTER DATABASE %I SET work_mem = ''7MB''', current_database());\n  \
               EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());\nEND $$;\n";
    let project = Project::sqlx(&[("1_users.sql", USERS), ("2_set.sql", set)]);
    for _ in 0..2 {
        let mut store = Store::of(database(&project, Backend::Postgres).await).await;
        assert_eq!(store.one("SHOW work_mem", &[]).await, "7MB");
        let may = "SELECT has_database_privilege('pg_monitor', current_database(), 'TEMPORARY')::text";
        assert_eq!(store.one(may, &[]).await, "false");
    }
}

#[rstest]
#[tokio::test]
async fn a_migration_that_changes_is_not_served_as_it_was(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    let project = project();
    let before = database(&project, backend).await;
    let project = project.with("migrations/3_notes.sql", "ALTER TABLE users ADD COLUMN remark TEXT;\n");
    let after = database(&project, backend).await;
    let columns = async |database: Database| {
        let mut store = Store::of(database).await;
        let has = async |store: &mut Store, column: &str| {
            store.run(&format!("SELECT {column} FROM users"), &[]).await.is_ok()
        };
        (has(&mut store, "note").await, has(&mut store, "remark").await)
    };
    assert_eq!((columns(before).await, columns(after).await), ((true, false), (false, true)));
}

#[rstest]
#[tokio::test]
async fn a_database_is_had_at_a_revision_and_with_rows(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
) {
    if is_skipped(backend) {
        return;
    }
    // Those that come first are the same, whatever the seed.
    let project = project().adding("switchback.toml", "[rows]\nper_table = 30\n");
    let check = Check::new(project.root()).seed(7);
    let mut early = Store::of(check.database(backend).at("1").with_rows().await.unwrap()).await;
    assert!(count(&mut early, "users").await > 2, "those of the revision, and made-up ones");
    early.run("SELECT * FROM orders", &[]).await.unwrap_err();

    let filled = async |check: &Check| {
        let mut store = Store::of(check.database(backend).at("3_notes").with_rows().await.unwrap()).await;
        let ours = count(&mut store, "orders").await;
        assert!(ours > 0);
        // The next row that leaves its key to nobody is not in the way of those.
        store.run("INSERT INTO orders (id, user_id, amount) VALUES (-7, 1, 1)", &[]).await.unwrap();
        rows(&mut store).await
    };
    let (first, again) = (filled(&check).await, filled(&check).await);
    assert_eq!(first, again, "the same seed gives the same rows");
    assert_ne!(first, filled(&Check::new(project.root()).seed(8)).await);
    let mut bare = Store::of(check.database(backend).await.unwrap()).await;
    assert_eq!(count(&mut bare, "orders").await, 0);
}

#[tokio::test]
async fn a_postgres_database_goes_with_its_value() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = project();
    let mut other = Store::of(database(&project, Backend::Postgres).await).await;
    let database = database(&project, Backend::Postgres).await;
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    // Somebody is still connected.
    let pool = database.pg_pool().unwrap();
    sqlx::query("SELECT 1").execute(&pool).await.unwrap();
    let listed = "SELECT CAST(count(*) AS text) FROM pg_database WHERE datname = $1";
    assert_eq!(other.one(listed, &[&name]).await, "1");
    drop(database);
    // Nobody waits for it on a server that goes as well.
    let patience = Instant::now() + Duration::from_secs(10);
    while other.one(listed, &[&name]).await != "0" {
        assert!(Instant::now() < patience, "it is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_sqlite_database_goes_with_its_value() {
    let database = database(&project(), Backend::Sqlite).await;
    let file = database.url().strip_prefix("sqlite://").unwrap().to_owned();
    assert!(std::path::Path::new(&file).is_file());
    drop(database);
    assert!(!std::path::Path::new(&file).parent().unwrap().exists());
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn eight_tests_at_once_have_one_each(#[values(Backend::Postgres, Backend::Sqlite)] backend: Backend) {
    if is_skipped(backend) {
        return;
    }
    let project = Arc::new(project());
    let tasks: Vec<_> = (1..=8)
        .map(|task| {
            let project = Arc::clone(&project);
            tokio::spawn(async move {
                let database = database(&project, backend).await;
                let insert = format!("INSERT INTO orders (id, user_id, amount) VALUES ({task}, 1, 1)");
                let mut store = Store::of(database).await;
                store.run(&insert, &[]).await.unwrap();
                store.one("SELECT CAST(id AS text) FROM orders", &[]).await
            })
        })
        .collect();
    for (task, found) in tasks.into_iter().enumerate() {
        assert_eq!(found.await.unwrap(), (task + 1).to_string());
    }
}

#[tokio::test]
async fn a_pool_is_the_backends_own_and_enforces_what_the_application_does() {
    let dangling = "INSERT INTO orders (id, user_id, amount) VALUES (1, 99, 1)";
    let project = project();
    let strict = database(&project, Backend::Sqlite).await;
    let refused = sqlx::query(dangling).execute(&strict.sqlite_pool().unwrap()).await.unwrap_err();
    assert!(refused.to_string().contains("FOREIGN KEY"), "{refused}");
    let other = strict.pg_pool().unwrap_err().to_string();
    assert_eq!(other, "the database is sqlite's, and a pool of postgres connections is asked for");

    let config = "[history]\ntool = \"sqlx\"\npath = \"migrations\"\n[sqlite]\nforeign_keys = false\n[sqlite.functions]\n\"double(x)\" = \"x * 2\"\n";
    let project = project.with("switchback.toml", config);
    let lax = database(&project, Backend::Sqlite).await;
    let pool = lax.sqlite_pool().unwrap();
    sqlx::query(dangling).execute(&pool).await.unwrap();
    let four: i64 = sqlx::query_scalar("SELECT double(2)").fetch_one(&pool).await.unwrap();
    assert_eq!(four, 4);
}

/// Processes that have no place to meet have a server each, and what is copied goes with its copies.
#[test]
fn a_user_without_a_cache_has_them_too() {
    for test in ["what_one_test_writes_no_other_one_sees", "eight_tests_at_once_have_one_each"] {
        let child = Command::new(std::env::current_exe().unwrap())
            .arg(test)
            .env_remove("HOME")
            .env_remove("XDG_CACHE_HOME")
            .output()
            .unwrap();
        assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
        assert!(String::from_utf8_lossy(&child.stdout).contains("2 passed"));
    }
}

/// On a server of somebody else's the original goes, too, when nobody needs it any more.
#[test]
fn nothing_is_left_on_a_given_server() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let (given, project) = (Given::new(), project());
    let before = given.objects();
    let check = Check::new(project.root()).postgres_url(given.url());
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let databases: Vec<Database> =
        (0..3).map(|_| runtime.block_on(check.database(Backend::Postgres).into_future()).unwrap()).collect();
    assert_eq!(given.objects().len(), before.len() + 4, "three, and what they are copies of");
    drop(databases);
    assert_eq!(given.objects(), before);
    given.close();
}
