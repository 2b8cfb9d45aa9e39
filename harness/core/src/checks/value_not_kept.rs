//! `value-not-kept`: what is read back is not what was written.

use std::collections::BTreeMap;

use super::{Check, Family, Judge, Judgement, counted, quoted};
use crate::evidence::{Recording, Walk};
use crate::family::{ColumnType, Family as Types};
use crate::report::{Finding, Severity};
use crate::rows::Datum;
use crate::schema::{Kind, Name, ObjectId};
use crate::trials::{Action, Answer, Dialect, Promise, Trial};

pub(super) static CHECK: Check = Check {
    id: "value-not-kept",
    family: Family::Rows,
    severity: Severity::Error,
    problem: "what is read back is not what was written",
    why: "At head, rows with unusual values are written into each table and read back: long and empty texts, every \
          plane of Unicode, large numbers, decimals at full precision, moments with an offset, JSON with big \
          numbers. The values fit the types of both backends, so both must keep them. The usual culprit is a type \
          that SQLite does not know: STRING has numeric affinity, and turns '01067' into 1067 (SQLite manual, \
          \"Datatypes In SQLite\", 3.1). Decimals with more than 15 digits, which SQLite keeps as floating point \
          numbers, are a warning.",
    example: "amount NUMERIC(38, 10) NOT NULL",
    mend: "Declare the column with a type that keeps the value on both, such as TEXT.",
    walks: &[Walk::Trunk, Walk::Trials],
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    let mut lost: BTreeMap<(&Name, &str), Vec<Lost<'_>>> = BTreeMap::new();
    for trial in recording.trials.iter().filter(|trial| trial.question.promise == Promise::Kept) {
        for one in losses(recording, trial) {
            lost.entry((&trial.question.object.group, one.column)).or_default().push(one);
        }
    }
    for ((table, column), lost) in lost {
        judgement.findings.push(finding(recording, table, column, &lost));
    }
}

/// A value that was not kept.
struct Lost<'a> {
    column: &'a str,
    column_type: ColumnType,
    written: &'a Datum,
    read: Option<&'a str>,
}

fn losses<'a>(recording: &'a Recording, trial: &'a Trial) -> Vec<Lost<'a>> {
    let (Action::Insert { table, row }, Some(reading)) = (&trial.question.action, &trial.question.reading)
    else {
        return Vec::new();
    };
    let Answer::Accepted(rows) = &trial.answer else { return Vec::new() };
    // A row that cannot be found by its key again has lost the key, which the next column tells of.
    let [cells] = rows.as_slice() else { return Vec::new() };
    let dialect = Dialect { backend: recording.backend, schema: recording.head() };
    let read = reading.columns.iter().zip(cells).filter_map(|(column, cell)| {
        // What only one backend has a type for has no form that the other keeps.
        let written = row.get(column).filter(|value| !matches!(value, Datum::Verbatim(_)))?;
        let column_type = dialect.column(table, column);
        let kept = Datum::read(recording.backend, &column_type, cell.as_deref()).same(written);
        let lost = Lost { column, column_type, written, read: cell.as_deref() };
        (!kept).then_some(lost)
    });
    read.collect()
}

fn finding(recording: &Recording, table: &Name, column: &str, lost: &[Lost<'_>]) -> Finding {
    let backend = recording.backend;
    let first = &lost[0];
    let message =
        format!("column \"{column}\" of table {} does not keep what is written ({backend})", quoted(table));
    let line = |one: &Lost<'_>| {
        format!(
            "written {}, read {}\n",
            shown(&one.written.literal(backend, &one.column_type)),
            shown(one.read.unwrap_or("NULL"))
        )
    };
    let mut excerpt: String = lost.iter().take(3).map(line).collect();
    if lost.len() > 3 {
        excerpt.push_str(&format!("and {} more\n", counted(lost.len() - 3, "value", "values")));
    }
    let is_exact =
        |one: &Lost<'_>| matches!(one.written, Datum::Decimal(_)) && one.column_type.family == Types::Decimal;
    let object = ObjectId::part(Kind::Table, table.clone(), Kind::Column, column);
    let touched = recording.latest_change(|before, after| {
        let of = |schema: &crate::schema::Schema| {
            schema.table(table).and_then(|group| group.part(Kind::Column, column).cloned())
        };
        of(before) != of(after)
    });
    let mut finding = Finding::new(CHECK.id, message).about(&object).quoting(Some(excerpt));
    finding = if lost.iter().all(is_exact) {
        finding.help("keep the number as a TEXT, or as a whole number of the smallest unit")
    } else {
        finding.help(format!(
            "declare the column with a type that keeps the value; it is {} now",
            spelled(first)
        ))
    };
    if lost.iter().all(is_exact) {
        finding.severity = Severity::Warning;
    }
    finding.revision = touched.cloned();
    finding.repeating("parity-mismatch", object)
}

fn spelled(lost: &Lost<'_>) -> String {
    match lost.column_type.spelled.as_str() {
        "" => "without a type".to_owned(),
        spelled => spelled.to_owned(),
    }
}

fn shown(text: &str) -> String {
    let short: String = text.chars().take(60).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}
