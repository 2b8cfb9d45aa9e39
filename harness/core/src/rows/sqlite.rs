//! Values as SQLite writes and reads them.

use super::datum::{Datum, OffsetMoment, truth, uuid, uuid_within};
use super::{hex, json, moment, number, unhex};
use crate::family::{ColumnType, Family};
use crate::sql::quoted_string;

/// Foreign keys wait until the transaction ends.
pub(super) fn together(inserts: &[String]) -> Vec<String> {
    std::iter::once("PRAGMA defer_foreign_keys = ON".to_owned()).chain(inserts.iter().cloned()).collect()
}

pub(super) fn literal(datum: &Datum, column: &ColumnType) -> String {
    let as_text = column.family == Family::Text;
    match datum {
        Datum::Null => "NULL".to_owned(),
        Datum::Boolean(value) => u8::from(*value).to_string(),
        Datum::Integer(number) if as_text => quoted_string(&number.to_string()),
        Datum::Integer(number) => number.to_string(),
        Datum::Decimal(text) if as_text => quoted_string(text),
        Datum::Decimal(text) => text.clone(),
        Datum::Real(number) if number.is_nan() => "NULL".to_owned(),
        // SQLite has no word for it; a number that is too large becomes it.
        Datum::Real(number) if number.is_infinite() => {
            if *number > 0.0 { "9e999" } else { "-9e999" }.to_owned()
        }
        Datum::Real(number) if as_text => quoted_string(&number::shortest(*number)),
        Datum::Real(number) => number::shortest(*number),
        Datum::Bytes(bytes) if as_text => quoted_string(&hex(bytes)),
        Datum::Bytes(bytes) => format!("x'{}'", hex(bytes)),
        Datum::Uuid(bytes) if column.family == Family::Bytes => format!("x'{}'", hex(bytes)),
        Datum::Uuid(bytes) => quoted_string(&uuid_within(bytes, column.length)),
        Datum::Json(text) => quoted_string(text),
        Datum::Timestamp(micros) | Datum::TimestampTz(OffsetMoment { micros, .. })
            if matches!(column.family, Family::Integer | Family::Real) =>
        {
            micros.div_euclid(moment::SECOND).to_string()
        }
        Datum::Date(date) if column.family == Family::Integer => {
            (date * moment::DAY / moment::SECOND).to_string()
        }
        // Texts sort as moments do only in one offset, so that is how applications keep them.
        Datum::TimestampTz(OffsetMoment { micros, .. }) => quoted_string(&zulu(*micros)),
        _ => quoted_string(&datum.plain()),
    }
}

/// `2024-01-01T00:00:00.000Z`, with more digits where they are needed.
fn zulu(micros: i64) -> String {
    let text = moment::timestamp_text(micros, 'T');
    match text.split_once('.') {
        None => format!("{text}.000Z"),
        Some((whole, fraction)) => format!("{whole}.{fraction:0<3}Z"),
    }
}

/// Values as a JSON array, as applications keep several in one column.
pub(super) fn array(elements: &[Datum]) -> String {
    let text = |element: &Datum| match element {
        Datum::Null => "null".to_owned(),
        Datum::Boolean(value) => value.to_string(),
        Datum::Integer(_) | Datum::Decimal(_) | Datum::Real(_) => element.plain(),
        Datum::Json(text) => text.clone(),
        Datum::Array(elements) => array(elements),
        _ => serde_json::Value::String(element.plain()).to_string(),
    };
    format!("[{}]", elements.iter().map(text).collect::<Vec<_>>().join(","))
}

/// A value by the class that SQLite stores it in, which `quote()` shows.
enum Stored<'a> {
    Integer(i128),
    Real(&'a str),
    Text(String),
    Blob(Vec<u8>),
}

fn stored(text: &str) -> Stored<'_> {
    if let Some(inner) = text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        return Stored::Text(inner.replace("''", "'"));
    }
    let blob = text.strip_prefix("X'").and_then(|rest| rest.strip_suffix('\'')).and_then(unhex);
    match (blob, text.parse()) {
        (Some(bytes), _) => Stored::Blob(bytes),
        (None, Ok(number)) => Stored::Integer(number),
        (None, Err(_)) => Stored::Real(text),
    }
}

pub(super) fn read(column: &ColumnType, text: &str) -> Datum {
    match (stored(text), column.family) {
        (Stored::Integer(number @ 0..=1), Family::Boolean) => Datum::Boolean(number == 1),
        (Stored::Integer(number), Family::Decimal) => Datum::Decimal(number.to_string()),
        (Stored::Integer(number), Family::Json) => Datum::Json(number.to_string()),
        // An integer that fits is kept as one in a column of real numbers, which no one can see.
        (Stored::Integer(_), Family::Real) => {
            text.parse().map_or(Datum::Verbatim(text.to_owned()), Datum::Real)
        }
        (Stored::Integer(number), _) => Datum::Integer(number),
        (Stored::Real(text), Family::Decimal) => Datum::Decimal(text.to_owned()),
        (Stored::Real(text), Family::Json) => Datum::Json(text.to_owned()),
        (Stored::Real(text), _) => real(text),
        (Stored::Blob(bytes), Family::Uuid) => {
            bytes.as_slice().try_into().map_or_else(|_| Datum::Bytes(bytes.clone()), Datum::Uuid)
        }
        (Stored::Blob(bytes), _) => Datum::Bytes(bytes),
        (Stored::Text(text), family) => of_text(family, &text).unwrap_or(Datum::Text(text)),
    }
}

fn real(text: &str) -> Datum {
    // `quote()` writes the infinite as a number that is too large.
    text.parse().map_or_else(|_| Datum::Verbatim(text.to_owned()), Datum::Real)
}

/// What a text means in a column of that family, if it is one of its values.
fn of_text(family: Family, text: &str) -> Option<Datum> {
    match family {
        Family::Boolean => truth(text).map(Datum::Boolean),
        Family::Decimal => number::Decimal::parse(text).map(|_| Datum::Decimal(text.to_owned())),
        Family::Json => json::normal(text).map(|_| Datum::Json(text.to_owned())),
        Family::Uuid => uuid(text).map(Datum::Uuid),
        Family::Timestamp | Family::TimestampTz => {
            let (micros, offset) = moment::parse_timestamp(text)?;
            Some(match offset {
                Some(offset) => Datum::TimestampTz(OffsetMoment {
                    micros: micros - i64::from(offset) * moment::SECOND,
                    offset,
                }),
                None => Datum::Timestamp(micros),
            })
        }
        Family::Date => moment::parse_date(text).map(Datum::Date),
        Family::Time => moment::parse_time(text).map(Datum::Time),
        Family::TimeTz => {
            let (time, offset) = moment::split_offset(text);
            Some(Datum::TimeTz(moment::parse_time(time)?, offset?))
        }
        Family::Interval => {
            let (months, days, micros) = moment::parse_interval(text)?;
            Some(Datum::Interval { months, days, micros })
        }
        _ => None,
    }
}
