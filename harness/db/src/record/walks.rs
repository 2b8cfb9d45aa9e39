//! The walks: trunk and probe in lockstep, then from head to base and back to head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchback_core::Backend;
use switchback_core::evidence::{Observation, Recording, Rows, Seeded, TableRows, Walk};
use switchback_core::history::{Direction, State};
use switchback_core::report::NotRun;
use switchback_core::rows::Side;
use switchback_core::schema::{Group, Kind, Name, Schema};

use super::attempts;
use super::counting::{Counting, count_at_head};
use super::engine::{Engine, rows_anew};
use super::sow::{Field, sow, tables_to_feed};
use super::steps::{PROBE, TRUNK, new_database, now, observe};
use super::touched::{Directory, Touched};
use super::trials;
use super::watched::Watchlist;
use super::{Asking, Counterpart, Plan, Progress, RecordError};

/// Takes all walks of the plan on one backend.
///
/// # Errors
///
/// If the databases cannot be made, read or dropped; never because a revision fails.
pub async fn record<E: Engine>(
    engine: &mut E,
    plan: &Plan,
    progress: &dyn Progress,
) -> Result<Recording, RecordError> {
    let mut recorder = Recorder::start(engine, plan, progress).await?;
    // Before the first step, since what a revision imports may change the models.
    recorder.metadata().await?;
    recorder.trunk_and_probe().await?;
    recorder.left_out().await?;
    plan.counterpart.iter().for_each(Counterpart::end);
    recorder.descents().await?;
    if plan.to_head {
        recorder.dangling_rows().await?;
        recorder.trials().await?;
        recorder.promises().await?;
        recorder.head_to_base_and_back().await?;
    }
    recorder.finish().await
}

pub(super) struct Recorder<'a, E: Engine> {
    pub(super) engine: &'a mut E,
    pub(super) plan: &'a Plan,
    progress: &'a dyn Progress,
    done: usize,
    pub(super) recording: Recording,
    pub(super) trunk: E::Database,
    pub(super) probe: Option<Probe<E::Database>>,
    /// A database that only goes up and carries the same rows as the probe. It lags behind.
    pub(super) carrier: Option<Probe<E::Database>>,
    /// A database without rows that lags behind, and how many revisions it has.
    pub(super) spare: Option<(E::Database, usize)>,
    /// The tables that have had rows, and those that never could, with the reason.
    fed: BTreeSet<Name>,
    barren: BTreeMap<Name, String>,
    pub(super) counting: Counting,
    pub(super) directory: Directory,
}

/// Why nothing is tried that would change what is there.
const NO_COPY: &str = "this source of databases cannot copy one to try it in";

/// The checks that judge the way down and up again.
const ROUND_TRIP: [&str; 3] = ["downgrade-fails", "downgrade-leaves-trace", "upgrade-not-repeatable"];

/// The probe's database with what it carries.
pub(super) struct Probe<D> {
    pub(super) database: D,
    /// How many revisions it had when it was made; of the carrier, how many it has.
    pub(super) made_at: usize,
    pub(super) seeded: BTreeSet<Name>,
    /// The tables that could not be given rows as they are.
    pub(super) barren: BTreeMap<Name, Arc<Group>>,
    /// Whether some of the rows were made up.
    pub(super) made_up: bool,
    pub(super) rows: Option<Arc<Rows>>,
    pub(super) watchlist: Watchlist,
}

impl<'a, E: Engine> Recorder<'a, E> {
    async fn start(
        engine: &'a mut E,
        plan: &'a Plan,
        progress: &'a dyn Progress,
    ) -> Result<Self, RecordError> {
        let mut trunk = new_database(engine, plan, TRUNK).await?;
        let base = engine.snapshot(&mut trunk, None).await?;
        if let Some(counterpart) = &plan.counterpart {
            counterpart.tell(None, &base);
        }
        let recording = Recording {
            backend: engine.backend(),
            version: engine.version(),
            source: engine.source(),
            passed_over: engine.passed_over(),
            history: Arc::clone(&plan.history),
            trips: plan.trips.clone(),
            base,
            seeded: Vec::new(),
            walks: BTreeMap::from([(Walk::Trunk, Vec::new())]),
            metadata: None,
            counted: Vec::new(),
            uncounted: Vec::new(),
            began: now(),
            trials: Vec::new(),
            stood_in_for: BTreeSet::new(),
            attempts: Vec::new(),
            dangling_rows: Vec::new(),
            not_run: Vec::new(),
        };
        let (fed, barren, counting) = (BTreeSet::new(), BTreeMap::new(), Counting::default());
        let (probe, carrier, spare) = (None, None, None);
        let mut recorder = Self {
            engine,
            plan,
            progress,
            done: 0,
            recording,
            trunk,
            probe,
            carrier,
            spare,
            fed,
            barren,
            counting,
            directory: Directory::default(),
        };
        if plan.walks.contains(&Walk::Probe) {
            recorder.recording.walks.insert(Walk::Probe, Vec::new());
        }
        Ok(recorder)
    }

    /// Trunk and probe go up in lockstep; the trunk stops at the first failure.
    async fn trunk_and_probe(&mut self) -> Result<(), RecordError> {
        let history = Arc::clone(&self.plan.history);
        let mut schema = Arc::clone(&self.recording.base);
        let trips = self.plan.trips.clone();
        for (position, revision) in history.revisions().iter().enumerate() {
            if !self.plan.to_head && position >= trips.end && !self.may_go_on(position) {
                break;
            }
            if position == trips.start {
                self.start_probe(position).await?;
            }
            self.report(&revision.name);
            let state = history.state_before(position);
            let mut seen = observe(
                self.engine,
                self.plan,
                (&mut self.trunk, TRUNK),
                revision,
                Direction::Upgrade,
                state,
            )
            .await?;
            if !seen.outcome.is_applied() {
                seen.schema = None;
                self.push(Walk::Trunk, seen);
                // The last shard tells of all tables, also where its own revisions are not reached.
                if self.plan.to_head && position < trips.start {
                    self.start_probe(position).await?;
                }
                return Ok(());
            }
            let after = self.engine.snapshot(&mut self.trunk, None).await?;
            seen.schema = Some(Arc::clone(&after));
            if let Some(counterpart) = &self.plan.counterpart {
                counterpart.tell(Some(&revision.id), &after);
            }
            let escaped = seen.changes_the_cluster();
            self.push(Walk::Trunk, seen);
            if escaped && self.plan.walks.contains(&Walk::Probe) {
                // What the trunk did to the whole server, neither can do again.
                let reason =
                    format!("{} changes the whole server, so it was applied once only", revision.name);
                self.leave_out(&ROUND_TRIP, &reason);
                self.told_of_group(position, position + 1);
                self.carry_from_trunk(position + 1).await?;
            }
            if let Some(probe) = self.probe.take() {
                self.probe = Some(match escaped {
                    true => self.remake(probe, position + 1).await?,
                    false => self.round_trip(probe, position, revision, &schema, &after).await?,
                });
            }
            schema = after;
        }
        if self.plan.to_head && trips.start == history.len() {
            self.start_probe(trips.start).await?;
        }
        if !self.plan.to_head {
            return self.prove_rows().await;
        }
        let full = self.engine.full_snapshot(&mut self.trunk).await?;
        if *full != *schema {
            return Err(RecordError::Harness {
                backend: self.engine.backend(),
                message: format!(
                    "what was read step by step is not what is there at head; please report this:\n{}",
                    schema.diff(&full)
                ),
            });
        }
        self.prove_rows().await
    }

    /// Whether revisions before this one did not come back clean, so that this one may show that they only
    /// make sense together with it.
    fn may_go_on(&self, position: usize) -> bool {
        let wanted = self.probe.is_some() && self.plan.walks.contains(&Walk::Descent);
        wanted && self.recording.chains().last().is_some_and(|chain| position <= chain.end + 1)
    }

    /// Reads all carried rows at once, to prove those that were read one after the other.
    async fn prove_rows(&mut self) -> Result<(), RecordError> {
        let schema = Arc::clone(self.recording.head());
        let Some((probe, rows)) =
            self.probe.as_mut().and_then(|one| one.rows.clone().map(|rows| (one, rows)))
        else {
            return Ok(());
        };
        let seeded = rows.tables.keys().cloned().collect();
        let (database, watchlist) = (&mut probe.database, &mut probe.watchlist);
        let full =
            rows_anew(self.engine, database, &schema, &seeded, &rows, &Touched::All, watchlist).await?;
        let same = |(name, rows): (&Name, &Arc<TableRows>)| {
            full.tables.get(name).is_some_and(|full| full.is_same_as(rows))
        };
        let differing: Vec<String> =
            rows.tables.iter().filter(|one| !same(*one)).map(|(name, _)| format!("\"{name}\"")).collect();
        if differing.is_empty() {
            return Ok(());
        }
        // What else was found is none the worse for it.
        let reason = format!(
            "the rows that were read step by step are not those that are there at head; please report this: {}",
            differing.join(", ")
        );
        for check in ["rows-lost", "rows-changed"] {
            let not_run = NotRun::check(check, self.engine.backend(), &reason);
            self.recording.not_run.push(NotRun { failed: true, ..not_run });
        }
        Ok(())
    }

    /// Gives rows to the tables that the probe did not have so far, after `position` revisions.
    pub(super) async fn seed(
        &mut self,
        probe: &mut Probe<E::Database>,
        schema: &Arc<Schema>,
        position: usize,
        anew: bool,
    ) -> Result<(), RecordError> {
        probe.seeded.retain(|name| schema.table(name).is_some());
        // A table that could not be given rows is tried again once it has changed.
        let wanted = tables_to_feed(schema, self.plan, |name, group| {
            !probe.seeded.contains(name) && probe.barren.get(name) != Some(group)
        });
        if wanted.is_empty() {
            return Ok(());
        }
        let other = self.counterpart(position).await;
        let field = Field {
            schema,
            wanted: wanted.keys().cloned().collect(),
            present: probe.rows.as_deref(),
            also: other.iter().map(|(backend, schema)| Side { backend: *backend, schema }).collect(),
            plain: None,
        };
        let sown = sow(self.engine, &mut probe.database, self.plan, field).await?;
        for reason in sown.refused {
            let not_run = NotRun::check("rows-lost", self.engine.backend(), reason);
            if !self.recording.not_run.contains(&not_run) {
                self.recording.not_run.push(not_run);
            }
        }
        probe.made_up |= !sown.rows.is_empty();
        probe.watchlist.add(self.engine, schema, &sown.rows);
        probe.barren.extend(wanted.into_iter().filter(|(name, _)| sown.barren.contains_key(name)));
        self.barren.extend(sown.barren);
        self.fed.extend(sown.fed.iter().cloned());
        // Rows of one table may change those of another only through a trigger, or statements of the
        // project's own.
        let has_triggers = |name: &Name| {
            let group = schema.table(name);
            group.is_some_and(|group| group.parts_of(Kind::Trigger).next().is_some())
        };
        let sown_by_hand = !self.plan.fixtures.is_empty() || sown.fed.iter().any(has_triggers);
        let fed = sown.fed.clone();
        probe.seeded.extend(sown.fed);
        let last = position.checked_sub(1).and_then(|last| self.plan.history.revisions().get(last));
        let after = last.map(|revision| revision.id.clone());
        let seeded = Seeded { after, anew, rows: sown.rows };
        // The carrier gets the same rows as the probe, only later.
        if !self.recording.seeded.contains(&seeded) {
            self.recording.seeded.push(seeded);
        }
        let known = probe.rows.clone().unwrap_or_default();
        let seeded = &probe.seeded;
        let touched = if sown_by_hand { Touched::All } else { Touched::These(fed) };
        let (database, watchlist) = (&mut probe.database, &mut probe.watchlist);
        let rows = rows_anew(self.engine, database, schema, seeded, &known, &touched, watchlist).await?;
        probe.rows = Some(rows);
        Ok(())
    }

    /// The other backend's schema after `position` revisions, where it goes the same way.
    pub(super) async fn counterpart(&self, position: usize) -> Option<(Backend, Arc<Schema>)> {
        let counterpart = self.plan.counterpart.as_ref()?;
        let applied = self.plan.history.revisions().iter().take(position).map(|revision| &revision.id);
        Some((counterpart.backend(), counterpart.schema(applied).await?))
    }

    /// Looks for carried rows without their parents.
    async fn dangling_rows(&mut self) -> Result<(), RecordError> {
        if let Some(probe) = &mut self.probe {
            self.recording.dangling_rows = self.engine.dangling_rows(&mut probe.database).await?;
        }
        Ok(())
    }

    /// Tries to break what tables promise, in a copy of the trunk at head.
    async fn promises(&mut self) -> Result<(), RecordError> {
        if !self.plan.walks.contains(&Walk::Promises) {
            return Ok(());
        }
        let head = Arc::clone(self.recording.head());
        let mut unknown = Vec::new();
        let promised = attempts::promised(self.engine, self.plan, &head, &mut unknown);
        if !self.recording.reached_head() {
            if !promised.is_empty() || !unknown.is_empty() {
                self.leave_out(&["append-only-hole"], "the history did not reach head");
            }
            return Ok(());
        }
        self.recording.not_run.append(&mut unknown);
        if promised.is_empty() {
            return Ok(());
        }
        self.report("append-only tables");
        let Some(mut copy) = self.engine.copy(&mut self.trunk, "promises").await? else {
            self.leave_out(&["append-only-hole"], NO_COPY);
            return Ok(());
        };
        let attempts = attempts::make(self.engine, self.plan, &mut copy, &head, &promised).await?;
        self.recording.attempts = attempts;
        self.engine.drop(copy).await
    }

    /// Puts the same questions to both backends, in a copy of the trunk at head.
    async fn trials(&mut self) -> Result<(), RecordError> {
        if !self.plan.walks.contains(&Walk::Trials) {
            return Ok(());
        }
        const CHECKS: [&str; 3] = ["value-not-kept", "behaviour-mismatch", "sequence-behind"];
        if self.plan.rows.per_table() == 0 {
            self.leave_out(&CHECKS, "no rows are made up to try it with: per_table is 0 under [rows]");
            self.plan.asking.iter().for_each(Asking::end);
            return Ok(());
        }
        let head = Arc::clone(self.recording.head());
        let reached = self.recording.reached_head();
        let other = trials::meet(self.plan, self.engine.backend(), reached.then_some(&head)).await;
        if !reached {
            return Ok(());
        }
        self.report("what the databases do");
        let Some(mut copy) = self.engine.copy(&mut self.trunk, "trials").await? else {
            self.leave_out(&CHECKS, NO_COPY);
            self.plan.asking.iter().for_each(Asking::end);
            return Ok(());
        };
        let asked = trials::ask(self.engine, &mut copy, self.plan, &head, other.as_ref()).await?;
        self.recording.trials = asked.0;
        self.recording.not_run.extend(asked.1);
        self.engine.drop(copy).await?;
        let recording = &self.recording;
        let scripts = recording.walk(Walk::Trunk).iter().filter_map(|seen| {
            Some((recording.history.get(&seen.step.revision)?, recording.script_of(seen)))
        });
        let scripts: Vec<_> = scripts.collect();
        let (trunk, counting) = (&mut self.trunk, &mut self.counting);
        count_at_head(self.engine, trunk, self.plan, &head, &scripts, counting).await
    }

    /// Says of a group that ends here that it was not judged, if the probe was made in the middle of it.
    pub(super) fn told_of_group(&mut self, position: usize, made_at: usize) {
        let Some(group) = self.plan.history.group_at(position) else { return };
        if position + 1 == group.positions.end && made_at > group.positions.start {
            let reason = format!(
                "group \"{}\" was not gone through in one piece: a revision in it failed with the rows that \
                 were there, or was applied once only",
                group.name
            );
            self.leave_out(&ROUND_TRIP, &reason);
        }
    }

    pub(super) fn leave_out(&mut self, checks: &[&'static str], reason: &str) {
        let not_run = checks.iter().map(|check| NotRun::check(check, self.engine.backend(), reason));
        self.recording.not_run.extend(not_run);
    }

    /// From head down to base, and back to head. Taken only where each downgrade worked on its own,
    /// so that one defect is not met twice.
    async fn head_to_base_and_back(&mut self) -> Result<(), RecordError> {
        if !self.plan.walks.contains(&Walk::Return) || !self.recording.reached_head() || !self.goes_down() {
            return Ok(());
        }
        let Some(mut probe) = self.probe.take() else { return Ok(()) };
        let history = Arc::clone(&self.plan.history);
        let mut steps = Vec::new();
        let down = history.revisions().iter().enumerate().rev().map(|step| (step, Direction::Downgrade));
        let up = history.revisions().iter().enumerate().map(|step| (step, Direction::Upgrade));
        for ((position, revision), direction) in down.chain(up) {
            self.report(&revision.name);
            let state = match direction {
                Direction::Downgrade => history.state_after(position),
                Direction::Upgrade => history.state_before(position),
            };
            let mut seen =
                observe(self.engine, self.plan, (&mut probe.database, PROBE), revision, direction, state)
                    .await?;
            let turns = match direction {
                Direction::Downgrade => position == 0,
                Direction::Upgrade => position + 1 == history.len(),
            };
            if turns || !seen.outcome.is_applied() {
                let expected = self.recording.expected(&seen.state);
                seen.schema = Some(self.engine.snapshot(&mut probe.database, expected).await?);
            }
            let stop = !seen.outcome.is_applied();
            if stop && probe.made_up && direction == Direction::Downgrade {
                let schema = |state: State| self.recording.expected(&state).map(Arc::clone);
                let before = schema(history.state_after(history.stretch(position).end - 1));
                let after = schema(history.state_before(position));
                if let Some((before, after)) = before.zip(after) {
                    seen.retried = Some(self.retry(position, direction, &before, &after, &seen).await?);
                }
            }
            steps.push(seen);
            if stop {
                break;
            }
        }
        self.recording.walks.insert(Walk::Return, steps);
        self.engine.drop(probe.database).await
    }

    /// Whether every revision can be taken back and was, without a trace, on the probe.
    fn goes_down(&self) -> bool {
        let history = &self.plan.history;
        let backend = self.engine.backend();
        let whole = |position: usize| history.goes_down(position, backend);
        let expected = |seen: &Observation| {
            let schema = seen.schema.as_ref();
            schema
                .zip(self.recording.expected(&seen.state))
                .is_none_or(|(one, other)| !one.diff(other).is_observable())
        };
        let clean = |seen: &Observation| {
            seen.outcome.is_applied() && (expected(seen) || self.recording.is_within_group(seen))
        };
        // What an upgrade did to the whole server, it cannot do a second time.
        let contained = |seen: &Observation| seen.escapes.is_empty();
        (0..history.len()).all(whole)
            && self.recording.walk(Walk::Trunk).iter().all(contained)
            && self.recording.walk(Walk::Probe).iter().all(clean)
    }

    async fn finish(mut self) -> Result<Recording, RecordError> {
        let made = |name: &Name| {
            let has =
                |seen: &Observation| seen.schema.as_ref().is_some_and(|schema| schema.table(name).is_some());
            self.recording.walk(Walk::Trunk).iter().any(has)
        };
        let reached_head = self.recording.reached_head();
        let given = self.plan.fixtures.tables();
        let unknown: Vec<&Name> = given.filter(|name| reached_head && !made(name)).collect();
        for name in unknown {
            let reason = format!("rows are given for table \"{name}\", which no revision makes");
            self.recording.not_run.push(NotRun::check("rows-lost", self.engine.backend(), reason));
        }
        // In a later shard, they may get some yet.
        let barren = self.barren.iter().filter(|(name, _)| self.plan.to_head && !self.fed.contains(*name));
        for (name, reason) in barren {
            let reason = format!("no row could be made up for table \"{name}\": {reason}");
            self.recording.not_run.push(NotRun::check("rows-lost", self.engine.backend(), reason));
        }
        self.counting.finish(&mut self.recording);
        for probe in self.probe.take().into_iter().chain(self.carrier.take()) {
            self.engine.drop(probe.database).await?;
        }
        if let Some((spare, _)) = self.spare.take() {
            self.engine.drop(spare).await?;
        }
        self.engine.drop(self.trunk).await?;
        Ok(self.recording)
    }

    pub(super) fn push(&mut self, walk: Walk, seen: Observation) {
        self.recording.walks.entry(walk).or_default().push(seen);
    }

    fn report(&mut self, doing: &str) {
        let revisions = if self.plan.to_head { self.plan.history.len() } else { self.plan.trips.end };
        let total = if self.plan.to_head && self.plan.walks.contains(&Walk::Return) {
            revisions * 3
        } else {
            revisions
        };
        self.progress.step(self.engine.backend(), self.done.min(total), total, doing);
        self.done += 1;
    }
}
