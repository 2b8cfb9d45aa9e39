//! `upgrade-not-repeatable`: after a clean downgrade, the upgrade fails or builds something else.

use super::{Check, Family, Judge, Judgement, Scope, only_goes_up, script_of, trace};
use crate::evidence::{Observation, Recording, Walk};
use crate::history::{Downgrade, Revision};
use crate::report::{Finding, Severity};

pub(super) static CHECK: Check = Check {
    id: "upgrade-not-repeatable",
    family: Family::RoundTrip,
    severity: Severity::Error,
    problem: "an upgrade that was downgraded cannot be applied again, or builds another schema",
    why: "Judged only where the downgrade left no trace in the schema, so that one defect is reported once: \
          what remains is what a schema does not show, such as rows that the downgrade did not take back. The \
          walk from head to base and back to head is judged in the same way.",
    example: "INSERT INTO settings (name, value) VALUES ('default_theme', 'light');",
    mend: "Take back in the downgrade what the upgrade wrote, or guard the upgrade against finding it there.",
    walks: &[Walk::Trunk, Walk::Probe, Walk::Return],
    scope: Scope::Revision,
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    if only_goes_up(&CHECK, recording, judgement) {
        return;
    }
    let known = judgement.findings.len();
    for trip in recording.round_trips() {
        let clean = trip
            .down()
            .is_some_and(|down| down.outcome.is_applied() && trace::difference(recording, down).is_none());
        // A missing or empty downgrade takes nothing back, and that has a check of its own.
        let undoes = |one: &Revision| !matches!(one.downgrade, Downgrade::Missing | Downgrade::Empty(_));
        if !clean || !trip.revisions.iter().any(undoes) {
            continue;
        }
        let when = match trip.group {
            Some(_) => format!("after the downgrades of {}", trip.name()),
            None => "after its own downgrade".to_owned(),
        };
        let found = trip.agains().iter().find_map(|again| finding(recording, again, &when));
        judgement.findings.extend(found);
    }
    if judgement.findings.len() == known && was_clean(recording) {
        let ups = recording.walk(Walk::Return).iter().filter(|seen| seen.step.is_upgrade());
        let found =
            ups.filter_map(|seen| finding(recording, seen, "on the way back from base to head")).next();
        judgement.findings.extend(found);
    }
}

/// Whether the way down to base left nothing that would explain a failure on the way back up.
fn was_clean(recording: &Recording) -> bool {
    let mut downs = recording.walk(Walk::Return).iter().filter(|seen| !seen.step.is_upgrade());
    downs.all(|seen| seen.outcome.is_applied() && trace::difference(recording, seen).is_none())
}

fn finding(recording: &Recording, seen: &Observation, when: &str) -> Option<Finding> {
    let revision = &seen.step.revision;
    let name = recording.name(revision);
    let finding = match (seen.outcome.failure(), trace::difference(recording, seen)) {
        (Some(failure), _) => {
            let message = format!(
                "upgrade of {name} cannot be repeated {when} ({}): {}",
                recording.backend, failure.message
            );
            Finding::new(CHECK.id, message).located(failure.location.clone()).quoting(failure.excerpt())
        }
        (None, Some(diff)) => {
            let message = format!("upgrade of {name} builds another schema {when} ({})", recording.backend);
            let finding = Finding::new(CHECK.id, message)
                .located(script_of(recording, &seen.step))
                .showing(diff.to_string());
            match diff.roots().next() {
                Some((object, _)) => finding.about(object),
                None => finding,
            }
        }
        (None, None) => return None,
    };
    let help = "take back in the downgrade what the upgrade wrote, rows included, or guard the upgrade \
                against finding it there";
    Some(finding.at(revision).help(help))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, failed, recording, schema};

    #[test]
    fn finds_a_second_upgrade_that_fails() {
        let empty = schema(&[]);
        let history = recording().revisions(1).trunk([applied("1").seeing(&empty)]).probe([
            applied("1").seeing(&empty),
            applied("-1").seeing(&empty),
            failed("1", "UNIQUE constraint failed: settings.name"),
        ]);
        check(&CHECK, history).finds([
            "upgrade of 1_one cannot be repeated after its own downgrade (sqlite): UNIQUE constraint failed: settings.name",
        ]);
    }

    #[test]
    fn finds_a_second_upgrade_that_builds_something_else() {
        let (empty, full, other) = (schema(&[]), schema(&["users"]), schema(&["users", "users.id"]));
        let history = recording().revisions(1).trunk([applied("1").seeing(&full)]).probe([
            applied("1").seeing(&full),
            applied("-1").seeing(&empty),
            applied("1").seeing(&other),
        ]);
        check(&CHECK, history)
            .finds(["upgrade of 1_one builds another schema after its own downgrade (sqlite)"]);
    }

    #[test]
    fn leaves_what_a_trace_explains_to_the_trace() {
        let full = schema(&["users"]);
        let history = recording().revisions(1).trunk([applied("1").seeing(&full)]).probe([
            applied("1").seeing(&full),
            applied("-1").seeing(&full),
            failed("1", "table users already exists"),
        ]);
        check(&CHECK, history).finds([]);
    }

    #[test]
    fn the_revisions_of_a_group_are_repeated_after_all_its_downgrades() {
        let (empty, one, both, odd) = (schema(&[]), schema(&["a"]), schema(&["a", "b"]), schema(&["b"]));
        let history = |again| {
            recording()
                .revisions(2)
                .group("pair", 1, 2)
                .trunk([applied("1").seeing(&one), applied("2").seeing(&both)])
                .probe([
                    applied("1").seeing(&one),
                    applied("2"),
                    applied("-2").seeing(&odd),
                    applied("-1").seeing(&empty),
                    applied("1").seeing(&one),
                    again,
                ])
        };
        check(&CHECK, history(applied("2").seeing(&both))).finds([]);
        check(&CHECK, history(failed("2", "UNIQUE constraint failed: b.id")))
            .finds([
                "upgrade of 2_two cannot be repeated after the downgrades of group \"pair\" (sqlite): UNIQUE constraint failed: b.id",
            ])
            .blames("2");
    }
}
