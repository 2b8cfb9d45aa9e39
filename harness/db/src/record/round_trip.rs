//! Up, down and up again on the probe, at each revision or through a group of them.

use std::sync::Arc;

use switchback_core::evidence::{Observation, Rows, Walk};
use switchback_core::history::{Direction, Downgrade, Revision, Script, State};
use switchback_core::schema::Schema;

use super::RecordError;
use super::counting::count;
use super::engine::{Engine, Run, rows_anew};
use super::steps::{PROBE, observe};
use super::touched::Touched;
use super::walks::{Probe, Recorder};

impl<E: Engine> Recorder<'_, E> {
    /// Up, down and up again on the probe, which ends at the state after the revision. Of a group, only
    /// the last one leads down, through all of them.
    pub(super) async fn round_trip(
        &mut self,
        mut probe: Probe<E::Database>,
        position: usize,
        revision: &Revision,
        before: &Arc<Schema>,
        after: &Arc<Schema>,
    ) -> Result<Probe<E::Database>, RecordError> {
        let history = Arc::clone(&self.plan.history);
        let (low, high) = (history.state_before(position), history.state_after(position));
        let stretch = history.stretch(position);
        let is_there = |revision: &Revision| !matches!(revision.downgrade, Downgrade::Missing);
        let leads_down = position + 1 == stretch.end
            && probe.made_at <= stretch.start
            && history.revisions()[stretch.clone()].iter().all(is_there);
        self.told_of_group(position, probe.made_at);

        let mut up = self
            .probe_step(&mut probe, PROBE, revision, Direction::Upgrade, &low, after, !leads_down)
            .await?;
        if !up.outcome.is_applied() && probe.made_up {
            up.retried = Some(self.retry(position, Direction::Upgrade, before, after, &up).await?);
        }
        let (mut last, mut reached) = (up.schema.clone(), up.state.clone());
        let (up_applied, carried) = (up.outcome.is_applied(), up.rows_after.clone());
        let script = self.recording.script_of(&up);
        self.push(Walk::Probe, up);
        if let Some(rows) =
            probe.rows.clone().filter(|_| up_applied && self.plan.walks.contains(&Walk::Trials))
        {
            let (database, counting) = (&mut probe.database, &mut self.counting);
            let of = (revision, script.as_ref().map(|script| &*script.text));
            count(self.engine, database, self.plan, of, after, &rows, counting).await?;
        }
        if up_applied && leads_down {
            let down = stretch.clone().rev().map(|position| (position, Direction::Downgrade));
            let again = stretch.clone().map(|position| (position, Direction::Upgrade));
            for (position, direction) in down.chain(again) {
                let (from, to) = match direction {
                    Direction::Downgrade => (history.state_after(position), history.state_before(position)),
                    Direction::Upgrade => (history.state_before(position), history.state_after(position)),
                };
                let expected = self.recording.expected(&to).map_or_else(|| Arc::clone(after), Arc::clone);
                let revision = &history.revisions()[position];
                let mut seen =
                    self.probe_step(&mut probe, PROBE, revision, direction, &from, &expected, true).await?;
                let applied = seen.outcome.is_applied();
                if !applied && probe.made_up && direction == Direction::Downgrade {
                    seen.retried =
                        Some(self.retry(position, Direction::Downgrade, after, &expected, &seen).await?);
                }
                last.clone_from(&seen.schema);
                reached = seen.state.clone();
                self.push(Walk::Probe, seen);
                if !applied {
                    break;
                }
            }
        }
        let same = last.is_some_and(|schema| !schema.diff(after).is_observable());
        // An upgrade that failed, perhaps on what the downgrade left, may leave the database where the
        // trunk is; then the tool's list has to say so, too.
        let as_trunk = match same {
            true if reached == low => {
                // What it was made of is not all that was seen here.
                probe.made_at = position + 1;
                self.note_as_applied(&mut probe, revision).await?
            }
            // The way back may have lost rows, or left others.
            same => same && reached == high && unchanged(carried.as_ref(), probe.rows.as_ref()),
        };
        let mut probe = if as_trunk { probe } else { self.remake(probe, position + 1).await? };
        self.seed(&mut probe, after, position + 1, false).await?;
        Ok(probe)
    }

    fn in_group(&self, revision: &Revision) -> bool {
        let position = self.plan.history.position(&revision.id);
        position.is_some_and(|position| self.plan.history.group_at(position).is_some())
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "a step is where, what, from which state and what is expected"
    )]
    pub(super) async fn probe_step(
        &mut self,
        probe: &mut Probe<E::Database>,
        label: &str,
        revision: &Revision,
        direction: Direction,
        state: &State,
        expected: &Arc<Schema>,
        read: bool,
    ) -> Result<Observation, RecordError> {
        let rows_before = probe.rows.clone();
        let (state, from) = (state.clone(), state.clone());
        let mut seen =
            observe(self.engine, self.plan, (&mut probe.database, label), revision, direction, state).await?;
        if read || !seen.outcome.is_applied() {
            seen.schema = Some(self.engine.snapshot(&mut probe.database, Some(expected)).await?);
        }
        if rows_before.is_some() && seen.outcome.is_applied() {
            let schema = seen.schema.as_ref().unwrap_or(expected);
            let script = self.recording.script_of(&seen);
            let script = script.as_ref().map_or("", |script| &script.text);
            let before = self.recording.expected(&from).unwrap_or(expected);
            // A tool of its own may do what it does not tell of.
            let touched = match self.plan.driver {
                Some(_) => Touched::All,
                // On the way down through a group, the schema before the step is none that is known.
                None if self.in_group(revision) => Touched::All,
                None => self.directory.touched(script, self.engine.backend(), [before, schema]),
            };
            let (seeded, known) = (&probe.seeded, probe.rows.clone().unwrap_or_default());
            let (database, watchlist) = (&mut probe.database, &mut probe.watchlist);
            let rows = rows_anew(self.engine, database, schema, seeded, &known, &touched, watchlist).await?;
            probe.rows = Some(rows);
        }
        seen.rows_before = rows_before;
        seen.rows_after.clone_from(&probe.rows);
        Ok(seen)
    }

    /// Notes a revision as applied, where that is not for the tool alone to do.
    pub(super) async fn note_as_applied(
        &mut self,
        probe: &mut Probe<E::Database>,
        revision: &Revision,
    ) -> Result<bool, RecordError> {
        let bookkeeping = self.plan.history.tool().record(self.engine.backend(), revision);
        let Some(bookkeeping) = bookkeeping else { return Ok(false) };
        let nothing = Script::new("", "");
        let run = Run { transaction: true, bookkeeping: Some(&bookkeeping), ..Run::alone(&nothing) };
        self.engine.run(&mut probe.database, run).await.map(|_| true)
    }
}

/// Whether both are the same rows, as far as one can tell without looking at each of many.
fn unchanged(before: Option<&Arc<Rows>>, after: Option<&Arc<Rows>>) -> bool {
    match (before, after) {
        (Some(before), Some(after)) => {
            let differing = before.tables.differences(&after.tables);
            Arc::ptr_eq(before, after)
                || differing
                    .into_iter()
                    .all(|(_, one, other)| one.zip(other).is_some_and(|(one, other)| one.same(other)))
        }
        _ => true,
    }
}
