//! A private PostgreSQL, for the other benches and against one started by hand.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
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

/// The aim: ready in half the time of a plain `initdb` and `pg_ctl -w start`, once warm.
pub(crate) fn run() {
    let binaries = Private::start().binaries().to_owned();
    let mut ratios = Vec::new();
    let (mut ours, mut plain) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let by_hand = by_hand(Path::new(&binaries));
        let started = Instant::now();
        let private = Private::start();
        let own = started.elapsed().as_secs_f64();
        drop(private);
        ratios.push(own / by_hand);
        ours.push(own);
        plain.push(by_hand);
    }
    let (ours, plain) = (median(ours), median(plain));
    let text = format!("private server ready {ours:.2} s, initdb and pg_ctl start {plain:.2} s");
    figure("server", &text, median(ratios), 0.5);
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
