//! `missing-downgrade`: a revision cannot be taken back, while others can.

use super::together::Together;
use super::{Check, Family, Judge, Judgement, Scope, counted, named, only_goes_up, trace};
use crate::evidence::{Recording, RoundTrip, Walk};
use crate::history::{Downgrade, Revision};
use crate::report::{Finding, Location, Severity};
use crate::sql;

pub(super) static CHECK: Check = Check {
    id: "missing-downgrade",
    family: Family::RoundTrip,
    severity: Severity::Warning,
    problem: "a revision has no downgrade, or an empty one, while others of the history have one",
    why: "An empty downgrade takes the revision off the tool's list and leaves the database as it is, so the \
          next upgrade fails or does its work twice. A downgrade that holds nothing but a comment saying why \
          is an explained one and not found here. A history whose downgrades are all missing or empty only \
          goes up on purpose: that is said once, and nothing is found.",
    example: "20250102000000_index_notes_by_title.up.sql",
    mend: "Write the downgrade, or a comment in its file that says why there is none.",
    walks: &[Walk::Probe],
    scope: Scope::Revision,
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    if only_goes_up(&CHECK, recording, judgement) {
        return;
    }
    let trips: Vec<RoundTrip<'_>> = recording.round_trips().collect();
    let together = Together::of(recording);
    for position in recording.covered() {
        let revision = &recording.history.revisions()[position];
        // In a group, the others may take back what it does.
        if recording.history.group_at(position).is_some()
            && recording.history.goes_down(position, recording.backend)
        {
            continue;
        }
        let trip = trips.iter().find(|trip| trip.revisions.iter().any(|one| one.id == revision.id));
        judgement.findings.extend(finding(recording, revision, trip, &together));
    }
}

fn finding(
    recording: &Recording,
    revision: &Revision,
    trip: Option<&RoundTrip<'_>>,
    together: &Together<'_>,
) -> Option<Finding> {
    let (adjective, script) = match &revision.downgrade {
        // An upgrade that does nothing, as placeholders for the other backend do, has nothing to take back.
        _ if sql::is_blank(&revision.upgrade.text, recording.backend) => return None,
        Downgrade::Missing => ("no", &revision.upgrade),
        Downgrade::Empty(script) => ("an empty", script),
        Downgrade::Explained(..) | Downgrade::Script(_) => return None,
    };
    let traces = trip.map(|trip| trace::of_round_trip(recording, trip)).unwrap_or_default();
    let kept = match traces.as_slice() {
        [] => String::new(),
        [one] => format!(": it leaves {} as the upgrade made it", named(&one.object)),
        many => format!(": it leaves {} as the upgrade made them", counted(many.len(), "object", "objects")),
    };
    let message = format!("{} has {adjective} downgrade{kept} ({})", revision.name, recording.backend);
    let diff: String = traces.iter().map(|found| found.diff.to_string()).collect();
    let help = "write the downgrade, or a comment in its file that says why the revision is not taken back";
    Some(
        Finding::new(CHECK.id, message)
            .at(&revision.id)
            .located(Some(Location { file: script.path.clone(), line: script.line_of(0) }))
            .showing(diff)
            .help(together.or_group(help.to_owned(), &revision.id)),
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{check, recording};

    #[test]
    fn finds_missing_and_empty_downgrades_among_others() {
        check(
            &CHECK,
            recording().downgrades([Some("DROP TABLE a;"), None, Some(""), Some("-- kept: audit data")]),
        )
        .finds(["2_two has no downgrade (sqlite)", "3_three has an empty downgrade (sqlite)"]);
    }

    #[test]
    fn says_once_that_a_history_only_goes_up() {
        check(&CHECK, recording().up_only(3)).finds([]).not_run("no revision has a downgrade");
    }

    #[test]
    fn in_a_group_one_may_take_back_what_another_did() {
        let history = |downgrades| recording().downgrades(downgrades).group("pair", 1, 2);
        check(&CHECK, history([Some("DROP TABLE a; DROP TABLE b;"), Some("")])).finds([]);
        check(&CHECK, history([Some("DROP TABLE a;"), None])).finds(["2_two has no downgrade (sqlite)"]);
    }
}
