//! A database that only goes up, with the rows that ride along: what the probe is made of.
//!
//! It is brought forward only when a probe is needed, at the start of a shard or after a round trip that
//! did not lead back. So the rows at a state depend on upgrades alone, never on the downgrades before it,
//! and every shard has the same ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchback_core::evidence::Walk;
use switchback_core::history::{Direction, History};
use switchback_core::schema::Schema;

use super::RecordError;
use super::engine::Engine;
use super::steps::{CARRIER, PROBE, TRUNK, new_database, unwritten};
use super::walks::{Probe, Recorder};
use super::watched::Watchlist;

impl<E: Engine> Recorder<'_, E> {
    /// The first probe, at the state after `position` revisions; none if no check asks for it.
    pub(super) async fn start_probe(&mut self, position: usize) -> Result<(), RecordError> {
        if self.plan.walks.contains(&Walk::Probe) {
            self.probe = Some(match position {
                0 => self.at_base(PROBE).await?,
                _ => self.new_probe(position).await?,
            });
        }
        Ok(())
    }

    pub(super) async fn remake(
        &mut self,
        probe: Probe<E::Database>,
        position: usize,
    ) -> Result<Probe<E::Database>, RecordError> {
        self.engine.drop(probe.database).await?;
        self.new_probe(position).await
    }

    /// A probe at the state after `position` revisions: a copy of the carrier, or where there can be
    /// none, the carrier itself.
    async fn new_probe(&mut self, position: usize) -> Result<Probe<E::Database>, RecordError> {
        let mut carrier = match self.carrier.take() {
            Some(carrier) => carrier,
            None => self.at_base(CARRIER).await?,
        };
        let history = Arc::clone(&self.plan.history);
        while carrier.made_at < position {
            carrier = self.carry(carrier, &history).await?;
        }
        let backend = self.engine.backend();
        let written = self.plan.log.as_ref().map(|log| log.write_copy(backend, TRUNK, PROBE));
        written.transpose().map_err(unwritten(backend))?;
        let Some(database) = self.engine.copy(&mut carrier.database, PROBE).await? else {
            return Ok(carrier);
        };
        let probe = carrier.beside(database);
        self.carrier = Some(carrier);
        Ok(probe)
    }

    /// A carrier that starts anew from where the trunk is, after `position` revisions.
    pub(super) async fn carry_from_trunk(&mut self, position: usize) -> Result<(), RecordError> {
        if let Some(old) = self.carrier.take() {
            self.engine.drop(old.database).await?;
        }
        let database = match self.engine.copy(&mut self.trunk, CARRIER).await? {
            Some(copy) => copy,
            None => self.at(position).await?,
        };
        let mut carrier = Probe::new(database, position);
        let schema = Arc::clone(self.recording.head());
        self.seed(&mut carrier, &schema, position, true).await?;
        self.carrier = Some(carrier);
        Ok(())
    }

    /// A database before the first revision, with rows in the tables that are there already.
    async fn at_base(&mut self, label: &str) -> Result<Probe<E::Database>, RecordError> {
        let mut probe = Probe::new(new_database(self.engine, self.plan, label).await?, 0);
        let base = Arc::clone(&self.recording.base);
        self.seed(&mut probe, &base, 0, true).await?;
        Ok(probe)
    }

    /// The carrier, one revision further.
    async fn carry(
        &mut self,
        mut carrier: Probe<E::Database>,
        history: &History,
    ) -> Result<Probe<E::Database>, RecordError> {
        let position = carrier.made_at;
        let revision = &history.revisions()[position];
        let (low, after) = (history.state_before(position), self.schema_after(position));
        let up = Direction::Upgrade;
        let seen = self.probe_step(&mut carrier, CARRIER, revision, up, &low, &after, false).await?;
        carrier.made_at = position + 1;
        // An upgrade that fails on rows may leave the database where the trunk is, as with the probe.
        let is_there = match seen.schema {
            Some(schema) if !seen.outcome.is_applied() => {
                !schema.diff(&after).is_observable() && self.note_as_applied(&mut carrier, revision).await?
            }
            _ => true,
        };
        let anew = !is_there;
        if anew {
            self.engine.drop(carrier.database).await?;
            carrier = Probe::new(self.at(position + 1).await?, position + 1);
        }
        self.seed(&mut carrier, &after, position + 1, anew).await?;
        Ok(carrier)
    }

    fn schema_after(&self, position: usize) -> Arc<Schema> {
        let seen = self.recording.walk(Walk::Trunk).get(position);
        Arc::clone(seen.and_then(|seen| seen.schema.as_ref()).unwrap_or_else(|| self.recording.head()))
    }
}

impl<D> Probe<D> {
    /// A database that carries no rows yet.
    fn new(database: D, made_at: usize) -> Self {
        Self {
            database,
            made_at,
            seeded: BTreeSet::new(),
            barren: BTreeMap::new(),
            made_up: false,
            rows: None,
            watchlist: Watchlist::default(),
        }
    }

    /// The same with a copy of its database.
    fn beside(&self, database: D) -> Self {
        Self {
            database,
            made_at: self.made_at,
            seeded: self.seeded.clone(),
            barren: self.barren.clone(),
            made_up: self.made_up,
            rows: self.rows.clone(),
            watchlist: self.watchlist.clone(),
        }
    }
}
