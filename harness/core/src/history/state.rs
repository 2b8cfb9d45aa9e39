//! A state: the set of revisions applied at a moment.

use std::cmp::Ordering;
use std::fmt;

const WORD: usize = u64::BITS as usize;

/// The set of revisions that are applied, by their positions in the history.
///
/// States are ordered so that a state with one more revision on top comes later: on a line, in the
/// order of the line.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct State {
    // Without zero words at the end, so that equal sets are equal values.
    words: Vec<u64>,
}

impl State {
    /// The state in which nothing is applied.
    pub const fn base() -> Self {
        Self { words: Vec::new() }
    }

    /// The state in which the first `count` positions are applied.
    pub fn first(count: usize) -> Self {
        let mut words = vec![u64::MAX; count / WORD];
        if !count.is_multiple_of(WORD) {
            words.push((1 << (count % WORD)) - 1);
        }
        Self { words }
    }

    /// Whether the revision at that position is applied.
    pub fn contains(&self, position: usize) -> bool {
        self.words.get(position / WORD).is_some_and(|word| word & bit(position) != 0)
    }

    /// This state with the revision at that position applied as well.
    #[must_use]
    pub fn with(&self, position: usize) -> Self {
        let mut words = self.words.clone();
        let needed = position / WORD + 1;
        if words.len() < needed {
            words.resize(needed, 0);
        }
        words[position / WORD] |= bit(position);
        Self { words }
    }

    /// This state with the revision at that position not applied.
    #[must_use]
    pub fn without(&self, position: usize) -> Self {
        let mut words = self.words.clone();
        if let Some(word) = words.get_mut(position / WORD) {
            *word &= !bit(position);
        }
        while words.last() == Some(&0) {
            words.pop();
        }
        Self { words }
    }

    /// How many revisions are applied.
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether nothing is applied.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The positions of the revisions that are applied, rising.
    pub fn positions(&self) -> impl Iterator<Item = usize> {
        (0..self.words.len() * WORD).filter(|position| self.contains(*position))
    }
}

fn bit(position: usize) -> u64 {
    1 << (position % WORD)
}

impl FromIterator<usize> for State {
    fn from_iter<I: IntoIterator<Item = usize>>(positions: I) -> Self {
        positions.into_iter().fold(Self::base(), |state, position| state.with(position))
    }
}

impl Ord for State {
    fn cmp(&self, other: &Self) -> Ordering {
        let lengths = self.words.len().cmp(&other.words.len());
        lengths.then_with(|| self.words.iter().rev().cmp(other.words.iter().rev()))
    }
}

impl PartialOrd for State {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.positions()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_state_is_a_set_of_positions(
            steps in proptest::collection::vec((any::<bool>(), 0..200_usize), 0..100),
        ) {
            let mut state = State::base();
            let mut set = BTreeSet::new();
            for (apply, position) in steps {
                if apply {
                    state = state.with(position);
                    set.insert(position);
                } else {
                    state = state.without(position);
                    set.remove(&position);
                }
            }
            prop_assert_eq!(state.positions().collect::<BTreeSet<_>>(), set.clone());
            prop_assert_eq!(state.len(), set.len());
            prop_assert_eq!(state.is_empty(), set.is_empty());
            prop_assert_eq!(state, set.into_iter().collect::<State>());
        }

        #[test]
        fn the_first_positions_rise_with_their_count(count in 0..300_usize) {
            prop_assert_eq!(State::first(count), (0..count).collect::<State>());
            prop_assert!(State::first(count) < State::first(count + 1));
        }
    }
}
