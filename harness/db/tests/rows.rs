//! Made-up rows in real databases: every table gets them, and they are read back as they were written.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test's helpers may panic and say why")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rstest::rstest;
use switchback_core::Backend;
use switchback_core::evidence::{Recording, Walk};
use switchback_core::family::ColumnType;
use switchback_core::layout::{self, Entry, Layout as _, SourceTree};
use switchback_core::rows::{Candidate, Datum, Generator};
use switchback_core::schema::Kind;
use switchback_db::postgres::Postgres;
use switchback_db::record::{Fixtures, Plan, record_and_close};
use switchback_db::server::{Request, shared};
use switchback_db::sqlite::{Sqlite, Workspace};

const PER_TABLE: usize = 4;

/// A history whose first revision is the given SQL, and whose second does nothing.
fn plan(backend: Backend, sql: &str) -> Plan {
    let entry = |text: &str| Entry::from_bytes(text.as_bytes().to_vec());
    let files = [("1_tables.sql".to_owned(), entry(sql)), ("2_nothing.sql".to_owned(), entry("SELECT 1;"))];
    let folder = SourceTree::new("migrations", files);
    Plan {
        driver: None,
        history: Arc::new(layout::sqlx::Layout.read(&folder, backend).unwrap()),
        setup: None,
        metadata: None,
        fixtures: Fixtures::default(),
        rows: Generator::new(1, PER_TABLE, BTreeMap::new()),
        counterpart: None,
        asking: None,
        tries_types: false,
        append_only: Vec::new(),
        walks: BTreeSet::from([Walk::Trunk, Walk::Probe]),
        trips: 0..2,
        to_head: true,
        log: None,
    }
}

async fn on_sqlite(sql: &str) -> Recording {
    let workspace = Workspace::new("rows", false).unwrap();
    let plan = plan(Backend::Sqlite, sql);
    let engine = Sqlite::open(workspace, true, vec!["_sqlx_migrations".to_owned()]).await.unwrap();
    record_and_close(engine, &plan, &()).await.unwrap()
}

async fn on_postgres(sql: &str) -> Option<Recording> {
    if std::env::var("SKIP_POSTGRES_TESTS").is_ok_and(|value| value == "1") {
        eprintln!("not run: SKIP_POSTGRES_TESTS=1");
        return None;
    }
    let request = Request { containers: false, ..Request::default() };
    let server = shared(&request).await.unwrap();
    let engine = Postgres::new(server, vec!["_sqlx_migrations".to_owned()]);
    Some(record_and_close(engine, &plan(Backend::Postgres, sql), &()).await.unwrap())
}

/// Every table has its rows, and each is found in the database as it was written.
fn judge(recording: &Recording, tables: usize) {
    let backend = recording.backend;
    let reasons: Vec<&str> = recording.not_run.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, [] as [&str; 0]);
    let trunk = recording.walk(Walk::Trunk);
    assert!(trunk.iter().all(|seen| seen.outcome.is_applied()), "{:?}", trunk[0].outcome);
    let seen = recording.walk(Walk::Probe).last().unwrap();
    let stored = seen.rows_before.as_ref().unwrap();
    let schema = recording.head();
    let mut written: BTreeMap<_, Vec<&Candidate>> = BTreeMap::new();
    for candidate in recording.seeded.iter().flat_map(|seeded| &seeded.rows) {
        written.entry(candidate.table.clone()).or_default().push(candidate);
    }
    assert_eq!(written.len(), tables, "{:?}", written.keys());
    for (table, candidates) in written {
        assert_eq!(candidates.len(), PER_TABLE, "{table}: {candidates:?}");
        let rows = stored.tables.get(&table).expect("the table was asked for");
        let group = schema.table(&table).unwrap();
        let read = |column: &str, row: &[Option<String>]| {
            let place = rows.columns.iter().position(|one| one == column).unwrap();
            let column_type = ColumnType::of(backend, schema, group.part(Kind::Column, column).unwrap());
            Datum::read(backend, &column_type, row[place].as_deref())
        };
        for candidate in candidates {
            let is_kept = |row: &Vec<Option<String>>| {
                candidate.cells.iter().all(|(column, value)| value.same(&read(column, row)))
            };
            assert!(rows.rows.iter().any(is_kept), "{candidate:?} is not in {:?}", rows.rows);
        }
    }
}

#[rstest]
#[case::numbers(
    1,
    "CREATE TABLE t (a smallint, b integer NOT NULL, c bigint, d numeric(12,4), e numeric, f real, g double precision)"
)]
#[case::texts(1, "CREATE TABLE t (a text NOT NULL, b varchar(7), c char(5), d varchar(1) UNIQUE, e name)")]
#[case::others(
    1,
    "CREATE TABLE t (id uuid PRIMARY KEY, a bytea NOT NULL, b json, c jsonb NOT NULL, d boolean)"
)]
#[case::moments(
    1,
    "CREATE TABLE t (a timestamp, b timestamptz(3) NOT NULL, c date, d time, e timetz, f interval, g timestamptz PRIMARY KEY)"
)]
#[case::enums(
    1,
    "CREATE TYPE mood AS ENUM ('sad', 'it''s ok'); CREATE TABLE t (id serial PRIMARY KEY, a mood NOT NULL, b mood[])"
)]
#[case::arrays(
    1,
    "CREATE TABLE t (a text[] NOT NULL, b integer[], c jsonb[], d bytea[], e timestamptz[], f boolean[])"
)]
#[case::networks(
    1,
    "CREATE TABLE t (a inet PRIMARY KEY, b cidr, c macaddr, d bit(3), e varbit(5), f tsvector, g point, h int4range)"
)]
#[case::domains(
    1,
    "CREATE DOMAIN email AS varchar(80) CHECK (VALUE ~ '^[a-z0-9.]+@[a-z0-9]+\\.[a-z]{2,}$') NOT NULL; CREATE DOMAIN age AS integer CHECK (VALUE >= 18 AND VALUE < 120); CREATE TABLE t (a email, b age, c email UNIQUE)"
)]
#[case::composites(
    1,
    "CREATE TYPE place AS (street text, number integer); CREATE TABLE t (id bigint PRIMARY KEY, a place)"
)]
#[case::identities(
    3,
    "CREATE TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY); CREATE TABLE b (id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, a_id bigint NOT NULL REFERENCES a); CREATE SEQUENCE s; CREATE TABLE c (id bigint DEFAULT nextval('s') PRIMARY KEY, x text)"
)]
#[case::generated(
    1,
    "CREATE TABLE t (a integer NOT NULL, b integer GENERATED ALWAYS AS (a % 7) STORED, c text)"
)]
#[case::composite_keys(
    3,
    "CREATE TABLE a (x integer, y text, PRIMARY KEY (x, y)); CREATE TABLE b (id uuid PRIMARY KEY, x integer NOT NULL, y text NOT NULL, FOREIGN KEY (x, y) REFERENCES a); CREATE TABLE c (b_id uuid REFERENCES b, x integer, y text, PRIMARY KEY (b_id, x, y), FOREIGN KEY (x, y) REFERENCES a (x, y))"
)]
#[case::tenants(
    3,
    "CREATE TABLE tenants (id uuid PRIMARY KEY); CREATE TABLE a (tenant uuid REFERENCES tenants, id integer, PRIMARY KEY (tenant, id)); CREATE TABLE b (tenant uuid NOT NULL REFERENCES tenants, id integer, a integer NOT NULL, PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, a) REFERENCES a)"
)]
#[case::to_itself(
    2,
    "CREATE TABLE a (id integer PRIMARY KEY, parent integer REFERENCES a); CREATE TABLE b (id integer PRIMARY KEY, parent integer NOT NULL REFERENCES b)"
)]
#[case::cycle_with_null(
    2,
    "CREATE TABLE a (id integer PRIMARY KEY, b integer); CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b"
)]
#[case::cycle(
    3,
    "CREATE TABLE a (id integer PRIMARY KEY, b integer NOT NULL); CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; CREATE TABLE c (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a)"
)]
#[case::checks(
    1,
    "CREATE TABLE t (id bigint PRIMARY KEY CHECK (id > 100), kind text NOT NULL CHECK (kind IN ('a', 'b')), low integer, high integer, CHECK (low < high), url text CHECK (url LIKE 'https://%'), code varchar(6) NOT NULL UNIQUE CHECK (code ~ '^[A-Z]{2}\\d{3}$'), hash bytea UNIQUE NOT NULL CHECK (octet_length(hash) = 32), doc jsonb NOT NULL CHECK (jsonb_typeof(doc) = 'array'), starts timestamptz NOT NULL, ends timestamptz, CHECK (ends IS NULL OR ends > starts), one text, two text, CHECK (num_nonnulls(one, two) = 1))"
)]
#[case::one_of_two_parents(
    3,
    "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY); CREATE TABLE c (id integer PRIMARY KEY, a_id integer REFERENCES a, b_id integer REFERENCES b, CHECK ((a_id IS NULL) <> (b_id IS NULL)))"
)]
#[case::exclusions(
    2,
    "CREATE TABLE a (id integer PRIMARY KEY, during tstzrange NOT NULL, EXCLUDE USING gist (during WITH &&)); CREATE TABLE b (low date NOT NULL, high date NOT NULL, CHECK (low < high), EXCLUDE USING gist (daterange(low, high) WITH &&))"
)]
#[case::partitions(
    2,
    "CREATE TABLE a (id bigint, at timestamptz, PRIMARY KEY (id, at)) PARTITION BY RANGE (at); CREATE TABLE a_2024 PARTITION OF a FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE b (id integer, kind text) PARTITION BY LIST (kind); CREATE TABLE b_x PARTITION OF b FOR VALUES IN ('x', 'y')"
)]
#[case::odd_names(
    2,
    "CREATE SCHEMA \"Odd\"; CREATE TABLE \"Odd\".\"T 1\" (\"Id\" integer PRIMARY KEY, \"select\" text); CREATE TABLE u (id integer PRIMARY KEY, t integer NOT NULL REFERENCES \"Odd\".\"T 1\")"
)]
#[tokio::test]
async fn every_table_gets_rows_on_postgres(#[case] tables: usize, #[case] sql: &str) {
    if let Some(recording) = on_postgres(sql).await {
        judge(&recording, tables);
    }
}

#[rstest]
#[case::numbers(
    1,
    "CREATE TABLE t (a SMALLINT, b INTEGER NOT NULL, c DECIMAL(12,4), d REAL, e DOUBLE PRECISION, f BIGINT)"
)]
#[case::texts(1, "CREATE TABLE t (a TEXT NOT NULL, b VARCHAR(7), c CHAR(1) UNIQUE, d)")]
#[case::others(
    1,
    "CREATE TABLE t (id UUID PRIMARY KEY NOT NULL, a BLOB NOT NULL, b JSON, c BOOLEAN NOT NULL)"
)]
#[case::moments(
    1,
    "CREATE TABLE t (a DATETIME, b TIMESTAMP NOT NULL, c DATE, d TIME, e TIMESTAMPTZ PRIMARY KEY)"
)]
#[case::strict(
    1,
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a INT, b REAL, c TEXT NOT NULL, d BLOB, e ANY) STRICT"
)]
#[case::without_rowid(1, "CREATE TABLE t (a TEXT, b INTEGER, PRIMARY KEY (a, b)) WITHOUT ROWID")]
#[case::autoincrement(1, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a TEXT)")]
#[case::generated(
    1,
    "CREATE TABLE t (a INTEGER NOT NULL, b INTEGER GENERATED ALWAYS AS (a % 7) STORED, c TEXT AS (a || 'x'))"
)]
#[case::composite_keys(
    3,
    "CREATE TABLE a (x INTEGER, y TEXT, PRIMARY KEY (x, y)); CREATE TABLE b (id BLOB PRIMARY KEY, x INTEGER NOT NULL, y TEXT NOT NULL, FOREIGN KEY (x, y) REFERENCES a); CREATE TABLE c (b_id BLOB NOT NULL REFERENCES b, x INTEGER NOT NULL, y TEXT NOT NULL, PRIMARY KEY (b_id, x, y), FOREIGN KEY (x, y) REFERENCES A (x, y))"
)]
#[case::to_itself(
    2,
    "CREATE TABLE a (id INTEGER PRIMARY KEY, parent INTEGER REFERENCES a); CREATE TABLE b (id INTEGER PRIMARY KEY, parent INTEGER NOT NULL REFERENCES b)"
)]
#[case::cycle(
    3,
    "CREATE TABLE a (id INTEGER PRIMARY KEY, b INTEGER NOT NULL REFERENCES b); CREATE TABLE b (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a); CREATE TABLE c (id INTEGER PRIMARY KEY, a INTEGER NOT NULL REFERENCES a)"
)]
#[case::checks(
    1,
    "CREATE TABLE t (id INTEGER PRIMARY KEY, kind TEXT NOT NULL CHECK (kind IN ('a', 'b')), low INTEGER, high INTEGER CHECK (low < high), doc TEXT NOT NULL CHECK (json_valid(doc)), code TEXT NOT NULL UNIQUE CHECK (length(code) = 3), slug TEXT NOT NULL CHECK (slug GLOB '[a-z]*'), on_off INTEGER NOT NULL CHECK (on_off IN (0, 1)), hash BLOB NOT NULL CHECK (length(hash) = 20))"
)]
#[case::partial_unique(
    1,
    "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT); CREATE UNIQUE INDEX i ON t (lower(a)) WHERE a IS NOT NULL"
)]
#[tokio::test]
async fn every_table_gets_rows_on_sqlite(#[case] tables: usize, #[case] sql: &str) {
    judge(&on_sqlite(sql).await, tables);
}

#[tokio::test]
async fn a_table_that_takes_no_row_is_named_with_the_reason() {
    let sql = "CREATE TABLE t (id INTEGER PRIMARY KEY CHECK (id % 2 = 0 AND id % 2 = 1))";
    let recording = on_sqlite(sql).await;
    let reasons: Vec<&str> = recording.not_run.iter().map(|one| one.reason.as_str()).collect();
    let check = "CHECK constraint failed: id % 2 = 0 AND id % 2 = 1";
    assert_eq!(reasons, [format!("no row could be made up for table \"t\": {check}")]);
}
