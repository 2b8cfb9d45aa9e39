//! Up, down and up again on the probe.

use std::ops::Range;

use super::Observation;
use crate::history::{Group, Revision};

/// The steps of the probe at one revision, or at all revisions of a group.
#[derive(Clone, Copy, Debug)]
pub struct RoundTrip<'a> {
    /// The revision, or those of the group, in the order of the history.
    pub revisions: &'a [Revision],
    /// The group, if the revisions are one.
    pub group: Option<&'a Group>,
    pub(super) steps: &'a [Observation],
}

impl<'a> RoundTrip<'a> {
    /// Its name, or that of the group.
    pub fn name(&self) -> String {
        let revision = self.revisions.last().map(|revision| revision.name.clone()).unwrap_or_default();
        self.group.map_or(revision, |group| format!("group \"{}\"", group.name))
    }

    /// The first upgrades.
    pub fn ups(&self) -> &'a [Observation] {
        let end = self.steps.iter().position(|seen| !seen.step.is_upgrade());
        &self.steps[..end.unwrap_or(self.steps.len())]
    }

    /// The downgrades.
    pub fn downs(&self) -> &'a [Observation] {
        let rest = &self.steps[self.ups().len()..];
        let end = rest.iter().position(|seen| seen.step.is_upgrade());
        &rest[..end.unwrap_or(rest.len())]
    }

    /// The second upgrades.
    pub fn agains(&self) -> &'a [Observation] {
        &self.steps[self.ups().len() + self.downs().len()..]
    }

    /// The first upgrade that it ends with.
    pub fn up(&self) -> Option<&'a Observation> {
        self.ups().last()
    }

    /// The downgrade that leads to the state before all of it, if it came to that.
    pub fn down(&self) -> Option<&'a Observation> {
        self.downs()
            .last()
            .filter(|seen| self.revisions.first().is_some_and(|one| one.id == seen.step.revision))
    }

    /// The second upgrade that it ends with.
    pub fn again(&self) -> Option<&'a Observation> {
        self.agains().last()
    }

    /// Each upgrade, with the second one of the same revision.
    pub fn upgrades(&self) -> impl Iterator<Item = (&'a Observation, Option<&'a Observation>)> + use<'a> {
        let agains = self.agains();
        self.ups().iter().map(|up| (up, agains.iter().find(|again| again.step.revision == up.step.revision)))
    }
}

impl super::Recording {
    /// Whether a downgrade was applied that leads into the middle of a group, where no state is judged.
    pub fn is_within_group(&self, seen: &Observation) -> bool {
        let Some(position) = self.history.position(&seen.step.revision) else { return false };
        !seen.step.is_upgrade()
            && seen.outcome.is_applied()
            && self.history.stretch(position).start < position
    }

    /// The positions that the round trips really cover: a shard goes on beyond its own as far as they
    /// may hang together with those after them.
    pub fn covered(&self) -> Range<usize> {
        let last = self.walk(super::Walk::Probe).last();
        let last = last.and_then(|seen| self.history.position(&seen.step.revision));
        self.trips.start..last.map_or(0, |last| last + 1).max(self.trips.end)
    }

    /// The probe's steps, together for each revision or group, in order.
    pub fn round_trips(&self) -> impl Iterator<Item = RoundTrip<'_>> {
        let stretch = |seen: &Observation| {
            self.history.position(&seen.step.revision).map(|position| self.history.stretch(position))
        };
        let trips = self.walk(super::Walk::Probe).chunk_by(move |one, other| stretch(one) == stretch(other));
        trips.filter_map(|steps| {
            let position = self.history.position(&steps.first()?.step.revision)?;
            let (group, stretch) = (self.history.group_at(position), self.history.stretch(position));
            Some(RoundTrip { revisions: &self.history.revisions()[stretch], group, steps })
        })
    }
}
