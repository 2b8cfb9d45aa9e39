//! Databases made in a run: empty, copied, dropped.

use switchback_db::server::ServerError;

use super::{common, private, run, texts};

#[tokio::test]
async fn a_new_database_is_empty_and_the_same_on_every_server() {
    let server = common().await;
    let database = server.create_database("empty").await.unwrap();
    let mut on = database.connect().await.unwrap();
    let facts = "SELECT concat_ws(' ', pg_encoding_to_char(encoding), datcollate, \
        lower('É') = 'é', 'B' < 'a') FROM pg_database WHERE datname = current_database()";
    assert_eq!(texts(&mut on, facts).await, ["UTF8 C t t"]);
    let tables = "SELECT tablename::text FROM pg_tables WHERE schemaname = 'public'";
    assert!(texts(&mut on, tables).await.is_empty());
}

#[tokio::test]
async fn a_label_may_be_used_twice_and_be_anything() {
    let server = common().await;
    let label = "0007 \"Ünïcode\"; DROP DATABASE postgres -- ".repeat(3);
    let first = server.create_database(&label).await.unwrap();
    let second = server.create_database(&label).await.unwrap();
    assert_ne!(first.name(), second.name());
    first.connect().await.unwrap();
    second.connect().await.unwrap();
}

#[tokio::test]
async fn a_copy_has_the_contents_settings_and_grants_of_the_original() {
    let server = private().await;
    let trunk = server.create_database("trunk").await.unwrap();
    let name = trunk.name().to_owned();
    let mut on = trunk.connect().await.unwrap();
    run(&mut on, "CREATE ROLE ada; CREATE ROLE \"Bob \"\"B\"\"\"; CREATE TABLE t AS SELECT 1 AS x").await;
    run(
        &mut on,
        &format!(
            r#"ALTER DATABASE {name} SET search_path TO app, "$user", "Odd, One";
           ALTER DATABASE {name} SET lock_timeout TO '5000ms';
           ALTER DATABASE {name} SET app.motto TO 'it''s a \ "thing"';
           ALTER ROLE ada IN DATABASE {name} SET work_mem TO '9MB';
           ALTER ROLE ada IN DATABASE {name} SET search_path TO '';
           ALTER DATABASE {name} CONNECTION LIMIT 7;
           REVOKE ALL ON DATABASE {name} FROM PUBLIC;
           GRANT CONNECT ON DATABASE {name} TO ada WITH GRANT OPTION;
           GRANT CREATE, TEMP ON DATABASE {name} TO "Bob ""B""";
           ALTER DATABASE {name} OWNER TO "Bob ""B""""#
        ),
    )
    .await;
    let inuse = server.copy_database(&trunk, "probe").await;
    assert!(matches!(inuse, Err(ServerError::InUse { .. })), "{inuse:?}");
    sqlx::Connection::close(on).await.unwrap();

    let probe = server.copy_database(&trunk, "probe").await.unwrap();
    let mut on = probe.connect().await.unwrap();
    assert_eq!(texts(&mut on, "SELECT x::text FROM public.t").await, ["1"]);
    let mut facts = async |name: &str| {
        texts(
            &mut on,
            &format!(
                "SELECT concat_ws(' ', coalesce(r.rolname, '-'), array_to_string(s.setconfig, ';')) \
             FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase \
             LEFT JOIN pg_roles r ON r.oid = s.setrole WHERE d.datname = '{name}' \
             UNION ALL SELECT datconnlimit::text || pg_get_userbyid(datdba) FROM pg_database \
                 WHERE datname = '{name}' \
             UNION ALL SELECT a::text FROM pg_database, unnest(datacl) a WHERE datname = '{name}' \
             ORDER BY 1"
            ),
        )
        .await
    };
    let (expected, found) = (facts(trunk.name()).await, facts(probe.name()).await);
    assert_eq!(expected.len(), 5, "{expected:?}");
    assert_eq!(found, expected);
}

#[tokio::test]
async fn a_database_is_dropped_whoever_is_connected_but_only_by_its_own_run() {
    let (server, other) = (common().await, private().await);
    let database = server.create_database("dropped").await.unwrap();
    let name = database.name().to_owned();
    let _open = database.connect().await.unwrap();
    let refused = other.drop_database(database.clone()).await.unwrap_err();
    assert!(refused.to_string().ends_with("it is not of this run"), "{refused}");
    server.drop_database(database).await.unwrap();
    let rest = server.create_database("rest").await.unwrap();
    let mut on = rest.connect().await.unwrap();
    let left = format!("SELECT datname::text FROM pg_database WHERE datname = '{name}'");
    assert!(texts(&mut on, &left).await.is_empty());
}

#[tokio::test]
async fn changes_beyond_the_databases_of_a_run_are_seen() {
    let server = private().await;
    let before = server.cluster_objects().await.unwrap();
    let database = server.create_database("x").await.unwrap();
    assert_eq!(server.cluster_objects().await.unwrap(), before);
    let mut on = database.connect().await.unwrap();
    run(
        &mut on,
        "CREATE ROLE ada LOGIN PASSWORD 's3cret'; CREATE ROLE team; GRANT team TO ada; \
        ALTER ROLE ada SET work_mem TO '9MB'",
    )
    .await;
    for alone in [
        "CREATE DATABASE other",
        "ALTER SYSTEM SET work_mem TO '8MB'",
        "CREATE PUBLICATION p FOR ALL TABLES",
        "SELECT pg_create_logical_replication_slot('slot', 'pgoutput')",
    ] {
        run(&mut on, alone).await;
    }
    let after = server.cluster_objects().await.unwrap();
    let new: Vec<&str> = after.keys().filter(|key| !before.contains_key(*key)).map(String::as_str).collect();
    assert_eq!(
        new,
        [
            "database \"other\"",
            "membership of \"ada\" in \"team\"",
            "replication slot \"slot\"",
            "role \"ada\"",
            "role \"team\"",
            "setting work_mem",
            "settings of role \"ada\"",
        ]
    );
    assert!(!format!("{after:?}").contains("s3cret") && !format!("{after:?}").contains("SCRAM"));
    drop(on);
    server.drop_database(database).await.unwrap();
    let made: Vec<String> = new.into_iter().map(str::to_owned).collect();
    server.undo(&made).await.unwrap();
    assert_eq!(server.cluster_objects().await.unwrap(), before);
}
