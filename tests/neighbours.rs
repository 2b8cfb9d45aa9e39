//! A server full of other people's databases, roles and settings is the same after all that runs do there,
//! and what a revision does to it all the same is told.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use support::command::{Project, Ran};
use support::neighbours::{Neighbours, difference};
use support::{is_skipped, python, repository};
use switchback::Backend;

/// All folders with a `switchback.toml`.
fn scenarios(folder: &Path) -> Vec<PathBuf> {
    if folder.join("switchback.toml").exists() {
        return vec![folder.to_owned()];
    }
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    entries.iter().filter(|path| path.is_dir()).flat_map(|path| scenarios(path)).collect()
}

/// Whether the tool is there that a scenario needs.
fn has_its_tool(scenario: &Path) -> bool {
    match scenario.strip_prefix(repository("scenarios")).unwrap().to_str().unwrap() {
        "command/sea_orm" => repository("target/sea_orm/debug/migration").exists(),
        "command/django" | "alembic/journal" => python::interpreter().is_some(),
        _ => true,
    }
}

/// Two runs at a time, each of which leaves the other one's databases alone.
#[test]
fn all_scenarios() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let mut neighbours = Neighbours::new();
    let before = neighbours.picture();
    let waiting = scenarios(&repository("scenarios")).into_iter().filter(|one| has_its_tool(one));
    let waiting: Mutex<Vec<PathBuf>> = Mutex::new(waiting.collect());
    assert!(waiting.lock().unwrap().len() > 40);
    let url = neighbours.given.url();
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let project = Project::new();
                while let Some(scenario) = { waiting.lock().unwrap().pop() } {
                    let command = project.command("check --backend postgres --postgres-url").arg(url);
                    let ran =
                        command.arg(&scenario).env("CARGO_TARGET_DIR", repository("target/sea_orm")).run();
                    assert!(matches!(ran.code, Some(0 | 1)), "{}: {ran}", scenario.display());
                }
            });
        }
    });
    neighbours.are_as_in(&before, "all scenarios");
    neighbours.close();
}

fn project(text: &str) -> Project {
    Project::sqlx(&[
        ("1_a.up.sql", text),
        ("1_a.down.sql", "SELECT 1;\n"),
        ("2_b.up.sql", "CREATE TABLE u (id INTEGER PRIMARY KEY, a TEXT);\n"),
        ("2_b.down.sql", "DROP TABLE u;\n"),
    ])
}

fn check(neighbours: &Neighbours, project: &Project) -> Ran {
    project.command("check --backend postgres --postgres-url").arg(neighbours.given.url()).run()
}

/// What a migration should not do, and what is said of it.
const UNDONE: &[(&str, &str)] = &[
    ("DROP SCHEMA public CASCADE;", "relation \"_sqlx_migrations\" does not exist"),
    ("SET ROLE pg_monitor;", "permission denied for table _sqlx_migrations"),
    ("SET SESSION AUTHORIZATION grace;", "permission denied for table _sqlx_migrations"),
    ("CREATE SCHEMA a; SET search_path = a;", "so the tool notes the step"),
    ("SET default_transaction_read_only = on;", "in a read-only transaction"),
    (
        "CREATE ROLE switchback_role; GRANT team TO switchback_role; GRANT switchback_role TO grace; \
         ALTER ROLE switchback_role SET jit = off; CREATE TABLE o (); ALTER TABLE o OWNER TO switchback_role;",
        "created membership of \"grace\" in \"switchback_role\"",
    ),
    ("CREATE ROLE switchback_own; SET ROLE switchback_own;", "permission denied for table"),
    ("-- no-transaction\nCREATE DATABASE switchback_new;", "created database \"switchback_new\""),
    ("-- no-transaction\nALTER SYSTEM SET work_mem = '9MB';", "created setting work_mem"),
    ("ALTER DATABASE ledger SET jit = off;", "created settings of database \"ledger\""),
    ("GRANT pg_read_all_stats TO grace;", "created membership of \"grace\" in \"pg_read_all_stats\""),
    (
        "DROP ROLE IF EXISTS nobody_there, guest;",
        "it was not run, since it drops role \"guest\", which is not of this run",
    ),
    ("DO $$ BEGIN DROP ROLE team; END $$;", "cannot be dropped because some objects depend on it"),
    ("-- no-transaction\nDROP DATABASE ledger;", "it was not run, since it drops database \"ledger\""),
    ("CREATE TABLE t (id INTEGER); INSERT INTO t SELECT 1 / 0;", "division by zero"),
    ("CREATE TABEL t (id INTEGER);", "syntax error"),
    ("-- no-transaction\nBEGIN;\nCREATE TABLE t (id INTEGER);", "leaves a transaction open"),
    ("SELECT pg_terminate_backend(pg_backend_pid());", "the connection ended while the script ran"),
    ("COPY pg_am FROM STDIN;", "the connection ended while the script ran"),
    ("SELECT pg_create_physical_replication_slot('switchback_slot');", "created replication slot"),
    ("SELECT pg_replication_origin_create('switchback_origin');", "created replication origin"),
    // It keeps its database from being dropped.
    (
        "CREATE SUBSCRIPTION switchback_sub CONNECTION 'dbname=shop' PUBLICATION p WITH (connect = false);",
        "subscription \"switchback_sub\" already exists",
    ),
    (
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I IS_TEMPLATE true', current_database()); END $$;\nSELECT 1 / 0;",
        "division by zero",
    ),
    (
        "-- no-transaction\nDO $$ BEGIN EXECUTE format('ALTER DATABASE %I IS_TEMPLATE true', current_database()); END $$;",
        "",
    ),
    ("SELECT pg_advisory_lock(42);", ""),
    (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid();",
        "",
    ),
    // Those of this run alone, in whatever database.
    (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'switchback';",
        "the connection ended",
    ),
    (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
         WHERE application_name = 'switchback' AND pid <> pg_backend_pid();",
        "",
    ),
];

#[test]
fn what_a_revision_does_is_undone() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let mut neighbours = Neighbours::new();
    let before = neighbours.picture();
    let beside = neighbours.beside();
    for (text, said) in UNDONE {
        let ran = check(&neighbours, &project(text)).ends(i32::from(!said.is_empty())).says(said);
        ran.keeps_quiet_about("on the way back");
        assert_eq!(difference(&beside, &neighbours.beside()), [""; 0], "after {text}");
    }
    neighbours.are_as_in(&before, "all of them");
    neighbours.close();
}

/// What no run can take back is told with the revision, and is all that has changed: the lines of the picture
/// that differ hold one of these words.
const TOLD: &[(&str, &str, &[&str])] = &[
    ("ALTER ROLE grace PASSWORD 'x';", "changed role \"grace\"", &["role grace"]),
    ("ALTER ROLE grace NOLOGIN;", "changed role \"grace\"", &["role grace"]),
    ("COMMENT ON ROLE team IS 'x';", "changed role \"team\"", &["comment"]),
    ("COMMENT ON DATABASE shop IS 'x';", "changed database \"shop\"", &["comment"]),
    ("GRANT CREATE ON DATABASE shop TO team;", "changed database \"shop\"", &["database shop"]),
    ("ALTER DATABASE shop SET jit = off;", "changed settings of database \"shop\"", &["jit"]),
    (
        "-- no-transaction\nALTER SYSTEM SET maintenance_work_mem = '9MB';",
        "changed setting maintenance_work_mem",
        &["maintenance_work_mem"],
    ),
    (
        "-- no-transaction\nALTER SYSTEM RESET ALL;",
        "dropped setting maintenance_work_mem",
        &["maintenance_work_mem"],
    ),
    ("REASSIGN OWNED BY grace TO ada;", "changed database \"shop\"", &["owner"]),
    ("DROP OWNED BY team;", "changed database \"ledger\"", &["to team"]),
    ("UPDATE pg_authid SET rolpassword = NULL WHERE rolname = 'ada';", "changed role \"ada\"", &["role ada"]),
    (
        "UPDATE pg_database SET datconnlimit = 3 WHERE datname = 'ledger';",
        "changed database \"ledger\"",
        &["ledger"],
    ),
    // What was there before is not dropped for its new name.
    ("ALTER ROLE ada RENAME TO lovelace;", "created role \"lovelace\"", &["ada", "lovelace"]),
    ("ALTER ROLE guest RENAME TO visitor;", "created role \"visitor\"", &["guest", "visitor"]),
    (
        "-- no-transaction\nALTER DATABASE switchback_production RENAME TO production;",
        "created database \"production\"",
        &["production"],
    ),
    ("DO $$ BEGIN DROP ROLE stranger; END $$;", "dropped role \"stranger\"", &["stranger"]),
];

#[test]
fn what_cannot_be_undone_is_told() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let neighbours = Neighbours::new();
    let mut before = neighbours.picture();
    for (text, said, words) in TOLD {
        let ran = check(&neighbours, &project(text)).ends(1);
        ran.says("error[escapes-database]: upgrade of 1_a").says(said);
        let after = neighbours.picture();
        let changed = difference(&before, &after);
        let is_meant = |line: &String| words.iter().any(|word| line.to_lowercase().contains(word));
        assert!(!changed.is_empty() && changed.iter().all(is_meant), "after {text}: {changed:#?}");
        before = after;
    }
    neighbours.close();
}

#[test]
fn sessions_that_a_revision_ends_are_told() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let neighbours = Neighbours::new();
    let before = neighbours.given.objects();
    let others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid();";
    let ran = check(&neighbours, &project(others)).ends(1);
    ran.says("upgrade of 1_a dropped sessions of \"postgres\" in database \"shop\" of the whole server");
    assert_eq!(neighbours.given.objects(), before);
    neighbours.given.close();
}

/// As a role that can reach nothing else in a neighbour's own database.
#[test]
fn an_isolated_schema() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let mut neighbours = Neighbours::new();
    let before = neighbours.picture();
    let (_, place) = neighbours.given.url().split_once('@').unwrap();
    let (place, _) = place.split_once('/').unwrap();
    let url = format!("postgres://guest:gu3st@{place}/shop");
    let check = |project: &Project, path: &str| {
        let command = project.command("check --backend postgres --isolate schema --postgres-url").arg(&url);
        command.arg(path).run()
    };
    for name in ["calista", "entries", "homesec", "queue_jobs", "syfthub"] {
        let ran = check(&Project::new(), repository("scenarios").join(name).to_str().unwrap());
        assert!(matches!(ran.code, Some(0 | 1)), "{name}: {ran}");
    }
    for (text, said) in [
        ("CREATE TABLE books.mine (id INTEGER);", "permission denied for schema books"),
        ("CREATE ROLE switchback_role;", "permission denied to create role"),
        ("DROP TABLE public.t;", "must be owner of table t"),
        ("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'shop';", ""),
    ] {
        check(&project(text), ".").ends(1).says(said).keeps_quiet_about("gu3st");
    }
    neighbours.are_as_in(&before, "isolated schemas");
    neighbours.close();
}
