//! `downgrade-fails`: a downgrade is refused by a database.

use super::together::Together;
use super::{Check, Family, Judge, Judgement, Scope, only_goes_up, remedy};
use crate::evidence::{Recording, Walk};
use crate::report::{Finding, Severity};

pub(super) static CHECK: Check = Check {
    id: "downgrade-fails",
    family: Family::RoundTrip,
    severity: Severity::Error,
    problem: "a downgrade is refused by a database",
    why: "Every revision is downgraded right after its upgrade, on a database that carries rows, and once \
          more on the way from head to base; those of a [[history.group]] all together, after the last of their \
          upgrades. A downgrade that fails there fails on the day it is needed. A \
          history of which no revision has a downgrade is not judged.",
    example: "DROP TABLE authors;",
    mend: "Undo the upgrade's statements in the opposite order: children before their parents, what uses an \
           object before the object.",
    walks: &[Walk::Probe, Walk::Return, Walk::Descent],
    scope: Scope::Revision,
    judge: Judge::Alone(judge),
};

const SINGLE: &str = "right after its upgrade";

fn judge(recording: &Recording, judgement: &mut Judgement) {
    if only_goes_up(&CHECK, recording, judgement) {
        return;
    }
    let together = Together::of(recording);
    let mut blamed = Vec::new();
    let single = recording.walk(Walk::Probe).iter().map(|seen| (seen, SINGLE));
    let whole = recording.walk(Walk::Return).iter().map(|seen| (seen, "on the way from head to base"));
    for (seen, when) in single.chain(whole) {
        let (Some(failure), false) = (seen.failure(), seen.step.is_upgrade()) else {
            continue;
        };
        let revision = &seen.step.revision;
        if blamed.contains(&revision) {
            continue;
        }
        blamed.push(revision);
        let name = recording.name(revision);
        let position = recording.history.position(revision).unwrap_or_default();
        let when = match recording.history.group_at(position) {
            Some(group) if when == SINGLE => format!("in group \"{}\"", group.name),
            _ => when.to_owned(),
        };
        let with = if seen.fails_with_some_rows() { " with certain rows" } else { "" };
        let message =
            format!("downgrade of {name} failed {when}{with} ({}): {}", recording.backend, failure.message);
        let help = remedy(recording, failure).unwrap_or_else(|| {
            let help = if seen.fails_with_some_rows() {
                "fill, repair or move such rows first, which the upgraded schema takes, or say in [rows] values \
                 which ones there can be"
            } else {
                "undo the upgrade's statements in the opposite order, and only what this revision made"
            };
            help.to_owned()
        });
        judgement.findings.push(
            Finding::new(CHECK.id, message)
                .weighing(if seen.fails_with_some_rows() { Severity::Warning } else { CHECK.severity })
                .at(revision)
                .located(failure.location.clone())
                .quoting(seen.excerpt())
                .help(together.or_group(help, revision)),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, failed, recording};
    use crate::evidence::Outcome;
    use crate::report::Severity;

    #[test]
    fn names_the_downgrade_once() {
        let history = recording()
            .revisions(1)
            .trunk([applied("1")])
            .probe([applied("1"), failed("-1", "cannot drop table authors"), applied("1")])
            .back([failed("-1", "cannot drop table authors")]);
        check(&CHECK, history)
            .finds(["downgrade of 1_one failed right after its upgrade (sqlite): cannot drop table authors"]);
    }

    #[test]
    fn finds_what_fails_only_on_the_way_to_base() {
        let history = recording()
            .revisions(1)
            .trunk([applied("1")])
            .probe([applied("1"), applied("-1"), applied("1")])
            .back([failed("-1", "in use")]);
        check(&CHECK, history)
            .finds(["downgrade of 1_one failed on the way from head to base (sqlite): in use"]);
    }

    #[test]
    fn the_help_is_for_the_failure() {
        for (message, code, help) in [
            (
                "CREATE INDEX CONCURRENTLY cannot run inside a transaction block",
                "25001",
                "make \"-- no-transaction\" the first line of the file, with the statement in a file of its own",
            ),
            ("near \"index\": syntax error", "1", "change the statement so that sqlite accepts it"),
            (
                "cannot drop table authors",
                "2BP01",
                "undo the upgrade's statements in the opposite order, and only what this revision made",
            ),
        ] {
            let history = recording()
                .revisions(1)
                .trunk([applied("1")])
                .probe([applied("1"), failed("-1", message).coded(code)]);
            check(&CHECK, history).helps(help);
        }
    }

    #[test]
    fn what_fails_with_certain_rows_is_a_warning_about_them() {
        let history = recording().revisions(1).trunk([applied("1")]).probe([
            applied("1"),
            failed("-1", "UNIQUE constraint failed: users.code").retried(Outcome::Applied, "users (id = 1)"),
        ]);
        check(&CHECK, history)
            .finds(["downgrade of 1_one failed right after its upgrade with certain rows (sqlite): \
                 UNIQUE constraint failed: users.code"])
            .weighs(Severity::Warning)
            .helps(
                "fill, repair or move such rows first, which the upgraded schema takes, or say in [rows] values \
                 which ones there can be",
            );
    }

    #[test]
    fn is_not_run_on_a_history_that_only_goes_up() {
        check(&CHECK, recording().up_only(2)).finds([]).not_run("no revision has a downgrade");
    }

    #[test]
    fn names_the_group_and_the_revision_in_it() {
        let history = recording()
            .revisions(3)
            .group("split users", 2, 3)
            .trunk([applied("1"), applied("2"), applied("3")])
            .probe([applied("2"), applied("3"), applied("-3"), failed("-2", "no such table: users")]);
        check(&CHECK, history)
            .finds(["downgrade of 2_two failed in group \"split users\" (sqlite): no such table: users"])
            .blames("2");
    }
}
