//! SQLite's declared types, read as applications mean them.

use super::{ColumnType, Family, Spelling};

/// Names that say what an application keeps in a column.
const NAMED: &[(&str, Family)] = &[
    ("", Family::Any),
    ("any", Family::Any),
    ("bool", Family::Boolean),
    ("boolean", Family::Boolean),
    ("json", Family::Json),
    ("jsonb", Family::Json),
    ("uuid", Family::Uuid),
    ("guid", Family::Uuid),
    ("uniqueidentifier", Family::Uuid),
    ("timestamp", Family::Timestamp),
    ("datetime", Family::Timestamp),
    ("timestamp without time zone", Family::Timestamp),
    ("timestamptz", Family::TimestampTz),
    ("timestamp with time zone", Family::TimestampTz),
    ("datetimeoffset", Family::TimestampTz),
    ("date", Family::Date),
    ("time", Family::Time),
    ("time without time zone", Family::Time),
    ("timetz", Family::TimeTz),
    ("time with time zone", Family::TimeTz),
    ("interval", Family::Interval),
    ("serial", Family::Integer),
    ("bigserial", Family::Integer),
    ("smallserial", Family::Integer),
    ("numeric", Family::Decimal),
    ("decimal", Family::Decimal),
    ("number", Family::Decimal),
    ("money", Family::Decimal),
    ("bytea", Family::Bytes),
    ("binary", Family::Bytes),
    ("varbinary", Family::Bytes),
    ("string", Family::Text),
    ("citext", Family::Text),
];

/// How SQLite reads any other name: the first of these that it contains decides (SQLite manual,
/// "Datatypes In SQLite", 3.1).
const AFFINITY: &[(&str, Family)] = &[
    ("int", Family::Integer),
    ("char", Family::Text),
    ("clob", Family::Text),
    ("text", Family::Text),
    ("blob", Family::Bytes),
    ("real", Family::Real),
    ("floa", Family::Real),
    ("doub", Family::Real),
];

pub(super) fn read(spelled: &str) -> ColumnType {
    let Spelling { words, modifiers } = Spelling::read(spelled);
    let named = NAMED.iter().find(|(name, _)| *name == words);
    let found = named.or_else(|| AFFINITY.iter().find(|(part, _)| words.contains(part)));
    let family = found.map_or(Family::Other, |(_, family)| *family);
    let mut column = ColumnType::new(family, spelled).with_modifiers(&modifiers);
    // Whatever the name says, an integer has up to 64 bits, and a real has 64.
    if matches!(family, Family::Integer | Family::Real) {
        column.bits = Some(64);
    }
    column.folds_case = words == "citext";
    column
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("INTEGER", Family::Integer)]
    #[case("BIGINT", Family::Integer)]
    #[case("UNSIGNED BIG INT", Family::Integer)]
    #[case("BIGSERIAL", Family::Integer)]
    #[case("BOOLEAN", Family::Boolean)]
    #[case("VARCHAR(50)", Family::Text)]
    #[case("NATIVE CHARACTER(70)", Family::Text)]
    #[case("DATETIME", Family::Timestamp)]
    #[case("DOUBLE PRECISION", Family::Real)]
    #[case("DECIMAL(10, 2)", Family::Decimal)]
    #[case("BLOB", Family::Bytes)]
    #[case("JSON", Family::Json)]
    #[case("", Family::Any)]
    #[case("GEOMETRY", Family::Other)]
    fn reads(#[case] spelled: &str, #[case] family: Family) {
        assert_eq!(read(spelled).family, family);
    }

    #[test]
    fn modifiers_are_read() {
        assert_eq!(read("VARCHAR(50)").length, Some(50));
        assert_eq!(read("DECIMAL(10, 2)").precision, Some((10, 2)));
    }
}
