//! A migrated database for a test, against running the migrations for each test, and many at once.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Barrier;
use std::time::Instant;

use sqlx::migrate::Migrator;
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};
use sqlx_sqlite::{SqliteConnectOptions, SqliteConnection, SqliteSynchronous};
use switchback::{Backend, Check, Database};
use tokio::runtime::Runtime;

use crate::generate::{Shape, project};
use crate::measure::{self, figure, median};

const REVISIONS: usize = 50;
const RUNS: usize = 15;
const AT_ONCE: usize = 16;

/// Set in the process in which the tests run that are measured from outside.
const CHILD: &str = "SWITCHBACK_BENCH_CHILD";

/// The aim: at 50 revisions a database is there and gone again in a fifth of the time that it takes to
/// create one, run the migrations and drop it, as `#[sqlx::test]` does for each test. PostgreSQL's next
/// copy is made meanwhile, as it is while a test runs.
pub(crate) fn run() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    project(folder.path(), Shape::Mixed, REVISIONS);
    let check = Check::new(folder.path());
    let runtime = Runtime::new().expect("a runtime can be made");
    let migrator = runtime.block_on(Migrator::new(folder.path().join("migrations")));
    let migrator = migrator.expect("sqlx reads the history, too");
    let migrator = &migrator;
    for backend in Backend::ALL {
        let started = Instant::now();
        // It stays meanwhile, and with it the server.
        let first = database(&runtime, &check, backend);
        let first_took = started.elapsed().as_secs_f64();
        let (mut ours, mut theirs, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..RUNS {
            let own = seconds(|| {
                let database = database(&runtime, &check, backend);
                runtime.block_on(ask(&database));
            });
            let by_hand = seconds(|| match backend {
                Backend::Postgres => runtime.block_on(on_postgres(&first, migrator)),
                Backend::Sqlite => runtime.block_on(on_sqlite(folder.path(), migrator)),
            });
            ratios.push(own / by_hand);
            ours.push(own * 1000.0);
            theirs.push(by_hand * 1000.0);
        }
        let text = format!(
            "{backend}, a migrated database {:.1} ms (the first one {:.0} ms), running the {REVISIONS} migrations {:.1} ms",
            median(ours),
            first_took * 1000.0,
            median(theirs)
        );
        figure("database", &text, median(ratios), 0.2);
    }
    let (taken, server) = at_once(folder.path());
    println!(
        "database {AT_ONCE} tests at once, each on both backends: {:.2} s from start to end, {} MB, and the server {} MB",
        taken.wall.as_secs_f64(),
        taken.peak / 1_000_000,
        server / 1_000_000
    );
}

fn seconds(work: impl FnOnce()) -> f64 {
    let started = Instant::now();
    work();
    started.elapsed().as_secs_f64()
}

fn database(runtime: &Runtime, check: &Check, backend: Backend) -> Database {
    let made = runtime.block_on(check.database(backend).into_future());
    made.unwrap_or_else(|error| panic!("{error}"))
}

/// What the shortest test does: connects and asks.
async fn ask(database: &Database) {
    const QUESTION: &str = "SELECT count(*) FROM t000000";
    let answered = match database.backend() {
        Backend::Postgres => {
            let pool = database.pg_pool().expect("it is its own backend");
            sqlx::query(QUESTION).execute(&pool).await.map(drop)
        }
        Backend::Sqlite => {
            let pool = database.sqlite_pool().expect("it is its own backend");
            sqlx::query(QUESTION).execute(&pool).await.map(drop)
        }
    };
    answered.expect("the first revision makes that table");
}

/// On the same server, and over the same socket.
async fn on_postgres(server: &Database, migrator: &Migrator) {
    const NAME: &str = "by_hand";
    let options = server.pg_pool().expect("it is its own backend").connect_options();
    let mut admin = PgConnection::connect_with(&options).await.expect("the server is ours");
    let mut run = async |sql: String| {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await.expect("the server is ours");
    };
    run(format!("CREATE DATABASE {NAME}")).await;
    let options = (*options).clone().database(NAME);
    let mut connection = PgConnection::connect_with(&options).await.expect("it was just made");
    migrator.run(&mut connection).await.expect("the history was migrated before");
    sqlx::query("SELECT count(*) FROM t000000").execute(&mut connection).await.expect("it is migrated");
    connection.close().await.expect("it was open");
    run(format!("DROP DATABASE {NAME}")).await;
}

/// As quickly as ours: `#[sqlx::test]` would wait for the disk.
async fn on_sqlite(folder: &Path, migrator: &Migrator) {
    let file = folder.join("by_hand.sqlite");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let options = options.synchronous(SqliteSynchronous::Off);
    let mut connection = SqliteConnection::connect_with(&options).await.expect("the folder is ours");
    migrator.run(&mut connection).await.expect("the history was migrated before");
    sqlx::query("SELECT count(*) FROM t000000").execute(&mut connection).await.expect("it is migrated");
    connection.close().await.expect("it was open");
    fs::remove_file(file).expect("it is a file");
}

/// What a process takes with many tests, and the memory of the server that they use.
fn at_once(project: &Path) -> (measure::Taken, u64) {
    let answer = project.join("memory");
    let program = std::env::current_exe().expect("this program is a file");
    let taken = measure::run(Command::new(program).env(CHILD, project));
    let memory = fs::read_to_string(answer).expect("the child has told");
    (taken, memory.parse().expect("the child tells a number"))
}

/// Runs the tests, if this is the process for it.
pub(crate) fn is_child() -> bool {
    let Some(project) = std::env::var_os(CHILD).map(PathBuf::from) else { return false };
    let (check, all_have_theirs) = (Check::new(&project), Barrier::new(AT_ONCE));
    std::thread::scope(|scope| {
        for number in 0..AT_ONCE {
            let (check, all_have_theirs, answer) = (&check, &all_have_theirs, project.join("memory"));
            scope.spawn(move || {
                let runtime = Runtime::new().expect("a runtime can be made");
                let databases = Backend::ALL.map(|backend| database(&runtime, check, backend));
                databases.iter().for_each(|database| runtime.block_on(ask(database)));
                all_have_theirs.wait();
                if number == 0 {
                    let url =
                        databases.iter().find(|one| one.backend() == Backend::Postgres).map(Database::url);
                    let memory = runtime.block_on(memory(&url.expect("it is one of both")));
                    fs::write(answer, memory.to_string()).expect("the folder is ours");
                }
                all_have_theirs.wait();
            });
        }
    });
    true
}

/// The memory of a server in bytes, what its processes share counted once.
async fn memory(url: &str) -> u64 {
    let mut connection = PgConnection::connect(url).await.expect("the server is ours");
    let folder: String =
        sqlx::query_scalar("SHOW data_directory").fetch_one(&mut connection).await.expect("it says");
    let pid = fs::read_to_string(Path::new(&folder).join("postmaster.pid")).unwrap_or_default();
    let pid = pid.lines().next().unwrap_or_default();
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
    let share = |pid: &str| {
        let shares = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = shares.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().trim_end_matches(" kB").parse::<u64>().ok()
    };
    children.split_whitespace().chain([pid]).filter_map(share).sum::<u64>() * 1024
}
