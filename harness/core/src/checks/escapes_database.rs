//! `escapes-database`: a revision changes something that its own database does not contain.

use super::{Check, Family, Judge, Judgement, Scope, script_of};
use crate::evidence::{Escape, Recording, Walk};
use crate::report::{Finding, Severity};

pub(super) static CHECK: Check = Check {
    id: "escapes-database",
    family: Family::RoundTrip,
    severity: Severity::Error,
    problem: "a revision changes the whole server, or leaves its transaction open",
    why: "Roles, databases, table spaces and server settings belong to the whole server: two databases on one \
          server cannot both be migrated by such a revision, and no downgrade of one of them can take it back. \
          A transaction that is left open holds its locks, and what it did is lost when the connection ends.",
    example: "CREATE ROLE switchback_scenario_reporting;",
    mend: "Create roles and databases where the server is set up, and name that file in [postgres] setup; commit \
           every transaction that a revision opens.",
    walks: &[Walk::Trunk, Walk::Probe],
    scope: Scope::Revision,
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    let mut told = Vec::new();
    for walk in [Walk::Trunk, Walk::Probe] {
        for seen in recording.walk(walk) {
            for escape in &seen.escapes {
                let revision = &seen.step.revision;
                let told_before = told.contains(&(&seen.step, escape));
                told.push((&seen.step, escape));
                if told_before {
                    continue;
                }
                let name = recording.name(revision);
                let (object, message, help) = match escape {
                    Escape::OpenTransaction => (
                        None,
                        format!(
                            "{} of {name} leaves a transaction open ({})",
                            seen.step.direction, recording.backend
                        ),
                        "end with COMMIT what the file begins, or leave transactions to the tool",
                    ),
                    Escape::Cluster { object, change } => (
                        Some(object),
                        format!(
                            "{} of {name} {change} {object} of the whole server ({})",
                            seen.step.direction, recording.backend
                        ),
                        "do that where the server is set up, and name the file in [postgres] setup",
                    ),
                };
                let mut finding = Finding::new(CHECK.id, message)
                    .at(revision)
                    .located(script_of(recording, &seen.step))
                    .help(help);
                finding.object = object.cloned();
                judgement.findings.push(finding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, recording};
    use crate::evidence::Escape;

    #[test]
    fn names_a_role_once() {
        let role = Escape::Cluster { object: "role \"app\"".to_owned(), change: "created" };
        let history = recording().revisions(1).trunk([applied("1").escaping(role.clone())]).probe([
            applied("1").escaping(role),
            applied("-1"),
            applied("1").escaping(Escape::OpenTransaction),
        ]);
        check(&CHECK, history).finds([
            "upgrade of 1_one created role \"app\" of the whole server (sqlite)",
            "upgrade of 1_one leaves a transaction open (sqlite)",
        ]);
    }
}
