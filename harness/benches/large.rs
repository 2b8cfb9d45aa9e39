//! A table of a million rows that a revision rebuilds.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::measure::{self, figure, median};
use crate::replay::{check, missing, replay};
use crate::server::Private;

const ROWS: usize = 1_000_000;
const RUNS: usize = 3;

/// The aim: a whole check at most 1.5 times what the walks' statements take alone, together and on
/// each backend by itself.
pub(crate) fn run() {
    if let Some(missing) = missing() {
        println!("large   not run: {missing}");
        return;
    }
    let server = Private::start();
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let folder = folder.path();
    project(folder);
    for backends in [&["postgres", "sqlite"][..], &["postgres"], &["sqlite"]] {
        let log = folder.join("log").join(backends.join("-"));
        let on = |backends: &[&str]| {
            let mut command = check(folder, &server);
            if let [only] = backends {
                command.args(["--backend", only]);
            }
            command
        };
        measure::run(on(backends).arg("--log-sql").arg(&log));
        let walks = |backend: &str| {
            ["trunk", "probe"].map(|walk| {
                let file = log.join(format!("{backend}.{walk}.sql"));
                let logged = || fs::read_to_string(file).expect("the log was written");
                if backends.contains(&backend) { logged() } else { String::new() }
            })
        };
        let (postgres, sqlite) = (walks("postgres"), walks("sqlite"));
        let (mut whole, mut replayed, mut peak) = (Vec::new(), Vec::new(), 0);
        for _ in 0..RUNS {
            let taken = measure::run(&mut on(backends));
            whole.push(taken.wall.as_secs_f64());
            peak = peak.max(taken.peak);
            let [postgres, sqlite] = [&postgres, &sqlite].map(|walks| walks.each_ref().map(String::as_str));
            replayed.push(replay(&server, postgres, sqlite));
        }
        let ratio = median(whole.iter().zip(&replayed).map(|(one, other)| one / other).collect());
        let text = format!(
            "{} rows on {}, check {:.2} s and {} MB, the same statements {:.2} s",
            ROWS,
            backends.join(" and "),
            median(whole),
            peak / 1_000_000,
            median(replayed)
        );
        figure("large", &text, ratio, 1.5);
    }
}

/// A history that fills a table, and then rebuilds it. Whatever its tools do, a backend pays for no
/// foreign key and one index only, which leaves the statements little to do beside the checks.
fn project(folder: &Path) {
    let migrations = folder.join("migrations");
    fs::create_dir_all(&migrations).expect("the folder can be made");
    let config = "[history]\ntool = \"sqlx\"\npath = \"migrations\"\n";
    fs::write(folder.join("switchback.toml"), config).expect("the config can be written");
    let write = |name: &str, text: &str| {
        fs::write(migrations.join(format!("{name}.sql")), text).expect("a file can be written");
    };
    let mut first = table("events", "pk_events", "TEXT");
    let _ = writeln!(
        first,
        "INSERT INTO events SELECT i, i % 1000, 'kind ' || (i % 7), i % 10000, 'what happened in event ' || i, \
         '2024-01-01 00:00:00' FROM (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS}) \
         SELECT i FROM n) AS n;\n{INDEX}"
    );
    write("1_events.up", &first);
    write("1_events.down", "DROP TABLE events;\n");
    write("2_rebuild.up", &rebuild("pk_rebuilt", "VARCHAR(40)"));
    write("2_rebuild.down", &rebuild("pk_events", "TEXT"));
}

const INDEX: &str = "CREATE INDEX ix_events_account ON events (account);\n";

fn table(name: &str, key: &str, kind: &str) -> String {
    format!(
        "CREATE TABLE {name} (\n    id INTEGER NOT NULL CONSTRAINT {key} PRIMARY KEY,\n    account INTEGER NOT NULL,\n    \
         kind {kind} NOT NULL,\n    amount INTEGER NOT NULL,\n    payload TEXT,\n    created TIMESTAMP NOT NULL\n);\n"
    )
}

fn rebuild(key: &str, kind: &str) -> String {
    format!(
        "{}INSERT INTO rebuilt SELECT * FROM events;\nDROP TABLE events;\nALTER TABLE rebuilt RENAME TO events;\n{INDEX}",
        table("rebuilt", key, kind)
    )
}
