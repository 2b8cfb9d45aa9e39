//! Values that nobody would stumble over: what is tried where the unusual ones are refused.

use super::datum::{Datum, OffsetMoment};
use super::moment::{DAY, SECOND, days};
use super::strategy::{composite, other, range};
use super::wanted::Wanted;
use crate::family::Family;

/// In which form texts are written of which nothing is known: what one revision parses, another
/// refuses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// As whole numbers, which most parsers take.
    Numbers,
    /// As versions with three parts.
    Versions,
}

impl Plain {
    /// All forms.
    pub const ALL: [Self; 2] = [Self::Numbers, Self::Versions];

    fn text(self) -> &'static str {
        match self {
            Self::Numbers => "{}",
            Self::Versions => "1.0.{}",
        }
    }
}

/// The words that a column's name calls for.
const NAMED: &[(&str, &str)] = &[
    ("email", "ada{}@example.org"),
    ("mail", "ada{}@example.org"),
    ("url", "https://example.org/{}"),
    ("uri", "https://example.org/{}"),
    ("link", "https://example.org/{}"),
    ("color", "#0a0b0c"),
    ("colour", "#0a0b0c"),
    ("phone", "+12025550{}"),
    ("currency", "EUR"),
    ("country", "GB"),
    ("lang", "en"),
    ("locale", "en"),
    ("version", "1.0.{}"),
    ("semver", "1.0.{}"),
    ("hash", "0123456789abcdef"),
    ("path", "a{}"),
];

/// An ordinary value for the column with that name, another one for each number.
pub(super) fn value(wanted: &Wanted, name: &str, number: u32) -> Datum {
    let style = if number.is_multiple_of(2) { Plain::Numbers } else { Plain::Versions };
    styled(wanted, name, number, style)
}

/// The same, with texts in one form.
pub(super) fn styled(wanted: &Wanted, name: &str, number: u32, style: Plain) -> Datum {
    let n = i64::from(number);
    let today = days(2024, 5, 17);
    match wanted.family {
        Family::Boolean => Datum::Boolean(number % 2 == 1),
        Family::Integer => Datum::Integer(i128::from(number % 100) + 1),
        Family::Decimal => Datum::Decimal((number % 9 + 1).to_string()),
        Family::Real => Datum::Real(f64::from(number % 9 + 1)),
        Family::Text | Family::Any => Datum::Text(text(wanted, name, number, style)),
        Family::Bytes => Datum::Bytes(vec![u8::try_from(number % 256).unwrap_or_default(); 16]),
        Family::Json => Datum::Json("{}".to_owned()),
        Family::Uuid => {
            let mut bytes = [0x11; 16];
            bytes[12..].copy_from_slice(&number.to_be_bytes());
            bytes[6] = 0x41;
            bytes[8] = 0x81;
            Datum::Uuid(bytes)
        }
        Family::Timestamp => Datum::Timestamp((today + n) * DAY + 9 * 3600 * SECOND),
        Family::TimestampTz => {
            Datum::TimestampTz(OffsetMoment { micros: (today + n) * DAY + 9 * 3600 * SECOND, offset: 0 })
        }
        Family::Date => Datum::Date(today + n),
        Family::Time => Datum::Time((9 * 3600 + n % 3600) * SECOND),
        Family::TimeTz => Datum::TimeTz((9 * 3600 + n % 3600) * SECOND, 0),
        Family::Interval => Datum::Interval { months: 0, days: 0, micros: (n + 1) * SECOND },
        Family::Enum => Datum::Text(nth(&wanted.words, number).cloned().unwrap_or_default()),
        Family::Array => Datum::Array(
            wanted.elements.first().map(|element| value(element, name, number)).into_iter().collect(),
        ),
        Family::Range => Datum::Verbatim(range(wanted, number)),
        Family::Composite => {
            let fields: Vec<Datum> = wanted.elements.iter().map(|field| value(field, "", number)).collect();
            Datum::Verbatim(composite(&fields))
        }
        Family::Other => Datum::Verbatim(nth(&other(wanted), number).cloned().unwrap_or_default()),
    }
}

fn text(wanted: &Wanted, name: &str, number: u32, style: Plain) -> String {
    let name = name.to_lowercase();
    let known = NAMED.iter().find(|(part, _)| name.contains(part));
    let text = known.map_or(style.text(), |(_, text)| text).replace("{}", &number.to_string());
    match wanted.length {
        Some(length) if text.chars().count() > length as usize => {
            let number = number.to_string();
            number.chars().rev().take(length as usize).collect::<Vec<_>>().into_iter().rev().collect()
        }
        _ => text,
    }
}

pub(super) fn nth<T>(values: &[T], number: u32) -> Option<&T> {
    if values.is_empty() { None } else { values.get(number as usize % values.len()) }
}
