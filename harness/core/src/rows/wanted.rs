//! What a value must be, so that the columns of both backends can hold it.

use super::datum::{Datum, OffsetMoment, truth, uuid};
use super::strategy::{UNKNOWN, other};
use super::{json, moment, number};
use crate::Backend;
use crate::family::{ColumnType, Family};
use crate::schema::{Kind, Name, Schema};

/// What a value must be, so that every column that is to hold it can.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The family, the more telling one where the columns differ.
    pub family: Family,
    /// How many bits a number may have.
    pub bits: u32,
    /// How many characters or bits there may be.
    pub length: Option<u32>,
    /// Whether shorter texts are filled up with blanks.
    pub padded: bool,
    /// How many digits a decimal may have, and how many of them after the point.
    pub precision: Option<(u32, i32)>,
    /// How many digits after the second a time may have.
    pub fraction: u32,
    /// An enum's words.
    pub words: Vec<String>,
    /// What an array or a range is made of, and a composite's fields.
    pub elements: Vec<Wanted>,
    /// The type as it is spelled where it belongs to no family.
    pub spelled: String,
}

impl Wanted {
    /// What one column wants.
    pub fn of(backend: Backend, schema: &Schema, column: &ColumnType) -> Self {
        let elements = match column.family {
            Family::Composite => fields(schema, column, backend),
            _ => column.element.iter().map(|element| Self::of(backend, schema, element)).collect(),
        };
        let is_time = matches!(
            column.family,
            Family::Timestamp | Family::TimestampTz | Family::Time | Family::TimeTz | Family::Interval
        );
        let fraction =
            column.precision.filter(|_| is_time).and_then(|(_, digits)| u32::try_from(digits).ok());
        Self {
            family: column.family,
            bits: column.bits.unwrap_or(64),
            length: column.length,
            padded: column.padded,
            precision: column.precision.filter(|_| column.family == Family::Decimal),
            fraction: fraction.unwrap_or(6).min(6),
            words: if column.family == Family::Enum { column.values.clone() } else { Vec::new() },
            elements,
            spelled: column.spelled.to_lowercase(),
        }
    }

    /// What both want.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        if self.rank() < other.rank() {
            return other.and(self);
        }
        let least = |one: Option<u32>, other: Option<u32>| one.into_iter().chain(other).min();
        let is_number = |wanted: &Self| matches!(wanted.family, Family::Integer | Family::Real);
        let counts_seconds = matches!(other.family, Family::Integer | Family::Real)
            && matches!(self.family, Family::Timestamp | Family::TimestampTz);
        let words = match (self.words.is_empty(), other.words.is_empty()) {
            (false, false) => {
                let both: Vec<String> =
                    self.words.iter().filter(|word| other.words.contains(word)).cloned().collect();
                if both.is_empty() { self.words.clone() } else { both }
            }
            (true, _) => other.words.clone(),
            (false, true) => self.words.clone(),
        };
        let bits = if is_number(&other) || other.family == self.family {
            self.bits.min(other.bits)
        } else {
            self.bits
        };
        let elements = match (self.elements.len(), other.elements.len()) {
            (1, 1) => {
                let pairs = self.elements.iter().zip(&other.elements);
                pairs.map(|(one, other)| one.clone().and(other.clone())).collect()
            }
            _ => self.elements,
        };
        let precision = match (self.precision, other.precision) {
            (Some((digits, scale)), Some((fewer, least))) => Some((digits.min(fewer), scale.min(least))),
            (one, other) => one.or(other),
        };
        Self {
            bits,
            length: least(self.length, other.length),
            padded: self.padded || other.padded,
            precision,
            fraction: if counts_seconds { 0 } else { self.fraction.min(other.fraction) },
            words,
            elements,
            ..self
        }
    }

    /// How much the family says about the value.
    fn rank(&self) -> u32 {
        match self.family {
            Family::Any => 0,
            Family::Other if other(self) == UNKNOWN => 1,
            Family::Bytes => 2,
            Family::Text => 3,
            Family::Real => 4,
            Family::Decimal => 5,
            Family::Integer => 6,
            Family::Timestamp => 7,
            Family::TimestampTz => 8,
            _ => 9,
        }
    }

    /// What a constant of an expression or of the config means here, if it can be one.
    pub fn read(&self, text: &str) -> Option<Datum> {
        let found = match self.family {
            Family::Boolean => Datum::Boolean(truth(text)?),
            Family::Integer => {
                let number: i128 = text.parse().ok()?;
                let most = 1_i128 << (self.bits.clamp(2, 64) - 1);
                Datum::Integer(Some(number).filter(|number| (-most..most).contains(number))?)
            }
            Family::Decimal => {
                number::Decimal::parse(text)?;
                Datum::Decimal(text.to_owned())
            }
            Family::Real => Datum::Real(text.parse().ok()?),
            Family::Json => {
                json::normal(text)?;
                Datum::Json(text.to_owned())
            }
            Family::Uuid => Datum::Uuid(uuid(text)?),
            Family::Timestamp => Datum::Timestamp(moment::parse_timestamp(text)?.0),
            Family::TimestampTz => {
                let (micros, offset) = moment::parse_timestamp(text)?;
                let offset = offset.unwrap_or(0);
                Datum::TimestampTz(OffsetMoment {
                    micros: micros - i64::from(offset) * moment::SECOND,
                    offset,
                })
            }
            Family::Date => Datum::Date(moment::parse_timestamp(text)?.0.div_euclid(moment::DAY)),
            Family::Time => Datum::Time(moment::parse_time(text)?),
            Family::Enum => Datum::Text(self.words.iter().find(|word| *word == text)?.clone()),
            Family::Bytes => Datum::Bytes(text.as_bytes().to_vec()),
            Family::Text | Family::Any => {
                let fits = self.length.is_none_or(|length| text.chars().count() <= length as usize);
                Datum::Text(Some(text).filter(|_| fits)?.to_owned())
            }
            _ => Datum::Verbatim(text.to_owned()),
        };
        Some(found)
    }
}

/// What the fields of a composite type want.
fn fields(schema: &Schema, column: &ColumnType, backend: Backend) -> Vec<Wanted> {
    let field = |written: &String| {
        let spelled = match written.strip_prefix('"') {
            Some(rest) => rest.split_once("\" ").map_or(rest, |(_, spelled)| spelled),
            None => written.split_once(' ').map_or("", |(_, spelled)| spelled),
        };
        let spelled = spelled.split(" collate ").next().unwrap_or(spelled);
        Wanted::of(backend, schema, &ColumnType::named(backend, schema, spelled))
    };
    column.values.iter().map(field).collect()
}

/// Whether a domain refuses NULL.
pub(super) fn domain_is_not_null(schema: &Schema, domain: &Name) -> bool {
    let object = schema.group(Kind::Type, domain).map(|group| group.object());
    object.is_some_and(|object| object.has(crate::schema::Attribute::NotNull))
}
