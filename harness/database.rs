//! A database with a project's migrations applied, for one of the project's own tests.

mod key;
mod originals;
mod postgres;
mod sqlite;

use std::pin::Pin;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use sqlx_sqlite::SqlitePool;
use switchback_core::Backend;
use switchback_db::sqlite::{Version, library};
use tokio::sync::OnceCell;

use crate::check::{Check, skipped};
use crate::error::Error;
use crate::{plan, run};

/// How many connections a pool has at most: the tests of a project share one server.
const CONNECTIONS: u32 = 8;

/// A database of a test's own, with a project's migrations applied. It goes when this value does,
/// whoever is connected to it; on a private PostgreSQL nobody waits for that, since the server goes as well.
///
/// The first one that is asked for is migrated, and all others are copies, until a file of the project
/// says something else. Tests may ask for theirs at the same time, also in several processes.
///
/// ```no_run
/// # async fn test() -> Result<(), Box<dyn std::error::Error>> {
/// use switchback::{Backend, Check};
///
/// let database = Check::new(".").database(Backend::Sqlite).await?;
/// println!("{} serves {}", database.url(), database.backend());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Database(Kind);

#[derive(Debug)]
enum Kind {
    Postgres(Box<postgres::Owned>),
    Sqlite(Box<sqlite::File>),
}

impl Database {
    /// The backend.
    pub fn backend(&self) -> Backend {
        match &self.0 {
            Kind::Postgres(_) => Backend::Postgres,
            Kind::Sqlite(_) => Backend::Sqlite,
        }
    }

    /// Its URL, with the password of its server: `postgres://…`, or `sqlite://` and the file.
    pub fn url(&self) -> String {
        match &self.0 {
            Kind::Postgres(own) => own.database().url().reveal().to_owned(),
            Kind::Sqlite(file) => format!("sqlite://{}", file.database.path().display()),
        }
    }

    /// A pool of connections to it. They are opened when they are wanted, on the runtime of the caller.
    ///
    /// # Errors
    ///
    /// If the database is SQLite's.
    pub fn pg_pool(&self) -> Result<PgPool, Error> {
        let Kind::Postgres(own) = &self.0 else {
            return Err(Error::OtherBackend { database: self.backend(), asked: Backend::Postgres });
        };
        let options = own.database().options();
        Ok(PgPoolOptions::new().max_connections(CONNECTIONS).connect_lazy_with(options))
    }

    /// A pool of connections to it, which enforce foreign keys as the project's application does
    /// (`[sqlite] foreign_keys`) and have its functions (`[sqlite] extensions`, `[sqlite.functions]`).
    /// It is the `SqlitePool` of sqlx.
    ///
    /// # Errors
    ///
    /// If the database is PostgreSQL's.
    pub fn sqlite_pool(&self) -> Result<SqlitePool, Error> {
        let Kind::Sqlite(file) = &self.0 else {
            return Err(Error::OtherBackend { database: self.backend(), asked: Backend::Sqlite });
        };
        Ok(file.database.pool(file.foreign_keys))
    }
}

/// A database that is asked for, and made when it is awaited.
#[derive(Clone, Debug)]
#[must_use = "it is made when it is awaited"]
pub struct DatabaseRequest {
    check: Check,
    backend: Backend,
    revision: Option<String>,
    with_rows: bool,
}

impl Check {
    /// Asks for a database of the caller's own on a backend, at head of the history and with the rows
    /// that the revisions write, unless it is asked for [`at`](DatabaseRequest::at) another revision or
    /// [`with_rows`](DatabaseRequest::with_rows).
    ///
    /// ```no_run
    /// # async fn test() -> Result<(), switchback::Error> {
    /// use switchback::{Backend, Check};
    ///
    /// let before = Check::new(".").database(Backend::Postgres).at("20250901000000").with_rows().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When it is awaited: if the project has no history of that backend, the backend cannot run or is
    /// left out by the environment, or a revision fails.
    pub fn database(&self, backend: Backend) -> DatabaseRequest {
        DatabaseRequest { check: self.clone(), backend, revision: None, with_rows: false }
    }

    /// A database of the caller's own on a backend, at one revision: it and all before it are
    /// applied. It is named by its id, or by its full name.
    ///
    /// # Errors
    ///
    /// Those of [`database`](Self::database), or if there is no such revision.
    pub async fn database_at(&self, backend: Backend, revision: &str) -> Result<Database, Error> {
        self.database(backend).at(revision).await
    }
}

impl DatabaseRequest {
    /// At this revision: it and all before it are applied. It is named by its id, or by its full name.
    pub fn at(mut self, revision: impl Into<String>) -> Self {
        self.revision = Some(revision.into());
        self
    }

    /// With rows in every table: those that the project gives (`[rows]`), and for other tables such
    /// as `switchback check` makes up, the same ones for the same [`seed`](Check::seed). They are made up
    /// for this backend alone, so those of the other one may differ. A table that takes none stays as it
    /// is; `switchback check` says why.
    pub fn with_rows(mut self) -> Self {
        self.with_rows = true;
        self
    }

    async fn make(self) -> Result<Database, Error> {
        let Self { check, backend, revision, with_rows } = self;
        let failed = |reason: String| Error::NoDatabase { backend, reason };
        let project = check.project()?;
        let Some(history) = project.histories.get(&backend) else {
            let said = project.not_run.iter().chain(&project.broken).find(|(one, _)| *one == backend);
            let reason = said.map_or_else(|| "the project has none".to_owned(), |(_, reason)| reason.clone());
            return Err(Error::NoHistory { backend, reason });
        };
        if let Some(reason) = skipped(backend) {
            return Err(failed(reason));
        }
        let until = revision.map(|named| plan::revision(backend, history, &named)).transpose()?;
        let until = until.map(|revision| &revision.id);
        let plan = plan::of(&project, backend, history, &[].into(), None, check.seed_for(&project))?;
        let wanted = (backend, until, with_rows);
        Ok(Database(match backend {
            Backend::Postgres => {
                let server = run::postgres_server(&check, &project).await.map_err(failed)?;
                let key = key::of(&project, &plan, wanted, &server.version());
                let own = postgres::database(server, &plan, until, with_rows, &key).await.map_err(failed)?;
                Kind::Postgres(Box::new(own))
            }
            Backend::Sqlite => {
                // A process has one library for life.
                static LIBRARY: OnceCell<Version> = OnceCell::const_new();
                let found = LIBRARY.get_or_try_init(library).await;
                let library = found.map_err(|error| failed(error.to_string()))?;
                run::refuse_other_library(&check, &project, &library.number).map_err(failed)?;
                // A later build may make it in another way.
                let program = std::env::current_exe().and_then(|program| program.metadata()?.modified());
                let key = key::of(&project, &plan, wanted, &(library, program));
                let file = sqlite::database(&check, &project, &plan, until, with_rows, &key).await;
                Kind::Sqlite(Box::new(file.map_err(failed)?))
            }
        }))
    }
}

impl IntoFuture for DatabaseRequest {
    type Output = Result<Database, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}
