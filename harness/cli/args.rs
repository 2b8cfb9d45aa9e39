//! What can be said on the command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use switchback_core::Backend;
use switchback_core::shard::Shard;
use switchback_core::versions::Version;

use super::render::Format;
use crate::check::Check;

/// Proves a project's database migrations on a real PostgreSQL and a real SQLite.
#[derive(Debug, Parser)]
#[command(name = "switchback", version, after_help = EXIT_CODES)]
pub(super) struct Args {
    #[command(subcommand)]
    pub command: Command,
}

const EXIT_CODES: &str = "\
Exit codes:
  0    clean
  1    findings at error level (with --deny warnings: at warning level)
  2    the command line or the config is wrong
  3    something that was meant to run could not; outranks 1
  130  interrupted";

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run every revision up, down and up again on both backends, and report what does not hold
    Check(CheckArgs),
    /// Write switchback.toml with what is recognised in a project
    Init(ProjectArgs),
    /// Accept all findings that there are now, in switchback.toml
    Baseline(BaselineArgs),
    /// Say what a check means, with an example and the mend
    Explain(ExplainArgs),
    /// List the revisions
    History(ProjectArgs),
    /// Print the schema at head, or after a revision
    Schema(SchemaArgs),
    /// Print what a revision changes in the schema
    Diff(DiffArgs),
    /// Print the SQL of the revisions, as Alembic's offline mode writes it where it is Alembic's
    Sql(SqlArgs),
    /// List the versions of both databases that can be had here
    Versions(VersionsArgs),
    /// Make one report of those of several shards
    #[command(subcommand)]
    Report(ReportCommand),
    /// Check projects on all versions that can be had here, and print a grid
    Matrix(MatrixArgs),
}

#[derive(Debug, Subcommand)]
pub(super) enum ReportCommand {
    /// Merge the JSON reports of all shards of a run into the report of the whole run; ends as that would
    Merge(MergeArgs),
}

#[derive(Debug, clap::Args)]
pub(super) struct MergeArgs {
    /// The reports, one of each shard, in any order
    #[arg(required = true, value_name = "REPORT")]
    pub reports: Vec<PathBuf>,
    /// How to write the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// What else fails the run
    #[arg(long, value_enum)]
    pub deny: Option<Deny>,
    /// Show the findings that the project accepts, too
    #[arg(long)]
    pub accepted: bool,
}

#[derive(Debug, clap::Args)]
pub(super) struct VersionsArgs {
    /// How to write the list
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

#[derive(Debug, clap::Args)]
#[command(after_help = LIBRARIES)]
pub(super) struct MatrixArgs {
    /// The projects
    #[arg(default_value = ".")]
    pub projects: Vec<PathBuf>,
    /// The major versions of PostgreSQL, instead of all that are on this machine
    #[arg(long, value_name = "VERSION", value_delimiter = ',', value_parser = version)]
    pub postgres: Vec<Version>,
    /// The versions of SQLite, instead of all libraries that are on this machine
    #[arg(long, value_name = "VERSION", value_delimiter = ',', value_parser = version)]
    pub sqlite: Vec<Version>,
    /// Fail only where versions differ, not on what is found on all of them
    #[arg(long)]
    pub same: bool,
    /// How many checks run at once; as many as there are processors without it
    #[arg(long, value_name = "N")]
    pub jobs: Option<usize>,
    /// How to write the grid
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

const LIBRARIES: &str = "\
Environment:
  SWITCHBACK_POSTGRES_BINARIES  more folders with server binaries, or with VERSION/bin in them
  SWITCHBACK_SQLITE_LIBRARIES   a folder with VERSION/libsqlite3.so.0 in it, for a switchback that was
                                built without the feature \"bundled-sqlite\"";

#[derive(Debug, clap::Args)]
pub(super) struct ProjectArgs {
    /// The project: a folder with switchback.toml, or with migrations that can be recognised
    #[arg(default_value = ".")]
    pub path: PathBuf,
    /// Only this backend
    #[arg(long, value_parser = backend)]
    pub backend: Vec<Backend>,
}

#[derive(Debug, clap::Args)]
pub(super) struct ServerArgs {
    /// The major version of PostgreSQL, such as 17; else what SWITCHBACK_POSTGRES_VERSION says
    #[arg(long = "postgres", value_name = "VERSION")]
    pub postgres_version: Option<String>,
    /// What the version of the SQLite library must be, such as 3.46; else SWITCHBACK_SQLITE_VERSION
    #[arg(long = "sqlite", value_name = "VERSION")]
    pub sqlite_version: Option<String>,
    /// The server to use; databases of this run's own are made in it and dropped again
    #[arg(long, value_name = "URL")]
    pub postgres_url: Option<String>,
    /// On a server that was not started here: what to make for this run alone
    #[arg(long, value_enum, default_value_t = Isolation::Database)]
    pub isolate: Isolation,
    /// Keep the databases, and say where they are
    #[arg(long)]
    pub keep: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Isolation {
    /// A database of its own
    Database,
    /// A schema of its own, as a role that can write nothing else
    Schema,
}

#[derive(Debug, clap::Args)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub project: ProjectArgs,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Only this check; may be given more than once
    #[arg(long, value_name = "ID")]
    pub check: Vec<String>,
    /// Not this check; may be given more than once
    #[arg(long, value_name = "ID")]
    pub skip: Vec<String>,
    /// How to write the report
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// What else fails the run
    #[arg(long, value_enum)]
    pub deny: Option<Deny>,
    /// The seed of made-up rows; the same seed gives the same rows
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,
    /// Run one share of the revisions, such as 2/3; `switchback report merge` makes one report of all
    #[arg(long, value_name = "I/N")]
    pub shard: Option<Shard>,
    /// Write the SQL that is run into this folder, a file for each backend and database
    #[arg(long, value_name = "FOLDER")]
    pub log_sql: Option<PathBuf>,
    /// Show the findings that the project accepts, too
    #[arg(long)]
    pub accepted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Deny {
    /// Findings at warning level
    Warnings,
}

#[derive(Debug, clap::Args)]
pub(super) struct BaselineArgs {
    #[command(flatten)]
    pub project: ProjectArgs,
    #[command(flatten)]
    pub server: ServerArgs,
    /// Why they are accepted
    #[arg(long, default_value = "was there when Switchback was adopted")]
    pub reason: String,
}

#[derive(Debug, clap::Args)]
pub(super) struct ExplainArgs {
    /// The check; all of them are listed without it
    pub check: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct SchemaArgs {
    #[command(flatten)]
    pub project: ProjectArgs,
    #[command(flatten)]
    pub server: ServerArgs,
    /// The revision after which to look; head without it
    #[arg(long, value_name = "REVISION")]
    pub at: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(super) struct DiffArgs {
    /// The revision: its id or its full name
    pub revision: String,
    #[command(flatten)]
    pub project: ProjectArgs,
    #[command(flatten)]
    pub server: ServerArgs,
}

#[derive(Debug, clap::Args)]
pub(super) struct SqlArgs {
    /// The revision: its id or its full name; all of them without it
    #[arg(long, value_name = "REVISION")]
    pub at: Option<String>,
    /// The downgrade instead of the upgrade
    #[arg(long)]
    pub downgrade: bool,
    #[command(flatten)]
    pub project: ProjectArgs,
}

fn version(text: &str) -> Result<Version, String> {
    text.parse().map_err(|error: switchback_core::versions::NoVersion| error.to_string())
}

fn backend(text: &str) -> Result<Backend, String> {
    text.parse().map_err(|error: switchback_core::UnknownBackend| error.to_string())
}

impl ProjectArgs {
    pub(super) fn check(&self) -> Check {
        self.backend
            .iter()
            .fold(Check::new(&self.path), |check, backend| check.backend(*backend))
            .own_server()
    }
}

impl ServerArgs {
    pub(super) fn apply(&self, mut check: Check) -> Check {
        if let Some(url) = &self.postgres_url {
            check = check.postgres_url(url);
        }
        if let Some(version) = &self.postgres_version {
            check = check.postgres_version(version);
        }
        if let Some(version) = &self.sqlite_version {
            check = check.sqlite_version(version);
        }
        if self.isolate == Isolation::Schema {
            check = check.isolate_schema();
        }
        if self.keep { check.keep() } else { check }
    }
}
