//! Which texts come before which.

use super::plan::Table;
use super::{Promise, Question, Reading, Row};
use crate::family::Family;
use crate::rows::{Datum, only_names};
use crate::schema::{Attribute, Kind};

/// The text that is written. All else is held against it, so that one row tells of every rule.
const WRITTEN: &str = "a10";
/// What it is held against: letters in the other case, with an accent, digits against letters and as
/// numbers, punctuation and blanks inside and at the end.
const BESIDE: &[&str] = &["B", "A10", "ä", "9", "a9", "a-2", "a 2", "a10 "];

impl Table<'_> {
    /// How texts are ordered, in columns that one of the two says something about, and by nature where
    /// both read the order out of an index.
    pub(super) fn order(&self, column: &str, by_nature: bool, questions: &mut Vec<Question>) {
        let promise = match self.has_a_collation(column) {
            true => Promise::Order,
            false if by_nature && self.is_indexed(column) => Promise::OrderByNature,
            false => return,
        };
        let longest = BESIDE.iter().map(|text| text.chars().count()).max().unwrap_or_default() as u32;
        let fits = |one: &crate::family::ColumnType| {
            one.family == Family::Text && one.length.is_none_or(|length| length >= longest)
        };
        if !self.types_of(column).all(|one| fits(&one)) {
            return;
        }
        // Where blanks at the end are filled up, that is what the type is about.
        let padded = self.types_of(column).any(|one| one.padded);
        let written = Datum::Text(WRITTEN.to_owned());
        let key = Row::from([(column.to_owned(), written.clone())]);
        let mut reading = Reading::of(self.name, vec![column.to_owned()], key);
        let beside = BESIDE.iter().filter(|text| !padded || !text.ends_with(' '));
        reading.beside = beside.map(|text| (*text).to_owned()).collect();
        let what = format!("the place of \"{WRITTEN}\" among other texts in {}", self.called(column));
        let question = self.insert(promise, column, what, [(column, written)]);
        questions.push(Question { reading: Some(reading), ..question });
    }

    /// Whether both read the column's order out of an index or a key.
    fn is_indexed(&self, column: &str) -> bool {
        self.groups.values().all(|group| {
            group.parts().any(|(kind, _, part)| {
                let names = || only_names(part.list(Attribute::Columns)).unwrap_or_default();
                matches!(kind, Kind::PrimaryKey | Kind::Unique | Kind::Index)
                    && names().iter().any(|name| name == column)
            })
        })
    }
}
