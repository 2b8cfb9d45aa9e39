//! A private cluster: a server of our own, started from binaries on this machine.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::Weak;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use super::ServerError;
use super::binaries::Binaries;
use super::connect::{NoConnection, connect, execute, literal};
use super::folder::RunFolder;
use super::guardian::{Guardian, Until};
use super::run::{RunId, random_hex};
use super::template::Template;
use super::user::ServiceUser;
use crate::files::plain;
use crate::room;

/// A server that has not come up by then never will.
const PATIENCE: Duration = Duration::from_secs(60);
/// Another process may take the port between our looking and the server's binding.
const TRIES: u32 = 3;

/// What makes a server quick whose data nobody will miss, and the same on every machine.
///
/// Autovacuum is off because its workers come at times of their own, hold locks and keep a database
/// from being copied. Shared memory is in the folder, so that it goes away with it. `wal_level` is the highest, so that publications and replication slots in
/// migrations find what they find in production.
pub(crate) const SETTINGS: &[(&str, &str)] = &[
    ("autovacuum", "off"),
    ("dynamic_shared_memory_type", "mmap"),
    ("fsync", "off"),
    ("full_page_writes", "off"),
    ("jit", "off"),
    ("log_timezone", "UTC"),
    ("max_connections", "200"),
    ("max_parallel_workers_per_gather", "0"),
    ("max_wal_size", "256MB"),
    ("min_wal_size", "32MB"),
    ("password_encryption", "scram-sha-256"),
    ("shared_buffers", "64MB"),
    ("synchronous_commit", "off"),
    ("timezone", "UTC"),
    ("wal_init_zero", "off"),
    ("wal_level", "logical"),
];

/// The file in a server's folder that tells other processes how to use it.
const TOLD: &str = "told";

#[derive(Serialize, Deserialize)]
struct Told {
    port: u16,
    binaries: PathBuf,
    password: String,
}

/// A running private cluster; dropping it stops the server and removes its folder.
pub(crate) struct Cluster {
    // The guardian goes first: it ends the server before the lease on the folder is let go.
    guardian: Guardian,
    folder: RunFolder,
    port: u16,
    binaries: PathBuf,
    user: Option<ServiceUser>,
    /// What the server's superuser is to be given as a password for connections by network.
    password: String,
}

impl Cluster {
    /// Starts a server and waits until it answers, or until whoever waits for it is gone. Blocks.
    pub(crate) fn start(
        binaries: &Binaries,
        run: &RunId,
        until: Until,
        waiter: &Weak<()>,
    ) -> Result<Self, ServerError> {
        let keep = until == Until::Kept;
        let user = ServiceUser::to_become().map_err(|reason| failed(binaries, reason))?;
        let user = user.as_ref();
        let password = random_hex(16)?;
        let template = Template::new(binaries, user);
        let mut tries = 0;
        loop {
            let folder = RunFolder::make(run, user, keep)?;
            let explained = |reason| {
                let reason = room::explain(reason, folder.path());
                let kept = || format!("{reason}; its folder is kept: {}", folder.path().display());
                failed(binaries, if keep { kept() } else { reason.clone() })
            };
            let cached = template.fill(&folder.path().join("data"), run).map_err(explained)?;
            tries += 1;
            match launch(binaries, &folder, user, until, waiter) {
                Ok((guardian, port)) => {
                    let (binaries, user) = (binaries.dir.clone(), user.cloned());
                    return Ok(Self { guardian, folder, port, binaries, user, password });
                }
                Err(Failure::PortTaken) if tries < TRIES => remove(&folder),
                Err(Failure::PortTaken) => {
                    return Err(failed(binaries, "no free port on the loopback".to_owned()));
                }
                // A cached folder may have lost files to a cleaner of temporary files.
                Err(Failure::Other(_)) if cached && tries < TRIES => {
                    template.discard();
                    remove(&folder);
                }
                Err(Failure::Other(reason)) => return Err(explained(reason)),
                Err(Failure::Error(error)) => return Err(error),
            }
        }
    }

    /// Lets other processes use the server, which learn of it in its folder.
    pub(crate) fn share(&mut self) -> io::Result<()> {
        let told = Told { port: self.port, binaries: self.binaries.clone(), password: self.password.clone() };
        let text = serde_json::to_string(&told)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(self.path(TOLD))?;
        { &file }.write_all(text.as_bytes())?;
        self.folder.share()?;
        self.guardian.share();
        Ok(())
    }

    /// Uses the server that another process has started in a folder, unless it is about to stop.
    pub(crate) fn join(folder: &Path) -> Option<Self> {
        // The guardian's word comes last: from then on the server stays.
        let user = ServiceUser::to_become().ok()?;
        let folder = RunFolder::join(folder)?;
        let told: Told = serde_json::from_slice(&std::fs::read(folder.path().join(TOLD)).ok()?).ok()?;
        let guardian = Guardian::join(folder.path())?;
        let Told { port, binaries, password } = told;
        Some(Self { guardian, folder, port, binaries, user, password })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it is, for people.
    pub(crate) fn source(&self) -> String {
        format!("server binaries in {}", self.binaries.display())
    }

    /// Gives a new server its password, and returns its version.
    pub(crate) async fn set_up(&self) -> Result<String, ServerError> {
        let doing = "set the private server up";
        let connection = connect(&self.options()).await;
        let refused = |no: NoConnection| ServerError::Query { doing: doing.to_owned(), reason: no.reason };
        let mut connection = connection.map_err(refused)?;
        let password = format!("ALTER ROLE postgres PASSWORD {}", literal(&self.password));
        let version = async {
            execute(&mut connection, password).await?;
            sqlx::query_scalar::<_, String>("SHOW server_version").fetch_one(&mut connection).await
        };
        let version = version.await.map_err(|e| ServerError::query(doing, &e))?;
        Ok(version.split_whitespace().next().unwrap_or_default().to_owned())
    }

    /// How we connect: through the socket in the private folder.
    pub(crate) fn options(&self) -> PgConnectOptions {
        // Everything that the environment could set otherwise is set here.
        PgConnectOptions::new_without_pgpass()
            .socket(self.folder.path())
            .host("localhost")
            .port(self.port)
            .username("postgres")
            .password(&self.password)
            .database("postgres")
            .ssl_mode(PgSslMode::Disable)
    }

    /// How anything else connects: by the loopback, with the password.
    pub(crate) fn url(&self) -> String {
        format!("postgres://postgres:{}@127.0.0.1:{}/postgres", self.password, self.port)
    }

    /// The folder of the server's data and log.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The command that starts a server that was kept.
    pub(crate) fn to_start(&self) -> String {
        let as_user = self.user.as_ref().map(|user| format!("runuser -u {} -- ", user.name));
        let file = |name| shell_word(&self.folder.path().join(name).display().to_string());
        let (program, data, log) = (self.binaries.join("pg_ctl"), file("data"), file("log"));
        let program = shell_word(&program.display().to_string());
        format!("{}{program} -w -D {data} -l {log} start", as_user.unwrap_or_default())
    }

    /// The command that lists the databases of a server that was started so.
    pub(crate) fn to_reach(&self) -> String {
        let folder = shell_word(&self.folder.path().display().to_string());
        format!("psql -h {folder} -p {} -U postgres -l", self.port)
    }

    /// What the server said last when it fell, if it did.
    pub(crate) fn cause_of_death(&self) -> Option<String> {
        let log = std::fs::read(self.folder.path().join("log")).ok()?;
        let log = String::from_utf8_lossy(&log);
        let (_, cause) = log.lines().rev().find_map(|line| line.split_once("PANIC:"))?;
        Some(cause.trim().to_owned())
    }
}

/// Makes way for another try, also for a folder that would be kept.
fn remove(folder: &RunFolder) {
    let _ = std::fs::remove_dir_all(folder.path());
}

enum Failure {
    PortTaken,
    Other(String),
    Error(ServerError),
}

fn launch(
    binaries: &Binaries,
    folder: &RunFolder,
    user: Option<&ServiceUser>,
    until: Until,
    waiter: &Weak<()>,
) -> Result<(Guardian, u16), Failure> {
    let port = free_port().map_err(|e| Failure::Other(format!("no port on the loopback: {e}")))?;
    let data = folder.path().join("data");
    let mut arguments = vec!["-D".to_owned(), data.display().to_string()];
    let socket = folder.path().display().to_string();
    let port_text = port.to_string();
    let own = [
        ("listen_addresses", "127.0.0.1"),
        ("port", &port_text),
        ("unix_socket_directories", &socket),
        ("unix_socket_permissions", "0700"),
    ];
    for (name, value) in SETTINGS.iter().chain(&own) {
        arguments.extend(["-c".to_owned(), format!("{name}={value}")]);
    }
    if until == Until::Kept {
        // Whoever starts it again need not know the settings that it cannot do without.
        let settings = SETTINGS.iter().chain(&own).chain(&[("listen_addresses", "")]);
        let line = |(name, value): &(&str, &str)| format!("{name} = '{}'\n", value.replace('\'', "''"));
        let lines: String = settings.map(line).collect();
        let config = OpenOptions::new().append(true).open(data.join("postgresql.conf"));
        let written = config.and_then(|mut config| config.write_all(lines.as_bytes()));
        written.map_err(|e| Failure::Other(format!("its settings cannot be written: {}", plain(&e))))?;
    }
    let program = binaries.dir.join("postgres");
    let mut guardian =
        Guardian::start(&program, &arguments, folder.path(), user, until).map_err(Failure::Error)?;
    let patience = Instant::now() + PATIENCE;
    while !ready(&data) {
        if waiter.strong_count() == 0 {
            return Err(Failure::Error(failed(binaries, "it was interrupted".to_owned())));
        }
        let stopped = guardian.server_stopped();
        if stopped || Instant::now() > patience {
            let log = std::fs::read(folder.path().join("log")).unwrap_or_default();
            let log = String::from_utf8_lossy(&log);
            if stopped && log.contains("could not bind") {
                return Err(Failure::PortTaken);
            }
            let what = if stopped { "it ended" } else { "it was not ready after 60 seconds" };
            return Err(Failure::Other(format!("{what}; its log ends: {}", tail(&log))));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok((guardian, port))
}

/// The server writes its state into line 8 of its lock file, which is what `pg_ctl -w` reads too.
fn ready(data: &Path) -> bool {
    std::fs::read_to_string(data.join("postmaster.pid"))
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|state| state.trim() == "ready"))
}

fn free_port() -> io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr().map(|address| address.port())
}

fn tail(log: &str) -> String {
    let lines: Vec<&str> = log.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = &lines[lines.len().saturating_sub(3)..];
    if last.is_empty() { "(nothing)".to_owned() } else { last.join(" | ") }
}

/// A word of a command as a shell takes it.
fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    if text.chars().all(plain) { text.to_owned() } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn failed(binaries: &Binaries, reason: String) -> ServerError {
    ServerError::Start { binaries: binaries.dir.display().to_string(), reason }
}
