//! `switchback matrix`: the same checks on every version that can be had here.
//!
//! Each cell is a `switchback check` in a process of its own, since a process has one SQLite library
//! for as long as it lives.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use switchback_core::Backend;
use switchback_core::config::Config;
use switchback_core::report::NotRun;
use switchback_core::versions::{self, Version};
use switchback_db::project::Project;
use switchback_db::server;
use switchback_db::sqlite;
use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::args::MatrixArgs;
use super::render::Format;
use super::render::grid::{Cell, Column, Grid, Outcome};
use super::{block_on, print, tell_not_run};
use crate::check::{Check, skipped};
use crate::error::{Error, ExitCode};

/// The environment variable with a folder that has each version of the library in a folder of its own.
const LIBRARIES_ENV: &str = "SWITCHBACK_SQLITE_LIBRARIES";
/// The name by which programs ask for the library.
const LIBRARY: &str = "libsqlite3.so.0";
/// Where programs look for libraries first.
const LIBRARY_PATH: &str = "LD_LIBRARY_PATH";

pub(super) fn main(args: &MatrixArgs) -> Result<ExitCode, Error> {
    let grid = block_on(run(args))?;
    print(&match args.format {
        Format::Text => grid.text(args.same),
        Format::Json => grid.json(),
    });
    Ok(grid.exit_code(args.same))
}

async fn run(args: &MatrixArgs) -> Result<Grid, Error> {
    let columns = columns(args).await?;
    let program = std::env::current_exe()
        .map_err(|error| Error::CouldNotRun(format!("cannot tell which program this is: {error}")))?;
    let jobs = args.jobs.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    let free = Arc::new(Semaphore::new(jobs.max(1)));
    let bar = ProgressBar::new((args.projects.len() * columns.len()) as u64);
    bar.set_style(
        ProgressStyle::with_template("  {bar:24} {pos:>4}/{len:<4} {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );

    let mut running = JoinSet::new();
    let mut cells = Vec::new();
    for (row, project) in args.projects.iter().enumerate() {
        let found = Check::new(project).project()?;
        for (at, column) in columns.iter().enumerate() {
            if let Some(reason) = refusal(&found, column) {
                bar.inc(1);
                cells.push((row, at, Cell { outcome: Outcome::Absent(reason), seconds: 0.0 }));
                continue;
            }
            let mut command = check(&program, project, &found.config, column);
            let (free, backend) = (Arc::clone(&free), column.backend);
            let name = format!("{} on {backend} {}", project.display(), column.version);
            let bar = bar.clone();
            running.spawn(async move {
                let _permit = free.acquire().await;
                bar.set_message(name);
                let started = Instant::now();
                let outcome = match command.output().await {
                    Ok(done) => outcome(backend, done.status.code(), &done.stdout, &done.stderr),
                    Err(error) => Outcome::Failed(format!("cannot start: {error}")),
                };
                bar.inc(1);
                (row, at, Cell { outcome, seconds: started.elapsed().as_secs_f64() })
            });
        }
    }
    while let Some(done) = running.join_next().await {
        cells.push(done.map_err(|error| Error::CouldNotRun(format!("a check was cut short: {error}")))?);
    }
    bar.finish_and_clear();
    cells.sort_by_key(|(row, at, _)| (*row, *at));
    let mut cells = cells.into_iter().map(|(_, _, cell)| cell);
    let rows = args
        .projects
        .iter()
        .map(|project| (project.display().to_string(), cells.by_ref().take(columns.len()).collect()));
    let rows = rows.collect();
    Ok(Grid { columns, rows })
}

/// The versions to run on: those that are asked for, or else all that are here. Each has the newest of
/// the other backend beside it.
async fn columns(args: &MatrixArgs) -> Result<Vec<Column>, Error> {
    let libraries = libraries(&args.sqlite).await?;
    let mut servers = args.postgres.clone();
    if let Some(reason) = skipped(Backend::Postgres) {
        if !servers.is_empty() {
            return Err(Error::Matrix(format!("--postgres asks for versions, but {reason}")));
        }
        let left_out = NotRun::backend(Backend::Postgres, reason);
        tell_not_run(&[left_out]);
    } else if servers.is_empty() {
        let here = server::available().await.majors();
        let proven = versions::proven(Backend::Postgres).iter();
        servers.extend(proven.filter(|version| here.contains(&version.major())).cloned());
    }
    let (newest_library, newest_server) = (libraries.last().cloned(), servers.iter().max().cloned());
    let (beside, library) = newest_library.unzip();
    let library = library.flatten();
    let of_server = |version| Column {
        backend: Backend::Postgres,
        version,
        beside: beside.clone(),
        library: library.clone(),
    };
    let of_library = |(version, library)| Column {
        backend: Backend::Sqlite,
        version,
        beside: newest_server.clone(),
        library,
    };
    Ok(servers.into_iter().map(of_server).chain(libraries.into_iter().map(of_library)).collect())
}

/// Why a project is not run on the version of a column, if it is not.
fn refusal(project: &Project, column: &Column) -> Option<String> {
    let Column { backend, version, .. } = column;
    if !project.histories.contains_key(backend) {
        // One that is there and cannot be read is for the check to tell.
        return project.not_run.iter().find(|(one, _)| one == backend).map(|(_, reason)| reason.clone());
    }
    let pinned = || {
        let pinned: Version = project.config.postgres.version.as_ref()?.parse().ok()?;
        let other = *backend == Backend::Postgres && pinned.major() != version.major();
        other.then(|| format!("[postgres] version asks for {pinned}"))
    };
    project.config.refuses(*backend, version).or_else(pinned)
}

/// The SQLite libraries to run with, each with its folder unless it is the one in use.
async fn libraries(wanted: &[Version]) -> Result<Vec<(Version, Option<PathBuf>)>, Error> {
    let usage = |text: String| Err(Error::Matrix(text));
    let Some(folder) = std::env::var_os(LIBRARIES_ENV).filter(|folder| !folder.is_empty()) else {
        let in_use = sqlite::library().await.map_err(|error| Error::CouldNotRun(error.to_string()))?.number;
        let version: Version =
            in_use.parse().map_err(|error| Error::CouldNotRun(format!("the SQLite library: {error}")))?;
        return match wanted.iter().find(|wanted| !wanted.covers(&version)) {
            Some(wanted) => usage(format!(
                "there is no SQLite {wanted} here, only {version}: name a folder of libraries in {LIBRARIES_ENV}"
            )),
            None => Ok(vec![(version, None)]),
        };
    };
    if cfg!(feature = "bundled-sqlite") {
        return usage(format!(
            "{LIBRARIES_ENV} is set, but this switchback has a SQLite library of its own: build it with \
             `--no-default-features --features containers`"
        ));
    }
    let folder = Path::new(&folder);
    let entries = std::fs::read_dir(folder).map_err(|error| {
        Error::Matrix(format!("cannot list \"{}\", the folder of {LIBRARIES_ENV}: {error}", folder.display()))
    })?;
    let version = |entry: std::fs::DirEntry| {
        let version: Version = entry.file_name().to_str()?.parse().ok()?;
        entry.path().join(LIBRARY).is_file().then(|| (version, Some(entry.path())))
    };
    let mut found: Vec<(Version, Option<PathBuf>)> =
        entries.filter_map(Result::ok).filter_map(version).collect();
    found.sort();
    let has = |wanted: &Version| found.iter().any(|(version, _)| wanted.covers(version));
    if let Some(missing) = wanted.iter().find(|wanted| !has(wanted)) {
        return usage(format!("there is no SQLite {missing} in \"{}\"", folder.display()));
    }
    found.retain(|(version, _)| wanted.is_empty() || wanted.iter().any(|wanted| wanted.covers(version)));
    Ok(found)
}

/// The check of one cell: the whole of it on both backends, so that they are compared, too.
fn check(program: &Path, project: &Path, config: &Config, column: &Column) -> Command {
    let mut command = Command::new(program);
    command.arg("check").arg(project).args(["--format", "json"]);
    let (own, other) = match column.backend {
        Backend::Postgres => ("--postgres", "--sqlite"),
        Backend::Sqlite => ("--sqlite", "--postgres"),
    };
    command.args([own, &column.version.to_string()]);
    let refused = |version: &Version| {
        Backend::ALL.iter().any(|one| *one != column.backend && config.refuses(*one, version).is_some())
    };
    match &column.beside {
        Some(version) if refused(version) => _ = command.args(["--backend", column.backend.name()]),
        // A project that asks for one version of PostgreSQL has that one.
        Some(version) if other == "--sqlite" || config.postgres.version.is_none() => {
            command.args([other, &version.to_string()]);
        }
        _ => {}
    }
    if let Some(folder) = &column.library {
        let mut path = OsString::from(folder);
        if let Some(others) = std::env::var_os(LIBRARY_PATH).filter(|others| !others.is_empty()) {
            path.push(":");
            path.push(others);
        }
        command.env(LIBRARY_PATH, path);
    }
    command.stdin(Stdio::null()).kill_on_drop(true);
    command
}

/// What a check came to, as its exit code and its report say.
fn outcome(backend: Backend, code: Option<i32>, stdout: &[u8], stderr: &[u8]) -> Outcome {
    let report: Value = serde_json::from_slice(stdout).unwrap_or_default();
    let said = || {
        let text = String::from_utf8_lossy(stderr);
        text.lines().find(|line| !line.is_empty()).unwrap_or("it said nothing").to_owned()
    };
    if report.is_null() || !matches!(code, Some(0 | 1 | 3)) {
        return Outcome::Failed(said());
    }
    let all = |key: &str| report[key].as_array().cloned().unwrap_or_default();
    let reason = |one: &Value| one["reason"].as_str().unwrap_or_default().to_owned();
    if let Some(failed) = all("not_run").iter().find(|one| one["failed"] == true) {
        return Outcome::Failed(reason(failed));
    }
    if !all("backends").iter().any(|run| run["backend"] == backend.name()) {
        let whole = |one: &&Value| one["backend"] == backend.name() && one["check"].is_null();
        return Outcome::Absent(all("not_run").iter().find(whole).map(reason).unwrap_or_default());
    }
    let open = |finding: &Value| finding["accepted"].is_null();
    Outcome::Judged {
        findings: all("findings").into_iter().filter(open).collect(),
        not_run: all("not_run"),
        report,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use serde_json::json;

    use super::*;

    #[rstest]
    #[case::clean(Some(0), json!({"backends": [{"backend": "sqlite"}], "findings": [], "not_run": []}), "judged 0")]
    #[case::found(
        Some(1),
        json!({"backends": [{"backend": "sqlite"}], "findings": [{"accepted": null}, {"accepted": "known"}]}),
        "judged 1"
    )]
    #[case::no_history(
        Some(0),
        json!({"backends": [{"backend": "postgres"}], "not_run": [{"backend": "sqlite", "check": null, "reason": "none"}]}),
        "absent none"
    )]
    #[case::no_server(
        Some(3),
        json!({"backends": [{"backend": "sqlite"}], "not_run": [{"failed": true, "reason": "no server"}]}),
        "failed no server"
    )]
    #[case::usage(Some(2), Value::Null, "failed error: unknown key")]
    #[case::killed(None, json!({"backends": []}), "failed error: unknown key")]
    fn a_report_makes_a_cell(#[case] code: Option<i32>, #[case] report: Value, #[case] expected: &str) {
        let stdout = if report.is_null() { String::new() } else { report.to_string() };
        let told = match outcome(Backend::Sqlite, code, stdout.as_bytes(), b"\nerror: unknown key\n  help") {
            Outcome::Judged { findings, .. } => format!("judged {}", findings.len()),
            Outcome::Absent(reason) => format!("absent {reason}"),
            Outcome::Failed(reason) => format!("failed {reason}"),
        };
        assert_eq!(told, expected);
    }
}
