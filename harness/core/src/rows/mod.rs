//! Rows: the values that a database holds, whatever its backend, and rows made up to be carried
//! through a history.
//!
//! A [`Datum`] is a value as the application means it. It can be written into a column of either
//! backend, and what a database says it holds can be read back as one, so that values are compared
//! across backends and across time. A [`Generator`] makes up rows from what introspection found.

mod datum;
mod distinct;
mod expression;
mod generator;
mod harvest;
mod json;
mod keys;
mod misfit;
mod moment;
mod number;
mod plain;
mod postgres;
mod sqlite;
mod strategy;
#[cfg(test)]
mod tests;
mod wanted;

pub use datum::{Datum, OffsetMoment};
pub use generator::{Candidate, Generator, Parents, Side, TableGenerator};
pub use keys::{ForeignKey, cycles, foreign_keys, order, unique_keys};
pub(crate) use keys::{mentioned, only_names, primary_key};
pub use misfit::misfit;
pub use plain::Plain;
pub use wanted::Wanted;

use std::collections::BTreeMap;

use litemap::LiteMap;

use crate::Backend;
use crate::schema::Name;
use crate::sql::quoted_identifier;

/// A row as the application means it: column and value. Many are held, of a few columns each.
pub type Row = LiteMap<String, Datum>;

/// The statement that writes a row, given the literals of its cells.
///
/// ```
/// use switchback_core::{Backend, rows, schema::Name};
///
/// let cells = [("id".to_owned(), "1".to_owned())].into();
/// let statement = rows::insert(Backend::Sqlite, &Name::new("users"), &cells);
/// assert_eq!(statement, r#"INSERT INTO "users" ("id") VALUES (1)"#);
/// ```
pub fn insert(backend: Backend, table: &Name, cells: &BTreeMap<String, String>) -> String {
    let target = table.in_sql();
    if cells.is_empty() {
        return format!("INSERT INTO {target} DEFAULT VALUES");
    }
    let columns: Vec<String> = cells.keys().map(|column| quoted_identifier(column)).collect();
    let values: Vec<&str> = cells.values().map(String::as_str).collect();
    let (columns, values, overriding) = (columns.join(", "), values.join(", "), backend.overriding());
    format!("INSERT INTO {target} ({columns}) {overriding}VALUES ({values})")
}

/// A value's text as a message can show it: on one line, with nothing that bends the line or hides in
/// another letter, as an accent of its own does, and not too long.
pub fn shown(text: &str) -> String {
    let is_odd = |char: char| {
        let bends =
            matches!(char, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        char.is_control() || bends || matches!(char, '\u{300}'..='\u{36f}')
    };
    let mut out = String::new();
    for char in cut(text, 60).chars() {
        if is_odd(char) { out.extend(char.escape_unicode()) } else { out.push(char) }
    }
    out
}

/// The first characters of a text, and a sign that there are more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let short: String = text.chars().take(most).collect();
    if short.len() < text.len() { short + "…" } else { short }
}

/// Statements that write rows of which each needs another one's, to be run in one transaction.
pub fn insert_together(backend: Backend, inserts: &[String]) -> Vec<String> {
    match backend {
        Backend::Postgres => postgres::together(inserts),
        Backend::Sqlite => sqlite::together(inserts),
    }
}

/// Bytes as hexadecimal digits.
fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Hexadecimal digits as bytes.
fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    let value = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(value(*high)? << 4 | value(*low)?),
        _ => None,
    });
    pairs.collect()
}
