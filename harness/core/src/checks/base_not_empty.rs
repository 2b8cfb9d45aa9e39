//! `base-not-empty`: after downgrading from head to base, something is left.

use serde::{Deserialize, Serialize};

use super::{Check, Family, Judge, Judgement, Scope, only_goes_up, trace};
use crate::evidence::{Observation, Recording, Walk};
use crate::history::Downgrade;
use crate::report::{Finding, NotRun, Severity};
use crate::schema::ObjectId;

pub(super) static CHECK: Check = Check {
    id: "base-not-empty",
    family: Family::RoundTrip,
    severity: Severity::Error,
    problem: "after all downgrades, from head to base, the database is not what it was before the first upgrade",
    why: "Downgrades that are clean one by one can still leave something when they run one after the other. \
          What a single downgrade is already known to leave behind is not reported again. A history with a \
          missing, empty or failing downgrade has no way down to base, and is not judged.",
    example: "IF NOT EXISTS (SELECT 1 FROM settings WHERE name = 'installation_id') THEN",
    mend: "Let each downgrade undo what its own upgrade did, whatever later revisions do in between.",
    walks: &[Walk::Trunk, Walk::Probe, Walk::Return],
    scope: Scope::History,
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    let base = recording.history.base_state();
    let steps = recording.walk(Walk::Return);
    let Some(at_base) = steps.iter().find(|seen| seen.outcome.is_applied() && seen.state == base) else {
        if !only_goes_up(&CHECK, recording, judgement) {
            let reason = why_not(recording);
            judgement.not_run.push(NotRun::check(CHECK.id, recording.backend, reason));
        }
        return;
    };
    let Some(diff) = trace::difference(recording, at_base) else {
        return;
    };
    let known: Vec<ObjectId> = recording
        .round_trips()
        .flat_map(|trip| trace::of_round_trip(recording, &trip))
        .map(|found| found.object)
        .collect();
    for found in trace::traces(&diff) {
        if is_known(&known, &found.object) {
            continue;
        }
        let message = format!(
            "the downgrades from head to base {} ({})",
            found.told("leave", "do not"),
            recording.backend
        );
        let touched = recording.latest_change(|before, after| {
            before.diff(after).observable().any(|(id, _)| *id == found.object)
        });
        let mut finding = Finding::new(CHECK.id, message)
            .about(&found.object)
            .showing(found.diff.to_string())
            .help("let the downgrade of the revision that made it undo it in every state that it can be in");
        finding.revision = touched.cloned();
        judgement.findings.push(finding);
    }
}

/// Whether a single downgrade has left the object, or what it is part of, already.
fn is_known(known: &[ObjectId], object: &ObjectId) -> bool {
    known.iter().any(|one| one.group_kind == object.group_kind && one.group == object.group)
}

/// Why the walk from head to base did not get there.
fn why_not(recording: &Recording) -> String {
    if !recording.reached_head() {
        return "the history did not reach head".to_owned();
    }
    let mut revisions = recording.history.revisions().iter().enumerate().rev();
    let goes_down = |position: usize| recording.history.goes_down(position, recording.backend);
    if let Some((_, gap)) = revisions.find(|(position, _)| !goes_down(*position)) {
        let has = if gap.downgrade == Downgrade::Missing { "has no" } else { "has an empty" };
        return format!("there is no way down to base: {} {has} downgrade", gap.name);
    }
    let steps = recording.walk(Walk::Return).iter().chain(recording.walk(Walk::Probe));
    match Blocked::by(recording, steps) {
        Some(blocked) => blocked.reason,
        None if escaped(recording) => {
            "a revision changes the whole server, which it cannot do a second time".to_owned()
        }
        None => "the walk from head to base was not taken".to_owned(),
    }
}

/// Why there is no clean way down to base.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocked {
    /// Whether a step fails; otherwise one leaves something else than it should.
    pub fails: bool,
    /// Which step it is, in a sentence.
    pub reason: String,
}

impl Blocked {
    /// The first step that fails, or failing that the first that leaves a trace.
    pub(crate) fn by<'a>(
        recording: &Recording,
        steps: impl Iterator<Item = &'a Observation> + Clone,
    ) -> Option<Self> {
        let steps = steps.filter(|seen| !recording.is_within_group(seen));
        let failed = |seen: &&Observation| !seen.outcome.is_applied();
        let trace = |seen: &&Observation| trace::difference(recording, seen).is_some();
        let told = |seen: &Observation, fails, does: &str| {
            let (direction, name) = (seen.step.direction, recording.name(&seen.step.revision));
            let reason = format!("there is no clean way down to base: the {direction} of {name} {does}");
            Self { fails, reason }
        };
        let first = steps.clone().find(failed).map(|seen| told(seen, true, "fails"));
        first.or_else(|| {
            steps.clone().find(trace).map(|seen| told(seen, false, "leaves another schema than it should"))
        })
    }
}

/// Whether an upgrade did something outside its own database.
fn escaped(recording: &Recording) -> bool {
    recording.walk(Walk::Trunk).iter().any(|seen| !seen.escapes.is_empty())
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, failed, recording, schema};

    #[test]
    fn finds_what_only_the_long_way_down_leaves() {
        let (empty, full) = (schema(&[]), schema(&["memos"]));
        let history = recording()
            .revisions(1)
            .trunk([applied("1").seeing(&full)])
            .probe([applied("1").seeing(&full), applied("-1").seeing(&empty), applied("1").seeing(&full)])
            .back([applied("-1").seeing(&full)]);
        check(&CHECK, history)
            .finds(["the downgrades from head to base leave table \"memos\" behind (sqlite)"]);
    }

    #[test]
    fn does_not_repeat_a_known_trace() {
        let full = schema(&["memos"]);
        let history = recording()
            .revisions(1)
            .trunk([applied("1").seeing(&full)])
            .probe([applied("1").seeing(&full), applied("-1").seeing(&full)])
            .back([applied("-1").seeing(&full)]);
        check(&CHECK, history).finds([]);
    }

    #[test]
    fn is_not_run_when_there_is_no_way_down() {
        let history = recording().revisions(1).trunk([applied("1")]).back([failed("-1", "in use")]);
        check(&CHECK, history)
            .finds([])
            .not_run("there is no clean way down to base: the downgrade of 1_one fails");
    }

    #[test]
    fn a_group_with_an_empty_downgrade_leads_down() {
        let (empty, full) = (schema(&[]), schema(&["memos"]));
        let history = recording()
            .downgrades([Some("DROP TABLE memos;"), Some("")])
            .group("pair", 1, 2)
            .trunk([applied("1").seeing(&full), applied("2").seeing(&full)])
            .back([applied("-2"), applied("-1").seeing(&empty)]);
        check(&CHECK, history).finds([]);
    }
}
