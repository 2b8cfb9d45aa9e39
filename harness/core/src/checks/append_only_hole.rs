//! `append-only-hole`: a table that promises to be append-only lets a row be changed or removed.

use std::collections::BTreeMap;

use super::{Check, Family, Judge, Judgement, quoted, stops_short};
use crate::evidence::{Attempt, AttemptResult, Recording, Walk};
use crate::report::{Finding, NotRun, Severity};
use crate::schema::{Name, Schema};

pub(super) static CHECK: Check = Check {
    id: "append-only-hole",
    family: Family::Promises,
    severity: Severity::Error,
    problem: "a table that promises to be append-only lets a row be changed or removed",
    why: "A table makes the promise when the config names it, or when its triggers refuse UPDATE and DELETE. At \
          head, with rows in it, every column is updated, rows are deleted, replaced and upserted and the table \
          is truncated, each in a transaction that is rolled back, and the rows are compared after each try. \
          Inserting must still work. On SQLite, REPLACE deletes rows without firing delete triggers unless \
          recursive triggers are on (SQLite manual, \"INSERT\", ON CONFLICT clause).",
    example: "BEFORE DELETE ON events",
    mend: "Refuse the way in with a trigger of its own: TRUNCATE needs a statement trigger on PostgreSQL, REPLACE \
           a BEFORE INSERT trigger on SQLite that refuses an existing key.",
    walks: &[Walk::Trunk, Walk::Promises],
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    if recording.attempts.is_empty() || stops_short(&CHECK, recording, judgement) {
        return;
    }
    let mut not_tried: BTreeMap<(&Name, &str), Vec<&str>> = BTreeMap::new();
    for attempt in &recording.attempts {
        if let AttemptResult::NotTried(reason) = &attempt.result {
            let ways = not_tried.entry((&attempt.table, reason)).or_default();
            ways.push(&attempt.way);
        } else if let Some(hole) = hole(attempt) {
            judgement.findings.push(finding(recording, attempt, hole));
        }
    }
    for ((table, reason), ways) in not_tried {
        let were = if ways.len() == 1 { "was" } else { "were" };
        let (ways, table) = (ways.join(", "), quoted(table));
        let reason = format!("{ways} on table {table} {were} not tried: {reason}");
        judgement.not_run.push(NotRun::check(CHECK.id, recording.backend, reason));
    }
}

/// What an attempt showed to be wrong.
struct Hole {
    what: String,
    reason: Option<String>,
    severity: Severity,
    help: String,
}

fn hole(attempt: &Attempt) -> Option<Hole> {
    let (table, way) = (quoted(&attempt.table), &attempt.way);
    let inserts = way == "INSERT";
    let (what, reason, severity, help) = match &attempt.result {
        AttemptResult::NotTried(_) => return None,
        AttemptResult::Refused(_) if !inserts => return None,
        AttemptResult::Changed if inserts => return None,
        AttemptResult::Refused(reason) => (
            format!("table {table} does not take new rows"),
            Some(reason.clone()),
            Severity::Error,
            "let the triggers refuse only what changes rows that are there".to_owned(),
        ),
        AttemptResult::NoEffect if inserts => (
            format!("table {table} does not take new rows: INSERT is ignored without an error"),
            None,
            Severity::Error,
            "let the triggers refuse only what changes rows that are there".to_owned(),
        ),
        AttemptResult::Changed => (
            format!("{way} changes rows of append-only table {table}"),
            None,
            Severity::Error,
            guard(way, &table),
        ),
        AttemptResult::NoEffect => (
            format!("{way} on append-only table {table} is ignored without an error"),
            None,
            Severity::Note,
            "raise an error, so that the application notices that nothing was changed".to_owned(),
        ),
    };
    Some(Hole { what, reason, severity, help })
}

/// The trigger that closes a way in.
fn guard(way: &str, table: &str) -> String {
    if way.starts_with("TRUNCATE") {
        format!("add a trigger BEFORE TRUNCATE on {table}, FOR EACH STATEMENT, that raises an error")
    } else if way.contains("REPLACE") {
        format!("add a trigger BEFORE INSERT on {table} that raises an error when the key is there already")
    } else {
        let event = if way.starts_with("DELETE") { "DELETE" } else { "UPDATE" };
        format!("add a trigger BEFORE {event} on {table}, FOR EACH ROW, that raises an error")
    }
}

fn finding(recording: &Recording, attempt: &Attempt, hole: Hole) -> Finding {
    let reason = hole.reason.map(|reason| format!(": {reason}"));
    let message = format!("{} ({}){}", hole.what, recording.backend, reason.unwrap_or_default());
    let touched = recording.latest_change(|before: &Schema, after: &Schema| {
        before.table(&attempt.table) != after.table(&attempt.table)
    });
    let mut finding = Finding::new(CHECK.id, message)
        .about(&attempt.table)
        .quoting(Some(attempt.statement.clone()))
        .help(hole.help);
    finding.severity = hole.severity;
    finding.revision = touched.cloned();
    finding
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, recording, schema};
    use crate::evidence::AttemptResult::{Changed, NoEffect, NotTried, Refused};

    #[test]
    fn names_each_way_in() {
        let history = recording()
            .revisions(1)
            .trunk([applied("1").seeing(&schema(&["events"]))])
            .attempt("events", "INSERT", Changed)
            .attempt("events", "DELETE", Refused("append-only".to_owned()))
            .attempt("events", "TRUNCATE", Changed)
            .attempt("events", "UPDATE", NoEffect);
        check(&CHECK, history).finds([
            "TRUNCATE changes rows of append-only table \"events\" (sqlite)",
            "UPDATE on append-only table \"events\" is ignored without an error (sqlite)",
        ]);
    }

    #[test]
    fn a_table_that_takes_no_rows_is_a_finding_and_one_that_was_not_tried_is_said() {
        let history = recording()
            .revisions(1)
            .trunk([applied("1").seeing(&schema(&["events"]))])
            .attempt("events", "INSERT", Refused("append-only".to_owned()))
            .attempt("events", "DELETE", NotTried("the table has no rows".to_owned()));
        check(&CHECK, history)
            .finds(["table \"events\" does not take new rows (sqlite): append-only"])
            .not_run("DELETE on table \"events\" was not tried: the table has no rows");
    }
}
