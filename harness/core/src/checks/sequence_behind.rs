//! `sequence-behind`: a row that leaves its key to the database is refused, or gets no key.

use super::{Check, Family, Judge, Judgement, Scope, both_at_head, named, script_of, shortened};
use crate::evidence::{Counted, Evidence, Recording, Step, Walk};
use crate::history::Direction;
use crate::report::{Finding, Severity};
use crate::trials::{Answer, Promise, Trial};

pub(super) static CHECK: Check = Check {
    id: "sequence-behind",
    family: Family::Rows,
    severity: Severity::Error,
    problem: "a row that leaves its key to the database is refused, or gets no key",
    why: "A table that is built anew and filled from the old one starts counting at 1 again unless its sequence is \
          set, and the next insert collides. So after each upgrade that touches a table with rows, a row is \
          inserted that leaves its key to the database, and at head once more among the rows that revisions \
          wrote themselves. At head the same is tried on SQLite where PostgreSQL counts: on SQLite only INTEGER PRIMARY KEY does, BIGINT PRIMARY KEY does not (SQLite manual, \
          \"ROWIDs and the INTEGER PRIMARY KEY\").",
    example: "INSERT INTO invoices_new (id, total) SELECT id, total FROM invoices;",
    mend: "Set the sequence to the largest key after copying the rows, with setval; on SQLite declare the key as \
           INTEGER PRIMARY KEY.",
    walks: &[Walk::Probe, Walk::Trials],
    scope: Scope::Revision,
    judge: Judge::Across(judge),
};

fn judge(evidence: &Evidence, judgement: &mut Judgement) {
    for recording in evidence.recordings() {
        judgement.findings.extend(recording.counted.iter().filter_map(|one| behind(recording, one)));
    }
    let Some((postgres, sqlite)) = both_at_head(&CHECK, evidence, judgement) else { return };
    for (one, other) in postgres.trials.iter().zip(&sqlite.trials) {
        if one.question.promise == Promise::Counting {
            // The other way round, SQLite counts by nature, and the application gives the keys.
            judgement.findings.extend(counts_on_one(sqlite, other, postgres, one));
        }
    }
}

/// What a revision left behind.
fn behind(recording: &Recording, counted: &Counted) -> Option<Finding> {
    let reason = counted.refused.as_ref()?;
    let message = format!(
        "after {}, a row of table {} that leaves \"{}\" to the database gets no new key ({}): {reason}",
        recording.name(&counted.revision),
        counted.table.quoted(),
        counted.column,
        recording.backend
    );
    let mut finding = Finding::new(CHECK.id, message)
        .about(&counted.table)
        .quoting(Some(shortened(&counted.statement)))
        .help("set the sequence behind the key to the largest key, with setval, where the rows are copied");
    let step = Step { direction: Direction::Upgrade, revision: counted.revision.clone() };
    finding.location = script_of(recording, &step);
    finding.revision = Some(counted.revision.clone());
    finding.backend = Some(recording.backend);
    // What is behind when a revision is done is told of that revision.
    Some(if counted.at_head { finding.repeating(CHECK.id, &counted.table) } else { finding })
}

/// A key that only the other backend counts.
fn counts_on_one(recording: &Recording, trial: &Trial, other: &Recording, others: &Trial) -> Option<Finding> {
    let counts = |trial: &Trial| matches!(&trial.answer, Answer::Accepted(rows) if rows.is_empty());
    let how = match &trial.answer {
        Answer::Refused(reason) => format!("is refused: {reason}"),
        Answer::Accepted(rows) if !rows.is_empty() => "gets NULL for it".to_owned(),
        _ => return None,
    };
    if !counts(others) {
        return None;
    }
    let object = &trial.question.object;
    let message = format!(
        "a row that leaves {} to the database {how} ({}), while {} counts",
        named(object),
        recording.backend,
        other.backend
    );
    let mut finding = Finding::new(CHECK.id, message)
        .about(object)
        .quoting(Some(shortened(&recording.statement(trial))))
        .help("declare the key so that both count: INTEGER PRIMARY KEY on SQLite, an identity on PostgreSQL");
    finding.backend = Some(recording.backend);
    finding.revision = recording.latest_change_of(&object.group).cloned();
    Some(finding.repeating("parity-mismatch", object))
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, failed, recording, schema};

    #[test]
    fn what_compares_both_is_said_not_to_have_run() {
        let reached = || recording().up_only(1).trunk([applied("1").seeing(&schema(&["t"]))]);
        check(&CHECK, reached())
            .finds([])
            .not_run("it compares both backends, and postgres was not selected");
        let stopped = recording().up_only(1).trunk([failed("1", "no")]);
        check(&CHECK, reached().beside(stopped)).finds([]).not_run("the history did not reach head");
    }
}
