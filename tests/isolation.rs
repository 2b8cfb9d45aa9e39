//! On a server that somebody else runs, everything happens in what this run made, and goes with it.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::sync::Arc;

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use support::{is_skipped, scenario};
use switchback::Backend;
use switchback_db::server::{Request, Server, provision};

/// A server with a role that may make schemas in one database, and write nothing else.
async fn stranger() -> (Arc<Server>, PgConnection, String) {
    let server = provision(&Request { containers: false, ..Request::default() }).await.unwrap();
    let theirs = server.create_database("theirs").await.unwrap();
    let mut admin = theirs.connect().await.unwrap();
    let name = theirs.name();
    let sql = format!(
        "CREATE ROLE ada LOGIN PASSWORD 'secret'; GRANT CREATE ON DATABASE {name} TO ada; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE TABLE public.diary (entry TEXT); \
         INSERT INTO public.diary VALUES ('kept')"
    );
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.unwrap();
    let url = theirs.url().reveal();
    let (_, place) = url.split_once('@').unwrap();
    (Arc::new(server), admin, format!("postgresql://ada:secret@{place}"))
}

async fn schemas(admin: &mut PgConnection) -> Vec<String> {
    let query = "SELECT nspname::text FROM pg_namespace WHERE nspname !~ '^pg_' ORDER BY 1";
    sqlx::query_scalar(query).fetch_all(admin).await.unwrap()
}

#[tokio::test]
async fn an_isolated_schema_is_made_and_dropped_again() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let (_server, mut admin, url) = stranger().await;
    let before = schemas(&mut admin).await;
    let check = scenario("queue_jobs", Backend::Postgres).postgres_url(&url).isolate_schema();
    let report = check.run().await.unwrap();
    assert!(report.is_complete(), "{:#?}", report.not_run);
    assert_eq!(report.findings, []);
    assert_eq!(report.backends[0].steps, report.backends[0].revisions * 6);
    assert_eq!(schemas(&mut admin).await, before);
    let diary: Vec<String> =
        sqlx::query_scalar("SELECT entry FROM public.diary").fetch_all(&mut admin).await.unwrap();
    assert_eq!(diary, ["kept"]);
    admin.close().await.unwrap();
}

#[tokio::test]
async fn databases_on_a_given_server_are_dropped_again() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let (server, mut admin, _) = stranger().await;
    let query = "SELECT datname::text FROM pg_database ORDER BY 1";
    let before: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut admin).await.unwrap();
    let url = server.create_database("url").await.unwrap().url().reveal().to_owned();
    let report = scenario("homesec", Backend::Postgres).postgres_url(&url).run().await.unwrap();
    assert!(report.is_complete(), "{:#?}", report.not_run);
    assert!(report.backends[0].source.contains("command line"), "{}", report.backends[0].source);
    assert_eq!(report.findings, []);
    let mut after: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut admin).await.unwrap();
    after.retain(|name| !name.ends_with("_url"));
    assert_eq!(after, before);
}
