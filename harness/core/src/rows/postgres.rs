//! Values as PostgreSQL writes and reads them.

use super::datum::{Datum, OffsetMoment, truth, uuid, uuid_text, uuid_within};
use super::{hex, moment, number, unhex};
use crate::family::{ColumnType, Family};
use crate::sql::quoted_string;

/// One statement, since foreign keys are checked at its end.
pub(super) fn together(inserts: &[String]) -> Vec<String> {
    let parts = inserts.iter().enumerate().map(|(number, insert)| format!("row{number} AS ({insert})"));
    vec![format!("WITH {} SELECT 1", parts.collect::<Vec<_>>().join(", "))]
}

pub(super) fn literal(datum: &Datum, column: &ColumnType) -> String {
    match (datum, column.family) {
        (Datum::Null, _) => "NULL".to_owned(),
        (Datum::Boolean(value), Family::Boolean) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        (Datum::Integer(number), Family::Integer | Family::Decimal | Family::Real) => number.to_string(),
        (Datum::Decimal(text), Family::Decimal) if number::Decimal::parse(text).is_some() => text.clone(),
        (Datum::Bytes(bytes), Family::Bytes) => format!("'\\x{}'::bytea", hex(bytes)),
        // A literal without a type takes the column's. A cast would keep what is said of it: that
        // a negative zero is no integer, that an enum's word is one.
        _ => quoted_string(&input(datum, column)),
    }
}

/// The text that a column of that type reads as the value.
fn input(datum: &Datum, column: &ColumnType) -> String {
    match (datum, column.family) {
        (Datum::Null, _) => "NULL".to_owned(),
        (Datum::Boolean(value), Family::Integer | Family::Decimal) => u8::from(*value).to_string(),
        (Datum::Boolean(value), _) => value.to_string(),
        (Datum::Integer(number), Family::Boolean) => (*number != 0).to_string(),
        (Datum::Bytes(bytes), Family::Bytes) => format!("\\x{}", hex(bytes)),
        (Datum::Bytes(bytes), Family::Uuid) => {
            bytes.as_slice().try_into().map_or_else(|_| hex(bytes), |bytes| uuid_text(&bytes))
        }
        (Datum::Uuid(bytes), Family::Bytes) => format!("\\x{}", hex(bytes)),
        (Datum::Uuid(bytes), Family::Text) => uuid_within(bytes, column.length),
        (
            Datum::Timestamp(micros) | Datum::TimestampTz(OffsetMoment { micros, .. }),
            Family::Integer | Family::Decimal | Family::Real,
        ) => micros.div_euclid(moment::SECOND).to_string(),
        (Datum::TimestampTz(OffsetMoment { micros, .. }), Family::Timestamp | Family::Date) => {
            moment::timestamp_text(*micros, ' ')
        }
        (Datum::TimestampTz(OffsetMoment { micros, offset }), _) => {
            let local = micros + i64::from(*offset) * moment::SECOND;
            format!("{}{}", moment::timestamp_text(local, ' '), moment::offset_text(*offset))
        }
        (Datum::Timestamp(micros), Family::TimestampTz) => {
            format!("{}+00", moment::timestamp_text(*micros, ' '))
        }
        (Datum::Array(elements), Family::Array) => {
            let text = |element: &Datum| match (element, &column.element) {
                (Datum::Null, _) => "NULL".to_owned(),
                (element, Some(column)) => in_array(&input(element, column)),
                (element, None) => in_array(&element.plain()),
            };
            format!("{{{}}}", elements.iter().map(text).collect::<Vec<_>>().join(","))
        }
        (Datum::Json(text), _) => text.clone(),
        _ => datum.plain(),
    }
}

fn in_array(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub(super) fn read(column: &ColumnType, text: &str) -> Datum {
    let verbatim = || Datum::Verbatim(text.to_owned());
    let found = match column.family {
        Family::Boolean => truth(text).map(Datum::Boolean),
        Family::Integer => text.parse().ok().map(Datum::Integer),
        Family::Decimal => Some(Datum::Decimal(text.replace(['$', ','], ""))),
        Family::Real => text.parse().ok().map(Datum::Real),
        Family::Text if column.padded => Some(Datum::Text(text.trim_end_matches(' ').to_owned())),
        Family::Text | Family::Enum | Family::Any => Some(Datum::Text(text.to_owned())),
        Family::Bytes => text.strip_prefix("\\x").and_then(unhex).map(Datum::Bytes),
        Family::Json => Some(Datum::Json(text.to_owned())),
        Family::Uuid => uuid(text).map(Datum::Uuid),
        Family::Timestamp => moment::parse_timestamp(text).map(|(micros, _)| Datum::Timestamp(micros)),
        Family::TimestampTz => moment::parse_timestamp(text).map(|(micros, offset)| {
            let offset = offset.unwrap_or(0);
            Datum::TimestampTz(OffsetMoment { micros: micros - i64::from(offset) * moment::SECOND, offset })
        }),
        Family::Date => moment::parse_date(text).map(Datum::Date),
        Family::Time => moment::parse_time(text).map(Datum::Time),
        Family::TimeTz => {
            let (time, offset) = moment::split_offset(text);
            moment::parse_time(time).map(|time| Datum::TimeTz(time, offset.unwrap_or(0)))
        }
        Family::Interval => moment::parse_interval(text).map(|(months, days, micros)| Datum::Interval {
            months,
            days,
            micros,
        }),
        Family::Array => column.element.as_ref().and_then(|element| array(element, text)),
        // The cast shows the mask of a single address, which nobody has to write.
        Family::Other if column.spelled == "inet" => {
            let bare = text.strip_suffix("/32").filter(|_| !text.contains(':'));
            bare.or_else(|| text.strip_suffix("/128")).map(|bare| Datum::Verbatim(bare.to_owned()))
        }
        Family::Range | Family::Composite | Family::Other => None,
    };
    found.unwrap_or_else(verbatim)
}

/// `{a,"b c",NULL,{nested}}`.
fn array(element: &ColumnType, text: &str) -> Option<Datum> {
    // Bounds other than the usual ones stand before: `[0:1]={a,b}`.
    let bounds = text.starts_with('[').then(|| text.find("={")).flatten();
    let text = bounds.map_or(text, |bounds| &text[bounds + 1..]);
    let mut chars = text.strip_prefix('{')?.strip_suffix('}')?.chars().peekable();
    let mut elements = Vec::new();
    while let Some(first) = chars.peek().copied() {
        let mut written = String::new();
        let mut depth = 0_usize;
        let mut quotes = false;
        let is_quoted = first == '"';
        while let Some(char) = chars.peek().copied() {
            if char == ',' && depth == 0 && !quotes {
                break;
            }
            chars.next();
            match char {
                '\\' => {
                    if depth > 0 {
                        written.push(char);
                    }
                    written.extend(chars.next());
                }
                '"' => {
                    quotes = !quotes;
                    if depth > 0 {
                        written.push(char);
                    }
                }
                _ => {
                    match char {
                        '{' if !quotes => depth += 1,
                        '}' if !quotes => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                    written.push(char);
                }
            }
        }
        chars.next();
        elements.push(match (first, is_quoted) {
            ('{', _) => array(element, &written)?,
            (_, false) if written == "NULL" => Datum::Null,
            _ => read(element, &written),
        });
    }
    Some(Datum::Array(elements))
}
