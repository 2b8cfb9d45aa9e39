//! The processes of one build share a private PostgreSQL, as a runner needs that gives each test a
//! process of its own; and however they end, nothing of it is left.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and a child tells its parent"
)]

mod support;

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::Pid;
use support::command::Project;
use support::is_skipped;
use support::processes::{Process, below, kill, wait_until_gone};
use support::store::Store;
use switchback::{Backend, Check};
use switchback_db::server::{Request, shared};
use tokio::runtime::Runtime;

/// In a child, the project whose database it is to ask for.
const PROJECT: &str = "SWITCHBACK_TEST_PROJECT";
const WORD: &str = "child tells: ";

/// A process that has a database of its own, and answers each line with a line.
struct Tester {
    child: Child,
    answers: BufReader<ChildStdout>,
}

/// The server that a process uses.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    folder: PathBuf,
    server: i32,
}

impl Tester {
    /// Starts the test of that name as a child. Servers lie in `tmp`, so only these children share one.
    fn start(test: &str, project: &Project) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", test, "--nocapture"])
            .env(PROJECT, project.root())
            .env("TMPDIR", project.tmp())
            .env("DOCKER_HOST", "unix:///nowhere")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let answers = BufReader::new(child.stdout.take().unwrap());
        Self { child, answers }
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        while self.answers.read_line(&mut line).unwrap() > 0 {
            if let Some((_, word)) = line.trim_end().split_once(WORD) {
                return word.to_owned();
            }
            line.clear();
        }
        panic!("the child has ended");
    }

    fn seen(&mut self) -> Seen {
        let told = self.hear();
        let (server, folder) = told.split_once(' ').unwrap();
        Seen { folder: folder.into(), server: server.parse().unwrap() }
    }

    fn ask(&mut self) -> String {
        writeln!(self.child.stdin.as_mut().unwrap(), "users").unwrap();
        self.hear()
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        std::io::copy(&mut self.answers, &mut std::io::sink()).unwrap();
        assert!(self.child.wait().unwrap().success());
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// The child's part, if this is one.
fn is_child() -> bool {
    let Some(project) = std::env::var_os(PROJECT) else { return false };
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let database = Check::new(project).database(Backend::Postgres).await.unwrap();
        let mut store = Store::of(database).await;
        let folder = store.one("SHOW data_directory", &[]).await;
        let folder = Path::new(&folder).parent().unwrap();
        let pid = fs::read_to_string(folder.join("data/postmaster.pid")).unwrap();
        println!("{WORD}{} {}", pid.lines().next().unwrap(), folder.display());
        let mut line = String::new();
        while std::io::stdin().read_line(&mut line).unwrap() > 0 {
            let made = "SELECT CAST(min(made) AS text) FROM users";
            println!("{WORD}{}", store.one(made, &[]).await);
        }
    });
    true
}

/// A history whose first revision writes down when it was run.
fn project() -> Project {
    let users = "CREATE TABLE users (id INTEGER PRIMARY KEY, made TEXT);\n\
                 INSERT INTO users (id, made) SELECT 1, clock_timestamp()::text;\n";
    let project = Project::new()
        .with("switchback.toml", "[history]\ntool = \"sqlx\"\npostgres = \"migrations\"\n")
        .with("migrations/1_users.sql", users);
    // As `/tmp` is: a server that runs as another user removes its folder itself.
    fs::set_permissions(project.tmp(), fs::Permissions::from_mode(0o1777)).unwrap();
    project
}

fn is_alive(pid: i32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z'))
}

/// Waits until a server has stopped, and asserts that nothing is left of it.
fn leaves_nothing(project: &Project, seen: &Seen) {
    wait_until_gone(&Process { pid: Pid::from_raw(seen.server).unwrap(), command: "the server".to_owned() });
    let patience = Instant::now() + Duration::from_secs(20);
    let left = || fs::read_dir(project.tmp()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    while !left().is_empty() {
        assert!(Instant::now() < patience, "left: {:?}", left());
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn many_processes_have_one_server_and_migrate_once() {
    if is_child() || is_skipped(Backend::Postgres) {
        return;
    }
    let (test, project) = ("many_processes_have_one_server_and_migrate_once", project());
    let mut testers: Vec<Tester> = (0..6).map(|_| Tester::start(test, &project)).collect();
    let seen: Vec<Seen> = testers.iter_mut().map(Tester::seen).collect();
    assert!(seen.iter().all(|one| *one == seen[0]), "{seen:?}");
    let made: Vec<String> = testers.iter_mut().map(Tester::ask).collect();
    assert!(made.iter().all(|one| *one == made[0]), "{made:?}");

    // The one that started it may be the first to end.
    testers.drain(..5).for_each(Tester::end);
    assert_eq!(testers[0].ask(), made[0]);
    testers.drain(..).for_each(Tester::end);
    // Whoever comes soon finds it and what was made on it.
    let mut late = Tester::start(test, &project);
    assert_eq!((late.seen(), late.ask()), (seen[0].clone(), made[0].clone()));
    late.end();
    leaves_nothing(&project, &seen[0]);
}

#[test]
fn a_process_that_is_killed_takes_no_other_with_it() {
    if is_child() || is_skipped(Backend::Postgres) {
        return;
    }
    let (test, project) = ("a_process_that_is_killed_takes_no_other_with_it", project());
    // The first one starts the server.
    let mut first = Tester::start(test, &project);
    let seen = first.seen();
    let mut second = Tester::start(test, &project);
    assert_eq!(second.seen(), seen);
    first.kill();
    second.ask();
    // The next one removes what the dead one had made, and nothing else.
    let mut third = Tester::start(test, &project);
    assert_eq!(third.seen(), seen);
    second.ask();
    third.ask();
    for one in [second, third] {
        one.kill();
    }
    leaves_nothing(&project, &seen);
}

#[test]
fn even_without_its_guardian_the_next_run_removes_it_but_not_while_it_is_used() {
    if is_child() || is_skipped(Backend::Postgres) {
        return;
    }
    let test = "even_without_its_guardian_the_next_run_removes_it_but_not_while_it_is_used";
    let project = project();
    let mut first = Tester::start(test, &project);
    let seen = first.seen();
    let server = Process { pid: Pid::from_raw(seen.server).unwrap(), command: String::new() };
    // The guardian, the part of it that watches, and what listens: those above first, lest they act on it.
    let stat = fs::read_to_string(format!("/proc/{}/stat", seen.server)).unwrap();
    let guardian = stat.rsplit_once(')').unwrap().1.split_whitespace().nth(1).unwrap().parse().unwrap();
    let guardian = Process { pid: Pid::from_raw(guardian).unwrap(), command: "the guardian".to_owned() };
    let of_server: Vec<Pid> = below(server.pid).into_iter().map(|one| one.pid).collect();
    let is_not_the_server = |one: &Process| one.pid != server.pid && !of_server.contains(&one.pid);
    let parts: Vec<Process> = below(guardian.pid).into_iter().filter(is_not_the_server).collect();
    assert!(parts.len() >= 2, "{parts:?}");
    for part in [guardian].iter().chain(&parts) {
        kill(part);
        wait_until_gone(part);
    }
    // It cannot be joined any more, so others have one of their own.
    let mut second = Tester::start(test, &project);
    let anew = second.seen();
    assert_ne!(anew, seen);
    first.ask();
    assert!(is_alive(seen.server));
    first.kill();
    second.kill();
    let mut third = Tester::start(test, &project);
    let last = third.seen();
    assert!(!is_alive(seen.server) && !seen.folder.exists());
    third.end();
    leaves_nothing(&project, &last);
}

#[test]
fn whenever_all_of_them_are_killed_nothing_is_left_after_the_next() {
    if is_child() || is_skipped(Backend::Postgres) {
        return;
    }
    let test = "whenever_all_of_them_are_killed_nothing_is_left_after_the_next";
    let project = project();
    let started = Instant::now();
    let mut first = Tester::start(test, &project);
    first.seen();
    let whole = started.elapsed();
    first.kill();
    for moment in 0..12 {
        let testers = [Tester::start(test, &project), Tester::start(test, &project)];
        std::thread::sleep(whole * moment / 12);
        testers.into_iter().for_each(Tester::kill);
    }
    let mut last = Tester::start(test, &project);
    let seen = last.seen();
    last.ask();
    last.end();
    leaves_nothing(&project, &seen);
}

/// What is asked for without others is not shared: the command line keeps its own.
#[test]
fn a_server_that_is_not_to_be_shared_is_not() {
    if is_child() || is_skipped(Backend::Postgres) {
        return;
    }
    let (test, project, other) = ("a_server_that_is_not_to_be_shared_is_not", project(), project());
    let mut tester = Tester::start(test, &project);
    let seen = tester.seen();
    let runtime = Runtime::new().unwrap();
    let own = runtime.block_on(shared(&Request { containers: false, ..Request::default() })).unwrap();
    assert_ne!(own.folder().unwrap(), seen.folder);
    other.command("check").run().ends(0);
    tester.ask();
    tester.end();
    leaves_nothing(&project, &seen);
}
