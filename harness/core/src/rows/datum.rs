//! A value, whatever its backend.

use super::{json, moment, number, postgres, sqlite, unhex};
use crate::Backend;
use crate::family::ColumnType;

/// A value as the application means it.
#[derive(Clone, Debug, PartialEq)]
pub enum Datum {
    /// No value.
    Null,
    /// True or false.
    Boolean(bool),
    /// A whole number.
    Integer(i128),
    /// A decimal number in its digits, so that none is lost.
    Decimal(String),
    /// A binary floating point number.
    Real(f64),
    /// Characters.
    Text(String),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A JSON document as it is written.
    Json(String),
    /// A universally unique identifier.
    Uuid([u8; 16]),
    /// A date and a time of day in no time zone, as microseconds since 1970.
    Timestamp(i64),
    /// A moment.
    TimestampTz(OffsetMoment),
    /// A date, as days since 1970.
    Date(i64),
    /// A time of day, as microseconds since midnight.
    Time(i64),
    /// A time of day with its offset in seconds.
    TimeTz(i64, i32),
    /// A span of time.
    Interval {
        /// Whole months.
        months: i64,
        /// Whole days.
        days: i64,
        /// Microseconds.
        micros: i64,
    },
    /// Several values.
    Array(Vec<Datum>),
    /// The text of what only one backend understands.
    Verbatim(String),
}

/// A moment, and the offset that it is written with, which no database keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetMoment {
    /// Microseconds since 1970 in UTC.
    pub micros: i64,
    /// Seconds east of Greenwich.
    pub offset: i32,
}

impl Datum {
    /// The SQL literal by which an application would write the value into a column of that type.
    ///
    /// ```
    /// use switchback_core::Backend;
    /// use switchback_core::family::ColumnType;
    /// use switchback_core::rows::Datum;
    /// use switchback_core::schema::Schema;
    ///
    /// let written = |backend, spelled| {
    ///     let column = ColumnType::named(backend, &Schema::new(), spelled);
    ///     Datum::Boolean(true).literal(backend, &column)
    /// };
    /// assert_eq!(written(Backend::Postgres, "boolean"), "TRUE");
    /// assert_eq!(written(Backend::Sqlite, "BOOLEAN"), "1");
    /// ```
    pub fn literal(&self, backend: Backend, column: &ColumnType) -> String {
        match backend {
            Backend::Postgres => postgres::literal(self, column),
            Backend::Sqlite => sqlite::literal(self, column),
        }
    }

    /// What the database's own text for a value of that column means. The text is the one of
    /// [`TableRows`](crate::evidence::TableRows): PostgreSQL's cast to text, SQLite's `quote()`.
    pub fn read(backend: Backend, column: &ColumnType, text: Option<&str>) -> Self {
        let Some(text) = text else { return Self::Null };
        match backend {
            Backend::Postgres => postgres::read(column, text),
            Backend::Sqlite => sqlite::read(column, text),
        }
    }

    /// The moment that a text tells, in microseconds since 1970.
    pub fn of_timestamp(text: &str) -> Option<i64> {
        moment::parse_timestamp(text).map(|(micros, _)| micros)
    }

    /// Whether the two are the same value, also where the backends keep it in types of different
    /// families: an identifier as text, a truth as a number, JSON as text.
    ///
    /// ```
    /// use switchback_core::rows::Datum;
    ///
    /// assert!(Datum::Boolean(true).same(&Datum::Integer(1)));
    /// assert!(Datum::Json("{\"a\": 1.0}".into()).same(&Datum::Text("{\"a\":1}".into())));
    /// assert!(!Datum::Text("1".into()).same(&Datum::Null));
    /// ```
    pub fn same(&self, other: &Self) -> bool {
        self.is(other) || other.is(self)
    }

    fn is(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Real(one), Self::Real(other)) => one == other || (one.is_nan() && other.is_nan()),
            (Self::Decimal(one), Self::Decimal(other) | Self::Text(other)) => number::equal(one, other),
            (Self::Decimal(one), Self::Integer(other)) => number::equal(one, &other.to_string()),
            (Self::Decimal(one), Self::Real(other)) => number::equal(one, &number::shortest(*other)),
            (Self::Integer(one), Self::Real(other)) => {
                number::equal(&one.to_string(), &number::shortest(*other))
            }
            // '007' is another text than '7'.
            (Self::Integer(one), Self::Text(other)) => one.to_string() == *other,
            (Self::Boolean(one), Self::Integer(other)) => i128::from(*one) == *other,
            (Self::Boolean(one), Self::Decimal(other)) => number::equal(&u8::from(*one).to_string(), other),
            (Self::Boolean(one), Self::Text(other)) => truth(other) == Some(*one),
            (Self::Json(one), Self::Json(other) | Self::Text(other)) => {
                one == other || json::normal(one).is_some_and(|one| json::normal(other) == Some(one))
            }
            (Self::Json(_), Self::Bytes(other)) => {
                let as_text =
                    std::str::from_utf8(other).is_ok_and(|text| self.is(&Self::Text(text.to_owned())));
                as_text || json::is_binary(other)
            }
            (Self::Array(_), Self::Bytes(other)) if json::is_binary(other) => true,
            (Self::Array(elements), Self::Json(text) | Self::Text(text)) => {
                json::normal(text).is_some_and(|text| json::normal(&sqlite::array(elements)) == Some(text))
            }
            (Self::Array(one), Self::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.same(other))
            }
            (Self::Uuid(one), Self::Text(other)) => uuid(other).as_ref() == Some(one),
            (Self::Uuid(one), Self::Bytes(other)) => one.as_slice() == other,
            (Self::Bytes(one), Self::Text(other)) => {
                one == other.as_bytes() || unhex(other).as_ref() == Some(one)
            }
            (Self::TimestampTz(one), Self::TimestampTz(other)) => one.micros == other.micros,
            (Self::TimestampTz(one), Self::Timestamp(other)) => one.micros == *other,
            (
                Self::TimestampTz(OffsetMoment { micros, .. }) | Self::Timestamp(micros),
                Self::Integer(other),
            ) => epoch(*micros, *other),
            (Self::TimestampTz(one), Self::Text(other)) => match moment::parse_timestamp(other) {
                Some((micros, offset)) => {
                    one.micros == micros - i64::from(offset.unwrap_or(0)) * moment::SECOND
                }
                None => false,
            },
            (Self::Timestamp(one), Self::Text(other)) => {
                moment::parse_timestamp(other).is_some_and(|(micros, _)| micros == *one)
            }
            (Self::Timestamp(one), Self::Date(other)) => *one == other * moment::DAY,
            (Self::Date(one), Self::Text(other)) => moment::parse_date(other) == Some(*one),
            (Self::Date(one), Self::Integer(other)) => epoch(one * moment::DAY, *other),
            (Self::Time(one), Self::Text(other)) => moment::parse_time(other) == Some(*one),
            (Self::TimeTz(..) | Self::Interval { .. }, Self::Text(other)) => self.plain() == *other,
            (Self::Verbatim(one), Self::Text(other)) => one == other,
            _ => self == other,
        }
    }

    /// The value as a text that is the same on both backends; values sort by it alike on both.
    pub fn plain(&self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Boolean(value) => u8::from(*value).to_string(),
            Self::Integer(number) => number.to_string(),
            Self::Decimal(text) => {
                number::Decimal::parse(text).map_or_else(|| text.clone(), |number| number.normal())
            }
            Self::Real(number) => number::shortest(*number),
            Self::Text(text) | Self::Verbatim(text) => text.clone(),
            Self::Json(text) => json::normal(text).unwrap_or_else(|| text.clone()),
            Self::Bytes(bytes) => super::hex(bytes),
            Self::Uuid(bytes) => uuid_text(bytes),
            Self::Timestamp(micros) | Self::TimestampTz(OffsetMoment { micros, .. }) => {
                moment::timestamp_text(*micros, ' ')
            }
            Self::Date(date) => moment::date_text(*date),
            Self::Time(micros) => moment::time_text(*micros),
            Self::TimeTz(micros, offset) => {
                format!("{}{}", moment::time_text(*micros), moment::offset_text(*offset))
            }
            Self::Interval { months, days, micros } => moment::interval_text(*months, *days, *micros),
            Self::Array(elements) => sqlite::array(elements),
        }
    }
}

/// Whether a number is the moment in one of the units that applications count in.
fn epoch(micros: i64, number: i128) -> bool {
    let micros = i128::from(micros);
    [1, 1000, 1_000_000].into_iter().any(|unit| micros == number * unit)
}

/// What words for true and false mean.
pub(super) fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "t" | "true" | "1" | "yes" | "on" => Some(true),
        "f" | "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

/// An identifier, with hyphens or without.
pub(super) fn uuid(text: &str) -> Option<[u8; 16]> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | '{' | '}')).collect();
    unhex(&digits)?.try_into().ok()
}

impl Datum {
    /// The identifier that it is, or that its text is.
    pub(crate) fn as_uuid(&self) -> Option<[u8; 16]> {
        match self {
            Self::Uuid(bytes) => Some(*bytes),
            Self::Text(text) => uuid(text),
            _ => None,
        }
    }
}

/// An identifier with hyphens.
pub(super) fn uuid_text(bytes: &[u8; 16]) -> String {
    let digits = super::hex(bytes);
    let (a, b, c, d, e) = (&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]);
    format!("{a}-{b}-{c}-{d}-{e}")
}

/// An identifier as a text column of that length holds it: without hyphens where they do not fit.
pub(super) fn uuid_within(bytes: &[u8; 16], length: Option<u32>) -> String {
    if length.is_some_and(|length| length < 36) { super::hex(bytes) } else { uuid_text(bytes) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::schema::Schema;

    fn read(backend: Backend, spelled: &str, text: &str) -> Datum {
        Datum::read(backend, &ColumnType::named(backend, &Schema::new(), spelled), Some(text))
    }

    #[rstest]
    #[case("boolean", "true", "BOOLEAN", "1")]
    #[case("bigint", "9223372036854775807", "INTEGER", "9223372036854775807")]
    #[case("numeric(10,2)", "1.50", "NUMERIC", "1.5")]
    #[case("double precision", "1e+300", "REAL", "1.0e+300")]
    #[case("text", "it's", "TEXT", "'it''s'")]
    #[case("bytea", "\\x00ff", "BLOB", "X'00FF'")]
    #[case("jsonb", "{\"a\": 1}", "TEXT", "'{\"a\":1.0}'")]
    #[case("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "CHAR(32)", "'6ba7b8109dad11d180b400c04fd430c8'")]
    #[case("uuid", "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "BLOB", "X'6BA7B8109DAD11D180B400C04FD430C8'")]
    #[case("timestamp with time zone", "2024-01-01 00:00:00+00", "DATETIME", "'2024-01-01T00:00:00.000Z'")]
    #[case("timestamp with time zone", "2024-01-01 05:30:00+05:30", "TEXT", "'2024-01-01 00:00:00'")]
    #[case("timestamp without time zone", "2024-01-01 00:00:00", "INTEGER", "1704067200")]
    #[case("date", "2024-02-29", "DATE", "'2024-02-29'")]
    #[case("text[]", "{a,\"b c\",NULL}", "TEXT", "'[\"a\",\"b c\",null]'")]
    #[case("integer", "5", "TEXT", "'5'")]
    #[case("boolean", "false", "NUMERIC", "0")]
    #[case("jsonb", "{}", "BLOB", "X'7B7D'")]
    #[case::as_sqlite_keeps_jsonb("jsonb", "{}", "BLOB", "X'0C'")]
    #[case::with_a_length("jsonb", "[1, 2]", "BLOB", "X'4B13311332'")]
    fn the_same_value_on_both_backends(
        #[case] on_postgres: &str,
        #[case] postgres: &str,
        #[case] on_sqlite: &str,
        #[case] sqlite: &str,
    ) {
        let one = read(Backend::Postgres, on_postgres, postgres);
        let other = read(Backend::Sqlite, on_sqlite, sqlite);
        assert!(one.same(&other) && other.same(&one), "{one:?} is not {other:?}");
    }

    #[rstest]
    #[case("numeric", "12345678901234567890.5", "NUMERIC", "1.23456789012345678e+19")]
    #[case("text", "1", "TEXT", "NULL")]
    #[case("text", "a ", "TEXT", "'a'")]
    #[case("text", "007", "STRING", "7")]
    #[case("timestamp with time zone", "2024-01-01 00:00:00+00", "TEXT", "'2024-01-01T00:00:00+01:00'")]
    #[case("bytea", "\\x00", "BLOB", "X''")]
    #[case("jsonb", "{}", "BLOB", "X'0C0C'")]
    fn other_values(
        #[case] on_postgres: &str,
        #[case] postgres: &str,
        #[case] on_sqlite: &str,
        #[case] sqlite: &str,
    ) {
        let one = read(Backend::Postgres, on_postgres, postgres);
        let sqlite = Some(sqlite).filter(|text| *text != "NULL");
        let column = ColumnType::named(Backend::Sqlite, &Schema::new(), on_sqlite);
        let other = Datum::read(Backend::Sqlite, &column, sqlite);
        assert!(!one.same(&other), "{one:?} is {other:?}");
    }
}
