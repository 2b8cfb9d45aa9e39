//! Down through several revisions, where one alone did not come back clean.

use std::sync::Arc;

use switchback_core::evidence::Walk;
use switchback_core::history::Direction;

use super::walks::Recorder;
use super::{Engine, RecordError};
use crate::record::steps::observe;

impl<E: Engine> Recorder<'_, E> {
    /// Tries whether such downgrades bring back together what was there before them all.
    pub(super) async fn descents(&mut self) -> Result<(), RecordError> {
        if !self.plan.walks.contains(&Walk::Descent) {
            return Ok(());
        }
        // What a revision did to the whole server, it cannot do once more.
        if self.recording.walk(Walk::Trunk).iter().any(|seen| !seen.escapes.is_empty()) {
            return Ok(());
        }
        let history = Arc::clone(&self.plan.history);
        for range in self.recording.descents() {
            let mut database = self.at(range.end).await?;
            for position in range.rev() {
                let (revision, state) = (&history.revisions()[position], history.state_after(position));
                let down = Direction::Downgrade;
                let step = (&mut database, DESCENT);
                let mut seen = observe(self.engine, self.plan, step, revision, down, state).await?;
                let expected = self.recording.expected(&seen.state).map(Arc::clone);
                seen.schema = Some(self.engine.snapshot(&mut database, expected.as_ref()).await?);
                let applied = seen.outcome.is_applied();
                self.push(Walk::Descent, seen);
                if !applied {
                    break;
                }
            }
            self.engine.drop(database).await?;
        }
        Ok(())
    }
}

const DESCENT: &str = "descent";
