//! A private PostgreSQL, for the other benches and against one started by hand.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use switchback_db::server::{self, Request, Server};
use tokio::runtime::Runtime;

use crate::measure::{figure, median};

const RUNS: usize = 5;

/// A server of this process's own from the binaries on this machine, with a database to start from.
pub(crate) struct Private {
    runtime: Runtime,
    server: Option<Server>,
    url: String,
}

impl Private {
    /// Starts one, which takes no longer than the first question that it answers.
    pub(crate) fn start() -> Self {
        let runtime = Runtime::new().expect("a runtime can be made");
        let request = Request { containers: false, ..Request::default() };
        let server = runtime.block_on(server::provision(&request));
        let server = server.unwrap_or_else(|error| panic!("{error}; `make setup` installs PostgreSQL"));
        let database = runtime.block_on(server.create_database("bench")).expect("it is our own server");
        Self { runtime, url: database.url().reveal().to_owned(), server: Some(server) }
    }

    /// The URL of a database on it.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The URL of a new database on it.
    pub(crate) fn database(&self) -> String {
        let server = self.server.as_ref().expect("it runs until it is dropped");
        let database = self.runtime.block_on(server.create_database("replay")).expect("it is our own server");
        database.url().reveal().to_owned()
    }

    /// The folder of the binaries that it runs on.
    fn binaries(&self) -> &str {
        let source = self.server.as_ref().map(Server::source).unwrap_or_default();
        source.strip_prefix("server binaries in ").expect("no other source was asked for")
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        if let Some(server) = self.server.take() {
            // A server that does not stop now stops with this process.
            let _ = self.runtime.block_on(server.close());
        }
    }
}

/// Set in a process that is to have a server: "alone", or "together" with others.
const CHILD: &str = "SWITCHBACK_BENCH_SERVER";

/// The aims, against a plain `initdb` and `pg_ctl -w start`: ready in half the time once warm, in no more
/// than the same for the very first time, and in a tenth where another process has started it.
pub(crate) fn run() {
    let binaries = Private::start().binaries().to_owned();
    let (mut plain, mut cold, mut warm, mut joined) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let by_hand = by_hand(Path::new(&binaries));
        let cache = tempfile::tempdir().expect("a temporary folder can be made");
        let mut first = child("alone", cache.path());
        cold.push(first.ready() / by_hand);
        first.end();
        let mut second = child("alone", cache.path());
        warm.push(second.ready() / by_hand);
        second.end();
        let (mut one, mut other) = (child("together", cache.path()), None);
        one.ready();
        joined.push(other.insert(child("together", cache.path())).ready() / by_hand);
        one.end();
        other.into_iter().for_each(Ready::end);
        plain.push(by_hand);
    }
    let plain = median(plain);
    for (what, ratios, aim) in
        [("the first time", cold, 1.0), ("warm", warm, 0.5), ("started by another process", joined, 0.1)]
    {
        let ratio = median(ratios);
        let text = format!(
            "a private server {what} is ready in about {:.2} s, by initdb and pg_ctl start in {plain:.2} s",
            ratio * plain
        );
        figure("server", &text, ratio, aim);
    }
}

/// A process that has a server, until it is told to end.
struct Ready {
    child: Child,
}

fn child(how: &str, cache: &Path) -> Ready {
    let program = std::env::current_exe().expect("this program is a file");
    let mut command = Command::new(program);
    command.env(CHILD, how).env("XDG_CACHE_HOME", cache).stdin(Stdio::piped()).stdout(Stdio::piped());
    Ready { child: command.spawn().expect("this program can be run") }
}

impl Ready {
    /// The seconds that it took, in that process.
    fn ready(&mut self) -> f64 {
        let mut line = String::new();
        let answers = self.child.stdout.as_mut().expect("it has a pipe");
        BufReader::new(answers).read_line(&mut line).expect("the child tells");
        line.trim().parse().expect("the child tells a number")
    }

    fn end(mut self) {
        drop(self.child.stdin.take());
        let ended = self.child.wait().expect("a child can be waited for");
        assert!(ended.success());
    }
}

/// Starts or finds a server and tells how long it took, if this is the process for it.
pub(crate) fn is_child() -> bool {
    let Some(how) = std::env::var_os(CHILD) else { return false };
    let runtime = Runtime::new().expect("a runtime can be made");
    let request = Request { containers: false, together: how == "together", ..Request::default() };
    let started = Instant::now();
    let server = runtime.block_on(server::provision(&request)).unwrap_or_else(|error| panic!("{error}"));
    println!("{}", started.elapsed().as_secs_f64());
    // Until the other end is closed.
    let _ = std::io::read_to_string(std::io::stdin());
    runtime.block_on(server.close()).expect("it was running");
    true
}

/// The seconds that `initdb` and `pg_ctl -w start` take. The new folder belongs to the user that
/// PostgreSQL runs as, which is never root.
fn by_hand(binaries: &Path) -> f64 {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("the folder is new");
    let user = (fs::metadata(&data).expect("the folder is there").uid() == 0).then_some("postgres");
    if let Some(user) = user {
        finish(Command::new("chown").arg("-R").arg(user).arg(folder.path()));
    }
    let tool = |name: &str| {
        let program = binaries.join(name);
        let mut command = match user {
            Some(user) => {
                let mut command = Command::new("runuser");
                command.args(["-u", user, "--"]).arg(program);
                command
            }
            None => Command::new(program),
        };
        command.current_dir("/").arg("-D").arg(&data);
        command
    };
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).and_then(|socket| socket.local_addr());
    let port = port.expect("a port is free").port();
    let options = format!("-p {port} -c listen_addresses=127.0.0.1 -k {}", folder.path().display());
    let started = Instant::now();
    finish(tool("initdb").args(["-U", "postgres", "-A", "trust"]));
    finish(tool("pg_ctl").args(["-w", "-l"]).arg(folder.path().join("log")).args(["-o", &options, "start"]));
    let took = started.elapsed().as_secs_f64();
    finish(tool("pg_ctl").args(["-m", "immediate", "stop"]));
    took
}

/// Runs a program that says nothing of interest.
fn finish(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    let status = status.expect("the program is installed");
    assert!(status.success(), "{command:?} ended with {status}");
}
