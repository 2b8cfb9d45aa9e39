//! What goes wrong on the way, and is no migration's fault: it ends in time with exit code 3 and says why,
//! and the next run is clean.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use std::process::Command;
use std::time::{Duration, Instant};

use rstest::rstest;
use rustix::process::Signal;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use support::command::Project;
use support::is_skipped;
use support::processes::wait_for;
use support::theirs::Theirs;
use switchback::Backend;
use tokio::runtime::Runtime;

const TABLE: (&str, &str) = ("1_a.up.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n");
/// Counts for a while, and locks nothing.
const COUNT: &str = "-- no-transaction\nSELECT max(x) FROM (WITH RECURSIVE c (x) AS \
                     (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 3000000) SELECT x FROM c);\n";
const DROP: (&str, &str) = ("1_a.down.sql", "DROP TABLE t;\n");

fn ask(on: &mut PgConnection, runtime: &Runtime, sql: &str) -> Vec<String> {
    runtime.block_on(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(on)).unwrap()
}

/// What befalls a server while a revision sleeps there.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    Restart(&'static str),
    Stop(&'static str),
    Silence,
    /// Others take all connections that there are.
    Crowd,
    /// It takes no connections any more, but goes on with those that it has.
    Closed,
}

#[rstest]
#[case::restarted(Fault::Restart("fast"), 1, "terminating connection due to administrator command")]
#[case::restarted_later(Fault::Restart("fast"), 2, "terminating connection due to administrator command")]
#[case::restarted_after_a_crash(Fault::Restart("immediate"), 2, "the server ended the connection")]
#[case::stopped(Fault::Stop("fast"), 2, "terminating connection due to administrator command")]
#[case::crashed(Fault::Stop("immediate"), 1, "the server ended the connection")]
#[case::silent(Fault::Silence, 2, "the server has fallen silent")]
#[case::without_a_connection_to_spare(Fault::Crowd, 1, "too many clients already")]
#[case::closed(Fault::Closed, 2, "not currently accepting connections")]
fn a_server_in_the_middle_of_a_walk(#[case] fault: Fault, #[case] asleep_in: usize, #[case] said: &str) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let runtime = Runtime::new().unwrap();
    let theirs = Theirs::start("max_connections = 12\nsuperuser_reserved_connections = 0\n", None);
    let url = theirs.url();
    let connect = || runtime.block_on(PgConnection::connect(&url));
    let objects = || {
        let mut on = connect().unwrap();
        let all =
            "SELECT datname::text FROM pg_database UNION ALL SELECT rolname::text FROM pg_roles ORDER BY 1";
        ask(&mut on, &runtime, all)
    };
    let before = objects();
    let goes_on = matches!(fault, Fault::Crowd | Fault::Closed);
    let sleep = if goes_on { "SELECT pg_sleep(3);\n" } else { "SELECT pg_sleep(600);\n" };
    let project = match asleep_in {
        // What a revision makes for the whole server is looked up over a connection of its own.
        1 => Project::sqlx(&[("1_a.sql", sleep), ("2_b.sql", "CREATE ROLE switchback_late;\n")]),
        _ => Project::sqlx(&[TABLE, DROP, ("2_b.up.sql", sleep), ("2_b.down.sql", "")]),
    };
    let running = project.command("check --backend postgres --postgres-url").arg(&url).start();
    let mut on = connect().unwrap();
    wait_for("a revision that sleeps", || {
        let asleep = "SELECT pid::text FROM pg_stat_activity WHERE wait_event = 'PgSleep'";
        ask(&mut on, &runtime, asleep).first().map(drop)
    });
    let struck = Instant::now();
    let mut crowd = Vec::new();
    match fault {
        Fault::Restart(mode) => {
            theirs.stop(mode);
            theirs.again();
        }
        Fault::Stop(mode) => theirs.stop(mode),
        Fault::Silence => theirs.signal(Signal::STOP),
        Fault::Crowd => crowd.extend(std::iter::from_fn(|| connect().ok())),
        Fault::Closed => {
            let close = "UPDATE pg_database SET datallowconn = false";
            runtime.block_on(sqlx::query(close).execute(&mut on)).map(drop).unwrap();
        }
    }
    let ran = running.end().ends(3).says("could not run everything").says(said).keeps_quiet_about("error[");
    assert!(ran.stdout.contains("everything (postgres): "), "{ran}");
    assert!(struck.elapsed() < Duration::from_secs(60), "{:?}", struck.elapsed());
    match fault {
        Fault::Stop(_) => theirs.again(),
        Fault::Silence => theirs.signal(Signal::CONT),
        Fault::Closed => {
            let open = "UPDATE pg_database SET datallowconn = datname <> 'template0'";
            runtime.block_on(sqlx::query(open).execute(&mut on)).map(drop).unwrap();
        }
        Fault::Restart(_) | Fault::Crowd => {}
    }
    drop((crowd, on));
    let next = Project::sqlx(&[TABLE, DROP]);
    next.command("check --backend postgres --postgres-url").arg(&url).run().ends(0);
    assert_eq!(objects(), before);
}

/// The disk is that of the server's owner.
#[test]
fn a_given_server_whose_disk_fills() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let theirs = Theirs::start("max_wal_size = '32MB'\nmin_wal_size = '32MB'\n", Some(24));
    let fills = "CREATE UNLOGGED TABLE big (a TEXT);\nALTER TABLE big ALTER a SET STORAGE EXTERNAL;\n\
                 INSERT INTO big SELECT repeat('x', 100000) FROM generate_series(1, 1000);\n";
    let project = Project::sqlx(&[TABLE, DROP, ("2_b.up.sql", fills), ("2_b.down.sql", "DROP TABLE big;\n")]);
    let check = |project: &Project| {
        project.command("check --backend postgres --postgres-url").arg(theirs.url()).run()
    };
    let ran = check(&project).ends(3).says("2_b.up.sql").keeps_quiet_about("error[");
    ran.says("make room on the disk of the server (URL from the command line (127.0.0.1:");
    check(&Project::sqlx(&[TABLE, DROP])).ends(0);
}

/// Somebody else, such as a viewer of databases, takes the write lock and does not give it back.
#[rstest]
#[case::at_a_revision("SELECT 1")]
#[case::at_the_books("SELECT count(*) FROM w")]
fn a_file_that_another_process_locks(#[case] when: &'static str) {
    let (first, second) = (
        format!("{COUNT}CREATE TABLE t (id INTEGER PRIMARY KEY);\n"),
        format!("-- no-transaction\nCREATE TABLE w (a);\n{COUNT}"),
    );
    let files = match when {
        "SELECT 1" => [("1_a.up.sql", &*first), ("1_a.down.sql", DROP.1)],
        _ => [("1_a.up.sql", &*second), ("1_a.down.sql", "DROP TABLE w;\n")],
    };
    let project = Project::sqlx(&files);
    let running = project.command("check --backend sqlite").start();
    let runtime = Runtime::new().unwrap();
    let file = wait_for("a database", || {
        let folder = std::fs::read_dir(project.tmp()).unwrap().next()?.unwrap().path();
        let file = folder.join("trunk-1.sqlite");
        file.exists().then_some(file)
    });
    let mut on = runtime.block_on(async {
        let options = sqlx_sqlite::SqliteConnectOptions::new().filename(file);
        sqlx_sqlite::SqliteConnection::connect_with(&options).await.unwrap()
    });
    wait_for("the moment", || {
        let lock = "SELECT count(*) FROM _sqlx_migrations";
        runtime.block_on(async {
            sqlx::raw_sql(lock).execute(&mut on).await.ok()?;
            sqlx::raw_sql(when).execute(&mut on).await.ok()?;
            sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut on).await.ok()
        })
    });
    let ran = running.end().ends(3).keeps_quiet_about("error[");
    ran.says("running migrations/1_a.up.sql failed: database is locked by another process");
    drop(on);
    Project::sqlx(&[TABLE, DROP]).run("check --backend sqlite").ends(0);
}

/// Overrides the clock of a process and of all that it starts: it is off by so many seconds, and jumps there and
/// back between any two questions.
const CLOCK: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <sys/time.h>
#include <time.h>
static long off(void) {
    static int asked = 1;
    const char *seconds = getenv("CLOCK_IS_OFF_BY");
    return seconds && asked++ % 2 ? atol(seconds) : 0;
}
int clock_gettime(clockid_t id, struct timespec *now) {
    int (*real)(clockid_t, struct timespec *) = dlsym(RTLD_NEXT, "clock_gettime");
    int done = real(id, now);
    if (id == CLOCK_REALTIME) now->tv_sec += off();
    return done;
}
int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    int (*real)(struct timeval *, void *) = dlsym(RTLD_NEXT, "gettimeofday");
    int done = real(now, zone);
    now->tv_sec += off();
    return done;
}
time_t time(time_t *now) {
    struct timeval at;
    gettimeofday(&at, NULL);
    if (now) *now = at.tv_sec;
    return at.tv_sec;
}
"#;

/// The clock of a history with moments in it jumps forward or back, and nothing else is said of it.
#[rstest]
fn a_clock_that_jumps(
    #[values(Backend::Postgres, Backend::Sqlite)] backend: Backend,
    #[values(-90_000, 40_000_000)] seconds: i64,
) {
    if is_skipped(backend) {
        return;
    }
    let moments =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, made TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP);\n";
    let more = "CREATE TABLE u (id INTEGER PRIMARY KEY, made TIMESTAMP DEFAULT CURRENT_TIMESTAMP);\n\
                INSERT INTO u (id, made) SELECT id, CURRENT_TIMESTAMP FROM t;\n";
    let project = Project::sqlx(&[
        ("1_a.up.sql", moments),
        DROP,
        ("2_b.up.sql", more),
        ("2_b.down.sql", "DROP TABLE u;\n"),
    ])
    .with("clock.c", CLOCK);
    let (source, library) = (project.root().join("clock.c"), project.root().join("clock.so"));
    let mut cc = Command::new("cc");
    let built = cc.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status().unwrap();
    assert!(built.success());
    let mut date = Command::new("date");
    date.arg("+%s").env("LD_PRELOAD", &library).env("CLOCK_IS_OFF_BY", seconds.to_string());
    let shown: i64 = String::from_utf8(date.output().unwrap().stdout).unwrap().trim().parse().unwrap();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    assert!((shown - i64::try_from(now).unwrap() - seconds).abs() < 60);
    let check =
        || project.command(&format!("check --backend {backend}")).env("DOCKER_HOST", "unix:///nonexistent");
    let (usual, jumping) = (
        check().run().ends(0),
        check().env("LD_PRELOAD", &library).env("CLOCK_IS_OFF_BY", seconds.to_string()).run().ends(0),
    );
    assert_eq!(jumping.stdout, usual.stdout);
    // What the first one left, if anything, is not taken for somebody's by its age.
    check().run().ends(0);
}
