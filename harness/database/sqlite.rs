//! A SQLite database for a test: a copy of one that was migrated before.

use std::sync::{Arc, Once};

use switchback_core::history::RevisionId;
use switchback_db::files::plain;
use switchback_db::project::Project;
use switchback_db::record::{Plan, RecordError, migrate};
use switchback_db::sqlite::{Database, Shelf, Sqlite, Workspace};

use super::originals::Originals;
use crate::check::Check;
use crate::run;

/// The originals that nobody but this process can know.
static ORIGINALS: Originals<File> = Originals::new();

const NAME: &str = "test";

/// A database in a folder of its own, which goes with the value.
#[derive(Debug)]
pub(crate) struct File {
    pub(crate) database: Database,
    pub(crate) foreign_keys: bool,
    _workspace: Workspace,
    /// What it was copied from, if that goes with the last of its copies.
    _original: Option<Arc<File>>,
}

/// A database as the plan makes it. `key` is that of what it is made from.
pub(crate) async fn database(
    check: &Check,
    project: &Project,
    plan: &Plan,
    until: Option<&RevisionId>,
    with_rows: bool,
    key: &str,
) -> Result<File, String> {
    let failed = |error: RecordError| error.to_string();
    let functions = project.functions().map_err(|error| error.to_string())?;
    let engine = run::sqlite(project, plan, functions, workspace(check)?).await.map_err(failed)?;
    run::refuse_other_library(check, project, &engine)?;
    // What a tool makes that runs its revisions itself may depend on more than is known here.
    let shelf = Shelf::of_user().filter(|_| plan.driver.is_none() && !check.keep);
    let slot = ORIGINALS.slot(key);
    let mut slot = slot.lock().await;
    match shelf {
        Some(shelf) => {
            let file = engine.file(NAME);
            let copied = shelf.copy(key, file.path());
            if copied.map_err(|error| format!("it cannot be copied: {}", plain(&error)))? {
                return Ok(File::of(engine, file, None));
            }
            let made = migrated(engine, plan, until, with_rows).await?;
            // It saves time, and no more than that.
            let _ = shelf.keep(key, &made.database).await;
            Ok(made)
        }
        None => {
            let original = match slot.get() {
                Some(original) => original,
                None => slot.set(migrated(engine, plan, until, with_rows).await?),
            };
            drop(slot);
            let workspace = workspace(check)?;
            let target = workspace.database(NAME);
            let copied = original.database.copy_to(target.path()).await;
            let database = copied.map_err(|error| error.to_string())?;
            let foreign_keys = original.foreign_keys;
            Ok(File { database, foreign_keys, _workspace: workspace, _original: Some(original) })
        }
    }
}

impl File {
    fn of(engine: Sqlite, database: Database, original: Option<Arc<Self>>) -> Self {
        let foreign_keys = engine.enforces_foreign_keys();
        Self { database, foreign_keys, _workspace: engine.into_workspace(), _original: original }
    }
}

/// A folder of its own; what killed processes left is removed once.
fn workspace(check: &Check) -> Result<Workspace, String> {
    static SWEPT: Once = Once::new();
    SWEPT.call_once(|| drop(Workspace::sweep(&std::env::temp_dir())));
    let run = std::process::id().to_string();
    Workspace::new(&run, check.keep).map_err(|error| error.to_string())
}

/// A database on which all revisions are run, and which nobody has open.
async fn migrated(
    mut engine: Sqlite,
    plan: &Plan,
    until: Option<&RevisionId>,
    with_rows: bool,
) -> Result<File, String> {
    let failed = |error: RecordError| error.to_string();
    let made = migrate(&mut engine, plan, until, with_rows).await.map_err(failed)?;
    let database = made.release().await.map_err(failed)?;
    Ok(File::of(engine, database, None))
}
