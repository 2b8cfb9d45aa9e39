//! A history: all revisions of one backend, with their order.

mod driven;
mod group;
mod revision;
mod state;
mod tool;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

pub use driven::Driven;
pub use group::Group;
pub use revision::{Direction, Downgrade, Revision, RevisionId, Script};
pub use state::State;
pub use tool::{Bookkeeping, Sending, Tool};

use crate::Backend;

/// All revisions of one backend in an order in which each comes after its parents.
///
/// It is a graph, mostly a line: a revision may have several parents (a merge), and several may
/// have the same one (branches).
#[derive(Clone, Debug)]
pub struct History {
    tool: Arc<dyn Tool>,
    revisions: Vec<Revision>,
    positions: BTreeMap<RevisionId, usize>,
    groups: Vec<Group>,
}

/// Revisions that do not make a history.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// Two revisions have the same id.
    #[error("revisions \"{first}\" and \"{second}\" have the same id \"{id}\"")]
    DuplicateId {
        /// The id.
        id: RevisionId,
        /// The name of one of them.
        first: String,
        /// The name of the other.
        second: String,
    },
    /// A revision follows one that is not there.
    #[error("revision \"{revision}\" follows \"{parent}\", which is not in the history")]
    UnknownParent {
        /// The name of the revision.
        revision: String,
        /// The id that it names.
        parent: RevisionId,
    },
    /// Revisions follow each other in a circle.
    #[error("revisions follow each other in a circle: {}", quoted(.0))]
    Circle(
        /// The revisions in the circle or behind it.
        Vec<RevisionId>,
    ),
}

fn quoted(ids: &[RevisionId]) -> String {
    let quoted: Vec<_> = ids.iter().map(|id| format!("\"{id}\"")).collect();
    quoted.join(", ")
}

impl History {
    /// A history of revisions that name their parents, in any order. Where the parents leave a
    /// choice, the order given is kept.
    ///
    /// # Errors
    ///
    /// If two have the same id, a parent is missing, or they follow each other in a circle.
    pub fn new(tool: Arc<dyn Tool>, revisions: Vec<Revision>) -> Result<Self, HistoryError> {
        let revisions = sorted(revisions)?;
        let positions = revisions.iter().enumerate().map(|(at, revision)| (revision.id.clone(), at));
        Ok(Self { tool, positions: positions.collect(), revisions, groups: Vec::new() })
    }

    /// A history in which each revision follows the one before it, whatever parents were given.
    ///
    /// # Errors
    ///
    /// If two have the same id.
    pub fn line(tool: Arc<dyn Tool>, mut revisions: Vec<Revision>) -> Result<Self, HistoryError> {
        let mut before = None;
        for revision in &mut revisions {
            revision.parents = before.replace(revision.id.clone()).into_iter().collect();
        }
        Self::new(tool, revisions)
    }

    /// The same, where these groups are only taken back as wholes. No position is in two of them.
    #[must_use]
    pub fn with_groups(self, groups: Vec<Group>) -> Self {
        Self { groups, ..self }
    }

    /// The group that the revision at that position is in.
    pub fn group_at(&self, position: usize) -> Option<&Group> {
        self.groups.iter().find(|group| group.positions.contains(&position))
    }

    /// The positions that are taken back together with that one: those of its group, or itself alone.
    pub fn stretch(&self, position: usize) -> Range<usize> {
        self.group_at(position).map_or(position..position + 1, |group| group.positions.clone())
    }

    /// Whether the revision at that position can be taken back: in a group, with the others, of which
    /// one may do so for all.
    pub fn goes_down(&self, position: usize, dialect: Backend) -> bool {
        let goes_down = |revision: &Revision| revision.goes_down(dialect);
        let is_there = |revision: &Revision| revision.downgrade != Downgrade::Missing;
        match self.group_at(position).map(|group| &self.revisions[group.positions.clone()]) {
            Some(group) => group.iter().all(is_there) && group.iter().any(goes_down),
            None => goes_down(&self.revisions[position]),
        }
    }

    /// The tool that runs it.
    pub fn tool(&self) -> &dyn Tool {
        &*self.tool
    }

    /// All revisions, each after its parents. Their place here is their position.
    pub fn revisions(&self) -> &[Revision] {
        &self.revisions
    }

    /// How many revisions there are.
    pub fn len(&self) -> usize {
        self.revisions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    /// The position of a revision.
    pub fn position(&self, id: &RevisionId) -> Option<usize> {
        self.positions.get(id).copied()
    }

    /// The revision of that id.
    pub fn get(&self, id: &RevisionId) -> Option<&Revision> {
        self.position(id).map(|position| &self.revisions[position])
    }

    /// The state in which these revisions are applied, and all that must be before them; none if one of
    /// them is not known.
    pub fn state_of(&self, heads: &[RevisionId]) -> Option<State> {
        let mut state = State::base();
        let mut left: Vec<usize> = heads.iter().map(|head| self.position(head)).collect::<Option<_>>()?;
        while let Some(position) = left.pop() {
            if !state.contains(position) {
                state = state.with(position);
                let parents = &self.revisions[position].parents;
                left.extend(parents.iter().filter_map(|parent| self.position(parent)));
            }
        }
        Some(state)
    }

    /// The state in which nothing is applied.
    pub const fn base_state(&self) -> State {
        State::base()
    }

    /// The state just before the revision at that position, when revisions are applied in order.
    pub fn state_before(&self, position: usize) -> State {
        State::first(position)
    }

    /// The state just after the revision at that position, when revisions are applied in order.
    pub fn state_after(&self, position: usize) -> State {
        State::first(position + 1)
    }

    /// The state in which everything is applied.
    pub fn head_state(&self) -> State {
        State::first(self.len())
    }

    /// The revisions that no other one follows: one on a line.
    pub fn heads(&self) -> Vec<&RevisionId> {
        let parents: BTreeSet<_> = self.revisions.iter().flat_map(|revision| &revision.parents).collect();
        let ids = self.revisions.iter().map(|revision| &revision.id);
        ids.filter(|id| !parents.contains(id)).collect()
    }

    /// The revisions that follow no other one: one on a line.
    pub fn bases(&self) -> Vec<&RevisionId> {
        let bases = self.revisions.iter().filter(|revision| revision.parents.is_empty());
        bases.map(|revision| &revision.id).collect()
    }

    /// Whether no revision can be downgraded at all.
    pub fn is_up_only(&self) -> bool {
        self.revisions.iter().all(|revision| revision.downgrade == Downgrade::Missing)
    }
}

/// The revisions in an order in which each comes after its parents, otherwise as they were given.
fn sorted(revisions: Vec<Revision>) -> Result<Vec<Revision>, HistoryError> {
    let mut given: BTreeMap<RevisionId, usize> = BTreeMap::new();
    for (at, revision) in revisions.iter().enumerate() {
        if let Some(first) = given.insert(revision.id.clone(), at) {
            return Err(HistoryError::DuplicateId {
                id: revision.id.clone(),
                first: revisions[first].name.clone(),
                second: revision.name.clone(),
            });
        }
    }

    let mut children = vec![Vec::new(); revisions.len()];
    let mut waiting = vec![0_usize; revisions.len()];
    for (at, revision) in revisions.iter().enumerate() {
        for parent in &revision.parents {
            let Some(parent) = given.get(parent) else {
                return Err(HistoryError::UnknownParent {
                    revision: revision.name.clone(),
                    parent: parent.clone(),
                });
            };
            children[*parent].push(at);
            waiting[at] += 1;
        }
    }

    let mut ready: BTreeSet<usize> = (0..revisions.len()).filter(|at| waiting[*at] == 0).collect();
    let mut order = Vec::with_capacity(revisions.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for child in &children[at] {
            waiting[*child] -= 1;
            if waiting[*child] == 0 {
                ready.insert(*child);
            }
        }
    }
    if order.len() < revisions.len() {
        let stuck = revisions.iter().enumerate().filter(|(at, _)| waiting[*at] > 0);
        return Err(HistoryError::Circle(stuck.map(|(_, revision)| revision.id.clone()).collect()));
    }

    let mut slots: Vec<_> = revisions.into_iter().map(Some).collect();
    let take = |at: usize| slots[at].take().expect("each position is in the order once");
    Ok(order.into_iter().map(take).collect())
}

#[cfg(test)]
mod tests;
