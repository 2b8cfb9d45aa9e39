//! `append-only-hole`: a table that promises to be append-only lets a row be changed or removed.

use std::collections::BTreeMap;

use super::{Check, Family, Judge, Judgement, Scope, stops_short};
use crate::evidence::{Attempt, AttemptResult, Recording, Walk};
use crate::report::{Finding, NotRun, Severity};
use crate::schema::{Name, Schema};

pub(super) static CHECK: Check = Check {
    id: "append-only-hole",
    family: Family::Promises,
    severity: Severity::Error,
    problem: "a table that promises to be append-only lets a row be changed or removed",
    why: "A table makes the promise when the config names it, or when its triggers refuse UPDATE and DELETE. At \
          head, with rows in it, every column is updated, rows are deleted, replaced, merged and upserted and \
          the table is truncated, also through parents, views and partitions, each in a transaction that is \
          rolled back, and the rows are compared after each try. A way that only the owner or a superuser has \
          is a note, and a way that is as open as a plainer one is not told twice. Inserting must still work. \
          On SQLite, REPLACE deletes rows without firing delete triggers unless \
          recursive triggers are on (SQLite manual, \"INSERT\", ON CONFLICT clause).",
    example: "BEFORE DELETE ON events",
    mend: "Refuse the way in with a trigger of its own: TRUNCATE needs a statement trigger on PostgreSQL, REPLACE \
           a BEFORE INSERT trigger on SQLite that refuses an existing key.",
    walks: &[Walk::Trunk, Walk::Promises],
    scope: Scope::History,
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
        } else if let Some(hole) = hole(attempt).filter(|_| !is_told(recording, attempt)) {
            judgement.findings.push(finding(recording, attempt, hole));
        }
    }
    for ((table, reason), ways) in not_tried {
        let were = if ways.len() == 1 { "was" } else { "were" };
        let (ways, table) = (ways.join(", "), table.quoted());
        let reason = format!("{ways} on table {table} {were} not tried: {reason}");
        judgement.not_run.push(NotRun::check(CHECK.id, recording.backend, reason));
    }
}

/// Whether a plainer way of the same table came to the same: an UPDATE through a view tells nothing
/// new where UPDATE itself is open.
fn is_told(recording: &Recording, attempt: &Attempt) -> bool {
    let plain = PLAIN.iter().find(|(ways, _)| ways.iter().any(|way| attempt.way.starts_with(way)));
    let Some((_, plain)) = plain.filter(|_| !is_plain(&attempt.way)) else { return false };
    let same = |one: &Attempt| {
        one.table == attempt.table
            && is_plain(&one.way)
            && one.way.starts_with(plain)
            && std::mem::discriminant(&one.result) == std::mem::discriminant(&attempt.result)
    };
    recording.attempts.iter().any(same)
}

fn is_plain(way: &str) -> bool {
    matches!(way, "UPDATE" | "DELETE" | "TRUNCATE") || way.starts_with("UPDATE of ")
}

/// How ways begin, with the plain statement that each is a form of.
const PLAIN: &[(&[&str], &str)] = &[
    (&["UPDATE", "INSERT … ON CONFLICT DO UPDATE"], "UPDATE"),
    (&["DELETE"], "DELETE"),
    (&["TRUNCATE"], "TRUNCATE"),
];

/// What an attempt showed to be wrong.
struct Hole {
    what: String,
    reason: Option<String>,
    severity: Severity,
    help: String,
}

fn hole(attempt: &Attempt) -> Option<Hole> {
    let (table, way) = (attempt.table.quoted(), &attempt.way);
    let inserts = way == "INSERT";
    let (what, reason, severity, help) = match &attempt.result {
        AttemptResult::NotTried(_) => return None,
        AttemptResult::Refused(_) if !inserts => return None,
        AttemptResult::Changed if inserts => return None,
        // Where no row matches, a trigger for each row has nothing to refuse.
        AttemptResult::NoEffect if way == "UPDATE that matches no row" => return None,
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
            if attempt.owner_only { Severity::Note } else { Severity::Error },
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
    if way.contains("session_replication_role") {
        format!("ALTER TABLE {table} ENABLE ALWAYS TRIGGER lets the guards fire for everybody")
    } else if let Some((_, parent)) = way.split_once(" in parent ") {
        format!("declare the foreign key of {table} to \"{parent}\" without an action, so that it refuses")
    } else if let Some((_, view)) = way.split_once(" through view ") {
        format!("take the trigger that writes to {table} away from view \"{view}\", or let it raise an error")
    } else if let Some((verb, partition)) = way.split_once(" in partition ") {
        format!("add a trigger BEFORE {verb} on \"{partition}\" itself that raises an error")
    } else if way.starts_with("TRUNCATE") {
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
    use super::{CHECK, Severity};
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
    fn a_way_that_is_as_open_as_a_plainer_one_is_told_once() {
        let refused = || Refused("append-only".to_owned());
        let history = recording()
            .revisions(1)
            .trunk([applied("1").seeing(&schema(&["events"]))])
            .attempt("events", "UPDATE", Changed)
            .attempt("events", "UPDATE through view recent", Changed)
            .attempt("events", "UPDATE that matches no row", NoEffect)
            .attempt("events", "INSERT … ON CONFLICT DO UPDATE", Changed)
            .attempt("events", "DELETE", refused())
            .attempt("events", "DELETE in parent streams", Changed)
            .attempt("events", "TRUNCATE", refused())
            .attempt("events", "TRUNCATE in partition events_1", Changed);
        check(&CHECK, history).finds([
            "UPDATE changes rows of append-only table \"events\" (sqlite)",
            "DELETE in parent streams changes rows of append-only table \"events\" (sqlite)",
            "TRUNCATE in partition events_1 changes rows of append-only table \"events\" (sqlite)",
        ]);
    }

    #[test]
    fn a_way_that_only_the_owner_has_is_a_note() {
        let history = recording()
            .revisions(1)
            .trunk([applied("1").seeing(&schema(&["events"]))])
            .attempt("events", "DELETE", Refused("append-only".to_owned()))
            .owners_attempt("events", "DELETE with session_replication_role = replica", Changed);
        let judgement = CHECK.judge(&history.build());
        assert_eq!(judgement.findings[0].severity, Severity::Note);
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
