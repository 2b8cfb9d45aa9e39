//! A sorted map whose copies share all that has not changed since.
//!
//! The entries are in runs. A copy holds the same runs, a change copies the one that it is in, and
//! comparing two maps steps over the runs that they share. So what a map costs beside its
//! neighbour, in memory and in time, follows what has changed between them.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

/// A run that grows beyond this becomes two.
const LONGEST: usize = 32;

/// A sorted map whose copies share all that has not changed since.
#[derive(Clone)]
pub struct SharedMap<K, V> {
    /// Sorted, as are the entries of each; none is empty.
    runs: Vec<Arc<Vec<(K, V)>>>,
}

/// An entry of one map or both: the key with the value in the one and in the other.
pub type Difference<'a, K, V> = (&'a K, Option<&'a V>, Option<&'a V>);

impl<K: Ord + Clone, V: Clone> SharedMap<K, V> {
    /// Whether it holds nothing.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// All entries, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.runs.iter().flat_map(|run| run.iter()).map(|(key, value)| (key, value))
    }

    /// The value under a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.find(|one| one.cmp(key))
    }

    /// The value under the key that compares as equal, for who has no key to hand.
    pub fn find(&self, compare: impl Fn(&K) -> Ordering) -> Option<&V> {
        let (run, place) = self.place(compare);
        self.runs.get(run)?.get(place.ok()?).map(|(_, value)| value)
    }

    /// The keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.iter().map(|(key, _)| key)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.iter().map(|(_, value)| value)
    }

    /// Whether there is something under a key.
    pub fn contains_key(&self, key: &K) -> bool {
        self.get(key).is_some()
    }

    /// The value under a key, for changing it.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let (run, place) = self.place(|one| one.cmp(key));
        let place = place.ok()?;
        Some(&mut Arc::make_mut(self.runs.get_mut(run)?)[place].1)
    }

    /// Puts a value under a key, instead of another that may be there.
    pub fn insert(&mut self, key: K, value: V) {
        let (at, place) = self.place(|one| one.cmp(&key));
        let Some(run) = self.runs.get_mut(at) else {
            self.runs.push(Arc::new(vec![(key, value)]));
            return;
        };
        let entries = Arc::make_mut(run);
        match place {
            Ok(place) => entries[place].1 = value,
            Err(place) => entries.insert(place, (key, value)),
        }
        if entries.len() > LONGEST {
            let rest = entries.split_off(LONGEST / 2);
            self.runs.insert(at + 1, Arc::new(rest));
        }
    }

    /// Takes out what is under a key.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let (at, place) = self.place(|one| one.cmp(key));
        let entries = Arc::make_mut(self.runs.get_mut(at).filter(|_| place.is_ok())?);
        let (_, value) = entries.remove(place.ok()?);
        if entries.is_empty() {
            self.runs.remove(at);
        }
        Some(value)
    }

    /// The run that holds the key or is to hold it, and where in it.
    fn place(&self, compare: impl Fn(&K) -> Ordering) -> (usize, Result<usize, usize>) {
        let after =
            self.runs.partition_point(|run| run.first().is_some_and(|(first, _)| compare(first).is_le()));
        let at = after.saturating_sub(1);
        let entries = self.runs.get(at).map(|run| run.as_slice()).unwrap_or_default();
        (at, entries.binary_search_by(|(one, _)| compare(one)))
    }

    /// The entries that are not the same in both maps, sorted, but for what they share.
    pub fn differences<'a>(&'a self, other: &'a Self) -> Differences<'a, K, V> {
        Differences { one: Cursor::at(&self.runs), other: Cursor::at(&other.runs) }
    }
}

impl<K, V> Default for SharedMap<K, V> {
    fn default() -> Self {
        Self { runs: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Clone> FromIterator<(K, V)> for SharedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K: Ord + Clone, V: Clone + Eq> PartialEq for SharedMap<K, V> {
    fn eq(&self, other: &Self) -> bool {
        self.differences(other).next().is_none()
    }
}

impl<K: Ord + Clone, V: Clone + Eq> Eq for SharedMap<K, V> {}

impl<K: Ord + Clone + fmt::Debug, V: Clone + fmt::Debug> fmt::Debug for SharedMap<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

/// The differences of two maps, found by stepping through both at once.
pub struct Differences<'a, K, V> {
    one: Cursor<'a, K, V>,
    other: Cursor<'a, K, V>,
}

impl<'a, K: Ord, V: Eq> Iterator for Differences<'a, K, V> {
    type Item = Difference<'a, K, V>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let (Some(one), Some(other)) = (self.one.whole_run(), self.other.whole_run())
                && Arc::ptr_eq(one, other)
            {
                self.one.step_over();
                self.other.step_over();
                continue;
            }
            let order = match (self.one.entry(), self.other.entry()) {
                (None, None) => return None,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some((one, _)), Some((other, _))) => one.cmp(other),
            };
            let before = if order.is_le() { self.one.step() } else { None };
            let after = if order.is_ge() { self.other.step() } else { None };
            match (before, after) {
                (Some((_, before)), Some((_, after))) if before == after => {}
                (Some((key, before)), after) => {
                    return Some((key, Some(before), after.map(|(_, after)| after)));
                }
                (None, after) => return after.map(|(key, after)| (key, None, Some(after))),
            }
        }
    }
}

/// A place in a map.
struct Cursor<'a, K, V> {
    runs: &'a [Arc<Vec<(K, V)>>],
    place: usize,
}

impl<'a, K, V> Cursor<'a, K, V> {
    fn at(runs: &'a [Arc<Vec<(K, V)>>]) -> Self {
        Self { runs, place: 0 }
    }

    /// The run that begins here.
    fn whole_run(&self) -> Option<&'a Arc<Vec<(K, V)>>> {
        self.runs.first().filter(|_| self.place == 0)
    }

    fn step_over(&mut self) {
        self.runs = &self.runs[1..];
        self.place = 0;
    }

    fn entry(&self) -> Option<&'a (K, V)> {
        self.runs.first()?.get(self.place)
    }

    fn step(&mut self) -> Option<&'a (K, V)> {
        let entry = self.entry()?;
        self.place += 1;
        if self.place == self.runs.first()?.len() {
            self.step_over();
        }
        Some(entry)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Steps = Vec<(u8, Option<u8>)>;

    /// The same steps on a shared map and on one of the standard library.
    fn taken(steps: &Steps, map: &mut SharedMap<u8, u8>, model: &mut BTreeMap<u8, u8>) {
        for (key, value) in steps {
            match value {
                Some(value) => {
                    map.insert(*key, *value);
                    model.insert(*key, *value);
                }
                None => assert_eq!(map.remove(key), model.remove(key)),
            }
        }
    }

    proptest! {
        #[test]
        fn a_map_and_its_copy_hold_what_was_put_into_each(
            before: Steps,
            steps: Steps,
            others: Steps,
            changed: u8,
        ) {
            let (mut map, mut model) = (SharedMap::default(), BTreeMap::new());
            taken(&before, &mut map, &mut model);
            let (mut copy, mut copied) = (map.clone(), model.clone());
            taken(&steps, &mut map, &mut model);
            taken(&others, &mut copy, &mut copied);
            if let Some(value) = copy.get_mut(&changed) {
                *value ^= 1;
            }
            if let Some(value) = copied.get_mut(&changed) {
                *value ^= 1;
            }
            prop_assert!(map.iter().eq(&model));
            prop_assert!(copy.iter().eq(&copied));
            prop_assert_eq!(map.is_empty(), model.is_empty());
            prop_assert_eq!(map == copy, model == copied);

            let keys = 0..=u8::MAX;
            let of_models: Vec<_> = keys
                .filter(|key| model.get(key) != copied.get(key))
                .map(|key| (key, model.get(&key), copied.get(&key)))
                .collect();
            let of_maps: Vec<_> = map.differences(&copy).map(|(key, one, other)| (*key, one, other)).collect();
            prop_assert_eq!(of_maps, of_models);
            for key in 0..=u8::MAX {
                prop_assert_eq!(map.get(&key), model.get(&key));
            }
        }
    }
}
