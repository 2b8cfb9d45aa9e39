//! `rows-changed`: a revision changes values that it should have left alone, or changes them on one
//! backend in another way than on the other.

use std::collections::{BTreeMap, BTreeSet};

use super::{Check, Family, Judge, Judgement, Scope, both, counted, is_of_the_clock, script_of};
use crate::evidence::{Evidence, Observation, Recording, RoundTrip, Rows, TableRows, Walk};
use crate::family::ColumnType;
use crate::history::{Downgrade, Revision};
use crate::report::{Finding, Severity};
use crate::rows::{self, Datum};
use crate::schema::{Kind, Name, Schema};
use crate::sql::words;

pub(super) static CHECK: Check = Check {
    id: "rows-changed",
    family: Family::Rows,
    severity: Severity::Error,
    problem: "a revision changes the values of rows on one backend only, or its downgrade does not give them back",
    why: "The same rows ride along on both backends. What an upgrade makes of them, and what it fills new \
          columns with, must mean the same on both; that is judged for revisions that both histories have. A \
          downgrade must give the columns that were there all along their values back, which is a warning where \
          it does not: such a change may be meant, and a comment in an otherwise empty downgrade says so. Values \
          that differ from one run to the next, from the clock or at random, are left out, and so are columns \
          that the upgrade drops. What an upgrade computes with a function that [sqlite.functions] stands in for \
          is a warning. Of a table with some thousand rows, values are compared in the made-up rows or \
          those at both ends of its key. A digest of each column tells about the others, as long as the table \
          has the same keys: whether a downgrade gave the values back, and whether an upgrade changed some on one \
          backend and none on the other. The backends spell values differently, so it cannot tell whether both \
          changed them alike.",
    example: "UPDATE users SET search_name = lower(name);",
    mend: "Write the same change in both dialects; keep what the downgrade needs to restore the old values, or say \
           in its comment that it does not.",
    walks: &[Walk::Probe],
    scope: Scope::Revision,
    judge: Judge::Across(judge),
};

fn judge(evidence: &Evidence, judgement: &mut Judgement) {
    for recording in evidence.recordings() {
        for trip in recording.round_trips() {
            judgement.findings.extend(not_given_back(recording, &trip));
        }
    }
    let Some((postgres, sqlite)) = both(&CHECK, evidence, judgement) else { return };
    let others = upgrades(sqlite).map(|side| (&side.up.step.revision, side));
    let others: BTreeMap<_, _> = others.collect();
    for side in upgrades(postgres) {
        if let Some(other) = others.get(&side.up.step.revision) {
            judgement.findings.extend(changed_otherwise(&[side, *other]));
        }
    }
}

fn upgrades(recording: &Recording) -> impl Iterator<Item = Side<'_>> {
    let upgrades = recording.round_trips().flat_map(|trip| trip.upgrades());
    upgrades.map(move |(up, again)| Side { recording, up, again })
}

/// The values of one column in the rows of a table, by the row's key.
struct Column<'a> {
    place: usize,
    column_type: ColumnType,
    recording: &'a Recording,
}

impl<'a> Column<'a> {
    fn of(
        recording: &'a Recording,
        rows: &TableRows,
        schema: &Schema,
        table: &Name,
        name: &str,
    ) -> Option<Self> {
        let place = rows.columns.iter().position(|column| column == name)?;
        let object = schema.table(table)?.part(Kind::Column, name)?;
        let column_type = ColumnType::of(recording.backend, schema, object);
        Some(Self { place, column_type, recording })
    }

    fn value(&self, row: &[Option<String>]) -> Datum {
        Datum::read(self.recording.backend, &self.column_type, self.text(row))
    }

    fn text<'row>(&self, row: &'row [Option<String>]) -> Option<&'row str> {
        row.get(self.place).and_then(Option::as_deref)
    }
}

/// The rows of a table by their primary key, as values.
fn by_key<'a>(
    recording: &'a Recording,
    rows: &'a TableRows,
    schema: &Schema,
    table: &Name,
) -> Option<BTreeMap<String, &'a [Option<String>]>> {
    let columns: Vec<Column<'_>> = rows
        .key
        .iter()
        .map(|name| Column::of(recording, rows, schema, table, name))
        .collect::<Option<_>>()?;
    if columns.is_empty() {
        return None;
    }
    let key = |row: &[Option<String>]| {
        columns.iter().map(|column| column.value(row).plain()).collect::<Vec<_>>().join("\u{1f}")
    };
    Some(rows.rows.iter().map(|row| (key(row), row.as_slice())).collect())
}

/// The values that a downgrade does not give back.
fn not_given_back(recording: &Recording, trip: &RoundTrip<'_>) -> Vec<Finding> {
    let found = || {
        let (first, up, down) = (trip.ups().first()?, trip.up()?, trip.down()?);
        let applied = up.outcome.is_applied() && down.outcome.is_applied();
        let undoes = |revision: &Revision| matches!(revision.downgrade, Downgrade::Script(_));
        if !applied || !trip.revisions.iter().any(undoes) {
            return None;
        }
        let (before, between) = (first.rows_before.as_ref()?, up.rows_after.as_ref()?);
        let after = down.rows_after.as_ref()?;
        let schema = recording.expected(&down.state)?;
        let after_schema = down.schema.as_ref().unwrap_or(schema);
        let mut findings = Vec::new();
        for (table, rows, after) in before.tables.differences(&after.tables) {
            let (Some(rows), Some(between), Some(after)) = (rows, between.tables.get(table), after) else {
                continue;
            };
            let (Some(old), Some(new)) =
                (by_key(recording, rows, schema, table), by_key(recording, after, after_schema, table))
            else {
                continue;
            };
            let mut changes = Changes { of_some: rows.digest.is_some(), ..Changes::default() };
            for name in rows.columns.iter().filter(|name| between.columns.contains(name)) {
                let columns = Column::of(recording, rows, schema, table, name).zip(Column::of(
                    recording,
                    after,
                    after_schema,
                    table,
                    name,
                ));
                let Some((old_column, new_column)) = columns else { continue };
                let mut looked = Looked::default();
                for (key, row) in &old {
                    let Some(now) = new.get(key) else { continue };
                    looked.at(old_column.text(row) == new_column.text(now));
                    let (was, is) = (old_column.value(row), new_column.value(now));
                    if !alike(&was, &is) && !is_of_the_clock(recording, &is) {
                        changes.add(name, key, [&was, &is]);
                    }
                }
                if looked.found_nothing() && rows.keeps(after, name) == Some(false) {
                    changes.add_unseen(name, format!("other values than before among {} rows", rows.count()));
                }
            }
            findings.extend(changes.of_downgrade(recording, trip, down, table));
        }
        Some(findings)
    };
    found().unwrap_or_default()
}

/// Whether the texts of a column are the same in the rows that were looked at one by one. Where they
/// are not, what they mean was judged, and a digest of texts says nothing more.
#[derive(Default)]
struct Looked {
    rows: usize,
    differed: bool,
}

impl Looked {
    fn at(&mut self, same: bool) {
        self.rows += 1;
        self.differed |= !same;
    }

    fn found_nothing(&self) -> bool {
        self.rows > 0 && !self.differed
    }
}

/// Whether two values mean the same. A document that is written anew in a column of texts is the
/// same document.
fn alike(one: &Datum, other: &Datum) -> bool {
    let document = |value: &Datum| match value {
        Datum::Text(text) if text.starts_with(['{', '[']) => Some(Datum::Json(text.clone())),
        _ => None,
    };
    one.same(other) || document(one).is_some_and(|one| one.same(other))
}

/// One backend's side of a revision that both have.
#[derive(Clone, Copy)]
struct Side<'a> {
    recording: &'a Recording,
    up: &'a Observation,
    again: Option<&'a Observation>,
}

/// What a side knows of a table around an upgrade.
struct Around<'a> {
    before: BTreeMap<String, &'a [Option<String>]>,
    after: BTreeMap<String, &'a [Option<String>]>,
    again: Option<BTreeMap<String, &'a [Option<String>]>>,
    before_rows: &'a TableRows,
    after_rows: &'a TableRows,
    again_rows: Option<&'a TableRows>,
    before_schema: &'a Schema,
    after_schema: &'a Schema,
    recording: &'a Recording,
}

impl<'a> Side<'a> {
    fn rows(&self) -> Option<(&'a Rows, &'a Rows)> {
        let up = Some(self.up).filter(|up| up.outcome.is_applied())?;
        Some((up.rows_before.as_deref()?, up.rows_after.as_deref()?))
    }

    /// A function of the application that the upgrade calls and something else stood in for.
    fn stand_in(&self) -> Option<&'a String> {
        let text = self.recording.script_of(self.up)?.text;
        let named = words(&text, self.recording.backend);
        self.recording.stood_in_for.iter().find(|name| named.contains(*name))
    }

    fn around(&self, table: &Name) -> Option<Around<'a>> {
        let (before, after) = self.rows()?;
        let position = self.recording.history.position(&self.up.step.revision)?;
        let before_schema = self.recording.expected(&self.recording.history.state_before(position))?;
        let after_schema = self.recording.expected(&self.up.state)?;
        let (before_rows, after_rows) = (before.tables.get(table)?, after.tables.get(table)?);
        let again = self.again.filter(|again| again.outcome.is_applied());
        let again_rows = again.and_then(|again| again.rows_after.as_deref()?.tables.get(table));
        Some(Around {
            before: by_key(self.recording, before_rows, before_schema, table)?,
            after: by_key(self.recording, after_rows, after_schema, table)?,
            again: again_rows.and_then(|rows| by_key(self.recording, rows, after_schema, table)),
            before_rows,
            after_rows,
            again_rows: again_rows.map(|rows| &**rows),
            before_schema,
            after_schema,
            recording: self.recording,
        })
    }
}

impl Around<'_> {
    fn loses(&self) -> bool {
        self.after_rows.count() < self.before_rows.count()
    }

    fn column_before(&self, table: &Name, name: &str) -> Option<Column<'_>> {
        Column::of(self.recording, self.before_rows, self.before_schema, table, name)
    }

    fn column_after(&self, table: &Name, name: &str) -> Option<Column<'_>> {
        Column::of(self.recording, self.after_rows, self.after_schema, table, name)
    }

    /// Whether the upgrade leaves all values of a column as they are, by the digests; nothing where
    /// they do not tell, or it does not make the same of them each time.
    fn keeps(&self, column: &str) -> Option<bool> {
        let settled = self.again_rows.is_none_or(|again| again.keeps(self.after_rows, column) == Some(true));
        self.before_rows.keeps(self.after_rows, column).filter(|_| settled)
    }

    /// Whether the upgrade gives this row the same value each time.
    fn is_settled(&self, column: &Column<'_>, key: &str, value: &Datum) -> bool {
        let again = self.again.as_ref().and_then(|again| again.get(key));
        let settled = match again {
            Some(row) => column.value(row).same(value),
            // It went up only once, so what looks random may be.
            None => !is_random(value),
        };
        settled && !is_of_the_clock(self.recording, value)
    }
}

/// Whether a value is an identifier of the kind that is drawn at random (RFC 9562, version 4).
fn is_random(value: &Datum) -> bool {
    value.as_uuid().is_some_and(|bytes| bytes[6] >> 4 == 4 && bytes[8] >> 6 == 0b10)
}

/// What the upgrade made of rows on one backend otherwise than on the other.
fn changed_otherwise(sides: &[Side<'_>; 2]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let (Some(one), Some(other)) = (sides[0].rows(), sides[1].rows()) else { return findings };
    let changed = [one, other].map(|(before, after)| before.tables.differences(&after.tables));
    let changed: BTreeSet<&Name> = changed.into_iter().flatten().map(|(table, ..)| table).collect();
    for table in changed {
        let (Some(one), Some(other)) = (sides[0].around(table), sides[1].around(table)) else { continue };
        // Rows that are lost are told as that, and may leave their numbers to others.
        if one.loses() || other.loses() {
            continue;
        }
        let of_some = one.after_rows.digest.is_some() || other.after_rows.digest.is_some();
        let mut changes = Changes { of_some, ..Changes::default() };
        for name in &one.after_rows.columns {
            let Some((one_new, other_new)) =
                one.column_after(table, name).zip(other.column_after(table, name))
            else {
                continue;
            };
            let old = (one.column_before(table, name), other.column_before(table, name));
            let mut looked = Looked::default();
            for (key, row) in &one.after {
                let (Some(other_row), Some(was), Some(other_was)) =
                    (other.after.get(key), one.before.get(key), other.before.get(key))
                else {
                    continue;
                };
                let same_before = match &old {
                    (Some(one_old), Some(other_old)) => one_old.value(was).same(&other_old.value(other_was)),
                    (None, None) => true,
                    _ => false,
                };
                let (value, other_value) = (one_new.value(row), other_new.value(other_row));
                let settled =
                    one.is_settled(&one_new, key, &value) && other.is_settled(&other_new, key, &other_value);
                if same_before && settled && !alike(&value, &other_value) {
                    changes.add(name, key, [&value, &other_value]);
                }
                if let (Some(one_old), Some(other_old)) = &old {
                    let kept = one_old.text(was) == one_new.text(row)
                        && other_old.text(other_was) == other_new.text(other_row);
                    looked.at(same_before && kept);
                }
            }
            let digests = (one.keeps(name), other.keeps(name));
            if let (true, (Some(one_keeps), Some(other_keeps))) = (looked.found_nothing(), digests)
                && one_keeps != other_keeps
            {
                let changed = if other_keeps { &one } else { &other };
                let (backend, rows) = (changed.recording.backend, changed.after_rows.count());
                changes.add_unseen(name, format!("changed on {backend} alone, among {rows} rows"));
            }
        }
        findings.extend(changes.of_upgrade(&sides[1], table));
    }
    findings
}

/// The columns whose values changed.
#[derive(Default)]
struct Changes<'a> {
    columns: BTreeMap<&'a str, Change>,
    /// Whether only some rows of a large table were looked at.
    of_some: bool,
}

/// How the values of a column changed.
enum Change {
    /// In how many rows, and in the first of them.
    Seen(usize, [String; 3]),
    /// As a digest tells, in none of the rows that were looked at.
    Unseen(String),
}

impl<'a> Changes<'a> {
    fn add(&mut self, column: &'a str, key: &str, values: [&Datum; 2]) {
        let [one, other] = values.map(shown);
        let first = || Change::Seen(0, [rows::shown(&key.replace('\u{1f}', ", ")), one, other]);
        if let Change::Seen(rows, _) = self.columns.entry(column).or_insert_with(first) {
            *rows += 1;
        }
    }

    fn add_unseen(&mut self, column: &'a str, how: String) {
        self.columns.insert(column, Change::Unseen(how));
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.columns.keys().map(|name| format!("\"{name}\"")).collect();
        let noun = if names.len() == 1 { "column" } else { "columns" };
        format!("{noun} {}", names.join(", "))
    }

    fn lines(&self, labels: [&str; 2]) -> String {
        let line = |(name, change): (&&str, &Change)| match change {
            Change::Seen(rows, [key, one, other]) => {
                let rows = counted(*rows, "row", "rows");
                let which = if self.of_some { " of those that were looked at" } else { "" };
                format!("{name} of row {key}: {} {one}, {} {other} ({rows}{which})\n", labels[0], labels[1])
            }
            Change::Unseen(how) => {
                format!("{name}: {how}, in none of those that were looked at one by one\n")
            }
        };
        self.columns.iter().map(line).collect()
    }

    fn of_downgrade(
        &self,
        recording: &Recording,
        trip: &RoundTrip<'_>,
        down: &Observation,
        table: &Name,
    ) -> Option<Finding> {
        if self.columns.is_empty() {
            return None;
        }
        let revision = &down.step.revision;
        let (name, backend) = (trip.name(), recording.backend);
        let message = format!(
            "downgrade of {name} does not give {} of table {} the old values back ({backend})",
            self.names(),
            table.quoted()
        );
        let mut finding = Finding::new(CHECK.id, message)
            .about(table)
            .quoting(Some(self.lines(["was", "is"])))
            .help("restore the old values in the downgrade, or leave it empty but for a comment that says why not");
        finding.severity = Severity::Warning;
        finding.backend = Some(backend);
        finding.location = script_of(recording, &down.step);
        finding.revision = Some(revision.clone());
        Some(finding)
    }

    fn of_upgrade(&self, sqlite: &Side<'_>, table: &Name) -> Option<Finding> {
        let up = Some(sqlite.up).filter(|_| !self.columns.is_empty())?;
        let revision = &up.step.revision;
        let message = format!(
            "upgrade of {} leaves other values in {} of table {} on sqlite than on postgres",
            sqlite.recording.name(revision),
            self.names(),
            table.quoted()
        );
        let mut finding = Finding::new(CHECK.id, message)
            .about(table)
            .quoting(Some(self.lines(["postgres has", "sqlite has"])))
            .help("write the change so that both dialects compute the same value");
        finding.backend = Some(sqlite.recording.backend);
        finding.location = script_of(sqlite.recording, &up.step);
        finding.revision = Some(revision.clone());
        Some(match sqlite.stand_in() {
            Some(name) => finding.weighing(Severity::Warning).help(format!(
                "the upgrade calls \"{name}\", and what stands in for it under [sqlite.functions] may not do what \
                 the application's own does; where that does the same as postgres, accept this"
            )),
            None => finding,
        })
    }
}

fn shown(value: &Datum) -> String {
    match value {
        Datum::Null => "NULL".to_owned(),
        _ => format!("'{}'", rows::shown(&value.plain())),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::{CHECK, is_of_the_clock, is_random};
    use crate::checks::testing::{applied, check, recording};
    use crate::rows::Datum;

    #[rstest]
    #[case("9b0c9dac-a4d0-4736-a51b-807a27a17018", true)]
    #[case("d8d9de9645bc4f75bb48ebcffb23ac50", true)]
    #[case::by_the_clock("c232ab00-9414-11ec-b3c8-9f6bdeced846", false)]
    #[case::of_zeros("00000000-0000-0000-0000-000000000003", false)]
    #[case::none("a name", false)]
    fn identifiers_may_be_drawn_at_random(#[case] text: &str, #[case] expected: bool) {
        assert_eq!(is_random(&Datum::Text(text.to_owned())), expected);
    }

    #[rstest]
    #[case(Datum::Real(f64::MIN))]
    #[case(Datum::Real(f64::MAX))]
    #[case(Datum::Integer(i128::MIN))]
    #[case(Datum::Timestamp(i64::MIN))]
    fn the_largest_values_are_not_of_the_clock(#[case] value: Datum) {
        let evidence = recording().revisions(1).trunk([applied("1")]).build();
        let recording = evidence.recordings().next().unwrap();
        assert!(!is_of_the_clock(recording, &value));
    }

    #[test]
    fn what_compares_both_is_said_not_to_have_run() {
        let history = recording().up_only(1).probe([applied("1")]);
        check(&CHECK, history).finds([]).not_run("it compares both backends, and postgres was not selected");
    }
}
