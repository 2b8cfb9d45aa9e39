//! Which texts come before which.

use super::plan::Table;
use super::{Promise, Question, Reading, Row};
use crate::family::{ColumnType, Family};
use crate::rows::Datum;

/// The text that is written. All else is held against it, so that one row tells of every rule.
const WRITTEN: &str = "a10";
/// What it is held against: letters in the other case, with an accent, digits against letters and as
/// numbers, punctuation and blanks inside and at the end.
const BESIDE: &[&str] = &["B", "A10", "ä", "9", "a9", "a-2", "a 2", "a10 "];

impl Table<'_> {
    /// How texts are ordered in a column of which one of the two says that. Of any other column, PostgreSQL
    /// leaves it to the database, which no history tells of; those of a run have the order of bytes, as
    /// SQLite has it.
    pub(super) fn order(&self, column: &str, questions: &mut Vec<Question>) {
        let longest = BESIDE.iter().map(|text| text.chars().count()).max().unwrap_or_default();
        let fits = |one: ColumnType| {
            one.family == Family::Text && one.length.is_none_or(|length| length as usize >= longest)
        };
        if !self.has_a_collation(column) || !self.types_of(column).all(fits) {
            return;
        }
        // Where blanks at the end are filled up, that is what the type is about.
        let padded = self.types_of(column).any(|one| one.padded);
        let written = Datum::Text(WRITTEN.to_owned());
        let key = Row::from_iter([(column.to_owned(), written.clone())]);
        let mut reading = Reading::of(self.name, vec![column.to_owned()], key);
        let beside = BESIDE.iter().filter(|text| !padded || !text.ends_with(' '));
        reading.beside = beside.map(|text| (*text).to_owned()).collect();
        let what = format!("the place of \"{WRITTEN}\" among other texts in {}", self.called(column));
        let question = self.insert(Promise::Order, column, what, [(column, written)]);
        questions.push(Question { reading: Some(reading), ..question });
    }
}
