//! A database with a project's migrations applied, for one of the project's own tests.

use std::sync::Arc;

use switchback_core::Backend;
use switchback_db::postgres::Postgres;
use switchback_db::record::migrate;
use switchback_db::server::{Database as ServerDatabase, Server};
use switchback_db::sqlite::{Database as File, Workspace};

use crate::check::{Check, skipped};
use crate::error::Error;
use crate::{plan, run};

/// A database of a test's own, with a project's migrations applied. It goes when this value does,
/// whoever is connected to it.
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
    Postgres { server: Arc<Server>, own: Box<ServerDatabase> },
    Sqlite { file: File, _workspace: Workspace },
}

impl Database {
    /// The backend.
    pub fn backend(&self) -> Backend {
        match &self.0 {
            Kind::Postgres { .. } => Backend::Postgres,
            Kind::Sqlite { .. } => Backend::Sqlite,
        }
    }

    /// Its URL, with the password of its server: `postgres://…`, or `sqlite://` and the file.
    pub fn url(&self) -> String {
        match &self.0 {
            Kind::Postgres { own, .. } => own.url().reveal().to_owned(),
            Kind::Sqlite { file, .. } => format!("sqlite://{}", file.path().display()),
        }
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let Kind::Postgres { server, own } = &self.0 else { return };
        if server.is_kept() {
            return;
        }
        let (server, own) = (Arc::clone(server), (**own).clone());
        // The caller's runtime cannot be waited for here, and may be about to end.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            // What is not dropped now goes with the server, or with the next run.
            let _ = runtime.map(|runtime| runtime.block_on(server.drop_database(own)));
        });
        let _ = dropping.join();
    }
}

impl Check {
    /// A database of the caller's own on a backend, at head of the history.
    ///
    /// # Errors
    ///
    /// If the project has no history of that backend, the backend cannot run or is left out by the
    /// environment, or a revision fails.
    pub async fn database(&self, backend: Backend) -> Result<Database, Error> {
        self.database_until(backend, None).await
    }

    /// A database of the caller's own on a backend, at one revision: it and all before it are
    /// applied. It is named by its id, or by its full name.
    ///
    /// # Errors
    ///
    /// Those of [`database`](Self::database), or if there is no such revision.
    pub async fn database_at(&self, backend: Backend, revision: &str) -> Result<Database, Error> {
        self.database_until(backend, Some(revision)).await
    }

    async fn database_until(&self, backend: Backend, revision: Option<&str>) -> Result<Database, Error> {
        let failed = |reason: String| Error::NoDatabase { backend, reason };
        let project = self.project()?;
        let Some(history) = project.histories.get(&backend) else {
            let said = project.not_run.iter().find(|(one, _)| *one == backend);
            let reason = said.map_or_else(|| "the project has none".to_owned(), |(_, reason)| reason.clone());
            return Err(Error::NoHistory { backend, reason });
        };
        if let Some(reason) = skipped(backend) {
            return Err(failed(reason));
        }
        let until = revision.map(|named| plan::revision(backend, history, named)).transpose()?;
        let until = until.map(|revision| &revision.id);
        let plan = plan::of(&project, backend, history, &[].into(), None, 0)?;
        match backend {
            Backend::Postgres => {
                let server = run::postgres_server(self, &project).await.map_err(failed)?;
                let ignore = history.tool().bookkeeping(backend).tables;
                let mut engine = Postgres::new(Arc::clone(&server), ignore);
                let made = migrate(&mut engine, &plan, until).await;
                let own = Box::new(made.map_err(|error| failed(error.to_string()))?.release().await);
                Ok(Database(Kind::Postgres { server, own }))
            }
            Backend::Sqlite => {
                let functions = project.functions()?;
                let workspace = run::workspace(self).map_err(failed)?;
                let engine = run::sqlite(&project, &plan, functions, workspace).await;
                let mut engine = engine.map_err(|error| failed(error.to_string()))?;
                run::refuse_other_library(self, &project, &engine).map_err(failed)?;
                let made = migrate(&mut engine, &plan, until).await;
                let made = made.map_err(|error| failed(error.to_string()))?.release().await;
                let file = made.map_err(|error| failed(error.to_string()))?;
                Ok(Database(Kind::Sqlite { file, _workspace: engine.into_workspace() }))
            }
        }
    }
}
