//! What introspection reads from real SQLite databases.

#![allow(clippy::unwrap_used, reason = "a test's helpers may panic as the test itself may")]

use std::sync::Arc;

use rstest::rstest;
use sqlx_sqlite::SqliteConnection;
use switchback_core::schema::{Attribute, Kind, Name, Schema};
use switchback_db::introspect::sqlite::Reader;
use switchback_db::sqlite::Workspace;

async fn try_run(connection: &mut SqliteConnection, sql: &str) -> Result<(), sqlx::Error> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await.map(|_| ())
}

async fn run(connection: &mut SqliteConnection, sql: &str) {
    try_run(connection, sql).await.unwrap_or_else(|error| panic!("{error}\n{sql}"));
}

async fn connection() -> (Workspace, SqliteConnection) {
    let workspace = Workspace::new("test", false).unwrap();
    let connection = workspace.database("main").connect(true).await.unwrap();
    (workspace, connection)
}

fn reader() -> Reader {
    Reader::new(vec!["_migrations".into()])
}

async fn schema(sql: &str) -> Arc<Schema> {
    let (_workspace, mut connection) = connection().await;
    run(&mut connection, sql).await;
    reader().full(&mut connection).await.unwrap()
}

#[tokio::test]
async fn everything_is_read() {
    let schema = schema(include_str!("everything.sqlite.sql")).await;
    insta::assert_snapshot!(schema);
}

/// Each pair is two ways to the same schema.
#[rstest]
#[case::white_space(
    "create table t(a int,b text)",
    "CREATE TABLE \"t\" (\n  [a] INT, -- first\n  `b`\tTEXT\n)"
)]
#[case::renamed(
    "CREATE TABLE t (a INT REFERENCES t (a))",
    "CREATE TABLE s (a INT REFERENCES s (a)); ALTER TABLE s RENAME TO t"
)]
#[case::renamed_parent(
    "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a REFERENCES p (id)); CREATE VIEW v AS SELECT id FROM p; CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM p WHERE id = new.a; END",
    "CREATE TABLE q (id INTEGER PRIMARY KEY); CREATE TABLE t (a REFERENCES q (id)); CREATE VIEW v AS SELECT id FROM q; CREATE TRIGGER g AFTER INSERT ON t BEGIN DELETE FROM q WHERE id = new.a; END; ALTER TABLE q RENAME TO p"
)]
#[case::renamed_column(
    "CREATE TABLE t (a INT, b INT CHECK (b > a), UNIQUE (a, b)); CREATE INDEX i ON t (b DESC) WHERE b > 0; CREATE TRIGGER g AFTER UPDATE OF b ON t WHEN new.b > 1 BEGIN UPDATE t SET b = 1; END",
    "CREATE TABLE t (a INT, c INT CHECK (c > a), UNIQUE (a, c)); CREATE INDEX i ON t (c DESC) WHERE c > 0; CREATE TRIGGER g AFTER UPDATE OF c ON t WHEN new.c > 1 BEGIN UPDATE t SET c = 1; END; ALTER TABLE t RENAME c TO b"
)]
#[case::added_column(
    "CREATE TABLE t (a INT, b TEXT NOT NULL DEFAULT 'x' CHECK (b <> '') COLLATE NOCASE, PRIMARY KEY (a))",
    "CREATE TABLE t (a INT, PRIMARY KEY (a)); ALTER TABLE t ADD COLUMN b TEXT NOT NULL DEFAULT 'x' CHECK (b <> '') COLLATE NOCASE"
)]
#[case::added_named(
    "CREATE TABLE t (a, b INT CONSTRAINT fk REFERENCES t (a) ON DELETE SET NULL)",
    "CREATE TABLE t (a); ALTER TABLE t ADD b INT CONSTRAINT fk REFERENCES t (a) ON DELETE SET NULL"
)]
#[case::dropped_column(
    "CREATE TABLE t (a INT, c INT)",
    "CREATE TABLE t (a INT, b TEXT DEFAULT 'x', c INT); ALTER TABLE t DROP COLUMN b"
)]
#[case::dropped_last(
    "CREATE TABLE t (a INT, CHECK (a > 0))",
    "CREATE TABLE t (a INT, b INT, CHECK (a > 0)); ALTER TABLE t DROP b"
)]
#[case::rebuilt(
    "CREATE TABLE t (a INT, b INT); CREATE INDEX i ON t (a)",
    "CREATE TABLE t (a INT); CREATE TABLE t_new (a INT, b INT); INSERT INTO t_new (a) SELECT a FROM t; DROP TABLE t; ALTER TABLE t_new RENAME TO t; CREATE INDEX i ON t (a)"
)]
#[case::where_the_key_stands(
    "CREATE TABLE t (a TEXT PRIMARY KEY UNIQUE)",
    "CREATE TABLE t (a TEXT, UNIQUE (a), PRIMARY KEY (a))"
)]
#[case::order_of_constraints(
    "CREATE TABLE t (a, CHECK (a > 0), CHECK (a < 9))",
    "CREATE TABLE t (a, CHECK (a < 9), CHECK (a > 0))"
)]
#[case::referenced_key(
    "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE t (a REFERENCES p)",
    "CREATE TABLE t (a REFERENCES p (id)); CREATE TABLE p (id INTEGER PRIMARY KEY)"
)]
#[case::defaults_spelled_out(
    "CREATE TABLE t (a REFERENCES t (a)); CREATE INDEX i ON t (a); CREATE TRIGGER g DELETE ON t BEGIN SELECT 1; END",
    "CREATE TABLE t (a CONSTRAINT x NULL COLLATE BINARY DEFAULT 1 REFERENCES t (a) ON DELETE NO ACTION MATCH SIMPLE NOT DEFERRABLE); DROP TABLE t; CREATE TABLE t (a NULL COLLATE binary REFERENCES t (a) ON UPDATE NO ACTION MATCH SIMPLE NOT DEFERRABLE); CREATE INDEX i ON t (a COLLATE BINARY ASC); CREATE TRIGGER IF NOT EXISTS g BEFORE DELETE ON T FOR EACH ROW BEGIN SELECT 1; END"
)]
#[case::operators(
    "CREATE TABLE t (a CHECK (a <> 1 AND a = 2))",
    "CREATE TABLE t (a CHECK (((a != 1 AND a == 2))))"
)]
#[case::bookkeeping(
    "CREATE TABLE t (a)",
    "CREATE TABLE t (a); CREATE TABLE _Migrations (id INTEGER PRIMARY KEY AUTOINCREMENT); CREATE INDEX m ON _migrations (id); INSERT INTO _migrations VALUES (1); ANALYZE"
)]
#[tokio::test]
async fn two_ways_to_the_same(#[case] one: &str, #[case] other: &str) {
    let (one, other) = (schema(one).await, schema(other).await);
    assert!(one.diff(&other).is_empty(), "{}", one.diff(&other));
}

/// Each pair differs in something that a user can observe.
#[rstest]
#[case("CREATE TABLE t (a INTEGER PRIMARY KEY)", "CREATE TABLE t (a INTEGER PRIMARY KEY DESC)")]
#[case("CREATE TABLE t (a INTEGER PRIMARY KEY)", "CREATE TABLE t (a INTEGER PRIMARY KEY AUTOINCREMENT)")]
#[case("CREATE TABLE t (a TEXT PRIMARY KEY)", "CREATE TABLE t (a TEXT PRIMARY KEY) WITHOUT ROWID")]
#[case("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a TEXT) STRICT")]
#[case("CREATE TABLE t (a TEXT)", "CREATE TABLE t (a)")]
#[case("CREATE TABLE t (a DEFAULT 'X')", "CREATE TABLE t (a DEFAULT 'x')")]
#[case("CREATE TABLE t (a CHECK (a > 0))", "CREATE TABLE t (a CHECK (a >= 0))")]
#[case("CREATE TABLE t (a UNIQUE)", "CREATE TABLE t (a UNIQUE ON CONFLICT REPLACE)")]
#[case("CREATE TABLE t (a UNIQUE)", "CREATE TABLE t (a CONSTRAINT a UNIQUE)")]
#[case("CREATE TABLE t (a REFERENCES t)", "CREATE TABLE t (a REFERENCES t DEFERRABLE INITIALLY DEFERRED)")]
#[case(
    "CREATE TABLE t (a, b); CREATE INDEX i ON t (a, b)",
    "CREATE TABLE t (a, b); CREATE INDEX i ON t (b, a)"
)]
#[case("CREATE TABLE t (a); CREATE INDEX i ON t (a)", "CREATE TABLE t (a); CREATE INDEX i ON t (a) WHERE a")]
#[case("CREATE TABLE t (a); CREATE INDEX i ON t (a)", "CREATE TABLE t (a); CREATE UNIQUE INDEX i ON t (a)")]
#[case(
    "CREATE TABLE t (a COLLATE NOCASE); CREATE INDEX i ON t (a)",
    "CREATE TABLE t (a COLLATE NOCASE); CREATE INDEX i ON t (a COLLATE BINARY)"
)]
#[case("CREATE TABLE t (a, b AS (a))", "CREATE TABLE t (a, b AS (a) STORED)")]
#[case("CREATE TABLE t (a)", "CREATE TABLE t (a); PRAGMA user_version = 1")]
#[case("CREATE VIEW v AS SELECT 1 AS a", "CREATE VIEW v AS SELECT 2 AS a")]
#[case("CREATE VIRTUAL TABLE f USING fts5 (a)", "CREATE VIRTUAL TABLE f USING fts5 (a, prefix='2')")]
#[tokio::test]
async fn a_difference_is_seen(#[case] one: &str, #[case] other: &str) {
    let (one, other) = (schema(one).await, schema(other).await);
    assert!(one.diff(&other).is_observable());
}

#[tokio::test]
async fn nothing_changed_is_the_same_schema() {
    let (_workspace, mut connection) = connection().await;
    run(&mut connection, "CREATE TABLE t (a); CREATE VIEW v AS SELECT a FROM t").await;
    let mut reader = reader();
    let before = reader.snapshot(&mut connection).await.unwrap();
    run(&mut connection, "INSERT INTO t VALUES (1)").await;
    assert!(Arc::ptr_eq(&before, &reader.snapshot(&mut connection).await.unwrap()));
}

#[tokio::test]
async fn unchanged_groups_are_shared_also_with_forks() {
    let (_workspace, mut connection) = connection().await;
    run(
        &mut connection,
        "CREATE TABLE p (id INTEGER PRIMARY KEY); CREATE TABLE c (a REFERENCES p); CREATE TABLE x (a)",
    )
    .await;
    let mut trunk = reader();
    let mut probe = trunk.fork();
    let before = trunk.snapshot(&mut connection).await.unwrap();
    run(&mut connection, "ALTER TABLE x ADD b").await;
    for reader in [&mut trunk, &mut probe] {
        let after = reader.snapshot(&mut connection).await.unwrap();
        let shared = |name| {
            let name = Name::new(name);
            Arc::ptr_eq(before.table(&name).unwrap(), after.table(&name).unwrap())
        };
        assert_eq!((shared("p"), shared("c"), shared("x")), (true, true, false));
    }
}

/// A rolled back transaction gives its `schema_version` to the next, and an edit of the catalog by
/// hand doesn't change it.
#[tokio::test]
async fn the_schema_version_is_not_relied_on() {
    let (_workspace, mut connection) = connection().await;
    let mut reader = reader();
    run(&mut connection, "BEGIN; CREATE TABLE one (a)").await;
    assert_eq!(reader.snapshot(&mut connection).await.unwrap().tables().count(), 1);
    run(&mut connection, "ROLLBACK; CREATE TABLE other (a)").await;
    let schema = reader.snapshot(&mut connection).await.unwrap();
    assert!(schema.table(&Name::new("other")).is_some() && schema.table(&Name::new("one")).is_none());

    let edit = "PRAGMA writable_schema = ON;
        UPDATE sqlite_master SET sql = 'CREATE TABLE other (a NOT NULL)' WHERE name = 'other';
        PRAGMA writable_schema = RESET";
    run(&mut connection, edit).await;
    let schema = reader.snapshot(&mut connection).await.unwrap();
    let column = schema.table(&Name::new("other")).unwrap().part(Kind::Column, "a").unwrap().clone();
    assert!(column.has(Attribute::NotNull));
}

#[tokio::test]
async fn views_follow_their_tables() {
    let (_workspace, mut connection) = connection().await;
    let mut reader = reader();
    let view = |schema: &Schema| {
        let view = schema.group(Kind::View, &Name::new("v")).unwrap();
        (view.object().list(Attribute::ColumnOrder).join(" "), view.object().has(Attribute::Invalid))
    };
    run(&mut connection, "CREATE TABLE t (a); CREATE VIEW v AS SELECT * FROM t; CREATE VIEW w AS SELECT 1")
        .await;
    assert_eq!(view(&reader.snapshot(&mut connection).await.unwrap()), ("a".into(), false));
    run(&mut connection, "ALTER TABLE t ADD b").await;
    assert_eq!(view(&reader.snapshot(&mut connection).await.unwrap()), ("a b".into(), false));
    run(&mut connection, "DROP TABLE t").await;
    assert_eq!(view(&reader.snapshot(&mut connection).await.unwrap()), (String::new(), true));
    run(&mut connection, "CREATE TABLE t (c)").await;
    assert_eq!(view(&reader.snapshot(&mut connection).await.unwrap()), ("c".into(), false));
}

#[tokio::test]
async fn views_follow_also_what_is_left_out_and_other_views() {
    let (_workspace, mut connection) = connection().await;
    let mut reader = reader();
    run(
        &mut connection,
        "CREATE TABLE _migrations (a); CREATE VIEW v AS SELECT * FROM _Migrations; CREATE VIEW w AS SELECT * FROM \"V\"",
    )
    .await;
    let before = reader.snapshot(&mut connection).await.unwrap();
    assert_eq!(before.groups().count(), 2);
    run(&mut connection, "ALTER TABLE _migrations ADD b").await;
    let after = reader.snapshot(&mut connection).await.unwrap();
    for name in ["v", "w"] {
        let view = after.group(Kind::View, &Name::new(name)).unwrap();
        assert_eq!(view.object().list(Attribute::ColumnOrder), ["a", "b"], "{name}");
    }
}

/// A row of numbers that is the same on every machine.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn statement(dice: &mut Dice) -> String {
    let (t, u, c) = (dice.roll(6), dice.roll(6), dice.roll(5));
    match dice.roll(24) {
        0..=3 => format!("CREATE TABLE t{t} (id INTEGER PRIMARY KEY, c{c} TEXT, r REFERENCES t{u})"),
        4 => format!(
            "CREATE TABLE \"t{t}\" (id TEXT, c{c} INT DEFAULT {u}, PRIMARY KEY (id, c{c})) WITHOUT ROWID"
        ),
        5 => format!("DROP TABLE t{t}"),
        6 => format!("ALTER TABLE t{t} RENAME TO t{u}"),
        7 | 8 => format!("ALTER TABLE t{t} ADD COLUMN c{c} INT CHECK (c{c} > {u}) REFERENCES t{u}"),
        9 => format!("ALTER TABLE t{t} DROP COLUMN c{c}"),
        10 => format!("ALTER TABLE t{t} RENAME COLUMN c{c} TO c{u}"),
        11 | 12 => format!("CREATE INDEX i{u} ON T{t} (c{c} DESC, lower(id)) WHERE c{c} IS NOT NULL"),
        13 => format!("DROP INDEX i{u}"),
        14 | 15 => format!("CREATE VIEW v{u} AS SELECT *, c{c} FROM t{t}"),
        16 => format!("DROP VIEW v{u}"),
        17 => format!(
            "CREATE TRIGGER g{u} AFTER UPDATE OF c{c} ON T{t} BEGIN DELETE FROM t{u} WHERE id = new.id; END"
        ),
        18 => format!("DROP TRIGGER g{u}"),
        19 => format!("PRAGMA user_version = {c}"),
        20 => "BEGIN".into(),
        21 => "ROLLBACK".into(),
        22 => "COMMIT".into(),
        _ => format!("CREATE VIRTUAL TABLE f{t} USING fts5 (c{c})"),
    }
}

#[rstest]
#[case(1)]
#[case(2)]
#[case(3)]
#[tokio::test]
async fn a_snapshot_equals_a_full_read_after_every_statement(#[case] seed: u64) {
    let (_workspace, mut connection) = connection().await;
    run(&mut connection, "PRAGMA legacy_alter_table = ON").await;
    let (mut dice, mut incremental) = (Dice(seed), reader());
    let (mut applied, mut broken_views) = (0, 0);
    for _ in 0..400 {
        let sql = statement(&mut dice);
        applied += i32::from(try_run(&mut connection, &sql).await.is_ok());
        let snapshot = incremental.snapshot(&mut connection).await.unwrap();
        let full = reader().full(&mut connection).await.unwrap();
        assert_eq!(snapshot, full, "after {sql}\n{}", snapshot.diff(&full));
        let broken = snapshot.objects().any(|(_, object)| object.has(Attribute::Invalid));
        broken_views += i32::from(broken);
    }
    assert!(applied > 100 && broken_views > 10, "{applied} applied, {broken_views} with broken views");
}
