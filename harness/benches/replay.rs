//! A whole check against the same statements run by the databases' own command lines.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use switchback::Check;
use switchback_core::evidence::{Evidence, Walk};

use crate::generate::{Shape, project};
use crate::measure::{self, figure, median};
use crate::server::Private;

const REVISIONS: usize = 50;
const RUNS: usize = 7;

/// The same as Switchback's own connections have.
const PRAGMAS: &str =
    "PRAGMA synchronous = OFF;\nPRAGMA journal_mode = TRUNCATE;\nPRAGMA foreign_keys = ON;\n";

/// The aims: at most 1.5 times what the walks' statements take alone, and at most 5 times a plain
/// up, down and up of each revision.
pub(crate) fn run() {
    if let Some(missing) = missing() {
        println!("replay  not run: {missing}");
        return;
    }
    let server = Private::start();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    project(folder, Shape::Mixed, REVISIONS);

    let log = folder.join("log");
    measure::run(check(folder, &server).arg("--log-sql").arg(&log));
    let by_hand = up_down_up(&folder.join("migrations"));

    let (mut whole, mut replayed, mut plain) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        whole.push(measure::run(&mut check(folder, &server)).wall.as_secs_f64());
        replayed.push(replay_log(&log, &server));
        plain.push(replay(&server, [&by_hand, ""], [&by_hand, ""]));
    }
    let ratio =
        |reference: &[f64]| median(whole.iter().zip(reference).map(|(one, other)| one / other).collect());
    let text = |name: &str, reference: &[f64]| {
        format!("check {:.2} s, {name} {:.2} s", median(whole.clone()), median(reference.to_vec()))
    };
    figure("replay", &text("the same statements by psql and sqlite3", &replayed), ratio(&replayed), 1.5);
    figure("replay", &text("a plain up, down, up of each revision", &plain), ratio(&plain), 5.0);
    whereabouts(folder, &server);
}

/// Which of the command lines is not there, and what brings it.
pub(crate) fn missing() -> Option<String> {
    let programs = [("psql", "postgresql-client"), ("sqlite3", "sqlite3")];
    let absent =
        |program: &str| Command::new(program).arg("--version").stdout(Stdio::null()).status().is_err();
    let (program, package) = programs.into_iter().find(|(program, _)| absent(program))?;
    Some(format!("there is no {program}; on Debian `apt-get install {package}` brings it"))
}

/// The check of a project on that server.
pub(crate) fn check(folder: &Path, server: &Private) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_switchback"));
    command.args(["check", "--postgres-url", server.url()]).arg(folder);
    command
}

/// What somebody would do without a tool, in a transaction each.
fn up_down_up(migrations: &Path) -> String {
    let mut text = String::new();
    for number in 1..=REVISIONS {
        for direction in ["up", "down", "up"] {
            let file: PathBuf = migrations.join(format!("{number:06}_revision.{direction}.sql"));
            let script = fs::read_to_string(file).expect("the history was written");
            let _ = writeln!(text, "BEGIN;\n{script}COMMIT;");
        }
    }
    text
}

/// The seconds that `psql` and `sqlite3` take, side by side, for what a check has logged.
pub(crate) fn replay_log(log: &Path, server: &Private) -> f64 {
    let read = |file: &str| fs::read_to_string(log.join(file)).expect("the log was written");
    let postgres = [read("postgres.trunk.sql"), read("postgres.probe.sql")];
    let sqlite = [read("sqlite.trunk.sql"), read("sqlite.probe.sql")];
    replay(server, postgres.each_ref().map(String::as_str), sqlite.each_ref().map(String::as_str))
}

/// The seconds that `psql` and `sqlite3` take, side by side, to run the text for each of two new
/// databases.
pub(crate) fn replay(server: &Private, postgres: [&str; 2], sqlite: [&str; 2]) -> f64 {
    let databases = [server.database(), server.database()];
    let connect = |url: &str| format!("\\connect {url}\n");
    let postgres = format!("{}{}{}", postgres[0], connect(&databases[1]), postgres[1]);
    let files = tempfile::tempdir().expect("a temporary folder can be made");
    let open = |name: &str| format!(".open {}\n{PRAGMAS}", files.path().join(name).display());
    let sqlite = format!("{}{}{}{}", open("one"), sqlite[0], open("two"), sqlite[1]);
    let script = |name: &str, text: &str| {
        let file = files.path().join(name);
        fs::write(&file, text).expect("a script can be written");
        file
    };
    let (postgres, sqlite) = (script("postgres.sql", &postgres), script("sqlite.sql", &sqlite));

    let started = Instant::now();
    let psql = quietly(
        Command::new("psql").args(["-qX", "-v", "ON_ERROR_STOP=1", "-d", &databases[0], "-f"]).arg(postgres),
    );
    let sqlite = quietly(
        Command::new("sqlite3").arg("-bail").stdin(fs::File::open(sqlite).expect("it was just written")),
    );
    for mut child in [psql, sqlite] {
        let status = child.wait().expect("a child can be waited for");
        assert!(status.success(), "the statements of the walks fail when they are run by hand");
    }
    started.elapsed().as_secs_f64()
}

fn quietly(command: &mut Command) -> Child {
    command.stdout(Stdio::null()).spawn().expect("it was there a moment ago")
}

/// Where a check's time goes, measured within this process.
fn whereabouts(folder: &Path, server: &Private) {
    let started = Instant::now();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime can be made");
    let check = Check::new(folder).postgres_url(server.url());
    let evidence: Evidence = runtime.block_on(check.record(&())).expect("the history was checked before");
    let recorded = started.elapsed();
    for recording in evidence.recordings() {
        let took =
            |walk: Walk| recording.walk(walk).iter().map(|seen| seen.took).sum::<Duration>().as_secs_f64();
        let [trunk, probe, back] = [Walk::Trunk, Walk::Probe, Walk::Return].map(took);
        println!(
            "replay  {}: of {:.2} s the revisions took {:.2} s (trunk {trunk:.2}, probe {probe:.2}, to base and back \
             {back:.2}); the rest makes, reads and compares databases",
            recording.backend,
            recorded.as_secs_f64(),
            trunk + probe + back,
        );
    }
}
