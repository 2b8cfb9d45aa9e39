//! A step that failed with made-up rows, once more with rows that nobody could object to.

use std::sync::Arc;

use switchback_core::evidence::{Observation, Retried};
use switchback_core::history::Direction;
use switchback_core::rows::{self, Side};
use switchback_core::schema::Schema;

use super::sow::{Field, sow, tables_to_feed};
use super::walks::{Recorder, new_database, observe};
use super::{Engine, RecordError};

impl<E: Engine> Recorder<'_, E> {
    /// Takes the step of the revision at `position` in a database of its own, with plain rows that
    /// fit the schema before it as well as the one after it.
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
        let (applied, state) = match direction {
            Direction::Upgrade => (position, history.state_before(position)),
            Direction::Downgrade => (position + 1, history.state_after(position)),
        };
        let mut database = new_database(self.engine, self.plan, RETRY).await?;
        let revisions = history.revisions();
        for (index, revision) in revisions.iter().enumerate().take(applied) {
            let state = history.state_before(index);
            let up = Direction::Upgrade;
            observe(self.engine, self.plan, (&mut database, RETRY), revision, up, state).await?;
        }
        let other = self.counterpart(applied).await;
        let mut also = vec![Side { backend, schema: after }];
        also.extend(other.iter().map(|(backend, schema)| Side { backend: *backend, schema }));
        let wanted = tables_to_feed(before, self.plan).into_keys().collect();
        let field = Field { schema: before, wanted, present: None, also, plain: true };
        sow(self.engine, &mut database, self.plan, field).await?;
        let step = (&mut database, RETRY);
        let seen = observe(self.engine, self.plan, step, &revisions[position], direction, state).await?;
        self.engine.drop(database).await?;
        let side = Side { backend, schema: after };
        let row = failed.rows_before.as_deref().and_then(|carried| rows::misfit(side, carried));
        Ok(Retried { outcome: seen.outcome, row })
    }
}

const RETRY: &str = "retry";
