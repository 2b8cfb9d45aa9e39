//! Questions that are put to both databases at head: what each constraint, default and type does
//! with the same logical values.
//!
//! A declaration may be the same on both backends and still do something else: `LIKE` in a CHECK
//! minds the case on PostgreSQL only, and a foreign key does nothing on SQLite unless the
//! application turns it on. So nothing is believed, and everything is tried.

mod common;
mod constants;
mod order;
mod overlap;
mod part;
mod plan;
#[cfg(test)]
mod tests;
mod waiting;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::Backend;
use crate::family::ColumnType;
pub use crate::rows::Row;
use crate::rows::{self, Datum};
use crate::schema::{Kind, Name, ObjectId, Schema};
use crate::sql::quoted_identifier;

pub use common::{Common, Taken};
pub use plan::{counting_column, plan};

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Promise {
    /// What is written is what is read.
    Kept,
    /// A column counts up by itself.
    Counting,
    /// A column takes no NULL.
    NotNull,
    /// No two rows are equal in some columns.
    Unique,
    /// The same, of rows that have NULL there.
    UniqueNulls,
    /// The same, of texts that differ in case.
    UniqueCase,
    /// No two rows are equal in what an index takes of them: of some rows only, or an expression.
    UniquePart,
    /// No two rows overlap, or whatever else an exclusion constraint says.
    Exclusion,
    /// A row refers to another.
    ForeignKey,
    /// A row refers to another that comes later in the same transaction.
    Deferred,
    /// What becomes of a row when the row that it refers to is deleted.
    OnDelete,
    /// What becomes of it when that row's key changes.
    OnUpdate,
    /// An expression holds for each row.
    Check,
    /// What a column holds when nothing is given for it.
    Default,
    /// Which texts are equal.
    Equality,
    /// Which texts come before which.
    Order,
    /// How long a text may be.
    Length,
    /// How large a number may be.
    Range,
    /// That a column holds values of its type only.
    Type,
}

impl Promise {
    /// Whether SQLite keeps the promise by nature for no column of an ordinary table (SQLite manual,
    /// "Datatypes In SQLite", 3; "STRICT Tables").
    pub const fn is_of_types(self) -> bool {
        matches!(self, Self::Length | Self::Range | Self::Type)
    }
}

/// A question to both databases, in values that mean the same on both.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// What it is about.
    pub promise: Promise,
    /// The column or constraint that it is about.
    pub object: ObjectId,
    /// What is tried, such as `NULL in column "email" of table "users"`.
    pub what: String,
    /// What is done before, which has to succeed.
    pub prepare: Vec<Action>,
    /// What is tried.
    pub action: Action,
    /// What is looked at afterwards.
    pub reading: Option<Reading>,
}

/// One change of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A new row.
    Insert {
        /// The table.
        table: Name,
        /// The row.
        row: Row,
    },
    /// Other values for the rows with these values.
    Update {
        /// The table.
        table: Name,
        /// The rows.
        key: Row,
        /// Their new values.
        set: Row,
    },
    /// No more of the rows with these values.
    Delete {
        /// The table.
        table: Name,
        /// The rows.
        key: Row,
    },
    /// Several, one after the other.
    Together(Vec<Action>),
    /// Foreign keys wait for the end of the transaction, those that can.
    Defer,
}

/// What is read after an action: columns of the rows with these values.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The table.
    pub table: Name,
    /// The columns.
    pub columns: Vec<String>,
    /// The rows.
    pub key: Row,
    /// Texts that the values of the first column are held against, to tell which comes first. Then that
    /// is what is read.
    pub beside: Vec<String>,
}

impl Reading {
    /// Columns of the rows with these values.
    pub fn of(table: &Name, columns: Vec<String>, key: Row) -> Self {
        Self { table: table.clone(), columns, key, beside: Vec::new() }
    }
}

/// How a question is put on one backend.
#[derive(Clone, Copy, Debug)]
pub struct Dialect<'a> {
    /// The backend.
    pub backend: Backend,
    /// Its schema at head.
    pub schema: &'a Schema,
}

impl Dialect<'_> {
    /// The statement of an action.
    pub fn action(&self, action: &Action) -> String {
        match action {
            Action::Insert { table, row } => self.insert(table, row),
            Action::Update { table, key, set } => {
                let set: Vec<String> =
                    set.iter().map(|(column, value)| self.is(table, column, value, " = ")).collect();
                format!("UPDATE {} SET {}{}", table.in_sql(), set.join(", "), self.matching(table, key))
            }
            Action::Delete { table, key } => {
                format!("DELETE FROM {}{}", table.in_sql(), self.matching(table, key))
            }
            Action::Together(actions) => {
                actions.iter().map(|action| self.action(action)).collect::<Vec<_>>().join(";\n")
            }
            Action::Defer => self.backend.deferring().to_owned(),
        }
    }

    /// The query of a reading, whose cells are texts as [`crate::evidence::TableRows`] has them.
    pub fn reading(&self, reading: &Reading) -> String {
        let cells: Vec<String> = match reading.columns.first().filter(|_| !reading.beside.is_empty()) {
            Some(column) => {
                reading.beside.iter().map(|text| self.place(&reading.table, column, text)).collect()
            }
            None => {
                let columns = reading.columns.iter();
                columns.map(|column| self.backend.cell(&quoted_identifier(column))).collect()
            }
        };
        let (table, key) = (&reading.table, self.matching(&reading.table, &reading.key));
        format!("SELECT {} FROM {}{key} ORDER BY 1", cells.join(", "), table.in_sql())
    }

    /// Where a column's value stands beside a text, in the order that the column has.
    fn place(&self, table: &Name, column: &str, text: &str) -> String {
        let value = Datum::Text(text.to_owned());
        let is = |operator| self.is(table, column, &value, operator);
        format!(
            "CASE WHEN {} THEN 'before \"{text}\"' WHEN {} THEN 'after \"{text}\"' ELSE 'level with \"{text}\"' END",
            is(" < "),
            is(" > ")
        )
    }

    fn insert(&self, table: &Name, row: &Row) -> String {
        // A column that only the other backend has is none of this one's concern.
        let group = self.schema.table(table);
        let has = |column: &str| group.is_some_and(|group| group.part(Kind::Column, column).is_some());
        let own = row.iter().filter(|(column, _)| has(column));
        let cells = own.map(|(column, value)| (column.clone(), self.literal(table, column, value)));
        rows::insert(self.backend, table, &cells.collect())
    }

    fn matching(&self, table: &Name, key: &Row) -> String {
        let equal = key.iter().map(|(column, value)| match value {
            Datum::Null => format!("{} IS NULL", quoted_identifier(column)),
            _ => self.is(table, column, value, " = "),
        });
        let equal: Vec<String> = equal.collect();
        if equal.is_empty() { String::new() } else { format!(" WHERE {}", equal.join(" AND ")) }
    }

    fn is(&self, table: &Name, column: &str, value: &Datum, operator: &str) -> String {
        format!("{}{operator}{}", quoted_identifier(column), self.literal(table, column, value))
    }

    fn literal(&self, table: &Name, column: &str, value: &Datum) -> String {
        value.literal(self.backend, &self.column(table, column))
    }

    /// The type of a column.
    pub fn column(&self, table: &Name, column: &str) -> ColumnType {
        let object = self.schema.table(table).and_then(|group| group.part(Kind::Column, column));
        object.map_or_else(
            || ColumnType::named(self.backend, self.schema, ""),
            |object| ColumnType::of(self.backend, self.schema, object),
        )
    }
}

/// What a database answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// It accepted; what was read afterwards, if something was.
    Accepted(Vec<Vec<Option<String>>>),
    /// It refused, with this message.
    Refused(String),
    /// It could not be asked, for this reason.
    NotAsked(String),
}

/// A question with the answer of one backend.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// The question, which is the same on both backends.
    pub question: Arc<Question>,
    /// The answer.
    pub answer: Answer,
}

/// The heads of both backends.
pub type Heads<'a> = BTreeMap<Backend, &'a Schema>;
