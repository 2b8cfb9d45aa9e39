//! What a column holds, whatever its backend calls the type.
//!
//! PostgreSQL's types are what they are called. SQLite keeps any value in any column and only leans
//! to one kind (SQLite manual, "Datatypes In SQLite", 3); there the declared type says what the
//! application means, so it is read as that.

mod postgres;
mod sqlite;

use crate::Backend;
use crate::schema::{Attribute, Kind, Name, Object, Schema};

/// A family of types that hold the same kind of value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// Whole numbers; [`ColumnType::bits`] says how large.
    Integer,
    /// Numbers with a fixed number of decimal digits, kept exactly.
    Decimal,
    /// Binary floating point numbers; [`ColumnType::bits`] says how exact.
    Real,
    /// True or false.
    Boolean,
    /// Characters.
    Text,
    /// Bytes.
    Bytes,
    /// A JSON document.
    Json,
    /// A universally unique identifier.
    Uuid,
    /// A date and a time of day, in no time zone.
    Timestamp,
    /// A moment.
    TimestampTz,
    /// A date.
    Date,
    /// A time of day, in no time zone.
    Time,
    /// A time of day with an offset.
    TimeTz,
    /// A span of time.
    Interval,
    /// One of a list of words.
    Enum,
    /// Several values of another type.
    Array,
    /// A range between two values of another type.
    Range,
    /// Several values of other types.
    Composite,
    /// Any value at all: a SQLite column without a type.
    Any,
    /// A type that belongs to none of these, such as `inet` or `tsvector`.
    Other,
}

impl Family {
    /// What messages call it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Real => "real",
            Self::Boolean => "boolean",
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Json => "json",
            Self::Uuid => "uuid",
            Self::Timestamp => "timestamp without time zone",
            Self::TimestampTz => "timestamp with time zone",
            Self::Date => "date",
            Self::Time => "time without time zone",
            Self::TimeTz => "time with time zone",
            Self::Interval => "interval",
            Self::Enum => "enum",
            Self::Array => "array",
            Self::Range => "range",
            Self::Composite => "composite",
            Self::Any => "any",
            Self::Other => "other",
        }
    }
}

/// The type of a column, read as its application means it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnType {
    /// The family.
    pub family: Family,
    /// The type as the backend spells it.
    pub spelled: String,
    /// How many bits an integer or floating point number is declared to have.
    pub bits: Option<u32>,
    /// The largest number of characters or bits that the type declares.
    pub length: Option<u32>,
    /// Whether shorter texts are filled up with blanks.
    pub padded: bool,
    /// A decimal's number of digits, and how many of them stand after the point; for times, the
    /// digits after the second.
    pub precision: Option<(u32, i32)>,
    /// An enum's words, in order.
    pub values: Vec<String>,
    /// What an array, a range or a domain is made of.
    pub element: Option<Box<ColumnType>>,
    /// The domain that the type is, if it is one; everything else is said of what it stands on.
    pub domain: Option<Name>,
    /// Whether texts that differ in case are equal, as with `citext`.
    pub folds_case: bool,
}

impl ColumnType {
    /// The type of a column on a backend. The schema tells what user-defined types are.
    ///
    /// ```
    /// use switchback_core::Backend;
    /// use switchback_core::family::{ColumnType, Family};
    /// use switchback_core::schema::{Attribute, Object, Schema};
    ///
    /// let column = Object::new().with(Attribute::Type, "character varying(50)");
    /// let column = ColumnType::of(Backend::Postgres, &Schema::new(), &column);
    /// assert_eq!((column.family, column.length), (Family::Text, Some(50)));
    /// ```
    pub fn of(backend: Backend, schema: &Schema, column: &Object) -> Self {
        Self::named(backend, schema, column.text(Attribute::Type).unwrap_or_default())
    }

    /// The type with this spelling.
    pub fn named(backend: Backend, schema: &Schema, spelled: &str) -> Self {
        match backend {
            Backend::Postgres => postgres::read(schema, spelled),
            Backend::Sqlite => sqlite::read(spelled),
        }
    }

    fn new(family: Family, spelled: &str) -> Self {
        Self {
            family,
            spelled: spelled.to_owned(),
            bits: None,
            length: None,
            padded: false,
            precision: None,
            values: Vec::new(),
            element: None,
            domain: None,
            folds_case: false,
        }
    }

    fn with_modifiers(mut self, modifiers: &[i64]) -> Self {
        let at = |place: usize| modifiers.get(place).copied();
        match self.family {
            Family::Text | Family::Bytes | Family::Other | Family::Any => {
                self.length = at(0).and_then(|length| u32::try_from(length).ok());
            }
            Family::Decimal => {
                let digits = at(0).and_then(|digits| u32::try_from(digits).ok());
                let scale = at(1).and_then(|scale| i32::try_from(scale).ok()).unwrap_or(0);
                self.precision = digits.map(|digits| (digits, scale));
            }
            Family::Timestamp | Family::TimestampTz | Family::Time | Family::TimeTz | Family::Interval => {
                let digits = at(0).and_then(|digits| i32::try_from(digits).ok());
                self.precision = digits.map(|digits| (0, digits));
            }
            _ => {}
        }
        self
    }
}

/// The checks of a domain: their expressions, in which `value` stands for the value.
pub fn domain_checks<'a>(schema: &'a Schema, domain: &Name) -> Vec<&'a str> {
    let group = schema.group(Kind::Type, domain);
    let checks = group.into_iter().flat_map(|group| group.parts_of(Kind::Check));
    checks.filter_map(|(_, check)| check.text(Attribute::Expression)).collect()
}

/// A spelled type taken apart: `timestamp(3) with time zone` is `timestamp with time zone` and `3`.
struct Spelling {
    /// The words in lower case, with one space between two.
    words: String,
    modifiers: Vec<i64>,
}

impl Spelling {
    fn read(spelled: &str) -> Self {
        let (before, rest) = spelled.split_once('(').unwrap_or((spelled, ""));
        let (inside, after) = rest.split_once(')').unwrap_or((rest, ""));
        let words: Vec<String> =
            before.split_whitespace().chain(after.split_whitespace()).map(str::to_lowercase).collect();
        let modifiers = inside.split(',').map_while(|number| number.trim().parse().ok()).collect();
        Self { words: words.join(" "), modifiers }
    }
}
