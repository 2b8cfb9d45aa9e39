//! A database at a revision, without looking at what each step does.

use switchback_core::evidence::Outcome;
use switchback_core::history::{Direction, RevisionId};

use super::steps::{new_database, observe};
use super::{Engine, Plan, RecordError};

/// Makes a database and takes it up to and including a revision, or to head.
///
/// # Errors
///
/// If the database cannot be made, or a revision fails: who asks for it needs it as it should be.
pub async fn migrate<E: Engine>(
    engine: &mut E,
    plan: &Plan,
    until: Option<&RevisionId>,
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
    Ok(database)
}

const LABEL: &str = "test";
