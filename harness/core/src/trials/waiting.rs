//! Foreign keys that may wait for the end of a transaction.

use super::plan::Table;
use super::{Action, Promise, Question, Row};
use crate::rows::{Datum, ForeignKey, foreign_keys};
use crate::schema::{Attribute, Kind};

/// What is said of a foreign key that waits without being asked to.
const INITIALLY_DEFERRED: &str = "deferrable initially deferred";

impl Table<'_> {
    /// A row whose parent comes after it, where one of the two says that the foreign key may wait.
    pub(super) fn deferred(&self, questions: &mut Vec<Question>) {
        let mut asked: Vec<ForeignKey> = Vec::new();
        for (backend, group) in &self.groups {
            for key in foreign_keys(self.heads[backend], group) {
                let same = |one: &ForeignKey| one.columns == key.columns && one.parent == key.parent;
                if !asked.iter().any(same) && self.waits(&key).is_some() {
                    asked.push(key);
                }
            }
        }
        for key in asked {
            questions.extend(self.before_its_parent(&key));
        }
    }

    /// Whether a foreign key may wait on one of the two, and whether it does so unasked.
    fn waits(&self, key: &ForeignKey) -> Option<bool> {
        let said = self.groups.iter().flat_map(|(backend, group)| {
            let keys = foreign_keys(self.heads[backend], group).into_iter();
            let same = keys.filter(|one| one.columns == key.columns && one.parent == key.parent);
            same.filter_map(|one| group.part(Kind::ForeignKey, &one.name)?.text(Attribute::Deferrable))
        });
        said.map(|said| said == INITIALLY_DEFERRED).reduce(|one, other| one || other)
    }

    fn before_its_parent(&self, key: &ForeignKey) -> Option<Question> {
        if key.columns.iter().any(|column| !self.columns.contains_key(column.as_str())) {
            return None;
        }
        let of_itself = key.parent == *self.name;
        let spare = self.common.plain.get(&key.parent)?;
        let mut parent = spare.get(usize::from(of_itself))?.clone();
        let mut child = self.spare[0].clone();
        for (own, other) in key.columns.iter().zip(&key.parent_columns) {
            // What the database counts is given here, so that the child can name it.
            let value = parent.entry(other.clone()).or_insert(Datum::Integer(30_303));
            if *value == Datum::Null {
                return None;
            }
            child.insert(own.clone(), value.clone());
        }
        let insert = |table, row: Row| Action::Insert { table, row };
        let mut actions = vec![insert(self.name.clone(), child), insert(key.parent.clone(), parent)];
        let unasked = self.waits(key)?;
        if !unasked {
            actions.insert(0, Action::Defer);
        }
        let columns = key.columns.iter().map(|column| format!("\"{column}\"")).collect::<Vec<_>>().join(", ");
        let when = if unasked { "" } else { " after asking foreign keys to wait" };
        Some(Question {
            promise: Promise::Deferred,
            object: self.object_of_reference(key),
            what: format!("a row before its parent in {columns} of table {}{when}", self.name.quoted()),
            prepare: Vec::new(),
            action: Action::Together(actions),
            reading: None,
        })
    }
}
