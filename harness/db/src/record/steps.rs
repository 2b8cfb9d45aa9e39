//! One step on one database: making it, running a direction of a revision, and writing down what ran.

use std::sync::Arc;
use std::time::Instant;

use switchback_core::Backend;
use switchback_core::evidence::{Failure, Observation, Outcome, Step};
use switchback_core::history::{Direction, Revision, Script, State};

use super::engine::{Engine, Run};
use super::{Plan, RecordError};
use crate::drive::Order;

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
pub(super) const CARRIER: &str = "carrier";

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
    let previous = position.checked_sub(1).map(|before| history.revisions()[before].id.clone());
    let order = Order { direction, revision: revision.clone(), previous };
    let run = Run {
        script: revision.script(direction).unwrap_or(&nothing),
        transaction: revision.in_transaction(direction),
        sending: tool.sending(),
        bookkeeping: bookkeeping.as_deref(),
        driven: plan.driver.as_ref().map(|driver| (driver, &order)),
    };
    if run.driven.is_none() {
        log(plan, backend, label, run)?;
    }
    // The first step makes the tool's books at least. One that leaves its database as it was has gone to
    // another one, where it must not go on.
    let first = run.driven.is_some() && state.is_empty() && direction == Direction::Upgrade;
    let before = if first { Some(engine.size(database).await?) } else { None };
    let mut ran = engine.run(database, run).await?;
    if let (Some(before), Outcome::Applied) = (before, &ran.outcome)
        && engine.size(database).await? == before
    {
        return Err(RecordError::Harness {
            backend,
            message: format!(
                "{} says that {} was applied, and nothing has changed in the database of this run: it must have \
                 gone to another one, and was stopped before it takes anything back there; say under [history] how \
                 it learns which database to use (url, scheme, env)",
                tool.name(),
                revision.name
            ),
        });
    }
    if let Some(sent) = &ran.sent {
        let script = Script::new(run.script.path.clone(), Arc::clone(sent));
        log(plan, backend, label, Run::alone(&script))?;
    }
    // A tool that says where it is has to be where the step leads.
    if let (Outcome::Applied, Some(heads)) = (&ran.outcome, &ran.heads)
        && history.state_of(heads).as_ref() != Some(&reached)
    {
        let heads: Vec<_> = heads.iter().map(|head| format!("\"{head}\"")).collect();
        let heads = if heads.is_empty() { "nothing".to_owned() } else { heads.join(", ") };
        let message = format!("afterwards {} says that {heads} is applied, which is not so", tool.name());
        ran.outcome = Outcome::Failed(Failure::new(message));
    }
    let state = if ran.outcome.is_applied() { reached } else { state };
    Ok(Observation {
        sent: ran.sent,
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
