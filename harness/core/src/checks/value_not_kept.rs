//! `value-not-kept`: what is read back is not what was written.

use std::collections::{BTreeMap, BTreeSet};

use super::meant::{assigned, triggers};
use super::{Check, Family, Judge, Judgement, Scope, counted};
use crate::evidence::{Recording, Walk};
use crate::family::{ColumnType, Family as Types};
use crate::report::{Finding, NotRun, Severity};
use crate::rows::{Datum, cut};
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
          numbers, are a warning. Columns that a trigger gives values of its own are left out.",
    example: "amount NUMERIC(38, 10) NOT NULL",
    mend: "Declare the column with a type that keeps the value on both, such as TEXT.",
    walks: &[Walk::Trunk, Walk::Trials],
    scope: Scope::History,
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    let mut lost: BTreeMap<(&Name, &str), Vec<Lost<'_>>> = BTreeMap::new();
    let mut missed: BTreeMap<&Name, Vec<&Trial>> = BTreeMap::new();
    let mut unread: BTreeMap<&Name, Vec<&str>> = BTreeMap::new();
    for trial in recording.trials.iter().filter(|trial| trial.question.promise == Promise::Kept) {
        let table = &trial.question.object.group;
        match &trial.answer {
            Answer::Accepted(rows) => match rows.as_slice() {
                [] => missed.entry(table).or_default().push(trial),
                [cells] => {
                    for one in losses(recording, trial, cells) {
                        lost.entry((table, one.column)).or_default().push(one);
                    }
                }
                _ => unread.entry(table).or_default().push("more rows than the one were found afterwards"),
            },
            Answer::Refused(reason) | Answer::NotAsked(reason) => {
                unread.entry(table).or_default().push(reason);
            }
        }
    }
    for (table, trials) in missed {
        judgement.findings.extend(not_found(recording, table, &trials));
    }
    for ((table, column), lost) in lost {
        judgement.findings.push(finding(recording, table, column, &lost));
    }
    for (table, reasons) in unread {
        let rows = counted(reasons.len(), "row", "rows");
        let reason = format!("{rows} of table {} could not be tried: {}", table.quoted(), reasons[0]);
        judgement.not_run.push(NotRun::check(CHECK.id, recording.backend, reason));
    }
}

/// A value that was not kept.
struct Lost<'a> {
    column: &'a str,
    column_type: ColumnType,
    written: &'a Datum,
    read: Option<&'a str>,
}

fn losses<'a>(recording: &'a Recording, trial: &'a Trial, cells: &'a [Option<String>]) -> Vec<Lost<'a>> {
    let (Action::Insert { table, row }, Some(reading)) = (&trial.question.action, &trial.question.reading)
    else {
        return Vec::new();
    };
    let dialect = Dialect { backend: recording.backend, schema: recording.head() };
    let head = recording.head();
    let texts = head.table(table).into_iter().flat_map(|group| triggers(head, group, "insert"));
    let by_triggers: BTreeSet<String> = texts.flat_map(|text| assigned(text, recording.backend)).collect();
    let read = reading.columns.iter().zip(cells).filter_map(|(column, cell)| {
        // What a trigger makes of a value is no accident.
        if by_triggers.contains(&column.to_lowercase()) {
            return None;
        }
        // What only one backend has a type for has no form that the other keeps.
        let written = row.get(column).filter(|value| !matches!(value, Datum::Verbatim(_)))?;
        let column_type = dialect.column(table, column);
        let kept = Datum::read(recording.backend, &column_type, cell.as_deref()).same(written);
        let lost = Lost { column, column_type, written, read: cell.as_deref() };
        (!kept).then_some(lost)
    });
    read.collect()
}

/// Rows that were accepted, and that nothing is found of by the key that they were written with.
fn not_found(recording: &Recording, table: &Name, trials: &[&Trial]) -> Option<Finding> {
    let backend = recording.backend;
    let dialect = Dialect { backend, schema: recording.head() };
    let key = &trials.first()?.question.reading.as_ref()?.key;
    let columns: Vec<String> = key.keys().map(|column| format!("\"{column}\"")).collect();
    let (message, object) = match key.keys().collect::<Vec<_>>()[..] {
        [] => (
            format!(
                "a row that is written into table {} is not there afterwards ({backend})",
                table.quoted()
            ),
            ObjectId::whole(Kind::Table, table.clone()),
        ),
        [column] => (
            format!(
                "column \"{column}\" of table {} does not keep what is written: a row is not found again by it \
                 ({backend})",
                table.quoted()
            ),
            ObjectId::part(Kind::Table, table.clone(), Kind::Column, column),
        ),
        [first, ..] => (
            format!(
                "columns {} of table {} do not keep what is written: a row is not found again by them ({backend})",
                columns.join(", "),
                table.quoted()
            ),
            ObjectId::part(Kind::Table, table.clone(), Kind::Column, first),
        ),
    };
    let line = |trial: &&Trial| {
        let key = &trial.question.reading.as_ref()?.key;
        let cell = |(column, value): (&String, &Datum)| {
            format!("{column} = {}", cut(&value.literal(backend, &dialect.column(table, column)), WIDTH))
        };
        let cells: Vec<String> = key.iter().map(cell).collect();
        (!cells.is_empty()).then(|| format!("written {}, and no row has that\n", cells.join(", ")))
    };
    let mut finding = Finding::new(CHECK.id, message)
        .about(&object)
        .quoting(trials.iter().take(SHOWN).map(line).collect())
        .help("declare the key with types that keep its values, and let no trigger or rule change them");
    finding.revision = recording.latest_change_of(table).cloned();
    Some(finding)
}

/// How many values are shown of those that were not kept.
const SHOWN: usize = 3;
/// How much of each.
const WIDTH: usize = 60;

fn finding(recording: &Recording, table: &Name, column: &str, lost: &[Lost<'_>]) -> Finding {
    let backend = recording.backend;
    let first = &lost[0];
    let message =
        format!("column \"{column}\" of table {} does not keep what is written ({backend})", table.quoted());
    let line = |one: &Lost<'_>| {
        format!(
            "written {}, read {}\n",
            cut(&one.written.literal(backend, &one.column_type), WIDTH),
            cut(one.read.unwrap_or("NULL"), WIDTH)
        )
    };
    let mut excerpt: String = lost.iter().take(SHOWN).map(line).collect();
    if lost.len() > SHOWN {
        excerpt.push_str(&format!("and {} more\n", counted(lost.len() - SHOWN, "value", "values")));
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

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{Hand, applied, check, recording, schema};
    use crate::rows::Datum;
    use crate::schema::{Attribute, Kind, Name, Object, ObjectId};
    use crate::trials::{Action, Answer, Promise, Question, Reading, Row};

    /// Rows of a table `t` with a column `a`, found again by a key, and what came of each.
    fn written<const N: usize>(key: &[&str], answers: [Answer; N]) -> Hand {
        let users = schema(&["t", "t.id", "t.a"]);
        let row = Row::from_iter(["id", "a"].map(|name| (name.to_owned(), Datum::Text("x".to_owned()))));
        let question = Question {
            promise: Promise::Kept,
            object: ObjectId::whole(Kind::Table, Name::new("t")),
            what: "a row of table \"t\"".to_owned(),
            prepare: Vec::new(),
            action: Action::Insert { table: Name::new("t"), row: row.clone() },
            reading: Some(Reading::of(
                &Name::new("t"),
                row.keys().cloned().collect(),
                row.into_iter().filter(|(column, _)| key.contains(&column.as_str())).collect(),
            )),
        };
        answers
            .into_iter()
            .fold(recording().up_only(1).trunk([applied("1").seeing(&users)]), |hand, answer| {
                hand.trial(question.clone(), answer)
            })
    }

    fn read(cells: &[&[&str]]) -> Answer {
        let row = |row: &&[&str]| row.iter().map(|cell| Some((*cell).to_owned())).collect();
        Answer::Accepted(cells.iter().map(row).collect())
    }

    #[test]
    fn a_row_that_its_key_does_not_find_is_a_finding_about_the_key() {
        check(&CHECK, written(&["id"], [read(&[]), read(&[&["'x'", "'x'"]])]))
            .finds([
                "column \"id\" of table \"t\" does not keep what is written: a row is not found again by it (sqlite)",
            ])
            .quotes("written id = 'x', and no row has that\n")
            .blames("1");
        check(&CHECK, written(&["id", "a"], [read(&[])])).finds([
            "columns \"a\", \"id\" of table \"t\" do not keep what is written: a row is not found again by them (sqlite)",
        ]);
        check(&CHECK, written(&[], [read(&[])]))
            .finds(["a row that is written into table \"t\" is not there afterwards (sqlite)"]);
    }

    #[test]
    fn what_a_trigger_writes_is_no_accident() {
        let of_trigger = |body: &str| {
            let mut tables = schema(&["t", "t.id", "t.a"]);
            let trigger = Object::new()
                .with(Attribute::Events, vec!["insert".to_owned()])
                .with(Attribute::Definition, body);
            tables.insert(ObjectId::part(Kind::Table, Name::new("t"), Kind::Trigger, "tr"), trigger);
            let hand = written(&["id"], [read(&[&["'y'", "'x'"]])]);
            check(&CHECK, hand.trunk([applied("1").seeing(&tables)]))
        };
        of_trigger("update t set a = 'y' where id = new.id").finds([]);
        of_trigger("insert into audit (a) values (new.a)")
            .finds(["column \"a\" of table \"t\" does not keep what is written (sqlite)"]);
    }

    #[test]
    fn a_row_that_could_not_be_tried_is_said() {
        let no = || Answer::NotAsked("no".to_owned());
        check(&CHECK, written(&["id"], [no(), no(), read(&[&["'x'", "'x'"]])]))
            .finds([])
            .not_run("2 rows of table \"t\" could not be tried: no");
        check(&CHECK, written(&[], [read(&[&["'x'", "'x'"], &["'y'", "'y'"]])]))
            .finds([])
            .not_run("1 row of table \"t\" could not be tried: more rows than the one were found afterwards");
    }
}
