//! A server that somebody else runs: what is there already is never touched.

use std::net::TcpListener;

use rstest::rstest;
use switchback_db::server::{Isolate, Origin, Request, Server, ServerError, provision};

use super::{common, from_binaries, from_url, private, run, texts};

const NAMES: &str = "SELECT datname::text FROM pg_database ORDER BY 1";

fn variable() -> Origin {
    Origin::Environment("DATABASE_URL".to_owned())
}

/// The URL of a database on the server, perhaps with another role.
async fn url_of(server: &Server, role: Option<(&str, &str)>) -> String {
    let database = server.create_database("theirs").await.unwrap();
    let url = database.url().reveal();
    match role {
        None => url.to_owned(),
        Some((role, password)) => {
            format!("postgres://{role}:{password}@{}", url.split_once('@').unwrap().1)
        }
    }
}

#[tokio::test]
async fn everything_happens_in_databases_of_our_own_and_nothing_is_left() {
    let theirs = private().await;
    let url = url_of(&theirs, None).await.replace("postgres://", "postgresql+asyncpg://");
    let database = theirs.create_database("neighbour").await.unwrap();
    let mut on = database.connect().await.unwrap();
    let before = texts(&mut on, NAMES).await;

    let server = provision(&from_url(&url, variable())).await.unwrap();
    assert!(server.source().starts_with("URL from DATABASE_URL (127.0.0.1:"), "{}", server.source());
    let trunk = server.create_database("trunk").await.unwrap();
    server.copy_database(&trunk, "probe").await.unwrap().connect().await.unwrap();
    assert_eq!(texts(&mut on, NAMES).await.len(), before.len() + 2);
    server.close().await.unwrap();
    assert_eq!(texts(&mut on, NAMES).await, before);
}

#[tokio::test]
async fn the_next_run_removes_what_a_dead_one_left_and_only_that() {
    let theirs = private().await;
    let url = url_of(&theirs, None).await;
    let mut on = theirs.create_database("neighbour").await.unwrap().connect().await.unwrap();
    let tag = "made by switchback run=0123456789ab pid=1 host=elsewhere";
    for (name, comment) in [
        ("switchback_0123456789ab_left", tag),
        ("switchback_0123456789ab_theirs", "of the shop"),
        ("switchback_ba9876543210_odd", tag),
        ("switchback_0123456789ab_silent", ""),
        ("tagged", tag),
    ] {
        run(&mut on, &format!("CREATE DATABASE {name}")).await;
        run(&mut on, &format!("COMMENT ON DATABASE {name} IS '{comment}'")).await;
    }
    let living = provision(&from_url(&url, variable())).await.unwrap();
    let trunk = living.create_database("trunk").await.unwrap();
    let before = texts(&mut on, NAMES).await;
    assert!(!before.contains(&"switchback_0123456789ab_left".to_owned()), "{before:?}");
    assert_eq!(before.iter().filter(|name| name.starts_with("switchback_0123")).count(), 2);
    assert!(before.contains(&"tagged".to_owned()));
    assert!(before.contains(&"switchback_ba9876543210_odd".to_owned()));

    let next = provision(&from_url(&url, variable())).await.unwrap();
    trunk.connect().await.expect("a living run keeps its database");
    next.close().await.unwrap();
    assert_eq!(texts(&mut on, NAMES).await, before);
}

#[tokio::test]
async fn what_is_kept_is_nobodys_leftover() {
    let theirs = private().await;
    let url = url_of(&theirs, None).await;
    let request = Request { keep: true, ..from_url(&url, variable()) };
    let server = provision(&request).await.unwrap();
    let kept = server.create_database("kept").await.unwrap();
    server.close().await.unwrap();
    provision(&from_url(&url, variable())).await.unwrap().close().await.unwrap();
    kept.connect().await.unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_an_error_on_the_command_line_and_a_reason_in_the_environment() {
    let theirs = common().await;
    let url = url_of(&theirs, Some(("postgres", "wr%6Fng-s3cret"))).await;
    for origin in [Origin::CommandLine, Origin::Config] {
        let error = provision(&from_url(&url, origin)).await.unwrap_err();
        assert!(matches!(error, ServerError::UrlFails { .. }), "{error:?}");
        let said = format!("{error} {error:?}");
        assert!(said.contains("refused the password of role \"postgres\""), "{said}");
        assert!(!said.contains("s3cret"), "{said}");
    }
    let request = Request { binaries: true, ..from_url(&url, variable()) };
    let server = provision(&request).await.unwrap();
    assert!(server.source().starts_with("server binaries"));
    let passed = format!("{} {:?}", server.passed_over()[0], server.passed_over());
    assert!(passed.starts_with("URL from DATABASE_URL: 127.0.0.1:"), "{passed}");
    assert!(!passed.contains("s3cret"), "{passed}");
}

#[rstest]
#[case("sqlite:///app.db", "its scheme is \"sqlite\", not \"postgres\"")]
#[case("mysql://root:s3cret@localhost/app", "its scheme is \"mysql\", not \"postgres\"")]
#[case(
    "postgres://ada:s3cret@db.example.org/app",
    "db.example.org:5432 is not on this machine, so it must be named by --postgres-url or in the \
     config"
)]
#[case("postgres://ada:s3cret@127.0.0.1:1/app", "nothing listens on 127.0.0.1:1")]
#[tokio::test]
async fn a_variable_meant_for_another_database_is_passed_over(#[case] url: &str, #[case] reason: &str) {
    let error = provision(&from_url(url, variable())).await.unwrap_err();
    let expected = format!("no PostgreSQL serves: URL from DATABASE_URL: {reason}");
    assert_eq!(error.to_string(), expected);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://a@{}/b", listener.local_addr().unwrap());
    let started = std::time::Instant::now();
    let error = provision(&from_url(&url, Origin::CommandLine)).await.unwrap_err();
    assert!(error.to_string().ends_with("did not answer within 8 seconds"), "{error}");
    assert!(started.elapsed().as_secs() < 12);
}

#[tokio::test]
async fn a_server_of_another_version_is_passed_over() {
    let theirs = common().await;
    let url = url_of(&theirs, None).await;
    let request = Request { version: Some(99), ..from_url(&url, variable()) };
    let error = provision(&request).await.unwrap_err();
    let reason = format!("it is PostgreSQL {}, and 99 is asked for", theirs.version());
    assert!(error.to_string().ends_with(&reason), "{error}");
}

#[tokio::test]
async fn a_database_that_is_not_there_yet_does_not_matter() {
    let theirs = common().await;
    let url = url_of(&theirs, None).await;
    let (server, _) = url.rsplit_once('/').unwrap();
    let request = from_url(&format!("{server}/not_made_yet"), Origin::CommandLine);
    provision(&request).await.unwrap().create_database("x").await.unwrap();
}

/// A server with a role `ada` that may make schemas in the database of the URL and nothing else.
async fn with_contained_role() -> (Server, sqlx::PgConnection, String) {
    let theirs = private().await;
    let url = url_of(&theirs, Some(("ada", "pw"))).await;
    let (_, name) = url.rsplit_once('/').unwrap();
    let options = theirs.create_database("admin").await.unwrap().options().database(name);
    let mut on = sqlx::ConnectOptions::connect(&options).await.unwrap();
    run(
        &mut on,
        &format!(
            "CREATE ROLE ada LOGIN PASSWORD 'pw'; GRANT CREATE ON DATABASE {name} TO ada; \
         REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE TABLE public.theirs (x int); \
         GRANT SELECT ON public.theirs TO ada"
        ),
    )
    .await;
    (theirs, on, url)
}

#[tokio::test]
async fn a_role_that_may_not_create_databases_is_told_of_schemas() {
    let (_theirs, _, url) = with_contained_role().await;
    let error = provision(&from_url(&url, Origin::CommandLine)).await.unwrap_err();
    assert!(error.to_string().contains("role \"ada\" may not create databases"), "{error}");
    assert!(error.to_string().contains("--isolate schema"), "{error}");
}

#[tokio::test]
async fn an_isolated_schema_is_made_and_dropped_in_the_given_database() {
    let (_theirs, mut admin, url) = with_contained_role().await;
    let schemas = "SELECT nspname::text FROM pg_namespace ORDER BY 1";
    let before = texts(&mut admin, schemas).await;
    let request = Request { isolate: Isolate::Schema, ..from_url(&url, Origin::CommandLine) };
    let server = provision(&request).await.unwrap();
    let sibling = provision(&request).await.unwrap();
    let trunk = server.create_database("trunk").await.unwrap();
    sibling.create_database("trunk").await.unwrap();
    let tool = <sqlx::PgConnection as sqlx::Connection>::connect(trunk.url().reveal()).await.unwrap();
    for mut on in [trunk.connect().await.unwrap(), tool] {
        assert_eq!(texts(&mut on, "SELECT current_schema()::text").await, [trunk.name()]);
        run(&mut on, "CREATE TABLE IF NOT EXISTS t (x int)").await;
    }
    assert_eq!(trunk.default_namespace(), trunk.name());
    let copy = server.copy_database(&trunk, "probe").await;
    assert!(copy.unwrap_err().is_unsupported());
    server.cluster_objects().await.unwrap();
    let third = provision(&request).await.unwrap();
    third.close().await.unwrap();
    trunk.connect().await.unwrap();
    sibling.close().await.unwrap();
    server.close().await.unwrap();
    assert_eq!(texts(&mut admin, schemas).await, before);
}

#[rstest]
#[case("ALTER ROLE ada SUPERUSER", "is a superuser")]
#[case("ALTER ROLE ada CREATEROLE", "may create roles")]
#[case("ALTER ROLE ada CREATEDB", "may create databases")]
#[case("CREATE ROLE team; GRANT team TO ada", "is a member of role \"team\"")]
#[case("GRANT CREATE ON SCHEMA public TO PUBLIC", "may create in schema \"public\"")]
#[case("GRANT UPDATE (x) ON public.theirs TO ada", "may write to theirs")]
#[case("CREATE SEQUENCE s; GRANT USAGE ON s TO ada", "may advance s")]
#[case("CREATE TABLE mine (); ALTER TABLE mine OWNER TO ada", "owns table mine")]
#[case(
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
    "may run f() as its owner"
)]
#[tokio::test]
async fn a_role_that_reaches_beyond_its_schema_is_passed_over(#[case] grant: &str, #[case] hole: &str) {
    let (_theirs, mut admin, url) = with_contained_role().await;
    run(&mut admin, grant).await;
    let request = Request { isolate: Isolate::Schema, ..from_url(&url, variable()) };
    let error = provision(&request).await.unwrap_err();
    assert!(error.to_string().ends_with(&format!("role \"ada\" {hole}")), "{error}");
}

#[tokio::test]
async fn an_earlier_source_goes_first() {
    let theirs = common().await;
    let url = url_of(&theirs, None).await;
    let request = Request { urls: from_url(&url, variable()).urls, ..from_binaries() };
    let server = provision(&request).await.unwrap();
    assert!(server.source().starts_with("URL from DATABASE_URL"));
    assert!(server.passed_over().is_empty());
}
