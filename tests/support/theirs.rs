//! A server that a test starts, stops, freezes and starves as its owner might.

use std::path::Path;
use std::process::{Command, Output};

use rustix::process::{Pid, Signal, geteuid, kill_process};
use switchback_db::server::Binaries;
use tempfile::TempDir;

use super::processes::below;

/// A cluster of a test's own, which ends with it.
pub struct Theirs {
    folder: TempDir,
    binaries: std::path::PathBuf,
    port: u16,
}

impl Theirs {
    /// Starts one with these settings beside the usual ones, where no file grows beyond so many MB.
    pub fn start(settings: &str, megabytes: Option<u64>) -> Self {
        let folder = tempfile::Builder::new().prefix("theirs").tempdir_in(std::env::temp_dir()).unwrap();
        let binaries = Binaries::find(&[]).into_iter().next().unwrap().dir;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let theirs = Self { folder, binaries, port };
        if geteuid().is_root() {
            let given = Command::new("chown").arg("postgres").arg(theirs.folder.path()).status().unwrap();
            assert!(given.success());
        }
        theirs.run("initdb", "-A trust -U postgres --no-sync -D data", None);
        let config = theirs.folder.path().join("data/postgresql.conf");
        let usual = format!(
            "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nfsync = off\n\
             shared_buffers = '16MB'\nlogging_collector = off\n"
        );
        let text = std::fs::read_to_string(&config).unwrap() + &usual + settings;
        std::fs::write(&config, text).unwrap();
        theirs.run("pg_ctl", START, megabytes);
        theirs
    }

    pub fn url(&self) -> String {
        format!("postgres://postgres@127.0.0.1:{}/postgres", self.port)
    }

    pub fn again(&self) {
        self.run("pg_ctl", START, None);
    }

    /// `fast` ends all sessions, `immediate` leaves a crash behind.
    pub fn stop(&self, mode: &str) {
        self.run("pg_ctl", &format!("stop -w -D data -m {mode}"), None);
    }

    /// Freezes all its processes, or lets them go on.
    pub fn signal(&self, signal: Signal) {
        let pid = std::fs::read_to_string(self.folder.path().join("data/postmaster.pid")).unwrap();
        let postmaster = Pid::from_raw(pid.lines().next().unwrap().trim().parse().unwrap()).unwrap();
        kill_process(postmaster, signal).unwrap();
        // One may have ended meanwhile.
        for one in below(postmaster) {
            let _ = kill_process(one.pid, signal);
        }
    }

    fn run(&self, program: &str, words: &str, megabytes: Option<u64>) -> Output {
        let mut command = Command::new("/bin/sh");
        let limit = megabytes.map(|most| format!("trap '' XFSZ; ulimit -f {}; ", most << 11));
        let become_one = if geteuid().is_root() {
            "setpriv --reuid=postgres --regid=postgres --clear-groups --"
        } else {
            ""
        };
        let script = format!("{}exec {become_one} \"$@\"", limit.unwrap_or_default());
        command.args(["-c", &script, "sh"]).arg(self.binaries.join(program)).args(words.split_whitespace());
        // What it says goes to a file, since a server that is started holds on to a pipe for ever.
        let said = self.folder.path().join("said");
        let out = std::fs::File::create(&said).unwrap();
        command.stdout(out.try_clone().unwrap()).stderr(out).current_dir(self.folder.path());
        let ran = command.env("LC_ALL", "C").output().unwrap();
        assert!(ran.status.success(), "{program} {words}: {}", read(&said));
        ran
    }
}

const START: &str = "start -w -D data -l log";

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_default()
}

impl Drop for Theirs {
    fn drop(&mut self) {
        if self.folder.path().join("data/postmaster.pid").exists() {
            self.signal(Signal::CONT);
            self.stop("immediate");
        }
    }
}
