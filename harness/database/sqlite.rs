//! A SQLite database for a test: a copy of one that was migrated before.

use std::sync::{Arc, Once};

use switchback_core::history::RevisionId;
use switchback_db::files::plain;
use switchback_db::project::Project;
use switchback_db::record::{Plan, RecordError, migrate};
use switchback_db::sqlite::{Database, Functions, Shelf, Workspace};

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
    let own = || workspace(check);
    let workspace = own()?;
    let functions = project.functions().map_err(|error| error.to_string())?;
    if check.keep {
        // It is to be what was asked for, and nothing else.
        return migrated(project, plan, until, with_rows, functions, workspace).await;
    }
    // What a tool makes that runs its revisions itself may depend on more than is known here.
    let shelf = Shelf::of_user().filter(|_| plan.driver.is_none());
    let slot = ORIGINALS.slot(key);
    let mut slot = slot.lock().await;
    let target = workspace.database(NAME);
    let Some(shelf) = shelf else {
        let original = match slot.get() {
            Some(original) => original,
            None => slot.set(migrated(project, plan, until, with_rows, functions, own()?).await?, false),
        };
        drop(slot);
        let copied = original.database.copy_to(target.path()).await;
        let database = copied.map_err(|error| error.to_string())?;
        let foreign_keys = original.foreign_keys;
        return Ok(File { database, foreign_keys, _workspace: workspace, _original: Some(original) });
    };
    let copied = shelf.copy(key, target.path());
    if copied.map_err(|error| format!("it cannot be copied: {}", plain(&error)))? {
        let database = target.with_functions(&Arc::new(functions));
        let foreign_keys = run::foreign_keys(project, plan);
        return Ok(File { database, foreign_keys, _workspace: workspace, _original: None });
    }
    let made = migrated(project, plan, until, with_rows, functions, workspace).await?;
    // It saves time, and no more than that.
    let _ = shelf.keep(key, &made.database).await;
    Ok(made)
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
    project: &Project,
    plan: &Plan,
    until: Option<&RevisionId>,
    with_rows: bool,
    functions: Functions,
    workspace: Workspace,
) -> Result<File, String> {
    let failed = |error: RecordError| error.to_string();
    let mut engine = run::sqlite(project, plan, functions, workspace).await.map_err(failed)?;
    let made = migrate(&mut engine, plan, until, with_rows).await.map_err(failed)?;
    let database = made.release().await.map_err(failed)?;
    let foreign_keys = run::foreign_keys(project, plan);
    Ok(File { database, foreign_keys, _workspace: engine.into_workspace(), _original: None })
}
