//! Downgrades that come back clean together, where one of them alone does not.

use std::ops::Range;
use std::sync::Arc;

use super::{Observation, Recording, RoundTrip, Walk};
use crate::history::{Direction, Downgrade};
use crate::schema::{Change, Kind, ObjectId};
use crate::sql::words;

impl Recording {
    /// Where it is worth trying whether several downgrades together bring back what one alone does
    /// not.
    pub fn descents(&self) -> Vec<Range<usize>> {
        self.chains().into_iter().filter(|range| self.may_be_group(range)).collect()
    }

    /// The positions of revisions whose downgrades do not come back clean, and that lie side by side or
    /// around one other, with the revision before them.
    pub fn chains(&self) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        let unclean = self.round_trips().filter(|trip| trip.group.is_none() && !self.comes_back(trip));
        let unclean = unclean.filter_map(|trip| self.history.position(&trip.revisions.first()?.id));
        for position in unclean.filter(|position| self.may_be_in(*position)) {
            match found.last_mut() {
                Some(last)
                    if position <= last.end + 1 && (last.end..position).all(|one| self.may_be_in(one)) =>
                {
                    last.end = position + 1;
                }
                _ => found.push(position..position + 1),
            }
        }
        let lower = |range: Range<usize>| match range.start.checked_sub(1).filter(|one| self.may_be_in(*one))
        {
            Some(below) => below..range.end,
            None => range,
        };
        found.into_iter().map(lower).collect()
    }

    fn may_be_in(&self, position: usize) -> bool {
        let revision = &self.history.revisions()[position];
        self.history.group_at(position).is_none() && revision.downgrade != Downgrade::Missing
    }

    /// Whether a downgrade among these shows that those of the others do its work: it fails, it takes
    /// what is not its own, or an earlier one names what it leaves. What merely goes with its table is
    /// not taken back.
    fn may_be_group(&self, range: &Range<usize>) -> bool {
        let trips = self.round_trips().filter(|trip| trip.group.is_none());
        let mut trips = trips.filter_map(|trip| {
            let position = self.history.position(&trip.revisions.first()?.id)?;
            Some((position, trip)).filter(|_| range.contains(&position))
        });
        range.len() > 1
            && trips.any(|(position, trip)| self.is_undone_elsewhere(range.start..position, &trip))
    }

    fn is_undone_elsewhere(&self, earlier: Range<usize>, trip: &RoundTrip<'_>) -> bool {
        let Some(down) = trip.down().filter(|_| !self.comes_back(trip)) else { return false };
        let pair = down.schema.as_ref().zip(self.expected(&down.state));
        let Some((found, expected)) = pair.filter(|_| down.outcome.is_applied()) else { return true };
        let scripts = self.history.revisions()[earlier].iter();
        let scripts = scripts.filter_map(|revision| revision.script(Direction::Downgrade));
        let words: Vec<_> = scripts.map(|script| words(&script.text, self.backend)).collect();
        // An earlier downgrade that builds a table anew names all its columns and keys.
        let by_itself = |object: &ObjectId| object.part.is_none() || object.kind() == Kind::Index;
        expected.diff(found).roots().filter(|(object, _)| by_itself(object)).any(|(object, change)| {
            let name = object.part.as_ref().map_or(object.group.local(), |(_, name)| name).to_lowercase();
            matches!(change, Change::Removed(_)) || words.iter().any(|words| words.contains(&name))
        })
    }

    /// The positions of revisions that brought back together what was there before them all, where one
    /// alone did not.
    pub fn back_together(&self) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        let (mut top, mut below) = (0, None);
        for seen in self.walk(Walk::Descent) {
            let Some(place) = self.history.position(&seen.step.revision) else { continue };
            if below != Some(place + 1) {
                top = place + 1;
            }
            below = Some(place).filter(|_| seen.outcome.is_applied());
            if below.is_some() && self.is_as_expected(seen) {
                found.push(place..top);
                top = place;
            }
        }
        found.retain(|range| self.may_be_group(range));
        found
    }

    /// Whether a single downgrade was applied, and the schema is then what it was before. Rows that
    /// only some databases hold have nothing to do with it.
    fn comes_back(&self, trip: &RoundTrip<'_>) -> bool {
        trip.downs().iter().all(|seen| match seen.outcome.is_applied() {
            true => self.is_as_expected(seen),
            false => seen.fails_with_some_rows(),
        })
    }

    fn is_as_expected(&self, seen: &Observation) -> bool {
        let pair = seen.schema.as_ref().zip(self.expected(&seen.state));
        pair.is_none_or(|(found, expected)| {
            Arc::ptr_eq(found, expected) || !expected.diff(found).is_observable()
        })
    }
}
