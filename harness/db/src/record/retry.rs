//! A step that failed with made-up rows, once more with rows that nobody could object to.

use std::collections::BTreeSet;
use std::sync::Arc;

use switchback_core::evidence::{Observation, Retried};
use switchback_core::history::{Direction, State};
use switchback_core::rows::{self, Plain, Side};
use switchback_core::schema::{Group, Kind, Name, Schema};
use switchback_core::sql::words;

use super::engine::all_rows;
use super::sow::{Field, sow, tables_to_feed};
use super::steps::{new_database, observe};
use super::walks::Recorder;
use super::{Engine, RecordError, fixtures};

impl<E: Engine> Recorder<'_, E> {
    /// Takes the step of the revision at `position` in a database of its own, with plain rows that
    /// fit the schema before it as well as the one after it. On the way down through a group, all
    /// downgrades of the group up to that one are taken, and `before` is the schema before them.
    pub(super) async fn retry(
        &mut self,
        position: usize,
        direction: Direction,
        before: &Arc<Schema>,
        after: &Arc<Schema>,
        failed: &Observation,
    ) -> Result<Retried, RecordError> {
        let history = Arc::clone(&self.plan.history);
        let backend = self.engine.backend();
        let steps: Vec<(usize, State)> = match direction {
            Direction::Upgrade => vec![(position, history.state_before(position))],
            Direction::Downgrade => {
                let steps = (position..history.stretch(position).end).rev();
                steps.map(|position| (position, history.state_after(position))).collect()
            }
        };
        let applied = match direction {
            Direction::Upgrade => position,
            Direction::Downgrade => history.stretch(position).end,
        };
        let other = self.counterpart(applied).await;
        let mut outcome = failed.outcome.clone();
        let mut bent = false;
        let failure = failed.outcome.failure();
        let filled = failure.and_then(|failure| fixtures::target(failure.statement.as_deref()?));
        // A revision that fills a table from others may meet rows there that have nothing to do with
        // those: it is tried with that table empty, too.
        let last = filled.map(|table| (Plain::Numbers, Some(table)));
        for (style, empty) in Plain::ALL.map(|style| (style, None)).into_iter().chain(last) {
            let mut also = vec![Side { backend, schema: after }];
            also.extend(other.iter().map(|(backend, schema)| Side { backend: *backend, schema }));
            let mut wanted: BTreeSet<Name> =
                tables_to_feed(before, self.plan, |_, _| true).into_keys().collect();
            wanted.retain(|table| Some(table) != empty.as_ref());
            let field = Field { schema: before, wanted, present: None, also, plain: Some(style) };
            let mut database = self.at(applied).await?;
            let sown = sow(self.engine, &mut database, self.plan, field).await?;
            // Made-up rows fit both schemas, unless a trigger has its say.
            let named = failure.and_then(|failure| failure.statement.as_deref());
            let named = named.map(|statement| words(statement, backend)).unwrap_or_default();
            let triggered = sown.rows.iter().map(|row| &row.table).filter(|table| {
                let acts = |group: &Arc<Group>| group.parts_of(Kind::Trigger).next().is_some();
                named.contains(&table.local().to_lowercase()) && before.table(table).is_some_and(acts)
            });
            let triggered: BTreeSet<&Name> = triggered.collect();
            let rows = all_rows(self.engine, &mut database, before, triggered.into_iter()).await?;
            bent |= rows::misfit(Side { backend, schema: after }, &rows, None).is_some();
            for (position, state) in &steps {
                let step = (&mut database, RETRY);
                let revision = &history.revisions()[*position];
                let seen = observe(self.engine, self.plan, step, revision, direction, state.clone()).await?;
                outcome = seen.outcome;
                if !outcome.is_applied() {
                    break;
                }
            }
            self.engine.drop(database).await?;
            if outcome.is_applied() {
                break;
            }
        }
        let side = Side { backend, schema: after };
        let statement = failure.and_then(|failure| failure.statement.as_deref());
        let row = failed.rows_before.as_deref().and_then(|carried| rows::misfit(side, carried, statement));
        Ok(Retried { outcome, row, bent })
    }

    /// A database without rows after the first revisions. The one that it is copied from is kept, and
    /// only goes on from where it was.
    pub(super) async fn at(&mut self, applied: usize) -> Result<E::Database, RecordError> {
        let history = Arc::clone(&self.plan.history);
        let (mut spare, from) = match self.spare.take() {
            Some((spare, from)) if from <= applied => (spare, from),
            other => {
                if let Some((beyond, _)) = other {
                    self.engine.drop(beyond).await?;
                }
                (new_database(self.engine, self.plan, RETRY).await?, 0)
            }
        };
        for (index, revision) in history.revisions().iter().enumerate().take(applied).skip(from) {
            let state = history.state_before(index);
            let up = Direction::Upgrade;
            observe(self.engine, self.plan, (&mut spare, RETRY), revision, up, state).await?;
        }
        match self.engine.copy(&mut spare, RETRY).await? {
            Some(copy) => {
                self.spare = Some((spare, applied));
                Ok(copy)
            }
            None => Ok(spare),
        }
    }
}

const RETRY: &str = "retry";
