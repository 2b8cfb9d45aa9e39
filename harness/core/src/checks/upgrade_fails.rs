//! `upgrade-fails`: an upgrade is refused by a database.

use super::{Check, Family, Judge, Judgement, Scope, remedy};
use crate::evidence::{Observation, Recording, Walk};
use crate::report::{Finding, NotRun, Severity};

pub(super) static CHECK: Check = Check {
    id: "upgrade-fails",
    family: Family::RoundTrip,
    severity: Severity::Error,
    problem: "an upgrade is refused by a database",
    why: "Every revision is applied to an empty database of each backend, one after the other, in the \
          way the project's own tool does it: in one transaction, or in none where the revision says so. \
          After a failure the later revisions of that backend are not run. Each revision is applied a \
          second time to a database that carries rows; an upgrade that fails only there is found, too. If \
          plain rows that fit the schema before the revision as well as the one after it pass, it is a \
          warning that shows the row.",
    example: "CREATE INDEX ix_notes_title ON notes USING btree (title);",
    mend: "Write the statement in a form that the failing backend knows, in that backend's own file.",
    walks: &[Walk::Trunk, Walk::Probe],
    scope: Scope::Revision,
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    for trip in recording.round_trips() {
        for up in trip.ups() {
            let carries = up.rows_before.as_ref().is_some_and(|rows| !rows.tables.is_empty());
            let (circumstance, help) = if up.fails_with_some_rows() {
                (
                    " on a database that carries certain rows",
                    "fill, repair or move such rows first, or say in [rows] values which ones there can be"
                        .to_owned(),
                )
            } else if carries {
                (
                    " on a database that carries rows",
                    "let the statement hold for rows that are there already: fill, repair or move them first"
                        .to_owned(),
                )
            } else {
                (
                    " where earlier revisions were taken back and applied again",
                    "take back in each downgrade what its upgrade wrote, rows included".to_owned(),
                )
            };
            judgement.findings.extend(finding(recording, up, circumstance, help));
        }
    }
    let mut trunk = recording.walk(Walk::Trunk).iter();
    let Some(failed) = trunk.find(|seen| !seen.outcome.is_applied()) else {
        return;
    };
    let help = failed
        .outcome
        .failure()
        .and_then(|failure| remedy(recording, failure))
        .unwrap_or_else(|| format!("change the statement so that {} accepts it", recording.backend));
    judgement.findings.extend(finding(recording, failed, "", help));
    let revisions = recording.history.revisions();
    let position = recording.history.position(&failed.step.revision);
    if let Some(next) = position.and_then(|position| revisions.get(position + 1)) {
        let name = recording.name(&failed.step.revision);
        let reason = format!("the upgrade of {name} fails");
        let not_run = NotRun::backend(recording.backend, reason);
        judgement.not_run.push(not_run.from(&next.id));
    }
}

fn finding(recording: &Recording, seen: &Observation, circumstance: &str, help: String) -> Option<Finding> {
    let failure = seen.failure()?;
    let name = recording.name(&seen.step.revision);
    let message = format!(
        "{} of {name} failed{circumstance} ({}): {}",
        seen.step.direction, recording.backend, failure.message
    );
    Some(
        Finding::new(CHECK.id, message)
            .weighing(if seen.fails_with_some_rows() { Severity::Warning } else { CHECK.severity })
            .at(&seen.step.revision)
            .located(failure.location.clone())
            .quoting(seen.excerpt())
            .help(help),
    )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, failed, recording};
    use crate::evidence::Outcome;
    use crate::report::Severity;

    #[test]
    fn names_the_revision_and_what_is_not_run() {
        let history = recording().trunk([applied("1"), failed("2", "no such function: now")]).revisions(3);
        check(&CHECK, history)
            .finds(["upgrade of 2_two failed (sqlite): no such function: now"])
            .not_run_from("3");
    }

    #[test]
    fn says_when_only_rows_make_it_fail() {
        let history = recording().revisions(1).trunk([applied("1")]).probe([failed(
            "1",
            "NOT NULL constraint failed: users.name",
        )
        .carrying("users", &["1"], &["1"])]);
        check(&CHECK, history).finds([
            "upgrade of 1_one failed on a database that carries rows (sqlite): NOT NULL constraint failed: users.name",
        ]);
    }

    #[test]
    fn warns_where_plain_rows_pass() {
        let failed = failed("1", "value too long").carrying("users", &["1"], &["1"]);
        let history = recording()
            .revisions(1)
            .trunk([applied("1")])
            .probe([failed.retried(Outcome::Applied, "users (id = 1): \"name\" is NULL")]);
        check(&CHECK, history)
            .finds([
                "upgrade of 1_one failed on a database that carries certain rows (sqlite): value too long",
            ])
            .weighs(Severity::Warning)
            .quotes("-- row: users (id = 1): \"name\" is NULL\n");
    }

    #[test]
    fn what_a_program_makes_of_made_up_rows_is_a_warning() {
        let failed = failed("1", "'NoneType' has no attribute").carrying("users", &["1"], &["1"]);
        let again = failed.outcome().clone();
        let history = recording().revisions(1).trunk([applied("1")]).probe([failed.retried(again, "")]);
        check(&CHECK, history)
            .finds([
                "upgrade of 1_one failed on a database that carries certain rows (sqlite): 'NoneType' has no attribute",
            ])
            .weighs(Severity::Warning);
    }

    #[test]
    fn is_silent_when_all_apply() {
        let history = recording().revisions(2).trunk([applied("1"), applied("2")]).probe([applied("1")]);
        check(&CHECK, history).finds([]);
    }
}
