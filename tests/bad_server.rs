//! Servers that refuse, lie, hang or die, and runs that are cut short: a clear end in time, and
//! nothing left running or lying about.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod support;

use insta::assert_snapshot;
use rstest::rstest;
use rustix::process::{Signal, kill_process};
use support::command::Project;
use support::fake_postgres::{self, Fake};
use support::is_skipped;
use support::processes::{Process, below, kill, wait_for, wait_until_gone};
use switchback::Backend;

const SECRET: &str = "s3cret";
const TABLE: (&str, &str) = ("1_a.up.sql", "CREATE TABLE t (id INTEGER PRIMARY KEY);\n");
const DROP: (&str, &str) = ("1_a.down.sql", "DROP TABLE t;\n");
/// The private server is what is looked at, also where a container would serve.
const NO_DOCKER: &str = "unix:///nonexistent";
const SLEEP: &str = "SELECT pg_sleep(600);\n";
/// On SQLite nothing sleeps, but this counts for ever.
const COUNT: &str = "CREATE TABLE n AS WITH RECURSIVE c (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c;\n";

fn url(port: u16) -> String {
    format!("postgres://ada:{SECRET}@127.0.0.1:{port}/app")
}

/// What a run says that is given a URL that does not serve.
fn refusal(url: &str) -> String {
    let project = Project::sqlx(&[TABLE, DROP]);
    let run = |words: &str| {
        let command = project.command(&format!("{words} --backend postgres --postgres-url")).arg(url);
        command.env("SKIP_POSTGRES_TESTS", "").run().ends(3).keeps_quiet_about(SECRET)
    };
    run("check --format json");
    run("baseline").says("nothing was accepted");
    assert_eq!(run("check").stdout.lines().last(), Some("could not run everything"));
    run("schema").stderr
}

fn refusal_of(fake: Fake) -> String {
    let port = fake_postgres::start(fake);
    refusal(&url(port)).replace(&format!(":{port}"), ":[port]")
}

#[test]
fn a_server_that_is_not_there() {
    assert_snapshot!(refusal(&url(1)), @"error: the URL from the command line does not serve: nothing listens on 127.0.0.1:1; correct the URL, or leave it out so that a container or the machine's server binaries serve (postgres)");
}

#[test]
fn a_server_that_says_nothing() {
    let project = Project::sqlx(&[TABLE, DROP]);
    let url = url(fake_postgres::start(Fake::Silent));
    let ran = project.command("check --postgres-url").arg(url).env("SKIP_POSTGRES_TESTS", "").run();
    // SQLite is judged all the same.
    ran.ends(3).says("did not answer within 8 seconds").says("steps on sqlite").keeps_quiet_about(SECRET);
}

#[test]
fn a_server_that_hangs_up_or_speaks_of_something_else() {
    for fake in [Fake::Gone, Fake::Stranger] {
        let told = refusal_of(fake);
        assert!(told.contains("does not serve: 127.0.0.1:[port] refused the connection: "), "{told}");
        assert!(!told.contains("os error"), "{told}");
    }
}

#[test]
fn a_wrong_password() {
    assert_snapshot!(refusal_of(Fake::WrongPassword), @r#"error: the URL from the command line does not serve: 127.0.0.1:[port] refused the password of role "ada"; correct the URL, or leave it out so that a container or the machine's server binaries serve (postgres)"#);
}

#[test]
fn a_server_that_is_too_old() {
    assert_snapshot!(refusal_of(Fake::Old), @"error: the URL from the command line does not serve: it is PostgreSQL 9.6.24; 13 is the oldest that is understood; correct the URL, or leave it out so that a container or the machine's server binaries serve (postgres)");
}

#[test]
fn a_url_that_is_none() {
    assert_snapshot!(refusal("not a url"), @"error: the URL from the command line does not serve: it is not a URL; correct the URL, or leave it out so that a container or the machine's server binaries serve (postgres)");
    assert_snapshot!(refusal(&format!("mysql://ada:{SECRET}@127.0.0.1/app")), @r#"error: the URL from the command line does not serve: its scheme is "mysql", not "postgres"; correct the URL, or leave it out so that a container or the machine's server binaries serve (postgres)"#);
    assert_snapshot!(refusal(&format!("postgres://ada:{SECRET}@127.0.0.1:port/app")), @"error: the URL from the command line does not serve: it cannot be read (invalid port number); percent-encode the special characters of its password; correct the URL, or leave it out so that a container or the machine's server binaries serve (postgres)");
}

#[test]
fn a_url_in_the_environment_that_does_not_serve_is_passed_over_in_silence_about_its_password() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[TABLE, DROP]).with(".env", format!("DB_DSN={}\n", url(1)));
    let ran = project
        .command("check")
        .env("DATABASE_URL", format!("mysql://ada:{SECRET}@127.0.0.1/app"))
        .run()
        .ends(0);
    ran.keeps_quiet_about(SECRET).says("passed over").says("DATABASE_URL").says("DB_DSN");
}

#[test]
fn no_postgres_of_that_version() {
    let project = Project::sqlx(&[TABLE, DROP]).adding("switchback.toml", "\n[postgres]\nversion = \"99\"\n");
    let run = |words: &str| {
        project.command(words).env("DOCKER_HOST", NO_DOCKER).env("SKIP_POSTGRES_TESTS", "").run()
    };
    run("check")
        .ends(3)
        .says("no PostgreSQL serves")
        .says("SKIP_POSTGRES_TESTS=1")
        .says("could not run everything");
    run("schema").ends(3).says("no PostgreSQL serves");
    run("check --backend sqlite").ends(0);
}

#[test]
fn a_docker_that_does_not_answer() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[TABLE, DROP]);
    let socket = project.root().join("docker.sock");
    let _silent = std::os::unix::net::UnixListener::bind(&socket).unwrap();
    let command = project.command("check --backend postgres --format json");
    let ran = command.env("DOCKER_HOST", format!("unix://{}", socket.display())).run();
    assert!(matches!(ran.code, Some(0 | 3)), "{ran}");
    ran.says("container").says("did not answer");
}

/// The server that a run has started, once it is there.
fn server_of(running: &support::command::Running<'_>) -> Process {
    let is_server = |one: &Process| {
        one.command
            .split_once(" -D ")
            .is_some_and(|(path, _)| path.ends_with("/postgres") && !path.contains(' '))
    };
    wait_for("a server", || below(running.pid()).into_iter().find(is_server))
}

#[test]
fn a_server_that_dies_in_the_middle() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[("1_a.up.sql", SLEEP), DROP]);
    let running = project.command("check --backend postgres").env("DOCKER_HOST", NO_DOCKER).start();
    let server = server_of(&running);
    let asleep = |one: &Process| one.command.starts_with("postgres: ") && one.command.contains("SELECT");
    wait_for("a session at work", || below(server.pid).into_iter().find(asleep));
    let sessions = below(server.pid);
    kill(&server);
    running.end().ends(3).says("could not run everything");
    sessions.iter().for_each(wait_until_gone);
}

/// The server goes on after a session of it has crashed, but all others crash with it.
#[test]
fn a_session_that_dies_in_the_middle() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[TABLE, DROP, ("2_b.up.sql", SLEEP), ("2_b.down.sql", "")]);
    let running = project.command("check --backend postgres").env("DOCKER_HOST", NO_DOCKER).start();
    let server = server_of(&running);
    let asleep = |one: &Process| one.command.starts_with("postgres: ") && one.command.contains("SELECT");
    let session = wait_for("a session at work", || below(server.pid).into_iter().find(asleep));
    kill(&session);
    running.end().ends(3).says("could not run everything").keeps_quiet_about("error[");
    wait_until_gone(&server);
}

/// A server that never comes up is not waited for once nobody wants it any more, and ends also if it
/// does not heed what it is told.
#[test]
fn ctrl_c_ends_a_server_that_does_not_come_up() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let script =
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'postgres (PostgreSQL) 17.0' && exit\nexec sleep 600\n";
    let project = Project::sqlx(&[TABLE, DROP])
        .with("bin/postgres", script)
        .with("bin/initdb", "#!/bin/sh\nmkdir \"$8\"\n");
    let bin = project.root().join("bin");
    for name in ["postgres", "initdb"] {
        let rights = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(bin.join(name), rights).unwrap();
    }
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let command = project.command("check --backend postgres").env("DOCKER_HOST", NO_DOCKER).env("PATH", path);
    let running = command.env("XDG_CACHE_HOME", project.root()).start();
    let asleep = |one: &Process| one.command.starts_with("sleep 600");
    let server = wait_for("a server", || below(running.pid()).into_iter().find(asleep));
    let asked = std::time::Instant::now();
    kill_process(running.pid(), Signal::INT).unwrap();
    running.end().ends(130).says("interrupted");
    assert!(asked.elapsed().as_secs() < 20);
    wait_until_gone(&server);
}

/// A server that is stopped, as by a debugger, hears nothing until it is let go on.
#[test]
fn ctrl_c_ends_a_server_that_is_frozen() {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[("1_a.up.sql", SLEEP), DROP]);
    let running = project.command("check --backend postgres").env("DOCKER_HOST", NO_DOCKER).start();
    let server = server_of(&running);
    let asleep = |one: &Process| one.command.starts_with("postgres: ") && one.command.contains("SELECT");
    wait_for("a session at work", || below(server.pid).into_iter().find(asleep));
    let started = below(running.pid());
    kill_process(server.pid, Signal::STOP).unwrap();
    let asked = std::time::Instant::now();
    kill_process(running.pid(), Signal::INT).unwrap();
    running.end().ends(130).says("interrupted");
    assert!(asked.elapsed().as_secs() < 10);
    started.iter().for_each(wait_until_gone);
}

#[rstest]
#[case::on_ctrl_c(Signal::INT)]
#[case::when_told_to_end(Signal::TERM)]
#[case::when_its_terminal_goes(Signal::HUP)]
fn a_run_ends_on_sqlite(#[case] signal: Signal) {
    let project = Project::sqlx(&[("1_a.sql", COUNT)]);
    let running = project.command("check --backend sqlite").start();
    wait_for("a database", || {
        let folder = std::fs::read_dir(project.tmp()).unwrap().next()?.unwrap().path();
        folder.join("trunk-1.sqlite").exists().then_some(())
    });
    kill_process(running.pid(), signal).unwrap();
    running.end().ends(130).says("interrupted");
}

#[rstest]
fn a_run_ends_on_postgres(
    #[values(Signal::INT, Signal::TERM)] signal: Signal,
    #[values("as soon as it starts a server", "while a revision runs")] moment: &str,
) {
    if is_skipped(Backend::Postgres) {
        return;
    }
    let project = Project::sqlx(&[("1_a.up.sql", SLEEP), DROP]);
    let running = project.command("check --backend postgres").env("DOCKER_HOST", NO_DOCKER).start();
    let server = server_of(&running);
    if moment == "while a revision runs" {
        let asleep = |one: &Process| one.command.starts_with("postgres: ") && one.command.contains("SELECT");
        wait_for("a session at work", || below(server.pid).into_iter().find(asleep));
    }
    let started = below(running.pid());
    kill_process(running.pid(), signal).unwrap();
    running.end().ends(130).says("interrupted");
    started.iter().for_each(wait_until_gone);
}

#[test]
fn a_run_that_is_killed_leaves_no_server_and_the_next_removes_its_folder() {
    let project = Project::sqlx(&[("1_a.sql", COUNT)]);
    let running = project.command("check --backend sqlite").start();
    let folder =
        wait_for("a folder", || Some(std::fs::read_dir(project.tmp()).unwrap().next()?.unwrap().path()));
    wait_for("its lock", || folder.join("switchback.lock").exists().then_some(()));
    kill_process(running.pid(), Signal::KILL).unwrap();
    assert!(running.was_killed());
    assert!(folder.exists());
    let clean = project.with("migrations/1_a.sql", TABLE.1);
    clean.run("check --backend sqlite").ends(0);
}
