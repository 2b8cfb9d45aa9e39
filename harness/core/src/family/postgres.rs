//! PostgreSQL's types (manual, chapter 8 "Data Types"), as `format_type` spells them.

use super::{ColumnType, Family, Spelling};
use crate::schema::{Attribute, Kind, Name, Object, Schema};

/// The built-in types of a family, each with the bits it has.
const BUILT_IN: &[(&str, Family, Option<u32>)] = &[
    ("smallint", Family::Integer, Some(16)),
    ("integer", Family::Integer, Some(32)),
    ("bigint", Family::Integer, Some(64)),
    ("oid", Family::Integer, Some(32)),
    ("numeric", Family::Decimal, None),
    ("money", Family::Decimal, None),
    ("real", Family::Real, Some(32)),
    ("double precision", Family::Real, Some(64)),
    ("boolean", Family::Boolean, None),
    ("text", Family::Text, None),
    ("character varying", Family::Text, None),
    ("character", Family::Text, None),
    ("\"char\"", Family::Text, None),
    ("name", Family::Text, None),
    ("citext", Family::Text, None),
    ("bytea", Family::Bytes, None),
    ("json", Family::Json, None),
    ("jsonb", Family::Json, None),
    ("uuid", Family::Uuid, None),
    ("timestamp without time zone", Family::Timestamp, None),
    ("timestamp with time zone", Family::TimestampTz, None),
    ("date", Family::Date, None),
    ("time without time zone", Family::Time, None),
    ("time with time zone", Family::TimeTz, None),
    ("interval", Family::Interval, None),
];

/// The built-in ranges with what they are made of.
const RANGES: &[(&str, &str)] = &[
    ("int4range", "integer"),
    ("int8range", "bigint"),
    ("numrange", "numeric"),
    ("tsrange", "timestamp without time zone"),
    ("tstzrange", "timestamp with time zone"),
    ("daterange", "date"),
];

pub(super) fn read(schema: &Schema, spelled: &str) -> ColumnType {
    if let Some(element) = spelled.strip_suffix("[]") {
        let element = Box::new(read(schema, element));
        return ColumnType { element: Some(element), ..ColumnType::new(Family::Array, spelled) };
    }
    if let Some((name, object)) = user_type(schema, spelled) {
        return of_user(schema, spelled, name, object);
    }
    let Spelling { words, modifiers } = Spelling::read(spelled);
    // An extension's type is named with the extension's schema where that isn't the default one.
    let bare = words.rsplit_once('.').map_or(words.as_str(), |(_, bare)| bare);
    if let Some((_, element)) = RANGES.iter().find(|(name, _)| *name == bare) {
        let element = Box::new(read(schema, element));
        return ColumnType { element: Some(element), ..ColumnType::new(Family::Range, spelled) };
    }
    let known = BUILT_IN.iter().find(|(name, ..)| *name == bare);
    let (family, bits) = known.map_or((Family::Other, None), |(_, family, bits)| (*family, *bits));
    let mut column = ColumnType { bits, ..ColumnType::new(family, spelled) }.with_modifiers(&modifiers);
    match bare {
        "character" => {
            column.padded = true;
            column.length.get_or_insert(1);
        }
        "\"char\"" => column.length = Some(1),
        "name" => column.length = Some(63),
        "citext" => column.folds_case = true,
        "money" => column.precision = Some((19, 2)),
        _ => {}
    }
    column
}

fn user_type<'a>(schema: &'a Schema, spelled: &str) -> Option<(&'a Name, &'a Object)> {
    let bare = |text: &str| text.trim_matches('"').replace("\"\"", "\"");
    let named = |name: &Name| match spelled.split_once('.') {
        Some((namespace, local)) if name.namespace().is_some() => {
            name.namespace() == Some(&bare(namespace)) && *name.local() == bare(local)
        }
        _ => name.namespace().is_none() && *name.local() == bare(spelled),
    };
    let types = schema.groups().filter(|(kind, ..)| *kind == Kind::Type);
    types.map(|(_, name, group)| (name, group.object())).find(|(name, _)| named(name))
}

fn of_user(schema: &Schema, spelled: &str, name: &Name, object: &Object) -> ColumnType {
    let base = || read(schema, object.text(Attribute::Type).unwrap_or_default());
    match object.text(Attribute::Variety) {
        Some("enum") => {
            let values = object.list(Attribute::Values).to_vec();
            ColumnType { values, ..ColumnType::new(Family::Enum, spelled) }
        }
        Some("domain") => ColumnType { domain: Some(name.clone()), spelled: spelled.to_owned(), ..base() },
        Some("range") => {
            ColumnType { element: Some(Box::new(base())), ..ColumnType::new(Family::Range, spelled) }
        }
        Some("composite") => ColumnType {
            values: object.list(Attribute::Values).to_vec(),
            ..ColumnType::new(Family::Composite, spelled)
        },
        _ => ColumnType::new(Family::Other, spelled),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::Backend;
    use crate::schema::ObjectId;

    fn schema() -> Schema {
        let mut schema = Schema::new();
        let mut add = |name: Name, object: Object| schema.insert(ObjectId::whole(Kind::Type, name), object);
        let mood = vec!["sad".to_owned(), "glad".to_owned()];
        add(Name::new("mood"), Object::new().with(Attribute::Variety, "enum").with(Attribute::Values, mood));
        let domain =
            |base: &str| Object::new().with(Attribute::Variety, "domain").with(Attribute::Type, base);
        add(Name::new("email"), domain("character varying(80)"));
        add(Name::within("app", "Age"), domain("integer"));
        schema
    }

    #[rstest]
    #[case("bigint", Family::Integer, Some(64), None, None)]
    #[case("numeric(10,2)", Family::Decimal, None, None, Some((10, 2)))]
    #[case("numeric(10)", Family::Decimal, None, None, Some((10, 0)))]
    #[case("numeric", Family::Decimal, None, None, None)]
    #[case("character varying(50)", Family::Text, None, Some(50), None)]
    #[case("character(40)", Family::Text, None, Some(40), None)]
    #[case("character", Family::Text, None, Some(1), None)]
    #[case("timestamp(3) with time zone", Family::TimestampTz, None, None, Some((0, 3)))]
    #[case("timestamp without time zone", Family::Timestamp, None, None, None)]
    #[case("extensions.citext", Family::Text, None, None, None)]
    #[case("text[]", Family::Array, None, None, None)]
    #[case("int4range", Family::Range, None, None, None)]
    #[case("mood", Family::Enum, None, None, None)]
    #[case("email", Family::Text, None, Some(80), None)]
    #[case("app.\"Age\"", Family::Integer, Some(32), None, None)]
    #[case("inet", Family::Other, None, None, None)]
    fn reads(
        #[case] spelled: &str,
        #[case] family: Family,
        #[case] bits: Option<u32>,
        #[case] length: Option<u32>,
        #[case] precision: Option<(u32, i32)>,
    ) {
        let column = ColumnType::named(Backend::Postgres, &schema(), spelled);
        assert_eq!(
            (column.family, column.bits, column.length, column.precision),
            (family, bits, length, precision)
        );
        assert_eq!(column.spelled, spelled);
    }

    #[test]
    fn an_array_knows_what_it_holds() {
        let column = read(&schema(), "mood[]");
        assert_eq!(column.element.unwrap().values, ["sad", "glad"]);
    }

    #[test]
    fn a_domain_is_what_it_stands_on() {
        assert_eq!(read(&schema(), "email").domain, Some(Name::new("email")));
    }
}
