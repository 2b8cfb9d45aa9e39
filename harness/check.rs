//! The library's front door: what to check and how.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Instant;

use sqlx::migrate::Migrator;
use switchback_core::Backend;
use switchback_core::checks;
use switchback_core::config::{Accept, nearest};
use switchback_core::evidence::{Evidence, Walk};
use switchback_core::history::History;
use switchback_core::judge::Rules;
use switchback_core::report::{BackendRun, NotRun, Report};
use switchback_core::shard::{Part, Shard, Unmatched};
use switchback_db::project::{self, Project};
use switchback_db::record::{Log, Progress};
use switchback_db::sqlite::Functions;

use crate::cli::render::{Format, Style};
use crate::error::{Error, ExitCode};
use crate::{plan, run};

/// What to check and how: a project's migrations, on one backend or both.
///
/// ```no_run
/// # fn main() -> Result<(), switchback::Error> {
/// let report = switchback::Check::new("scenarios/calista").skip("metadata-drift").run_blocking()?;
/// assert_eq!(report.findings, []);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Check {
    path: PathBuf,
    backends: BTreeSet<Backend>,
    only: BTreeSet<String>,
    skip: BTreeSet<String>,
    deny_warnings: bool,
    pub(crate) postgres_url: Option<String>,
    pub(crate) postgres_version: Option<String>,
    pub(crate) sqlite_version: Option<String>,
    pub(crate) isolate_schema: bool,
    pub(crate) keep: bool,
    handed: BTreeMap<Backend, History>,
    pub(crate) own_server: bool,
    log_sql: Option<PathBuf>,
    seed: Option<u64>,
    shard: Option<(usize, usize)>,
}

impl Check {
    /// Checks the project at `path`: a folder with a `switchback.toml`, that file itself, or a folder
    /// with migrations that can be recognised without one.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().to_owned(), ..Self::default() }
    }

    /// Runs on this backend, and on others only if they are named, too.
    #[must_use]
    pub fn backend(mut self, backend: Backend) -> Self {
        self.backends.insert(backend);
        self
    }

    /// Runs this check, and others only if they are named, too.
    #[must_use]
    pub fn only(mut self, check: impl Into<String>) -> Self {
        self.only.insert(check.into());
        self
    }

    /// Leaves out a check.
    #[must_use]
    pub fn skip(mut self, check: impl Into<String>) -> Self {
        self.skip.insert(check.into());
        self
    }

    /// Lets warnings fail [`assert_clean`](Self::assert_clean), too.
    #[must_use]
    pub fn deny_warnings(mut self) -> Self {
        self.deny_warnings = true;
        self
    }

    /// Uses the server at this URL, in which it makes databases of its own.
    #[must_use]
    pub fn postgres_url(mut self, url: impl Into<String>) -> Self {
        self.postgres_url = Some(url.into());
        self
    }

    /// Uses this major version of PostgreSQL, such as `17`, and no other, whatever
    /// `SWITCHBACK_POSTGRES_VERSION` and the config say.
    #[must_use]
    pub fn postgres_version(mut self, version: impl Into<String>) -> Self {
        self.postgres_version = Some(version.into());
        self
    }

    /// Uses no SQLite library but this version, such as `3.46`. The library is linked with the
    /// program, so this does not choose one: it fails the run on any other.
    #[must_use]
    pub fn sqlite_version(mut self, version: impl Into<String>) -> Self {
        self.sqlite_version = Some(version.into());
        self
    }

    /// On a server that was not started here, makes a schema of its own instead of a database. SQL
    /// that names another schema, or makes extensions or publications, escapes it.
    #[must_use]
    pub fn isolate_schema(mut self) -> Self {
        self.isolate_schema = true;
        self
    }

    /// Keeps the databases after the run.
    #[must_use]
    pub fn keep(mut self) -> Self {
        self.keep = true;
        self
    }

    /// Writes the SQL that the walks run into this folder, a file for each backend and database.
    #[must_use]
    pub fn log_sql(mut self, folder: impl Into<PathBuf>) -> Self {
        self.log_sql = Some(folder.into());
        self
    }

    /// Makes up rows from this seed. The same seed gives the same rows.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Runs one share of the work, the one of this number (counted from 1) of so many; others run the
    /// others. [`merge`](crate::merge) makes of their reports the one of a whole run.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), switchback::Error> {
    /// let run = |index| switchback::Check::new(".").shard(index, 2).run_blocking();
    /// let report = switchback::merge(vec![run(1)?, run(2)?])?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn shard(mut self, index: usize, of: usize) -> Self {
        self.shard = Some((index, of));
        self
    }

    /// Uses the migrations of `sqlx::migrate!()` for a backend instead of looking for files.
    ///
    /// # Errors
    ///
    /// If they do not make a history, such as two with the same version.
    pub fn migrations(mut self, backend: Backend, migrator: &Migrator) -> Result<Self, Error> {
        let history = crate::migrator::history(migrator, backend);
        let history = history.map_err(|problem| Error::Handed { backend, problem })?;
        self.handed.insert(backend, history);
        Ok(self)
    }

    /// Starts a server for this run alone, and stops it at the end, instead of sharing one with the
    /// other checks of this process.
    #[must_use]
    pub(crate) fn own_server(mut self) -> Self {
        self.own_server = true;
        self
    }

    /// Reads the project, without touching a database.
    ///
    /// # Errors
    ///
    /// If there is none, or it cannot be understood.
    pub(crate) fn project(&self) -> Result<Project, Error> {
        // A version that is none is refused even where no server is asked for.
        for backend in Backend::ALL {
            run::wanted_version(self, backend)?;
        }
        self.wanted_shard()?;
        let ids: Vec<&str> = checks::ALL.iter().map(|check| check.id).collect();
        if self.handed.is_empty() {
            return Ok(project::discover(&self.path, &ids)?);
        }
        let mut project = project::settings(&self.path, &ids)?;
        project.histories = self.handed.clone();
        project.group()?;
        let absent = Backend::ALL.iter().filter(|backend| !self.handed.contains_key(backend));
        project.not_run =
            absent.map(|one| (*one, "no migrations were handed over for it".to_owned())).collect();
        Ok(project)
    }

    fn wanted_shard(&self) -> Result<Option<Shard>, Error> {
        Ok(self.shard.map(|(index, of)| Shard::new(index, of)).transpose()?)
    }

    /// The rules by which this check judges a project.
    pub(crate) fn rules(&self, project: &Project) -> Result<Rules, Error> {
        for name in self.only.iter().chain(&self.skip) {
            find(name)?;
        }
        Ok(Rules {
            only: self.only.clone(),
            skip: self.skip.clone(),
            levels: project.config.checks.clone(),
            accepted: project.config.accept.clone(),
        })
    }

    /// Records everything that the selected checks need, without judging it.
    ///
    /// # Errors
    ///
    /// If the project cannot be understood. A backend that cannot run is part of the evidence.
    pub async fn record(&self, progress: &dyn Progress) -> Result<Evidence, Error> {
        let project = self.project()?;
        let walks = self.rules(&project)?.walks();
        self.record_project(&project, walks, progress).await
    }

    pub(crate) async fn record_project(
        &self,
        project: &Project,
        walks: BTreeSet<Walk>,
        progress: &dyn Progress,
    ) -> Result<Evidence, Error> {
        self.refuse_absent(project)?;
        let absent = project.not_run.iter().filter(|(backend, _)| self.selects(*backend));
        let mut evidence = Evidence {
            not_run: absent.map(|(backend, reason)| NotRun::backend(*backend, reason)).collect(),
            ..Evidence::default()
        };
        let broken = project.broken.iter().filter(|(backend, _)| self.selects(*backend));
        evidence.not_run.extend(broken.map(|(backend, reason)| match skipped(*backend) {
            Some(reason) => NotRun::backend(*backend, reason),
            None => NotRun::failed(*backend, reason),
        }));
        let log = self.log_sql.as_deref().map(Log::new).transpose().map_err(|reason| Error::Write {
            file: self.log_sql.as_deref().unwrap_or(Path::new("")).display().to_string(),
            reason,
        })?;
        let mut plans = BTreeMap::new();
        for (backend, history) in project.histories.iter().filter(|(backend, _)| self.selects(**backend)) {
            match skipped(*backend) {
                Some(reason) => evidence.not_run.push(NotRun::backend(*backend, reason)),
                None => {
                    plans.insert(
                        *backend,
                        plan::of(project, *backend, history, &walks, log.as_ref(), self.seed_for(project))?,
                    );
                }
            }
        }
        // A config that is wrong is told before anything runs.
        let functions = match plans.contains_key(&Backend::Sqlite) {
            true => project.functions()?,
            false => Functions::default(),
        };
        if let Some(shard) = self.wanted_shard()? {
            plan::share(&mut plans, shard);
        }
        plan::pair(&mut plans);
        let postgres = async {
            let plan = plans.get(&Backend::Postgres)?;
            let recorded = run::on_postgres(self, project, plan, progress).await;
            plan::part(plan);
            Some(recorded)
        };
        let sqlite = async {
            let plan = plans.get(&Backend::Sqlite)?;
            let recorded = run::on_sqlite(self, project, plan, functions, progress).await;
            plan::part(plan);
            Some(recorded)
        };
        let (postgres, sqlite) = tokio::join!(postgres, sqlite);
        for (backend, recorded) in [(Backend::Postgres, postgres), (Backend::Sqlite, sqlite)] {
            match recorded {
                Some(Ok(recording)) => {
                    evidence.recordings.insert(backend, recording);
                }
                Some(Err(reason)) => evidence.not_run.push(NotRun::failed(backend, reason)),
                None => {}
            }
        }
        Ok(evidence)
    }

    /// Refuses a backend that was named though the project has no history of it.
    pub(crate) fn refuse_absent(&self, project: &Project) -> Result<(), Error> {
        let absent = project.not_run.iter().find(|(backend, _)| self.backends.contains(backend));
        match absent.cloned() {
            Some((backend, reason)) => Err(Error::NoHistory { backend, reason }),
            None => Ok(()),
        }
    }

    /// The seed of made-up rows: the one of this run, or the project's own.
    pub(crate) fn seed_for(&self, project: &Project) -> u64 {
        self.seed.unwrap_or(project.config.rows.seed)
    }

    /// Whether this check is to run on a backend.
    pub(crate) fn selects(&self, backend: Backend) -> bool {
        self.backends.is_empty() || self.backends.contains(&backend)
    }

    /// Runs the check.
    ///
    /// # Errors
    ///
    /// If the project cannot be understood. A backend that cannot run is part of the report.
    pub async fn run(&self) -> Result<Report, Error> {
        self.run_with(&()).await
    }

    /// Runs the check, and lets somebody hear how far it has come.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub async fn run_with(&self, progress: &dyn Progress) -> Result<Report, Error> {
        let started = Instant::now();
        let project = self.project()?;
        let rules = self.rules(&project)?;
        let evidence = self.record_project(&project, rules.walks(), progress).await?;
        let place = |entry: &Accept| project.line_of_config(entry.line);
        let (findings, not_run, unused_accepts, shard) =
            match self.wanted_shard()? {
                None => {
                    let (findings, not_run) = rules.judge(&evidence);
                    let unused = rules.unused(&evidence, &findings, &not_run);
                    (findings, not_run, unused.into_iter().map(place).collect(), None)
                }
                Some(shard) => {
                    let (findings, not_run, of_return) = rules.judge_shard(&evidence, shard.is_last());
                    let checks = rules.checks().map(|check| check.id.to_owned()).collect();
                    let unmatched = rules.unmatched(&evidence, &findings).into_iter().map(|entry| {
                        Unmatched { check: entry.check.clone(), backend: entry.backend, place: place(entry) }
                    });
                    let unmatched = unmatched.collect();
                    let part = Part { unmatched, of_return, ..Part::of(shard, checks, &evidence, &findings) };
                    (findings, not_run, Vec::new(), Some(part))
                }
            };
        let backends = evidence.recordings().map(|recording| BackendRun {
            backend: recording.backend,
            version: recording.version.clone(),
            source: recording.source.clone(),
            passed_over: recording.passed_over.clone(),
            revisions: recording.history.len(),
            steps: recording.walks.values().map(Vec::len).sum(),
        });
        Ok(Report {
            version: env!("CARGO_PKG_VERSION"),
            format: Report::FORMAT,
            project: project.name.clone(),
            backends: backends.collect(),
            findings,
            not_run,
            unused_accepts,
            seed: self.seed_for(&project),
            seconds: (started.elapsed().as_secs_f64() * 1000.0).round() / 1000.0,
            shard,
        })
    }

    /// Runs the check where there is no async runtime, such as in a plain `#[test]`.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking(&self) -> Result<Report, Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(Error::Runtime)?.block_on(self.run())
    }

    /// Runs the check in a plain `#[test]`, which fails with the report unless it is clean.
    ///
    /// # Panics
    ///
    /// If there is an open finding at error level (with [`deny_warnings`](Self::deny_warnings) at
    /// warning level), or something that was meant to run could not.
    #[track_caller]
    pub fn assert_clean(&self) {
        match self.run_blocking() {
            Ok(report) if ExitCode::of_report(&report, self.deny_warnings) == ExitCode::Clean => {}
            Ok(report) => {
                let text = Format::Text.render(&report, Style::default());
                panic!("{}", anstream::adapter::strip_str(&text))
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Why a backend is left out on purpose.
pub(crate) fn skipped(backend: Backend) -> Option<String> {
    let variable = "SKIP_POSTGRES_TESTS";
    let set = std::env::var_os(variable).is_some_and(|value| !value.is_empty() && value != "0");
    (backend == Backend::Postgres && set).then(|| format!("{variable} is set"))
}

/// The check of that name.
pub(crate) fn find(name: &str) -> Result<&'static checks::Check, Error> {
    checks::find(name).ok_or_else(|| {
        let nearest = nearest(name, checks::ALL.iter().map(|check| check.id));
        Error::UnknownCheck { name: name.to_owned(), nearest }
    })
}
