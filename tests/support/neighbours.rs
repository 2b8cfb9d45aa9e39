//! A server full of what others have on it, and a picture of all of that.

use std::collections::BTreeMap;
use std::process::Command;

use sqlx::{Connection as _, PgConnection};
use switchback_db::server::Binaries;

use super::given::Given;
use super::processes::wait_for;

/// What is made on the whole server, a statement each.
const SERVER: &[&str] = &[
    "CREATE ROLE team NOLOGIN",
    "CREATE ROLE grace LOGIN PASSWORD 'h0pper' CONNECTION LIMIT 7 VALID UNTIL '2038-01-19'",
    "CREATE ROLE ada LOGIN CREATEDB PASSWORD 's3cret' IN ROLE team",
    "GRANT team TO grace WITH ADMIN OPTION",
    "GRANT pg_monitor TO team",
    "ALTER ROLE grace SET statement_timeout = '55s'",
    "COMMENT ON ROLE team IS 'everybody'",
    "CREATE DATABASE shop OWNER grace",
    "CREATE DATABASE ledger OWNER ada CONNECTION LIMIT 20",
    "ALTER DATABASE shop SET work_mem = '3MB'",
    "ALTER ROLE ada IN DATABASE ledger SET search_path = books, public",
    "COMMENT ON DATABASE shop IS 'orders of all customers'",
    "REVOKE CONNECT ON DATABASE ledger FROM PUBLIC",
    "GRANT CONNECT, TEMPORARY ON DATABASE ledger TO team",
    "CREATE ROLE stranger",
    "CREATE ROLE guest LOGIN PASSWORD 'gu3st'",
    "GRANT CREATE ON DATABASE shop TO guest",
    "ALTER SYSTEM SET maintenance_work_mem = '33MB'",
    // Where an earlier run would have put what is this run's; it has no comment that says so.
    "CREATE DATABASE switchback_production",
    "CREATE DATABASE switchback_0123456789ab_trunk",
];

/// What is made in each of the databases.
const DATABASE: &str = "
    CREATE SCHEMA books AUTHORIZATION team;
    CREATE TYPE books.kind AS ENUM ('in', 'out');
    CREATE SEQUENCE books.numbers START 41;
    CREATE TABLE books.entries (
        id bigint PRIMARY KEY DEFAULT nextval('books.numbers'), kind books.kind NOT NULL, note text
    );
    INSERT INTO books.entries (kind, note) SELECT 'in', repeat('x', n) FROM generate_series(1, 50) n;
    CREATE TABLE t (id integer PRIMARY KEY, a text);
    INSERT INTO t VALUES (1, 'theirs');
    CREATE VIEW latest AS SELECT * FROM books.entries ORDER BY id DESC LIMIT 3;
    CREATE FUNCTION double(n integer) RETURNS integer LANGUAGE sql AS 'SELECT 2 * n';
    GRANT USAGE ON SCHEMA books TO grace; GRANT SELECT, UPDATE (note) ON books.entries TO grace;
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    ALTER DEFAULT PRIVILEGES IN SCHEMA books GRANT SELECT ON TABLES TO team;
    SELECT lo_from_bytea(0, 'a large object');";

/// What no dump holds: who is there, with numbers that something made anew would not have.
const BESIDE: &str = "
    SELECT format('database %s %s', oid, datname) FROM pg_database
    UNION ALL SELECT format('role %s %s', oid, rolname) FROM pg_roles
    UNION ALL SELECT format('tablespace %s %s', oid, spcname) FROM pg_tablespace
    UNION ALL SELECT format('setting %s = %s in %s', name, setting, sourcefile) FROM pg_file_settings
        WHERE sourcefile LIKE '%auto.conf'
    UNION ALL SELECT format('setting now %s = %s', name, setting) FROM pg_settings
    UNION ALL SELECT format('slot %s', slot_name) FROM pg_replication_slots
    UNION ALL SELECT format('origin %s', roname) FROM pg_replication_origin
    UNION ALL SELECT format('prepared transaction %s', gid) FROM pg_prepared_xacts
    UNION ALL SELECT format('comment %s %s %s', classoid::regclass, objoid, description) FROM pg_shdescription
    UNION ALL SELECT format('lock %s %s', classid, objid) FROM pg_locks WHERE locktype = 'advisory'
    ORDER BY 1";

/// The lines that one of two pictures has more often than the other.
pub fn difference(before: &[String], after: &[String]) -> Vec<String> {
    let mut counted: BTreeMap<&String, i32> = BTreeMap::new();
    before.iter().for_each(|line| *counted.entry(line).or_default() -= 1);
    after.iter().for_each(|line| *counted.entry(line).or_default() += 1);
    counted.into_iter().filter(|(_, count)| *count != 0).map(|(line, n)| format!("{n:+} {line}")).collect()
}

/// A server with neighbours, one of which is connected.
pub struct Neighbours {
    pub given: Given,
    connected: PgConnection,
    pid: i32,
}

impl Neighbours {
    pub fn new() -> Self {
        let given = Given::of_binaries();
        SERVER.iter().for_each(|sql| given.run(sql));
        given.run_each(&["SET allow_in_place_tablespaces = on", "CREATE TABLESPACE attic LOCATION ''"]);
        for database in ["shop", "ledger", "switchback_production", "switchback_0123456789ab_trunk"] {
            given.run_in(database, DATABASE);
        }
        given.run_in(
            "shop",
            "CREATE TABLE books.old (id integer) TABLESPACE attic; INSERT INTO books.old VALUES (7)",
        );
        let (connected, pid) = given.block_on(async {
            let mut connected = given.connect_to("shop").await;
            let pid = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(&mut connected).await.unwrap();
            (connected, pid)
        });
        Self { given, connected, pid }
    }

    /// All that they have, as a dump and what is not in one.
    pub fn picture(&self) -> Vec<String> {
        self.wait_until_alone();
        let folder = Binaries::find(&[]).into_iter().next().unwrap().dir;
        let mut dumping = Command::new(folder.join("pg_dumpall"));
        // For the connections that follow the first one it forgets the password of the URL.
        dumping.args(["-d", self.given.url()]).env("PGPASSWORD", self.given.password());
        let dumped = dumping.output().unwrap();
        assert!(dumped.status.success(), "{}", String::from_utf8_lossy(&dumped.stderr));
        let dump = String::from_utf8(dumped.stdout).unwrap();
        // Newer versions fence each dump with a word of its own.
        let lines =
            dump.lines().filter(|line| !line.starts_with("\\restrict") && !line.starts_with("\\unrestrict"));
        lines.map(str::to_owned).chain(self.given.ask(BESIDE)).collect()
    }

    /// What is in no dump, which is quicker to tell.
    pub fn beside(&self) -> Vec<String> {
        self.wait_until_alone();
        self.given.ask(BESIDE)
    }

    /// Waits until nobody is connected but the neighbour and who asks: the sessions of a run that has
    /// ended may take a moment to end.
    fn wait_until_alone(&self) {
        let others = "SELECT pid::text FROM pg_stat_activity \
                      WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
        let neighbour = self.pid.to_string();
        wait_for("the end of all sessions but the neighbour's", || {
            (self.given.ask(others) == [neighbour.as_str()]).then_some(())
        });
    }

    /// Fails the test unless all is as in the picture, and the neighbour still connected.
    #[track_caller]
    pub fn are_as_in(&mut self, picture: &[String], after: &str) {
        assert_eq!(difference(picture, &self.picture()), [""; 0], "after {after}");
        let (given, connected) = (&self.given, &mut self.connected);
        let pid: i32 = given.block_on(async {
            let asked = sqlx::query_scalar("SELECT pg_backend_pid()").fetch_one(connected).await;
            asked.unwrap_or_else(|error| panic!("the neighbour was thrown out after {after}: {error}"))
        });
        assert_eq!(pid, self.pid);
    }

    pub fn close(self) {
        let Self { given, connected, .. } = self;
        given.block_on(async { connected.close().await.unwrap() });
        given.close();
    }
}
