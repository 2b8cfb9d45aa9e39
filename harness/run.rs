//! Finding a database for each backend, and recording on it. What goes wrong here is not the
//! project's fault, so it ends in a sentence for the report, not in an error of the run.

use std::sync::Arc;

use switchback_core::Backend;
use switchback_core::evidence::Recording;
use switchback_core::history::History;
use switchback_core::versions::Version;
use switchback_db::postgres::{Postgres, may_touch_the_cluster};
use switchback_db::project::Project;
use switchback_db::record::{Engine as _, Plan, Progress, RecordError, record_and_close};
use switchback_db::room;
use switchback_db::server::{self, Isolate, Origin, Request, Server, UrlSource};
use switchback_db::sqlite::{Functions, LIBRARY, Sqlite, Workspace};

use crate::check::Check;
use crate::error::Error;

/// The environment variable that asks for a major version of PostgreSQL, such as a CI job's.
const POSTGRES_VERSION_ENV: &str = "SWITCHBACK_POSTGRES_VERSION";
/// The environment variable that asks for a version of SQLite.
const SQLITE_VERSION_ENV: &str = "SWITCHBACK_SQLITE_VERSION";

pub(crate) async fn on_sqlite(
    check: &Check,
    project: &Project,
    plan: &Plan,
    functions: Functions,
    progress: &dyn Progress,
) -> Result<Recording, String> {
    let workspace = workspace(check)?;
    let folder = workspace.path().to_owned();
    let explained = |error: RecordError| {
        let message = room::explain(error.to_string(), &folder);
        if check.keep { format!("{message}; databases kept in {}", folder.display()) } else { message }
    };
    let engine = sqlite(project, plan, functions, workspace).await.map_err(explained)?;
    refuse_other_library(check, project, &engine.version())?;
    let mut recording = record_and_close(engine, plan, progress).await.map_err(explained)?;
    let functions = project.config.sqlite.functions.iter();
    recording.stood_in_for = functions.map(|function| function.name.to_lowercase()).collect();
    Ok(recording)
}

/// A folder for the databases of this run.
pub(crate) fn workspace(check: &Check) -> Result<Workspace, String> {
    Workspace::sweep(&std::env::temp_dir());
    let run = std::process::id().to_string();
    Workspace::new(&run, check.keep).map_err(|error| error.to_string())
}

/// An engine that works in the folder as the application opens its databases.
pub(crate) async fn sqlite(
    project: &Project,
    plan: &Plan,
    functions: Functions,
    workspace: Workspace,
) -> Result<Sqlite, RecordError> {
    let ignore = plan.history.tool().bookkeeping(Backend::Sqlite).tables;
    let engine = Sqlite::open(workspace, foreign_keys(project, plan), ignore).await?;
    Ok(engine.with_functions(functions))
}

/// Whether the application enforces foreign keys on SQLite: as the config says, or as its tool does.
pub(crate) fn foreign_keys(project: &Project, plan: &Plan) -> bool {
    project.config.sqlite.foreign_keys.unwrap_or_else(|| plan.history.tool().foreign_keys())
}

/// Refuses a server or library that is older than what the project supports.
fn refuse_too_old(project: &Project, backend: Backend, found: &str) -> Result<(), String> {
    // A version such as 19beta1 is newer than any that a project can name.
    found.parse().ok().and_then(|found| project.config.refuses(backend, &found)).map_or(Ok(()), Err)
}

/// Refuses a SQLite library of another version than the one that is asked for, or than any that the
/// project supports.
pub(crate) fn refuse_other_library(check: &Check, project: &Project, found: &str) -> Result<(), String> {
    let wanted = wanted_version(check, Backend::Sqlite).map_err(|error| error.to_string())?;
    refuse_too_old(project, Backend::Sqlite, found)?;
    let fits = |wanted: &Version| found.parse().is_ok_and(|found| wanted.covers(&found));
    match wanted.filter(|wanted| !fits(wanted)) {
        Some(wanted) => Err(format!(
            "the SQLite library in use is {found} ({LIBRARY}), and {wanted} is asked for; a program that was \
             built without the feature \"bundled-sqlite\" takes the one that LD_LIBRARY_PATH leads to"
        )),
        None => Ok(()),
    }
}

/// The version that a backend must have: as the caller says, or else the environment.
pub(crate) fn wanted_version(check: &Check, backend: Backend) -> Result<Option<Version>, Error> {
    let (said, asked, variable) = match backend {
        Backend::Postgres => (&check.postgres_version, "the version of PostgreSQL", POSTGRES_VERSION_ENV),
        Backend::Sqlite => (&check.sqlite_version, "the version of SQLite", SQLITE_VERSION_ENV),
    };
    let parse = |text: &str, asked| text.parse().map_err(|problem| Error::Version { asked, problem });
    match (said, std::env::var(variable)) {
        (Some(said), _) => parse(said, asked).map(Some),
        (None, Ok(said)) if !said.is_empty() => parse(&said, variable).map(Some),
        (None, _) => Ok(None),
    }
}

pub(crate) async fn on_postgres(
    check: &Check,
    project: &Project,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Recording, String> {
    let server = postgres_server(check, project).await?;
    let ignore = plan.history.tool().bookkeeping(Backend::Postgres).tables;
    let engine = Postgres::new(Arc::clone(&server), ignore);
    let recorded = tokio::select! {
        recorded = record_and_close(engine, plan, progress) => recorded.map_err(|error| error.to_string()),
        silent = server.silence() => Err(silent),
    };
    let recorded = recorded.map_err(|message| server.explain(message));
    let closed = match Arc::into_inner(server) {
        Some(own) => own.close().await.map_err(|error| error.to_string()),
        // Others of this process still use it; it ends with the process.
        None => Ok(()),
    };
    let recording = recorded?;
    closed.map(|()| recording)
}

pub(crate) async fn postgres_server(check: &Check, project: &Project) -> Result<Arc<Server>, String> {
    let request = request(check, project)?;
    let served = match check.own_server {
        true => server::provision(&request).await.map(Arc::new),
        false => server::shared(&request).await,
    };
    let server = served.map_err(|error| with_help(&error.to_string(), error.help()))?;
    refuse_too_old(project, Backend::Postgres, server.version())?;
    Ok(server)
}

fn request(check: &Check, project: &Project) -> Result<Request, String> {
    let config = &project.config.postgres;
    let mut urls = Vec::new();
    urls.extend(check.postgres_url.as_ref().map(|url| UrlSource::new(url, Origin::CommandLine)));
    urls.extend(config.url.as_ref().map(|url| UrlSource::new(url, Origin::Config)));
    let names: Vec<&str> = config.url_env.iter().map(String::as_str).collect();
    let environment = |name: &str| std::env::var(name).ok();
    let found = server::url_sources(&project.root, &names, environment);
    urls.extend(found.map_err(|error| error.to_string())?);
    let wanted = wanted_version(check, Backend::Postgres).map_err(|error| error.to_string())?;
    let version = wanted.or_else(|| config.version.as_ref()?.parse().ok());
    Ok(Request {
        urls,
        version: version.map(|version| version.major()),
        isolate: if check.isolate_schema { Isolate::Schema } else { Isolate::Database },
        together: !check.own_server && !touches_the_cluster(project),
        keep: check.keep,
        image: config.image.clone(),
        registry: config.registry.clone(),
        platform: config.platform.clone(),
        ..Request::default()
    })
}

/// Whether revisions may make or change what all databases of a server share, such as a role: then
/// they want it for themselves, since another process may have made the same.
fn touches_the_cluster(project: &Project) -> bool {
    let revisions = project.histories.get(&Backend::Postgres).map(History::revisions).unwrap_or_default();
    let scripts =
        revisions.iter().map(|revision| &revision.upgrade).chain(project.setup.get(&Backend::Postgres));
    let mut texts = scripts.map(|script| &script.text);
    texts.any(|text| may_touch_the_cluster(text))
}

fn with_help(message: &str, help: Option<&str>) -> String {
    match help {
        Some(help) => format!("{message}; {help}"),
        None => message.to_owned(),
    }
}
