//! A database at a revision, without looking at what each step does.

use switchback_core::evidence::Outcome;
use switchback_core::history::{Direction, RevisionId};

use super::sow::{Field, sow, tables_to_feed};
use super::steps::{new_database, observe};
use super::{Engine, Plan, RecordError};

/// Makes a database and takes it up to and including a revision, or to head. With rows, its tables are
/// given those that the plan has and makes up; one that takes none stays as it is.
///
/// # Errors
///
/// If the database cannot be made, or a revision or a row that the project gives is refused: who asks
/// for it needs it as it should be.
pub async fn migrate<E: Engine>(
    engine: &mut E,
    plan: &Plan,
    until: Option<&RevisionId>,
    with_rows: bool,
) -> Result<E::Database, RecordError> {
    let history = &plan.history;
    let mut database = new_database(engine, plan, LABEL).await?;
    let last = until.and_then(|revision| history.position(revision)).map_or(history.len(), |last| last + 1);
    for (position, revision) in history.revisions().iter().enumerate().take(last) {
        let state = history.state_before(position);
        let up = Direction::Upgrade;
        let seen = observe(engine, plan, (&mut database, LABEL), revision, up, state).await?;
        if let Outcome::Failed(failure) = seen.outcome {
            let place = failure.location.map_or_else(|| revision.upgrade.path.clone(), |at| at.to_string());
            engine.drop(database).await?;
            return Err(RecordError::Harness {
                backend: engine.backend(),
                message: format!("{place}: upgrade to {} failed: {}", revision.name, failure.message),
            });
        }
    }
    if with_rows && let Some(reason) = fill(engine, plan, &mut database).await? {
        engine.drop(database).await?;
        return Err(RecordError::Harness { backend: engine.backend(), message: reason });
    }
    Ok(database)
}

/// Gives rows to all tables, or tells why one that the project gives was refused.
async fn fill<E: Engine>(
    engine: &mut E,
    plan: &Plan,
    database: &mut E::Database,
) -> Result<Option<String>, RecordError> {
    let schema = engine.full_snapshot(database).await?;
    let wanted = tables_to_feed(&schema, plan, |_, _| true).into_keys().collect();
    let field = Field { schema: &schema, wanted, present: None, also: Vec::new(), plain: None };
    Ok(sow(engine, database, plan, field).await?.refused.into_iter().next())
}

const LABEL: &str = "test";
