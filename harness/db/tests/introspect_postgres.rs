//! Introspection of a live PostgreSQL: everything is seen, and reading only what has changed gives
//! what reading everything gives.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may panic and say why")]

#[path = "introspect_postgres/cluster.rs"]
mod cluster;

use std::sync::Arc;

use cluster::Cluster;
use sqlx::{AssertSqlSafe, Executor, PgConnection};
use switchback_core::schema::{Attribute, Group, Kind, Name, Schema, Value};
use switchback_db::introspect::postgres::Reader;

const EVERYTHING: &str = include_str!("introspect_postgres/everything.sql");
const SPELLINGS: &str = include_str!("introspect_postgres/spellings.sql");
const STATEMENTS: &str = include_str!("introspect_postgres/random.sql");

async fn run(connection: &mut PgConnection, sql: &str) {
    connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.to_owned()))).await.unwrap();
}

#[tokio::test]
async fn sees_everything() {
    let Some(cluster) = Cluster::start().await else { return };
    let mut connection = cluster.database("everything").await;
    run(&mut connection, EVERYTHING).await;
    let mut reader = Reader::new(cluster.version(), "public", vec!["_sqlx_migrations".to_owned()]);
    let schema = reader.full(&mut connection).await.unwrap();
    assert_schema("everything", &schema);
    // What the session has set, and what is not quite a schema, changes nothing.
    run(
        &mut connection,
        "SET search_path = audit; SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'German'; SET IntervalStyle = 'iso_8601';
         SET quote_all_identifiers = on; SET bytea_output = escape; ANALYZE; DISCARD PLANS",
    )
    .await;
    let again = reader.full(&mut connection).await.unwrap();
    assert_eq!(again.to_string(), schema.to_string());
    let path: String = sqlx::query_scalar("SHOW search_path").fetch_one(&mut connection).await.unwrap();
    assert_eq!(path, "audit", "the session keeps its own settings");
    // Prepared statements may have been taken away.
    run(&mut connection, "DISCARD ALL").await;
    run(&mut connection, "CREATE TABLE one_more (a int)").await;
    let more = reader.snapshot(&mut connection).await.unwrap();
    assert!(more.table(&Name::new("one_more")).is_some());
}

#[tokio::test]
async fn spells_alike_what_versions_spell_differently() {
    let Some(cluster) = Cluster::start().await else { return };
    let mut connection = cluster.database("spellings").await;
    run(&mut connection, SPELLINGS).await;
    let mut reader = Reader::new(cluster.version(), "public", Vec::new());
    assert_schema("spellings", &reader.full(&mut connection).await.unwrap());
}

/// What only later versions can do: the first version that can, the statement, and of which object
/// it says what.
const LATER: &[(u32, &str, &str, Attribute, &str)] = &[
    (14, "CREATE TABLE a (x text COMPRESSION pglz)", "a.x", Attribute::Options, "compression=pglz"),
    (
        14,
        "CREATE FUNCTION b(a int) RETURNS int RETURN a + 1",
        "b(integer)",
        Attribute::Definition,
        "return (a + 1)",
    ),
    (14, "CREATE STATISTICS st ON (s + 1), t FROM wide", "wide.st", Attribute::Columns, "t; (s + 1)"),
    (
        14,
        "CREATE TYPE rng AS RANGE (subtype = int, multirange_type_name = many)",
        "rng",
        Attribute::Properties,
        "multirange many",
    ),
    (
        15,
        "CREATE TABLE c (x int, CONSTRAINT uq UNIQUE NULLS NOT DISTINCT (x))",
        "c.uq",
        Attribute::NullsNotDistinct,
        "",
    ),
    (15, "CREATE UNIQUE INDEX ux ON wide (t) NULLS NOT DISTINCT", "wide.ux", Attribute::NullsNotDistinct, ""),
    (
        15,
        "CREATE TABLE d (x int, y int, CONSTRAINT fk FOREIGN KEY (x, y) REFERENCES wide ON DELETE SET NULL (y))",
        "d.fk",
        Attribute::OnDelete,
        "set null (y)",
    ),
    (
        15,
        "CREATE PUBLICATION p FOR TABLE wide (s, t) WHERE (s > 5)",
        "p",
        Attribute::Tables,
        "wide(s, t) where (s > 5)",
    ),
    (15, "CREATE PUBLICATION q FOR TABLES IN SCHEMA public", "q", Attribute::Tables, "schema public"),
    (
        15,
        "CREATE VIEW v WITH (security_invoker) AS SELECT 1",
        "v",
        Attribute::Options,
        "security_invoker=true",
    ),
    (15, "CREATE UNLOGGED SEQUENCE us", "us", Attribute::Persistence, "unlogged"),
    (17, "GRANT MAINTAIN ON wide TO PUBLIC", "wide", Attribute::Privileges, "PUBLIC: MAINTAIN"),
    (
        18,
        "CREATE TABLE e (x int, y int GENERATED ALWAYS AS (x * 2))",
        "e.y",
        Attribute::Generated,
        "((x * 2)) virtual",
    ),
    (
        18,
        "CREATE TABLE f (x int, CONSTRAINT ck CHECK (x > 0) NOT ENFORCED)",
        "f.ck",
        Attribute::NotEnforced,
        "",
    ),
    (18, "CREATE TABLE g (x int NOT NULL NO INHERIT)", "g.x", Attribute::NoInherit, ""),
    (18, "ALTER TABLE wide ADD NOT NULL u NOT VALID", "wide.u", Attribute::NotValid, ""),
    (
        18,
        "CREATE TABLE h (x int4range, y int4range, CONSTRAINT pk PRIMARY KEY (x, y WITHOUT OVERLAPS))",
        "h.pk",
        Attribute::Columns,
        "x; y without overlaps",
    ),
    (
        18,
        "CREATE TABLE i (x int4range, y int4range, CONSTRAINT fk FOREIGN KEY (x, PERIOD y) REFERENCES h)",
        "i.fk",
        Attribute::References,
        "h (x, period y)",
    ),
];

#[tokio::test]
async fn sees_what_only_later_versions_can_do() {
    let Some(cluster) = Cluster::start().await else { return };
    let mut connection = cluster.database("later").await;
    run(
        &mut connection,
        "CREATE EXTENSION btree_gist; CREATE TABLE wide (s int, t int, u int, PRIMARY KEY (s, t))",
    )
    .await;
    let mut reader = Reader::new(cluster.version(), "public", Vec::new());
    for (first, sql, object, attribute, expected) in LATER {
        if *first > cluster.version() {
            continue;
        }
        run(&mut connection, sql).await;
        let schema = reader.snapshot(&mut connection).await.unwrap();
        let found = schema
            .objects()
            .find(|(id, _)| id.to_string() == *object)
            .map(|(_, object)| object.get(*attribute));
        let found = found.flatten().map(|value| match value {
            Value::Flag => String::new(),
            Value::Text(text) => text.clone(),
            Value::List(list) => list.join("; "),
        });
        assert_eq!(found.as_deref(), Some(*expected), "since {first}, {sql}:\n{schema}");
    }
}

/// The same snapshot serves every version of the server.
fn assert_schema(name: &str, schema: &Schema) {
    insta::with_settings!({ snapshot_path => "introspect_postgres", prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!(name, schema);
    });
}

#[tokio::test]
async fn sees_a_schema_of_its_own_only() {
    let Some(cluster) = Cluster::start().await else { return };
    let mut connection = cluster.database("confined").await;
    let create = "CREATE TABLE users (id serial PRIMARY KEY, home text REFERENCES places (name));
        CREATE VIEW live AS SELECT id FROM users";
    let places = "CREATE TABLE places (name text PRIMARY KEY);";
    run(&mut connection, &format!("{places} {create}")).await;
    let mut reader = Reader::new(cluster.version(), "public", Vec::new());
    let usual = reader.full(&mut connection).await.unwrap();
    run(&mut connection, &format!("CREATE SCHEMA own; SET search_path = own; {places} {create}")).await;
    let mut reader = Reader::new(cluster.version(), "own", Vec::new());
    let own = reader.full(&mut connection).await.unwrap();
    assert_eq!(own.to_string(), usual.to_string());
}

#[tokio::test]
async fn sees_what_happens_to_public() {
    let Some(cluster) = Cluster::start().await else { return };
    let mut connection = cluster.database("public").await;
    let mut reader = Reader::new(cluster.version(), "public", Vec::new());
    assert_eq!(reader.snapshot(&mut connection).await.unwrap().to_string(), "");
    for (sql, expected) in [
        ("DROP SCHEMA public", "schema public: invalid dropped\n"),
        ("CREATE SCHEMA public", "schema public\n    privileges\n    * PUBLIC: none\n"),
        (
            "COMMENT ON SCHEMA public IS 'ours'",
            "schema public\n    privileges\n    * PUBLIC: none\n    comment ours\n",
        ),
        (
            "DROP EXTENSION plpgsql; COMMENT ON SCHEMA public IS NULL",
            "schema public\n    privileges\n    * PUBLIC: none\nextension plpgsql, invalid dropped\n",
        ),
    ] {
        run(&mut connection, sql).await;
        assert_eq!(reader.snapshot(&mut connection).await.unwrap().to_string(), expected, "{sql}");
    }
}

#[tokio::test]
async fn reading_changes_gives_what_reading_everything_gives() {
    let Some(cluster) = Cluster::start().await else { return };
    let mut connection = cluster.database("random").await;
    let ignore = vec!["bookkeeping".to_owned()];
    let mut reader = Reader::new(cluster.version(), "public", ignore.clone());
    let mut dice = Dice(20_250_901);
    let statements: Vec<&str> =
        STATEMENTS.lines().filter(|line| !line.is_empty() && !line.starts_with("--")).collect();
    let mut shared = 0;
    let mut last = reader.snapshot(&mut connection).await.unwrap();
    for step in 0..500 {
        let sql = loop {
            let statement = dice.roll(statements.len());
            let sql = dice.fill(statements[statement]);
            match connection.execute(sqlx::raw_sql(AssertSqlSafe(sql.clone()))).await {
                Ok(_) => break sql,
                Err(_) => run(&mut connection, "ROLLBACK").await,
            }
        };
        let read = reader.snapshot(&mut connection).await.unwrap();
        let whole =
            Reader::new(cluster.version(), "public", ignore.clone()).full(&mut connection).await.unwrap();
        let diff = whole.diff(&read);
        assert!(diff.is_empty(), "after step {step}, {sql}:\n{diff}");
        shared += read.groups().filter(|(kind, name, group)| is_shared(&last, *kind, name, group)).count();
        last = read;
    }
    assert!(shared > 2000, "only {shared} groups were shared");
}

fn is_shared(last: &Schema, kind: Kind, name: &Name, group: &Arc<Group>) -> bool {
    last.group(kind, name).is_some_and(|known| Arc::ptr_eq(known, group))
}

/// Random numbers from a seed.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }

    /// Replaces `$t` by a table, `$u` by another, `$c` by a column, `$n` by a number.
    fn fill(&mut self, statement: &str) -> String {
        let tables = ["users", "orders", "items", "events", "\"Odd one\"", "audit.log"];
        let (t, u) = (tables[self.roll(tables.len())], tables[self.roll(tables.len())]);
        let columns = ["a", "b", "c", "\"D d\""];
        let (c, d) = (columns[self.roll(columns.len())], columns[self.roll(columns.len())]);
        let number = self.roll(4).to_string();
        let filled = statement.replace("$t", t).replace("$u", u).replace("$c", c).replace("$d", d);
        filled.replace("$n", &number)
    }
}
