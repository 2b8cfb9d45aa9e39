//! The checks: pure functions from evidence to findings.
//!
//! Each check is one file with one static that holds its name, its docs and its function; the two
//! lists below are all that a new one has to join. Reports, `explain`, config and the documentation
//! are derived from the statics.

mod append_only_hole;
mod base_not_empty;
mod behaviour_mismatch;
mod downgrade_fails;
mod downgrade_leaves_trace;
mod escapes_database;
mod invalid_object;
mod meant;
mod metadata_drift;
mod missing_downgrade;
mod parity_mismatch;
mod remedy;
mod rows_changed;
mod rows_lost;
mod sequence_behind;
#[cfg(test)]
mod situations;
#[cfg(test)]
pub(crate) mod testing;
mod together;
mod trace;
mod upgrade_fails;
mod upgrade_not_repeatable;
mod value_not_kept;

pub(crate) use self::base_not_empty::Blocked;
use self::remedy::remedy;
pub(crate) use self::rows_lost::{carries, says_none_is_carried};
use crate::Backend;
use crate::evidence::{Evidence, Recording, Step, Walk};
use crate::history::{Downgrade, Revision};
use crate::report::{Finding, Location, NotRun, Severity};
use crate::rows::{Datum, cut};
use crate::schema::{Kind, Name, ObjectId};

/// Every check, in the order of the documentation.
pub static ALL: &[&Check] = &[
    &upgrade_fails::CHECK,
    &downgrade_fails::CHECK,
    &downgrade_leaves_trace::CHECK,
    &upgrade_not_repeatable::CHECK,
    &base_not_empty::CHECK,
    &missing_downgrade::CHECK,
    &escapes_database::CHECK,
    &metadata_drift::CHECK,
    &parity_mismatch::CHECK,
    &invalid_object::CHECK,
    &rows_lost::CHECK,
    &rows_changed::CHECK,
    &value_not_kept::CHECK,
    &sequence_behind::CHECK,
    &behaviour_mismatch::CHECK,
    &append_only_hole::CHECK,
];

/// The check with this id.
pub fn find(id: &str) -> Option<&'static Check> {
    ALL.iter().copied().find(|check| check.id == id)
}

/// A family of checks, as the documentation groups them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// Up, down and up again.
    RoundTrip,
    /// What the schema is.
    Schema,
    /// What becomes of rows.
    Rows,
    /// Promises that the project makes.
    Promises,
}

impl Family {
    /// The name of the family.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RoundTrip => "round trip",
            Self::Schema => "schema",
            Self::Rows => "rows",
            Self::Promises => "promises",
        }
    }
}

/// What a check needs to have seen before it can judge.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// One revision at a time, by itself.
    Revision,
    /// The whole history, or what is at head.
    History,
}

/// A check: what it is called, what it means and how it judges.
pub struct Check {
    /// Named for the problem.
    pub id: &'static str,
    /// The family it belongs to.
    pub family: Family,
    /// How much its findings matter, unless the project says otherwise.
    pub severity: Severity,
    /// The problem in one sentence.
    pub problem: &'static str,
    /// Why it matters, and what is judged and what isn't.
    pub why: &'static str,
    /// The lines at fault in the check's bad scenario.
    pub example: &'static str,
    /// How to mend it.
    pub mend: &'static str,
    /// The walks whose observations it reads.
    pub walks: &'static [Walk],
    /// What it needs to have seen.
    pub scope: Scope,
    judge: Judge,
}

/// What a check looks at in one go.
enum Judge {
    /// Each backend's recording by itself.
    Alone(fn(&Recording, &mut Judgement)),
    /// The backends beside each other.
    Across(fn(&Evidence, &mut Judgement)),
}

impl Check {
    /// Whether it has something to judge only where both backends ran.
    pub fn needs_both(&self) -> bool {
        matches!(self.judge, Judge::Across(_))
    }

    /// The table that it goes by, if it goes by one: what stands in it, and why.
    pub fn table(&self) -> Vec<(String, &'static str)> {
        if self.id == parity_mismatch::CHECK.id { parity_mismatch::table() } else { Vec::new() }
    }

    /// Judges the evidence.
    pub fn judge(&self, evidence: &Evidence) -> Judgement {
        let mut judgement = Judgement::default();
        match self.judge {
            Judge::Alone(judge) => {
                for recording in evidence.recordings() {
                    let known = judgement.findings.len();
                    judge(recording, &mut judgement);
                    for finding in &mut judgement.findings[known..] {
                        finding.backend.get_or_insert(recording.backend);
                    }
                }
            }
            Judge::Across(judge) => judge(evidence, &mut judgement),
        }
        judgement
    }
}

impl std::fmt::Debug for Check {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Check").field("id", &self.id).finish_non_exhaustive()
    }
}

/// What a check has to say.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judgement {
    /// What does not hold.
    pub findings: Vec<Finding>,
    /// What could not be judged.
    pub not_run: Vec<NotRun>,
}

/// Whether no revision can be taken back, which is then said once: there is nothing to judge about
/// the way down.
fn only_goes_up(check: &Check, recording: &Recording, judgement: &mut Judgement) -> bool {
    let revisions = recording.history.revisions();
    let goes_down =
        |revision: &Revision| matches!(revision.downgrade, Downgrade::Script(_) | Downgrade::Explained(..));
    if revisions.iter().any(goes_down) {
        return false;
    }
    if !revisions.is_empty() {
        let reason = if recording.history.is_up_only() {
            "no revision has a downgrade"
        } else {
            "no revision has a downgrade that is not empty"
        };
        judgement.not_run.push(NotRun::check(check.id, recording.backend, reason));
    }
    true
}

/// Whether the history did not reach head, which is then said: what holds at head only, such as a
/// constraint that the last revision validates, cannot be judged before.
fn stops_short(check: &Check, recording: &Recording, judgement: &mut Judgement) -> bool {
    let stops_short = !recording.reached_head();
    if stops_short {
        let reason = "the history did not reach head";
        judgement.not_run.push(NotRun::check(check.id, recording.backend, reason));
    }
    stops_short
}

/// Both recordings, for a check that holds one against the other; otherwise says why there is
/// nothing to hold.
fn both<'a>(
    check: &Check,
    evidence: &'a Evidence,
    judgement: &mut Judgement,
) -> Option<(&'a Recording, &'a Recording)> {
    let both = evidence.both();
    // Why a backend could not run is told already; that one was not asked for is not.
    let told = |backend: &Backend| {
        evidence.recordings.contains_key(backend)
            || evidence.not_run.iter().any(|one| one.backend == Some(*backend))
    };
    if both.is_none() && !evidence.recordings.is_empty() {
        for backend in Backend::ALL.into_iter().filter(|backend| !told(backend)) {
            let reason = format!("it compares both backends, and {backend} was not selected");
            judgement.not_run.push(NotRun::check(check.id, backend, reason));
        }
    }
    both
}

/// The same for a check that compares them at head.
fn both_at_head<'a>(
    check: &Check,
    evidence: &'a Evidence,
    judgement: &mut Judgement,
) -> Option<(&'a Recording, &'a Recording)> {
    let (postgres, sqlite) = both(check, evidence, judgement)?;
    let stopped = [postgres, sqlite].map(|recording| stops_short(check, recording, judgement));
    (!stopped.contains(&true)).then_some((postgres, sqlite))
}

/// An object as messages call it: `column "email" of table "users"`. An index is known by its own
/// name, which no other index has.
fn named(id: &ObjectId) -> String {
    match id.part {
        Some((kind, _)) if kind != Kind::Index => {
            format!("{} of {} {}", id.described(), id.group_kind, id.group.quoted())
        }
        _ => id.described(),
    }
}

/// A name as SQL takes it.
fn sql_name(name: &Name) -> String {
    let names = name.namespace().into_iter().chain([name.local()]);
    names.map(sql_identifier).collect::<Vec<_>>().join(".")
}

fn sql_identifier(name: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && name.chars().all(plain) {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// The first line of what a step runs, for findings about the script as a whole.
fn script_of(recording: &Recording, step: &Step) -> Option<Location> {
    let revision = recording.history.get(&step.revision)?;
    let script = revision.script(step.direction).unwrap_or(&revision.upgrade);
    Some(Location { file: script.path.clone(), line: script.line_of(0) })
}

/// Whether a value came from the clock while this was recorded, in whichever form.
fn is_of_the_clock(recording: &Recording, value: &Datum) -> bool {
    // A day on either side, whatever the time zone.
    const DAY: i128 = 86_400_000_000;
    let during = |micros: i128| micros.abs_diff(recording.began.into()) < DAY.unsigned_abs();
    match value {
        Datum::Timestamp(micros) => during(i128::from(*micros)),
        Datum::TimestampTz(moment) => during(i128::from(moment.micros)),
        Datum::Date(days) => during(i128::from(*days) * DAY),
        // Seconds, milliseconds or microseconds since 1970.
        Datum::Integer(number) => {
            [1, 1_000, 1_000_000].iter().any(|unit| during(number.saturating_mul(*unit)))
        }
        Datum::Real(seconds) => during((seconds * 1e6) as i128),
        Datum::Text(text) => match Datum::of_timestamp(text) {
            Some(micros) => during(i128::from(micros)),
            None => false,
        },
        _ => false,
    }
}

/// A statement of the recorder's own on one line that fits a screen.
fn shortened(statement: &str) -> String {
    cut(&statement.split_whitespace().collect::<Vec<_>>().join(" "), 160)
}

/// `1 row`, or `3 rows`: a count that reads well in a sentence.
fn counted(count: usize, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}
