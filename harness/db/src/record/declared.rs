//! What the application declares its schema to be.

use std::collections::BTreeSet;
use std::sync::Arc;

use switchback_core::evidence::{Declared, Outcome, Walk};
use switchback_core::report::NotRun;
use switchback_core::schema::ObjectId;

use super::RecordError;
use super::engine::{Engine, Run};
use super::steps::new_database;
use super::walks::Recorder;
use crate::drive::Declaring;

impl<E: Engine> Recorder<'_, E> {
    /// Builds what the application declares, in a database of its own.
    pub(super) async fn metadata(&mut self) -> Result<(), RecordError> {
        if !self.plan.to_head || !self.plan.walks.contains(&Walk::Metadata) {
            return Ok(());
        }
        let (metadata, driver) = (self.plan.metadata.as_ref(), self.plan.driver.as_ref());
        if metadata.is_none() && driver.is_none() {
            return Ok(());
        }
        let mut database = new_database(self.engine, self.plan, "metadata").await?;
        let built = match (metadata, driver) {
            (Some(script), _) => {
                let outcome = self.engine.run(&mut database, Run::alone(script)).await?.outcome;
                Declaring::Built(script.path.clone(), outcome)
            }
            (None, Some(driver)) => {
                let backend = self.engine.backend();
                let declared = driver.declare(self.engine.place(&database)).await;
                declared.map_err(|error| RecordError::Harness { backend, message: error.told() })?
            }
            (None, None) => Declaring::Nothing("there is no metadata".to_owned()),
        };
        match built {
            Declaring::Built(file, outcome) => {
                let schema = match outcome {
                    Outcome::Applied => Ok(self.engine.full_snapshot(&mut database).await?),
                    Outcome::Failed(failure) => Err(failure),
                };
                self.recording.metadata =
                    Some(Declared { file, by_models: metadata.is_none(), left_out: BTreeSet::new(), schema });
            }
            Declaring::Nothing(reason) => {
                let not_run = NotRun::check("metadata-drift", self.engine.backend(), reason);
                self.recording.not_run.push(not_run);
            }
        }
        self.engine.drop(database).await
    }

    /// Asks what the project itself leaves out when it compares what is declared with what is at head.
    pub(super) async fn left_out(&mut self) -> Result<(), RecordError> {
        let head = Arc::clone(self.recording.head());
        let (Some(declared), Some(driver)) = (&mut self.recording.metadata, &self.plan.driver) else {
            return Ok(());
        };
        let Some(schema) = declared.schema.as_ref().ok().filter(|_| declared.by_models) else {
            return Ok(());
        };
        let both: BTreeSet<ObjectId> = schema.objects().chain(head.objects()).map(|(id, _)| id).collect();
        match driver.left_out(both.into_iter().collect()).await {
            Ok(left_out) => declared.left_out = left_out.into_iter().collect(),
            Err(error) => {
                let not_run = NotRun::check("metadata-drift", self.engine.backend(), error.told());
                self.recording.not_run.push(NotRun { failed: true, ..not_run });
                self.recording.metadata = None;
            }
        }
        Ok(())
    }
}
