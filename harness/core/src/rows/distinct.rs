//! Values of which no two rows have the same.

use super::datum::Datum;
use super::number::Decimal;
use super::plain;
use super::strategy::range;
use super::wanted::Wanted;
use crate::family::Family;

/// How well values of a family can be kept apart; the least is the best.
pub(super) fn ability(family: Family) -> u32 {
    match family {
        Family::Range => 0,
        Family::Integer | Family::Uuid => 1,
        Family::Text | Family::Any => 2,
        Family::Bytes | Family::Decimal | Family::Real => 3,
        Family::Timestamp | Family::TimestampTz | Family::Date | Family::Time | Family::TimeTz => 4,
        Family::Interval | Family::Json | Family::Array | Family::Other => 5,
        Family::Composite => 6,
        Family::Enum => 7,
        Family::Boolean => 8,
    }
}

/// Revisions give the first numbers to rows of their own, which must not meet made-up ones.
const OWN_KEYS: i128 = 1000;

/// The value of that number. `place` tells the columns apart that keep rows apart together, such as
/// the two ends of a span; `drawn` is what an unusual value may be made from.
pub(super) fn value(wanted: &Wanted, name: &str, number: u32, place: u32, drawn: Option<Datum>) -> Datum {
    let n = i128::from(number) + 1;
    match (wanted.family, drawn) {
        (Family::Integer, _) => Datum::Integer(OWN_KEYS + n),
        (Family::Uuid, Some(Datum::Uuid(mut bytes))) => {
            for (byte, mark) in bytes[12..].iter_mut().zip(number.to_be_bytes()) {
                *byte ^= mark;
            }
            Datum::Uuid(bytes)
        }
        (Family::Text | Family::Any, drawn) => Datum::Text(text(wanted, name, number, drawn)),
        (Family::Decimal, _) => match wanted.precision {
            Some((digits, scale)) if i64::from(scale) >= i64::from(digits) => {
                Datum::Decimal(format!("0.{:0>width$}", n, width = usize::try_from(scale).unwrap_or(1)))
            }
            _ => Datum::Decimal(n.to_string()),
        },
        (Family::Real, _) => Datum::Real(f64::from(number) + 1.0),
        (Family::Json, _) => Datum::Json(format!("{{\"n\": {n}}}")),
        (Family::Bytes, _) => {
            let mut bytes = number.to_be_bytes().to_vec();
            bytes.extend([0, 0xff]);
            Datum::Bytes(bytes)
        }
        (Family::Range, _) => Datum::Verbatim(range(wanted, number)),
        (Family::Array, _) => {
            let element = wanted.elements.first().map(|element| value(element, name, number, place, None));
            Datum::Array(element.into_iter().collect())
        }
        (Family::Other, _) => Datum::Verbatim(match wanted.spelled.as_str() {
            "inet" | "cidr" => format!("10.0.{}.{}", number / 256, number % 256),
            "macaddr" => format!("08:00:2b:01:02:{number:02x}"),
            spelled if spelled.ends_with("ltree") => format!("a{number}"),
            _ => return plain::value(wanted, name, number),
        }),
        (Family::Enum | Family::Boolean, _) => plain::value(wanted, name, number),
        // One day, second or moment apart, and the ends of a span in their order.
        _ => plain::value(wanted, name, number * 10 + place),
    }
}

/// A value much like the given one, and of the same length.
pub(super) fn vary(value: Datum, number: u32) -> Datum {
    match value {
        Datum::Text(text) => {
            let mark = number.to_string();
            let kept = text.chars().count().checked_sub(mark.len());
            kept.map_or(Datum::Text(text.clone()), |kept| {
                Datum::Text(text.chars().take(kept).chain(mark.chars()).collect())
            })
        }
        Datum::Bytes(mut bytes) => {
            for (byte, mark) in bytes.iter_mut().rev().zip(number.to_le_bytes()) {
                *byte ^= mark;
            }
            Datum::Bytes(bytes)
        }
        Datum::Integer(value) => Datum::Integer(value + i128::from(number)),
        other => other,
    }
}

/// A text with the number at its end, also if only a few characters fit.
fn text(wanted: &Wanted, name: &str, number: u32, drawn: Option<Datum>) -> String {
    let length = wanted.length.map_or(usize::MAX, |length| length as usize);
    let mut mark = number.to_string();
    if mark.len() > length {
        mark = char::from_u32(u32::from('a') + number % 26).map(String::from).unwrap_or_default();
    }
    let stem = match drawn {
        Some(Datum::Text(text)) => text,
        _ => {
            let Datum::Text(text) = plain::value(wanted, name, number) else { return mark };
            if text.contains(&mark) && Decimal::parse(&text).is_none() {
                return text;
            }
            text
        }
    };
    let room = length.saturating_sub(mark.len()).min(200);
    stem.chars().take(room).chain(mark.chars()).collect()
}
