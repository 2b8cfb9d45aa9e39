//! The reports of all shards as the one that a single run would have made.

use std::collections::BTreeSet;

use super::{Part, Shard, Trips, Unmatched};
use crate::Backend;
use crate::checks;
use crate::evidence::Uncounted;
use crate::judge::{is_known, settle};
use crate::report::{Finding, NotRun, Report};

/// Reports that are not the shards of one run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MergeError {
    /// There are none.
    #[error("there are no reports to merge")]
    Nothing,
    /// One is about a whole run.
    #[error("report {0} is that of a whole run, not of a shard")]
    Whole(usize),
    /// Two of them do not go together.
    #[error(
        "the shards are not of one run: {what} of shard {one} is {of_one}, and that of shard {other} is {of_other}"
    )]
    Differ {
        /// A shard.
        one: String,
        /// Another one.
        other: String,
        /// In what they differ.
        what: &'static str,
        /// What the first has.
        of_one: String,
        /// What the other has.
        of_other: String,
    },
    /// One is there twice.
    #[error("shard {0} is given twice")]
    Twice(Shard),
    /// Some are not there.
    #[error("shard {0} is missing")]
    Missing(String),
}

/// Merges the reports of all shards, in whichever order they are given.
///
/// # Errors
///
/// If they are not all the shards of one run, each of them once.
pub fn merge(reports: Vec<Report>) -> Result<Report, MergeError> {
    let mut parts = Vec::new();
    for (number, mut report) in (1..).zip(reports) {
        let part = report.shard.take().ok_or(MergeError::Whole(number))?;
        let shard = part.shard().ok_or(MergeError::Whole(number))?;
        parts.push((shard, part, report));
    }
    parts.sort_by_key(|(shard, ..)| *shard);
    refuse_others(&parts)?;
    let (findings, not_run) = (findings(&parts), not_run(&parts));
    let seconds = parts.iter().map(|(_, _, report)| report.seconds).fold(0.0, f64::max);
    let unused = unused(&parts, &not_run);
    let blocked: Vec<Backend> = Backend::ALL.into_iter().filter(|one| was_blocked(&parts, *one)).collect();
    let Some((_, part, mut merged)) = parts.pop() else { return Err(MergeError::Nothing) };
    for run in &mut merged.backends {
        let Some(last) = part.backends.get(&run.backend) else { continue };
        let earlier: Vec<&Trips> =
            parts.iter().filter_map(|(_, part, _)| part.backends.get(&run.backend)).collect();
        run.steps += earlier.iter().map(|trips| trips.steps).sum::<usize>();
        // A chain that reaches beyond the shard in which it begins was tried there as a whole.
        let tried = |trips: &Trips| trips.chains.iter().map(|(.., steps)| steps).sum::<usize>();
        run.steps = run.steps.saturating_sub(tried(last));
        let mut reached = 0;
        for (_, end, steps) in earlier.iter().chain([&last]).flat_map(|trips| &trips.chains) {
            run.steps += if *end > reached { *steps } else { 0 };
            reached = reached.max(*end);
        }
        if blocked.contains(&run.backend) {
            run.steps = run.steps.saturating_sub(last.return_steps);
        }
    }
    Ok(Report { findings, not_run, unused_accepts: unused, seconds, ..merged })
}

type Parts = [(Shard, Part, Report)];

/// Refuses what does not make up one run.
fn refuse_others(parts: &Parts) -> Result<(), MergeError> {
    let Some((first, part, report)) = parts.first() else { return Err(MergeError::Nothing) };
    let same = |what, shard: &Shard, of_one: &str, of_other: &str| match of_one == of_other {
        true => Ok(()),
        false => Err(MergeError::Differ {
            one: first.to_string(),
            other: shard.to_string(),
            what,
            of_one: of_one.to_owned(),
            of_other: of_other.to_owned(),
        }),
    };
    for (shard, other, of_other) in &parts[1..] {
        same("the project", shard, &report.project, &of_other.project)?;
        same("the seed", shard, &report.seed.to_string(), &of_other.seed.to_string())?;
        same("the number of shards", shard, &part.of.to_string(), &other.of.to_string())?;
        same("the list of checks", shard, &part.checks.join(", "), &other.checks.join(", "))?;
        for (backend, trips) in &part.backends {
            let Some(others) = other.backends.get(backend) else { continue };
            let ids = |ids: &[crate::history::RevisionId]| {
                let ids: Vec<&str> = ids.iter().map(crate::history::RevisionId::as_str).collect();
                ids.join(", ")
            };
            same("the list of revisions", shard, &ids(&trips.revisions), &ids(&others.revisions))?;
            let version = |report: &Report| {
                let run = report.backends.iter().find(|run| run.backend == *backend);
                format!("{backend} {}", run.map_or("", |run| &run.version))
            };
            same("the database", shard, &version(report), &version(of_other))?;
        }
    }
    for pair in parts.windows(2) {
        if pair[0].0 == pair[1].0 {
            return Err(MergeError::Twice(pair[0].0));
        }
    }
    let given: BTreeSet<usize> = parts.iter().map(|(shard, ..)| shard.index).collect();
    let missing = (1..=part.of).filter(|index| !given.contains(index));
    let missing: Vec<String> = missing.map(|index| format!("{index}/{}", part.of)).collect();
    if missing.is_empty() { Ok(()) } else { Err(MergeError::Missing(missing.join(", "))) }
}

/// Whether a shard before the last one found that there is no clean way down to base, so that a single
/// run would not have gone it.
fn was_blocked(parts: &Parts, backend: Backend) -> bool {
    let earlier = parts.iter().rev().skip(1).filter_map(|(_, part, _)| part.backends.get(&backend));
    earlier.into_iter().any(|trips| trips.blocked.is_some())
}

/// What is found by a shard and by those after it, such as a failure of the trunk, is told once.
fn findings(parts: &Parts) -> Vec<Finding> {
    let mut all: Vec<Finding> = Vec::new();
    let mut echoes: Vec<Finding> = Vec::new();
    for (shard, part, report) in parts {
        let known = all.len();
        let mut of_next = Vec::new();
        for (place, finding) in report.findings.iter().enumerate() {
            let dropped = part.of_return.contains(&place)
                && finding.backend.is_some_and(|backend| was_blocked(parts, backend));
            if dropped || all[..known].contains(finding) {
                continue;
            }
            let mut finding = finding.clone();
            if !shard.is_last() && is_beyond(part, &finding) {
                of_next.push(finding);
                continue;
            }
            // The shard in which a chain begins has seen all of it.
            let without_help = |one: &Finding| Finding { help: None, ..one.clone() };
            if let Some(echo) = echoes.iter().find(|echo| without_help(echo) == without_help(&finding)) {
                finding.help.clone_from(&echo.help);
            }
            let repeats = part.repeats.iter().filter(|(at, ..)| *at == place);
            let known = |(_, check, object): &(usize, String, String)| {
                Some((checks::find(check)?.id, object.clone()))
            };
            finding.repeats = repeats.filter_map(known).collect();
            all.push(finding);
        }
        echoes.extend(of_next);
    }
    settle(&mut all, |backend, id| {
        let trips = parts.iter().find_map(|(_, part, _)| part.backends.get(&backend));
        trips?.revisions.iter().position(|one| one == id)
    });
    all
}

/// Whether a finding is about a revision of a later shard.
fn is_beyond(part: &Part, finding: &Finding) -> bool {
    let trips = finding.backend.and_then(|backend| part.backends.get(&backend));
    let Some((trips, revision)) = trips.zip(finding.revision.as_ref()) else { return false };
    trips.revisions.iter().skip(trips.to).any(|one| one == revision)
}

fn not_run(parts: &Parts) -> Vec<NotRun> {
    let mut all: Vec<NotRun> = parts.iter().flat_map(|(.., report)| report.not_run.clone()).collect();
    let selected = |check: &str| parts.iter().any(|(_, part, _)| part.checks.iter().any(|one| one == check));
    for backend in Backend::ALL {
        let trips = || parts.iter().filter_map(move |(_, part, _)| part.backends.get(&backend));
        if trips().any(|trips| trips.carries) {
            all.retain(|one| one.backend != Some(backend) || !checks::says_none_is_carried(one));
        }
        if selected("sequence-behind") {
            let told = |one: &Uncounted| one.told(backend);
            let own: Vec<NotRun> = trips().flat_map(|trips| &trips.uncounted).filter_map(told).collect();
            all.retain(|one| !own.contains(one));
            let joined = Uncounted::joined(trips().flat_map(|trips| trips.uncounted.clone()));
            all.extend(joined.iter().filter_map(told));
        }
        let last = parts.last().and_then(|(_, part, _)| part.backends.get(&backend));
        let may_return = last.is_some_and(|trips| trips.may_return);
        let blocked = || trips().filter_map(|trips| trips.blocked.as_ref());
        let first = blocked().find(|blocked| blocked.fails).or_else(|| blocked().next());
        if let Some(first) = first.filter(|_| may_return && selected("base-not-empty")) {
            let told = NotRun::check("base-not-empty", backend, &first.reason);
            all.retain(|one| (one.check, one.backend) != (told.check, told.backend));
            all.push(told);
        }
    }
    all.sort();
    all.dedup();
    all
}

/// The entries that no shard needs, and of which it is known that none does.
fn unused(parts: &Parts, not_run: &[NotRun]) -> Vec<crate::report::Location> {
    let Some((_, last, report)) = parts.last() else { return Vec::new() };
    let ran: BTreeSet<Backend> = report.backends.iter().map(|run| run.backend).collect();
    let in_all = |entry: &&Unmatched| parts.iter().all(|(_, part, _)| part.unmatched.contains(entry));
    let known = |entry: &&Unmatched| is_known(&entry.check, entry.backend, &ran, not_run);
    last.unmatched.iter().filter(in_all).filter(known).map(|entry| entry.place.clone()).collect()
}
