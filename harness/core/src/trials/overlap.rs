//! Exclusion constraints, which only PostgreSQL has.

use super::constants::Constants;
use super::part::given;
use super::plan::Table;
use super::{Promise, Question, Row};
use crate::Backend;
use crate::rows::{Datum, OffsetMoment, mentioned};
use crate::schema::{Attribute, Group, Kind, Object};

const DAY: i64 = 24 * 60 * 60 * 1_000_000;

impl Table<'_> {
    /// Two rows that exclude each other.
    pub(super) fn exclusions(&self, questions: &mut Vec<Question>) {
        for (backend, group) in &self.groups {
            for (name, exclusion) in group.parts_of(Kind::Exclusion) {
                for (way, one, other) in self.excluding(*backend, group, exclusion) {
                    questions.push(Question {
                        promise: Promise::Exclusion,
                        object: self.part(Kind::Exclusion, name),
                        what: format!(
                            "a second row that \"{name}\" of table {} excludes{}",
                            self.name.quoted(),
                            given(&way)
                        ),
                        prepare: vec![self.row(one)],
                        action: self.row(other),
                        reading: None,
                    });
                }
            }
        }
    }

    fn excluding(&self, backend: Backend, group: &Group, exclusion: &Object) -> Vec<(Row, Row, Row)> {
        let [first, second, ..] = self.spare else { return Vec::new() };
        let condition = exclusion.text(Attribute::Where).unwrap_or_default().to_owned();
        let chosen_by = mentioned(group, std::slice::from_ref(&condition));
        let constants = Constants::of(&condition, backend);
        let mut found = Vec::new();
        for way in self.ways(&chosen_by, &[], &constants) {
            let (mut one, mut other) = (first.clone(), second.clone());
            one.extend(way.clone());
            other.extend(way.clone());
            let terms = exclusion.list(Attribute::Columns);
            if terms.iter().all(|term| self.excludes(group, term, &mut one, &mut other).is_some()) {
                found.push((way, one, other));
            }
        }
        found
    }

    /// Makes two rows exclude each other as far as one term goes, such as `during WITH &&`.
    fn excludes(&self, group: &Group, term: &str, one: &mut Row, other: &mut Row) -> Option<()> {
        let at = term.to_ascii_lowercase().rfind(" with ")?;
        let operator = term[at + " with ".len()..].trim();
        let columns = mentioned(group, &[term[..at].to_owned()]);
        let known = |column: &String| self.columns.contains_key(column.as_str());
        if columns.is_empty() || !columns.iter().all(known) {
            return None;
        }
        // A range that an expression makes of two columns ends after it begins, or it is empty.
        if let [from, until, ..] = columns.as_slice() {
            let end = later(one.get(from)?).or_else(|| one.get(until).cloned())?;
            one.insert(until.clone(), end);
        }
        for column in &columns {
            let value = one.get(column).filter(|value| **value != Datum::Null)?.clone();
            if operator == "<>" {
                other.get(column).filter(|known| !known.same(&value))?;
            } else {
                other.insert(column.clone(), value);
            }
        }
        Some(())
    }
}

/// A value a little after another one.
fn later(value: &Datum) -> Option<Datum> {
    Some(match value {
        Datum::Integer(number) => Datum::Integer(number.checked_add(1)?),
        Datum::Date(day) => Datum::Date(day.checked_add(1)?),
        Datum::Timestamp(micros) => Datum::Timestamp(micros.checked_add(DAY)?),
        Datum::TimestampTz(OffsetMoment { micros, offset }) => {
            Datum::TimestampTz(OffsetMoment { micros: micros.checked_add(DAY)?, offset: *offset })
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_last_has_nothing_later() {
        assert_eq!(later(&Datum::Date(1)), Some(Datum::Date(2)));
        for last in [Datum::Integer(i128::MAX), Datum::Date(i64::MAX), Datum::Timestamp(i64::MAX)] {
            assert_eq!(later(&last), None, "{last:?}");
        }
    }
}
