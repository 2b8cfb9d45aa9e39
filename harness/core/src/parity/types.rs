//! Which type of SQLite means the same as which type of PostgreSQL, and why.

use crate::family::{ColumnType, Family};

/// Families of PostgreSQL's types, with the families that SQLite may declare for them.
#[derive(Clone, Copy, Debug)]
pub struct Compatible {
    /// What PostgreSQL has.
    pub postgres: &'static [Family],
    /// What SQLite may have.
    pub sqlite: &'static [Family],
    /// How SQLite declares it, for people.
    pub declared: &'static str,
    /// Why the two mean the same.
    pub why: &'static str,
}

use Family::{
    Any, Array, Boolean, Bytes, Composite, Date, Decimal, Enum, Integer, Interval, Json, Other, Range, Real,
    Text, Time, TimeTz, Timestamp, TimestampTz, Uuid,
};

/// The table of compatible types. A SQLite column without a type, or with one of the same name as
/// PostgreSQL's, keeps any value as it is given, and so means the same as every type.
pub static COMPATIBLE: &[Compatible] = &[
    Compatible {
        postgres: &[Integer],
        sqlite: &[Integer, Boolean, Decimal],
        declared: "INTEGER, BIGINT, SMALLINT, TINYINT, BOOLEAN, NUMERIC",
        why: "SQLite keeps whole numbers of up to 64 bits in a column that leans to numbers, whatever width is declared",
    },
    Compatible {
        postgres: &[Decimal],
        sqlite: &[Decimal, Text],
        declared: "NUMERIC, DECIMAL, TEXT; INTEGER if PostgreSQL's has no digits after the point",
        why: "NUMERIC says what is meant; SQLite keeps it exactly up to 15 digits, and TEXT keeps every digit",
    },
    Compatible {
        postgres: &[Real],
        sqlite: &[Real, Decimal],
        declared: "REAL, DOUBLE, FLOAT, NUMERIC",
        why: "SQLite has one floating point type, of 64 bits",
    },
    Compatible {
        postgres: &[Boolean],
        sqlite: &[Boolean, Integer, Decimal],
        declared: "BOOLEAN, INTEGER, TINYINT, NUMERIC",
        why: "true and false are the numbers 1 and 0 in SQLite",
    },
    Compatible {
        postgres: &[Text],
        sqlite: &[Text, Json, Uuid, Enum],
        declared: "TEXT, VARCHAR(n), CHAR(n), CLOB, JSON, UUID",
        why: "SQLite keeps text of any length; a declared length is not enforced, so it says what is meant",
    },
    Compatible {
        postgres: &[Bytes],
        sqlite: &[Bytes],
        declared: "BLOB, BINARY, VARBINARY, BYTEA",
        why: "bytes stay bytes",
    },
    Compatible {
        postgres: &[Json],
        sqlite: &[Json, Text, Bytes],
        declared: "JSON, JSONB, TEXT, BLOB",
        why: "SQLite's functions read JSON from text, and since 3.45 from its own binary form in a BLOB",
    },
    Compatible {
        postgres: &[Uuid],
        sqlite: &[Uuid, Text, Bytes],
        declared: "UUID, TEXT, CHAR(36), CHAR(32), BLOB",
        why: "a UUID is kept as its text, with or without hyphens, or as its 16 bytes",
    },
    Compatible {
        postgres: &[Timestamp, TimestampTz],
        sqlite: &[Timestamp, TimestampTz, Text, Integer, Real],
        declared: "DATETIME, TIMESTAMP, TEXT, INTEGER, REAL",
        why: "SQLite has no type for moments; its date functions read ISO 8601 text, seconds since 1970 and Julian days",
    },
    Compatible {
        postgres: &[Date],
        sqlite: &[Date, Text, Integer],
        declared: "DATE, TEXT, INTEGER",
        why: "SQLite has no type for days; its date functions read ISO 8601 text and numbers",
    },
    Compatible {
        postgres: &[Time, TimeTz],
        sqlite: &[Time, TimeTz, Text, Integer],
        declared: "TIME, TEXT, INTEGER",
        why: "SQLite has no type for times of day; its date functions read ISO 8601 text and numbers",
    },
    Compatible {
        postgres: &[Interval],
        sqlite: &[Interval, Text, Integer, Real],
        declared: "INTERVAL, TEXT, INTEGER, REAL",
        why: "SQLite has no type for spans of time; they are kept as text or counted",
    },
    Compatible {
        postgres: &[Enum],
        sqlite: &[Text, Enum],
        declared: "TEXT, VARCHAR(n), with or without CHECK (… IN (…)); the words of the check are compared",
        why: "SQLite has no enums; their words are kept as text",
    },
    Compatible {
        postgres: &[Array],
        sqlite: &[Json, Text, Bytes],
        declared: "JSON, TEXT, BLOB",
        why: "SQLite has no arrays; they are kept as JSON or in the application's own form",
    },
    Compatible {
        postgres: &[Range, Composite],
        sqlite: &[Json, Text],
        declared: "JSON, TEXT",
        why: "SQLite has no such types; they are kept as text",
    },
    Compatible {
        postgres: &[Other],
        sqlite: &[Text, Json, Bytes, Integer],
        declared: "TEXT, JSON, BLOB, INTEGER",
        why: "SQLite has no such type (inet, bit, tsvector, vector, …); it is kept as text, bytes or a number",
    },
];

/// What keeps two types from meaning the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obstacle {
    /// They hold different kinds of values.
    Family,
    /// The one is exact and the other is not.
    Exactness,
    /// SQLite turns texts that look like numbers into numbers.
    Affinity,
}

/// What keeps a type of PostgreSQL and one of SQLite from meaning the same; nothing if they do.
pub(super) fn obstacle(postgres: &ColumnType, sqlite: &ColumnType) -> Option<Obstacle> {
    let same_name = postgres.spelled.eq_ignore_ascii_case(sqlite.spelled.trim());
    if sqlite.family == Any || same_name {
        return None;
    }
    let row = COMPATIBLE.iter().find(|row| row.postgres.contains(&postgres.family));
    let compatible = row.is_some_and(|row| row.sqlite.contains(&sqlite.family));
    let whole = postgres.precision.is_some_and(|(_, scale)| scale <= 0);
    match (postgres.family, sqlite.family) {
        // No word in its name makes it lean to text, so it leans to numbers: '007' is kept as 7.
        (Text | Enum, Text) if leans_to_numbers(&sqlite.spelled) => Some(Obstacle::Affinity),
        (Decimal, Integer) if whole => None,
        (Decimal, Real) => Some(Obstacle::Exactness),
        _ => (!compatible).then_some(Obstacle::Family),
    }
}

/// Whether a declared type has the affinity NUMERIC (SQLite manual, "Datatypes In SQLite", 3.1).
fn leans_to_numbers(declared: &str) -> bool {
    let declared = declared.to_lowercase();
    let leaning = ["int", "char", "clob", "text", "blob", "real", "floa", "doub"];
    !declared.is_empty() && !leaning.iter().any(|part| declared.contains(part))
}
