//! From a project to what is to be recorded on a backend.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchback_core::Backend;
use switchback_core::evidence::Walk;
use switchback_core::history::{History, Revision};
use switchback_core::rows::Generator;
use switchback_core::shard::Shard;
use switchback_db::project::Project;
use switchback_db::record::{Asking, Counterpart, Fixtures, Log, Plan};

use crate::error::Error;

pub(crate) fn of(
    project: &Project,
    backend: Backend,
    history: &History,
    walks: &BTreeSet<Walk>,
    log: Option<&Log>,
    seed: u64,
) -> Result<Plan, Error> {
    let rows = &project.config.rows;
    Ok(Plan {
        history: Arc::new(history.clone()),
        driver: project.drivers.get(&backend).cloned(),
        setup: project.setup.get(&backend).cloned(),
        metadata: project.metadata.get(&backend).cloned(),
        fixtures: Fixtures::parse_all(&project.fixtures)?,
        rows: Generator::new(seed, rows.per_table, rows.values.clone()),
        counterpart: None,
        asking: None,
        tries_types: rows.types,
        append_only: project.config.append_only.iter().cloned().collect(),
        walks: walks.clone(),
        trips: 0..history.len(),
        to_head: true,
        log: log.cloned(),
    })
}

/// The revision of a history that somebody named, by its id or by its full name.
pub(crate) fn revision<'a>(
    backend: Backend,
    history: &'a History,
    wanted: &str,
) -> Result<&'a Revision, Error> {
    let named = |revision: &&Revision| revision.id.as_str() == wanted || revision.name == wanted;
    let unknown = || Error::UnknownRevision { backend, revision: wanted.to_owned() };
    history.revisions().iter().find(named).ok_or_else(unknown)
}

/// Leaves the round trips of other shards to those.
pub(crate) fn share(plans: &mut BTreeMap<Backend, Plan>, shard: Shard) {
    let histories = plans.iter().map(|(backend, plan)| (*backend, Arc::clone(&plan.history)));
    let histories: BTreeMap<Backend, Arc<History>> = histories.collect();
    let trips = shard.trips(&histories.iter().map(|(backend, history)| (*backend, &**history)).collect());
    for (backend, trips) in trips {
        if let Some(plan) = plans.get_mut(&backend) {
            plan.trips = trips;
            plan.to_head = shard.is_last();
        }
    }
}

/// Lets two recordings hear of each other, so that the same rows fit in both, and both are asked the
/// same.
pub(crate) fn pair(plans: &mut BTreeMap<Backend, Plan>) {
    let histories: Vec<(Backend, Arc<History>)> =
        plans.iter().map(|(backend, plan)| (*backend, Arc::clone(&plan.history))).collect();
    let [(one, of_one), (other, of_other)] = histories.as_slice() else { return };
    let (first, second) = Asking::pair();
    let (before, after) = Counterpart::pair((*one, of_one), (*other, of_other)).unzip();
    for (backend, asking, counterpart) in [(one, first, before), (other, second, after)] {
        if let Some(plan) = plans.get_mut(backend) {
            plan.asking = Some(asking);
            plan.counterpart = counterpart;
        }
    }
}

/// Lets nobody wait for a recording that has ended.
pub(crate) fn part(plan: &Plan) {
    plan.counterpart.iter().for_each(Counterpart::end);
    plan.asking.iter().for_each(Asking::end);
}
