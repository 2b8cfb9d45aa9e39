//! What an index keeps unique of rows: of some rows only, or in an expression.

use std::collections::BTreeSet;

use super::constants::{Constants, short, swapped};
use super::plan::Table;
use super::{Promise, Question, Row};
use crate::Backend;
use crate::family::Family;
use crate::rows::{Datum, foreign_keys, mentioned, only_names};
use crate::schema::{Attribute, Group, Kind, Object, ObjectId};

/// How many pairs of rows are tried against one index or constraint at most.
const PAIRS: usize = 12;

impl Table<'_> {
    /// Pairs of rows that are alike in what a unique index takes of them, inside its predicate and
    /// outside: which is which, the databases say.
    pub(super) fn parts_of_rows(&self, questions: &mut Vec<Question>) {
        let mut asked = BTreeSet::new();
        for (backend, group) in &self.groups {
            for (name, index) in group.parts_of(Kind::Index).filter(|(_, index)| is_of_a_part(index)) {
                let of = Part::read(self.part(Kind::Index, name), *backend, group, index);
                for (what, one, other) in self.pairs(&of).into_iter().take(PAIRS) {
                    // The other backend's index mostly asks the same.
                    if asked.insert(format!("{one:?} {other:?}")) {
                        questions.push(Question {
                            promise: Promise::UniquePart,
                            object: of.object.clone(),
                            what,
                            prepare: vec![self.row(one)],
                            action: self.row(other),
                            reading: None,
                        });
                    }
                }
            }
        }
    }

    /// Pairs of rows with what is alike in them.
    fn pairs(&self, of: &Part) -> Vec<(String, Row, Row)> {
        let [first, second, ..] = self.spare else { return Vec::new() };
        let mut columns = of.keys.iter().chain(&of.chosen_by);
        if columns.any(|column| !self.columns.contains_key(column.as_str())) {
            return Vec::new();
        }
        let listed = of.keys.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
        let here = format!("{listed} of table {}", self.name.quoted());
        let mut pairs = Vec::new();
        for way in self.ways(&of.chosen_by, &of.expressed, &of.constants) {
            let (mut one, mut other) = (first.clone(), second.clone());
            one.extend(way.clone());
            let keys = of.keys.iter().filter_map(|key| Some((key.clone(), one.get(key)?.clone())));
            other.extend(keys.collect::<Row>());
            other.extend(way.clone());
            let given = given(&way);
            // An expression may make one of what is two.
            for column in of.expressed.iter().filter(|column| !way.contains_key(*column)) {
                let Some((text, swapped)) = self.cases(column) else { continue };
                let what = format!("{swapped:?} beside {text:?} in {here}{given}");
                let with = |row: &Row, text: String| {
                    let mut row = row.clone();
                    row.insert(column.clone(), Datum::Text(text));
                    row
                };
                pairs.push((what, with(&one, text), with(&other, swapped)));
            }
            pairs.push((format!("the values of another row in {here}{given}"), one, other));
        }
        pairs
    }

    /// Values for the columns that a predicate chooses rows by, and for those that an expression takes
    /// apart: the constants that are spoken of and others near them, NULL, and none, which leaves what the
    /// row has.
    pub(super) fn ways(&self, chosen_by: &[String], expressed: &[String], constants: &Constants) -> Vec<Row> {
        let mut ways = vec![Row::new()];
        let all: BTreeSet<&String> = chosen_by.iter().chain(expressed).collect();
        for column in all {
            let values = self.telling(column, chosen_by.contains(column), constants);
            let with = |value: &Option<Datum>| {
                let value = value.clone();
                let add = move |way: &Row| {
                    let mut way = way.clone();
                    way.extend(value.clone().map(|value| (column.clone(), value)));
                    way
                };
                ways.iter().map(add).collect::<Vec<_>>()
            };
            ways = values.iter().flat_map(with).take(PAIRS).collect();
        }
        ways
    }

    /// The most telling values first, since only so many are tried.
    fn telling(&self, column: &str, chooses: bool, constants: &Constants) -> Vec<Option<Datum>> {
        let families: BTreeSet<Family> = self.types_of(column).map(|one| one.family).collect();
        let all = |of: &[Family]| families.iter().all(|one| of.contains(one));
        // Where there has to be such a parent, what a predicate speaks of may have none.
        let speaks = chooses && !self.refers(column);
        let (mut values, mut further) = (Vec::new(), Vec::new());
        if families.contains(&Family::Boolean) {
            values.extend([true, false].map(Datum::Boolean));
        } else if families.contains(&Family::Json) {
            values.extend(document(constants).map(Datum::Json));
        } else if speaks && all(&[Family::Integer]) {
            values.extend(constants.numbers.iter().map(|number| Datum::Integer(*number)));
            let next = constants.numbers.iter().filter_map(|number| number.checked_add(1));
            further.extend(next.map(Datum::Integer));
        } else if speaks && all(&[Family::Text, Family::Enum]) {
            values.extend(constants.texts.iter().cloned().map(Datum::Text));
            // An enum has no other words than its own.
            let swapped = constants.texts.iter().map(|text| Datum::Text(swapped(text)));
            further.extend(swapped.filter(|_| all(&[Family::Text])));
        }
        let required = self.any(column, |object| object.has(Attribute::NotNull));
        if !required && !self.counts(column) {
            values.push(Datum::Null);
        }
        values.into_iter().map(Some).chain([None]).chain(further.into_iter().map(Some)).collect()
    }

    fn refers(&self, column: &str) -> bool {
        let keys = |(backend, group): (&Backend, &&Group)| foreign_keys(self.heads[backend], group);
        self.groups.iter().flat_map(keys).any(|key| key.columns.iter().any(|one| one == column))
    }
}

/// Whether an index promises something of a part of what rows hold.
fn is_of_a_part(index: &Object) -> bool {
    let whole = !index.has(Attribute::Where) && only_names(index.list(Attribute::Columns)).is_some();
    index.has(Attribute::UniqueIndex) && !index.has(Attribute::Invalid) && !whole
}

/// What an index takes of rows.
pub(super) struct Part {
    object: ObjectId,
    /// The columns that its terms mention.
    keys: Vec<String>,
    /// Those that stand inside an expression.
    expressed: Vec<String>,
    /// Those that its predicate mentions.
    chosen_by: Vec<String>,
    constants: Constants,
}

impl Part {
    fn read(object: ObjectId, backend: Backend, group: &Group, index: &Object) -> Self {
        let terms = index.list(Attribute::Columns);
        let condition = index.text(Attribute::Where).unwrap_or_default().to_owned();
        let expressions: Vec<String> =
            terms.iter().filter(|term| only_names(std::slice::from_ref(term)).is_none()).cloned().collect();
        let spoken = format!("{} {condition}", expressions.join(" "));
        Self {
            object,
            keys: mentioned(group, terms),
            expressed: mentioned(group, &expressions),
            chosen_by: mentioned(group, &[condition]),
            constants: Constants::of(&spoken, backend),
        }
    }
}

/// How a message tells the values that rows were given.
pub(super) fn given(way: &Row) -> String {
    let value = |value: &Datum| match value {
        Datum::Null => "NULL".to_owned(),
        Datum::Boolean(truth) => truth.to_string(),
        Datum::Text(_) | Datum::Json(_) => short(&value.plain()),
        other => other.plain(),
    };
    let all: Vec<String> = way.iter().map(|(column, one)| format!("\"{column}\" {}", value(one))).collect();
    if all.is_empty() { String::new() } else { format!(" with {}", all.join(" and ")) }
}

/// A document in which there is something wherever an expression looks for it.
fn document(constants: &Constants) -> Option<String> {
    let mut document = serde_json::Map::new();
    for text in &constants.texts {
        let path = text.trim_start_matches("$.").trim_matches(['{', '}']);
        let steps: Vec<&str> = path.split(['.', ',']).filter(|step| !step.is_empty()).collect();
        put(&mut document, &steps);
    }
    (!document.is_empty()).then(|| serde_json::Value::Object(document).to_string())
}

fn put(document: &mut serde_json::Map<String, serde_json::Value>, path: &[&str]) {
    let Some((step, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        document.entry(*step).or_insert_with(|| "x".into());
    } else if let Some(inner) = document.entry(*step).or_insert_with(|| serde_json::json!({})).as_object_mut()
    {
        put(inner, rest);
    }
}
