//! One run shared among several machines: which revisions are whose, and what becomes one report again.

mod merge;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

pub use merge::{MergeError, merge};

use crate::Backend;
use crate::checks::{self, Blocked};
use crate::evidence::{Evidence, Observation, Recording, Uncounted, Walk};
use crate::history::{History, RevisionId};
use crate::report::{Finding, Location};

/// Which of several shards of a run, such as `2/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shard {
    index: usize,
    of: usize,
}

/// Something that does not say which shard is meant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no shard \"{0}\": write which one of how many, from 1/{1} to {1}/{1}")]
pub struct NoShard(String, usize);

impl Shard {
    /// The shard `index` of `of`, counted from 1.
    ///
    /// # Errors
    ///
    /// If there is no such one.
    pub fn new(index: usize, of: usize) -> Result<Self, NoShard> {
        match (1..=of).contains(&index) {
            true => Ok(Self { index, of }),
            false => Err(NoShard(format!("{index}/{of}"), of.max(1))),
        }
    }

    /// Its number, counted from 1.
    pub fn index(self) -> usize {
        self.index
    }

    /// How many there are.
    pub fn of(self) -> usize {
        self.of
    }

    /// Whether it is the last one, which judges what is at head.
    pub fn is_last(self) -> bool {
        self.index == self.of
    }

    /// The positions of the revisions that are this shard's, on each backend. A revision that both have
    /// is in the same shard of both, and a group in one shard alone.
    pub fn trips(self, histories: &BTreeMap<Backend, &History>) -> BTreeMap<Backend, Range<usize>> {
        let Some(longest) = histories.values().rev().max_by_key(|history| history.len()) else {
            return BTreeMap::new();
        };
        let shared = Shared::of(histories);
        let fits = |cut: &usize| {
            let aligned = |history: &&History| {
                let at = shared.place(longest, history, *cut);
                at.is_some_and(|at| at == history.len() || history.stretch(at).start == at)
            };
            histories.values().all(aligned)
        };
        let cut = |shards: usize| {
            let wanted = share(shards, self.of, longest.len());
            (wanted..longest.len()).find(fits).unwrap_or(longest.len())
        };
        let (start, end) = (cut(self.index - 1), cut(self.index));
        let place = |history: &History, cut| shared.place(longest, history, cut).unwrap_or(history.len());
        let range = |history: &History| place(history, start)..place(history, end);
        histories.iter().map(|(backend, history)| (*backend, range(history))).collect()
    }
}

/// How many revisions the first `shards` of them have, so that all take about as long. Each has fewer than
/// the one before it, since it first has to climb to where it begins; and the last one judges head, too.
fn share(shards: usize, of: usize, revisions: usize) -> usize {
    // In round trips of one revision: climbing over it, and its part of what is done at head.
    const CLIMB: f64 = 0.45;
    const HEAD: f64 = 0.3;
    // In the time that all of them take: where the shard after so many others begins.
    let begins = |others: usize| (1.0 - (0..others).fold(1.0, |power, _| power * (1.0 - CLIMB))) / CLIMB;
    if shards == 0 || shards == of {
        return if shards == 0 { 0 } else { revisions };
    }
    let last = begins(of - 1);
    let before_last = ((1.0 + HEAD) * last / (1.0 + (1.0 - CLIMB) * last)).min(0.95);
    (before_last * begins(shards) / last * revisions as f64).round() as usize
}

/// The revisions that all histories have; nothing if they have some, but not in the same order.
struct Shared<'a>(Option<BTreeSet<&'a RevisionId>>);

impl<'a> Shared<'a> {
    fn of(histories: &BTreeMap<Backend, &'a History>) -> Self {
        let ids = |history: &'a History| history.revisions().iter().map(|revision| &revision.id);
        let Some((first, rest)) = histories.values().next().zip(Some(histories.values().skip(1))) else {
            return Self(Some(BTreeSet::new()));
        };
        let in_all = |id: &&RevisionId| rest.clone().all(|history| history.position(id).is_some());
        let shared: BTreeSet<&RevisionId> = ids(first).filter(in_all).collect();
        let order = |history: &'a History| ids(history).filter(|id| shared.contains(id)).collect::<Vec<_>>();
        let same = histories.values().all(|history| order(history) == order(first));
        Self(same.then_some(shared))
    }

    /// How many revisions of a history belong to the first `cut` of the longest one.
    fn place(&self, longest: &History, history: &History, cut: usize) -> Option<usize> {
        if cut == 0 || cut >= longest.len() {
            return Some(if cut == 0 { 0 } else { history.len() });
        }
        let shared = self.0.as_ref()?;
        if shared.is_empty() {
            return Some(cut * history.len() / longest.len());
        }
        let is_later = |id: &RevisionId| longest.position(id).is_some_and(|position| position >= cut);
        let later = |id: &RevisionId| shared.contains(id) && is_later(id);
        if std::ptr::eq(longest, history) {
            return Some(cut);
        }
        let first = history.revisions().iter().position(|revision| later(&revision.id));
        Some(first.unwrap_or(history.len()))
    }
}

impl FromStr for Shard {
    type Err = NoShard;

    fn from_str(text: &str) -> Result<Self, NoShard> {
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok());
        let parts = text.split_once('/');
        let of = parts.and_then(|(_, of)| number(of)?);
        let index = parts.and_then(|(index, _)| number(index)?);
        let shard = index.zip(of).and_then(|(index, of)| Self::new(index, of).ok());
        shard.ok_or_else(|| NoShard(text.to_owned(), of.filter(|of| *of > 0).unwrap_or(3)))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// What the reports of the other shards need to know of one, beside what it found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Which shard it is, counted from 1.
    pub index: usize,
    /// How many shards there are.
    pub of: usize,
    /// The checks that run.
    pub checks: Vec<String>,
    /// What is known of each backend that ran.
    pub backends: BTreeMap<Backend, Trips>,
    /// The entries of `[[accept]]` that no finding of this shard needs.
    pub unmatched: Vec<Unmatched>,
    /// Which findings, by their place, tell the same as one of that check about that object.
    pub repeats: Vec<(usize, String, String)>,
    /// Which findings, by their place, only count if every single downgrade came back clean.
    pub of_return: Vec<usize>,
}

/// What is known of one backend's round trips.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trips {
    /// The whole history.
    pub revisions: Vec<RevisionId>,
    /// How many revisions come before this shard's.
    pub from: usize,
    /// How many come before those of the next shard.
    pub to: usize,
    /// How many steps the round trips took.
    pub steps: usize,
    /// The revisions that did not come back clean side by side: from which position to before which, and
    /// how many steps it took to try them together.
    pub chains: Vec<(usize, usize, usize)>,
    /// How many the walk from head to base and back took.
    pub return_steps: usize,
    /// Whether any of them met rows.
    pub carries: bool,
    /// The tables in which no row that leaves its key to the database could be tried.
    pub uncounted: Vec<Uncounted>,
    /// What stands in the way from head to base.
    pub blocked: Option<Blocked>,
    /// Whether that way was to be gone, as far as this shard can know.
    pub may_return: bool,
}

/// An entry of `[[accept]]` that no finding of a shard needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unmatched {
    /// The check that it is about.
    pub check: String,
    /// The backend, if it names one.
    pub backend: Option<Backend>,
    /// Where it stands.
    pub place: Location,
}

impl Part {
    /// What the others need to know of the evidence that a shard recorded, and of what it found.
    pub fn of(shard: Shard, checks: Vec<String>, evidence: &Evidence, findings: &[Finding]) -> Self {
        let repeats = findings.iter().enumerate().flat_map(|(place, finding)| {
            let owned = move |(check, object): &(&str, String)| (place, (*check).to_owned(), object.clone());
            finding.repeats.iter().map(owned)
        });
        Self {
            index: shard.index,
            of: shard.of,
            checks,
            backends: evidence.recordings().map(|one| (one.backend, Trips::of(one))).collect(),
            unmatched: Vec::new(),
            repeats: repeats.collect(),
            of_return: Vec::new(),
        }
    }

    /// Which shard it is.
    pub fn shard(&self) -> Option<Shard> {
        Shard::new(self.index, self.of).ok()
    }
}

impl Trips {
    fn of(recording: &Recording) -> Self {
        let history = &recording.history;
        let goes_down = |position| history.goes_down(position, recording.backend);
        let within = |walk, range: &Range<usize>| {
            let position = |seen: &&Observation| history.position(&seen.step.revision);
            let is_within = |seen: &&Observation| position(seen).is_some_and(|one| range.contains(&one));
            recording.walk(walk).iter().filter(is_within).count()
        };
        let chains = recording.chains().into_iter();
        let chains = chains.map(|chain| (chain.start, chain.end, within(Walk::Descent, &chain)));
        Self {
            revisions: history.revisions().iter().map(|revision| revision.id.clone()).collect(),
            from: recording.trips.start,
            to: recording.trips.end,
            steps: within(Walk::Probe, &recording.trips),
            chains: chains.collect(),
            return_steps: recording.walk(Walk::Return).len(),
            carries: checks::carries(recording),
            uncounted: recording.uncounted.clone(),
            blocked: Blocked::by(recording, recording.walk(Walk::Probe).iter()),
            may_return: recording.reached_head() && (0..history.len()).all(goes_down),
        }
    }
}

#[cfg(test)]
mod tests;
