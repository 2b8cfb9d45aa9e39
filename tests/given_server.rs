//! A server that somebody else runs stays as it was, whatever a run meets there and however it ends.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use rstest::rstest;
use rustix::process::{Signal, kill_process};
use support::command::Project;
use support::given::Given;
use support::is_skipped;
use switchback::Backend;

const TABLE: (&str, &str) = ("1_a.up.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n");
const DROP: (&str, &str) = ("1_a.down.sql", "DROP TABLE IF EXISTS t;\n");
const SLEEP: &str = "SELECT pg_sleep(600);\n";

#[rstest]
#[case::a_clean_run(TABLE.1, 0)]
#[case::a_failing_revision("SELECT 1 / 0;", 1)]
#[case::a_database("-- no-transaction\nCREATE DATABASE switchback_given;", 1)]
#[case::a_role("CREATE ROLE switchback_given;", 1)]
#[case::a_role_and_what_hangs_on_it(
    "CREATE ROLE switchback_given; GRANT pg_monitor TO switchback_given; ALTER ROLE switchback_given SET jit = off;
     CREATE TABLE t (id INTEGER); ALTER TABLE t OWNER TO switchback_given;",
    1
)]
fn it_stays_as_it_was(#[case] sql: &str, #[case] code: i32) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let given = Given::new();
    let before = given.objects();
    let project = Project::sqlx(&[("1_a.up.sql", sql), DROP]);
    project.command("check --backend postgres --postgres-url").arg(given.url()).run().ends(code);
    assert_eq!(given.objects(), before);
    given.close();
}

/// Revisions that make something on the whole server before one of them sleeps.
#[derive(Clone, Copy)]
enum Moment {
    /// Nothing is made.
    Nothing,
    /// The revision that made it is over.
    Later,
    /// The revision that made it has it committed, and sleeps on.
    Within,
}

impl Moment {
    fn project(self) -> Project {
        let role = "CREATE ROLE switchback_given;\n";
        let within = format!("{role}COMMIT;\n{SLEEP}");
        let (first, second) = match self {
            Self::Nothing => (TABLE.1, SLEEP),
            Self::Later => (role, SLEEP),
            Self::Within => (TABLE.1, within.as_str()),
        };
        Project::sqlx(&[("1_a.up.sql", first), DROP, ("2_b.up.sql", second), ("2_b.down.sql", "")])
    }
}

#[rstest]
fn it_stays_as_it_was_when_a_run_is_cut_short(
    #[values(Moment::Nothing, Moment::Later, Moment::Within)] moment: Moment,
    #[values(Signal::INT, Signal::TERM)] signal: Signal,
) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let given = Given::new();
    let project = moment.project();
    let mut before = given.objects();
    let running = project.command("check --backend postgres --postgres-url").arg(given.url()).start();
    given.wait_for_sleep();
    // What somebody else makes meanwhile is not the run's to take back.
    given.run("CREATE ROLE neighbour");
    before.push("neighbour".to_owned());
    before.sort();
    kill_process(running.pid(), signal).unwrap();
    running.end().ends(130).says("interrupted");
    assert_eq!(given.objects(), before);
    given.close();
}

#[rstest]
fn the_next_run_takes_back_what_a_killed_one_left_and_only_that(
    #[values(Moment::Nothing, Moment::Later)] moment: Moment,
    #[values(false, true)] made_anew: bool,
) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let given = Given::new();
    let project = moment.project();
    let mut before = given.objects();
    let running = project.command("check --backend postgres --postgres-url").arg(given.url()).start();
    given.wait_for_sleep();
    given.run("CREATE ROLE neighbour");
    before.push("neighbour".to_owned());
    kill_process(running.pid(), Signal::KILL).unwrap();
    assert!(running.was_killed());
    assert!(given.objects().len() > before.len());
    if made_anew {
        // By its name it is what the killed run left, but it is not.
        given.run("DROP ROLE IF EXISTS switchback_given; CREATE ROLE switchback_given");
        before.push("switchback_given".to_owned());
    }
    before.sort();
    let next = Project::sqlx(&[TABLE, DROP]);
    next.command("check --backend postgres --postgres-url").arg(given.url()).run().ends(0);
    assert_eq!(given.objects(), before);
    given.close();
}

/// Each session takes that many seconds to begin, at the server's own wish.
fn slow(given: &Given, seconds: u32) -> String {
    format!("{}?options=-c%20post_auth_delay%3D{seconds}", given.url())
}

#[test]
fn one_that_answers_slowly_is_waited_for() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let given = Given::new();
    let before = given.objects();
    let project = Project::sqlx(&[TABLE]);
    let command = project.command("check --backend postgres --check upgrade-fails --postgres-url");
    command.arg(slow(&given, 1)).run().ends(0);
    assert_eq!(given.objects(), before);
    given.close();
}

#[test]
fn one_that_answers_too_slowly_is_given_up() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let given = Given::new();
    let project = Project::sqlx(&[TABLE]);
    let command = project.command("check --backend postgres --postgres-url");
    command.arg(slow(&given, 60)).run().ends(3).says("did not answer within 8 seconds");
    given.close();
}

#[test]
fn ctrl_c_does_not_wait_for_one_that_says_nothing() {
    let project = Project::sqlx(&[TABLE]);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://ada@{}/app", listener.local_addr().unwrap());
    let command = project.command("check --backend postgres --postgres-url").arg(url);
    let started = std::time::Instant::now();
    let running = command.env("SKIP_POSTGRES_TESTS", "").start();
    let _held = listener.accept().unwrap();
    kill_process(running.pid(), Signal::INT).unwrap();
    running.end().ends(130).says("interrupted");
    assert!(started.elapsed().as_secs() < 8);
}

#[test]
fn one_with_no_connection_to_spare() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let given = Given::new();
    given.run("CREATE ROLE ada LOGIN CREATEDB CONNECTION LIMIT 2 PASSWORD 's3cret'");
    let before = given.objects();
    let (_, place) = given.url().split_once('@').unwrap();
    let project = Project::sqlx(&[TABLE, DROP]);
    let command = project.command("check --backend postgres --postgres-url");
    let ran = command.arg(format!("postgres://ada:s3cret@{place}")).run().ends(3);
    ran.says("too many connections for role").keeps_quiet_about("error[").keeps_quiet_about("s3cret");
    assert_eq!(given.objects(), before);
    given.close();
}

/// What the server is short of is not the revision's fault, and its hint is passed on.
#[test]
fn one_that_is_short_of_locks() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let given = Given::new();
    let project = Project::sqlx(&[
        (
            "1_a.up.sql",
            "DO $$ BEGIN FOR n IN 1..60000 LOOP PERFORM pg_advisory_xact_lock(n); END LOOP; END $$;\n",
        ),
        ("1_a.down.sql", ""),
    ]);
    let command = project.command("check --backend postgres --postgres-url").arg(given.url());
    let ran = command.run().ends(3).says("running migrations/1_a.up.sql failed: out of shared memory");
    ran.says("max_locks_per_transaction").keeps_quiet_about("error[");
    given.close();
}

#[test]
fn what_is_kept_there_is_named_and_stays() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let given = Given::new();
    let before = given.objects();
    let project = Project::sqlx(&[TABLE, DROP]);
    let check = |words: &str| {
        project.command(&format!("check --backend postgres {words} --postgres-url")).arg(given.url()).run()
    };
    let (_, password) =
        given.url().split_once("postgres:").and_then(|(_, rest)| rest.split_once(':')).unwrap();
    let (password, _) = password.split_once('@').unwrap();
    let ran = check("--keep").ends(0).keeps_quiet_about(password);
    let kept = given.objects();
    let new: Vec<&String> = kept.iter().filter(|name| !before.contains(name)).collect();
    assert!(new.iter().any(|name| name.ends_with("_trunk")), "{new:?}");
    let (_, prefix) = ran.stdout.split_once("databases kept on that server, named ").unwrap();
    let (prefix, _) = prefix.split_once('…').unwrap();
    assert!(new.iter().all(|name| name.starts_with(prefix)), "{prefix}: {new:?}");
    check("").ends(0);
    assert_eq!(given.objects(), kept);
    given.close();
}
