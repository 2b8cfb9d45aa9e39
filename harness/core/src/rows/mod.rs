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
pub use wanted::Wanted;

/// A string literal.
pub(crate) fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
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
