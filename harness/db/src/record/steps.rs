//! One step on one database: making it, running a direction of a revision, and writing down what ran.

use std::time::Instant;

use switchback_core::Backend;
use switchback_core::evidence::{Observation, Outcome, Step};
use switchback_core::history::{Direction, Revision, Script, State};

use super::engine::{Engine, Run};
use super::{Plan, RecordError};

/// A database with what the project and its tool need before the first revision.
pub(super) async fn new_database<E: Engine>(
    engine: &mut E,
    plan: &Plan,
    label: &str,
) -> Result<E::Database, RecordError> {
    let mut database = engine.create(label).await?;
    if let Some(script) = &plan.setup {
        let run = Run::alone(script);
        log(plan, engine.backend(), label, run)?;
        if let Outcome::Failed(failure) = engine.run(&mut database, run).await?.outcome {
            return Err(RecordError::Setup {
                backend: engine.backend(),
                file: script.path.clone(),
                place: failure.location.map(|place| format!(":{}", place.line)).unwrap_or_default(),
                message: failure.message,
            });
        }
    }
    let Some(bookkeeping) = plan.history.tool().bookkeeping(engine.backend()).create else {
        return Ok(database);
    };
    let nothing = Script::new("", "");
    let run = Run { bookkeeping: Some(&bookkeeping), ..Run::alone(&nothing) };
    log(plan, engine.backend(), label, run)?;
    match engine.run(&mut database, run).await?.outcome {
        Outcome::Applied => Ok(database),
        Outcome::Failed(failure) => {
            let doing = "making the tool's bookkeeping table";
            Err(RecordError::database(engine.backend(), doing, failure.message))
        }
    }
}

/// Microseconds since 1970.
pub(super) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

pub(super) const TRUNK: &str = "trunk";
pub(super) const PROBE: &str = "probe";

/// Writes a script into the log, if there is one. The declared schema belongs to no walk.
pub(super) fn log(plan: &Plan, backend: Backend, label: &str, run: Run<'_>) -> Result<(), RecordError> {
    let Some(log) = plan.log.as_ref().filter(|_| [TRUNK, PROBE].contains(&label)) else { return Ok(()) };
    log.write(backend, label, run).map_err(unwritten(backend))
}

pub(super) fn unwritten(backend: Backend) -> impl Fn(std::io::Error) -> RecordError {
    move |error| RecordError::Harness {
        backend,
        message: format!("the log of statements cannot be written: {error}"),
    }
}

/// Runs one direction of a revision from `state`.
pub(super) async fn observe<E: Engine>(
    engine: &mut E,
    plan: &Plan,
    (database, label): (&mut E::Database, &str),
    revision: &Revision,
    direction: Direction,
    state: State,
) -> Result<Observation, RecordError> {
    let history = &plan.history;
    let backend = engine.backend();
    let position = history.position(&revision.id).unwrap_or_default();
    let started = Instant::now();
    let tool = history.tool();
    let (bookkeeping, reached) = match direction {
        Direction::Upgrade => (tool.record(backend, revision), state.with(position)),
        Direction::Downgrade => (tool.forget(backend, revision), state.without(position)),
    };
    let nothing = Script::new("", "");
    let run = Run {
        script: revision.script(direction).unwrap_or(&nothing),
        transaction: revision.in_transaction(direction),
        sending: tool.sending(),
        bookkeeping: bookkeeping.as_deref(),
    };
    log(plan, backend, label, run)?;
    let ran = engine.run(database, run).await?;
    let state = if ran.outcome.is_applied() { reached } else { state };
    Ok(Observation {
        step: Step { direction, revision: revision.id.clone() },
        outcome: ran.outcome,
        state,
        schema: None,
        rows_before: None,
        rows_after: None,
        retried: None,
        escapes: ran.escapes,
        took: started.elapsed(),
    })
}
