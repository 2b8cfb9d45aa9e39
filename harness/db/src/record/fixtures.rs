//! Rows that the project gives, to ride along through the history.

use std::collections::BTreeSet;

use serde_json::Value;
use switchback_core::history::Script;
use switchback_core::report::Location;
use switchback_core::schema::{Attribute, Group, Kind, Name, Schema};

use super::statement::Row;

/// The rows of a file of rows: a JSON object from table to an array of objects from column to value.
#[derive(Clone, Debug, Default)]
pub struct Fixtures {
    tables: Vec<(Name, Vec<Row>)>,
}

/// A file of rows that cannot be understood.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{location}: {problem}: write {{\"table\": [{{\"column\": value, …}}, …], …}}")]
pub struct FixturesError {
    location: Location,
    problem: String,
}

impl Fixtures {
    /// Reads a file of rows.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or not of the form above.
    pub fn parse(script: &Script) -> Result<Self, FixturesError> {
        let fail = |line: usize, problem: String| FixturesError {
            location: Location { file: script.path.clone(), line: u32::try_from(line).unwrap_or(u32::MAX) },
            problem,
        };
        let value: Value =
            serde_json::from_str(&script.text).map_err(|error| fail(error.line(), error.to_string()))?;
        let Value::Object(tables) = value else {
            return Err(fail(1, "the document is not an object of tables".to_owned()));
        };
        let mut found = Vec::new();
        for (table, rows) in tables {
            let Value::Array(rows) = rows else {
                return Err(fail(1, format!("the rows of \"{table}\" are not an array")));
            };
            let rows = rows.into_iter().map(|row| match row {
                Value::Object(cells) => Ok(cells.into_iter().collect()),
                _ => Err(fail(1, format!("a row of \"{table}\" is not an object"))),
            });
            let name = match table.split_once('.') {
                Some((namespace, local)) => Name::within(namespace, local),
                None => Name::new(table.clone()),
            };
            found.push((name, rows.collect::<Result<_, _>>()?));
        }
        Ok(Self { tables: found })
    }

    /// Reads several files of rows; a table may have rows in more than one.
    ///
    /// # Errors
    ///
    /// If one of them is not JSON, or not of the form above.
    pub fn parse_all(scripts: &[Script]) -> Result<Self, FixturesError> {
        let mut all = Self::default();
        for script in scripts {
            for (name, rows) in Self::parse(script)?.tables {
                match all.tables.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => known.extend(rows),
                    None => all.tables.push((name, rows)),
                }
            }
        }
        Ok(all)
    }

    /// Whether no rows are given.
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    /// The tables of which rows are given.
    pub fn tables(&self) -> impl Iterator<Item = &Name> {
        self.tables.iter().map(|(name, _)| name)
    }

    /// The rows of the given tables that fit the schema, parents before children; columns that are
    /// not there yet are left out.
    pub fn fitting<'a>(&'a self, schema: &Schema, wanted: &BTreeSet<&Name>) -> Vec<(&'a Name, Vec<Row>)> {
        let mut left: Vec<&(Name, Vec<Row>)> =
            self.tables.iter().filter(|(name, _)| wanted.contains(name)).collect();
        let mut ordered = Vec::new();
        while !left.is_empty() {
            let names: Vec<&Name> = left.iter().map(|(name, _)| name).collect();
            let ready = left.iter().position(|(name, _)| {
                schema.table(name).is_none_or(|group| !refers_to_any(group, name, &names))
            });
            // Tables that refer to each other go in the order in which the file names them.
            ordered.push(left.remove(ready.unwrap_or(0)));
        }
        let fit = |(name, rows): &'a (Name, Vec<Row>)| {
            let group = schema.table(name)?;
            let has = |column: &str| group.part(Kind::Column, column).is_some();
            let rows = rows.iter().map(|row| {
                let cells = row.iter().filter(|(column, _)| has(column));
                cells.map(|(column, value)| (column.clone(), value.clone())).collect()
            });
            Some((name, rows.collect()))
        };
        ordered.into_iter().filter_map(fit).collect()
    }
}

fn refers_to_any(group: &Group, own: &Name, names: &[&Name]) -> bool {
    let targets = group.parts_of(Kind::ForeignKey).filter_map(|(_, key)| key.text(Attribute::References));
    let mut targets = targets.map(|target| target.split_once(" (").map_or(target, |(table, _)| table));
    targets.any(|target| names.iter().any(|name| *name != own && name.to_string() == target))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use switchback_core::schema::Object;
    use switchback_core::schema::ObjectId;

    use super::*;

    fn parse(text: &str) -> Result<Fixtures, FixturesError> {
        Fixtures::parse(&Script::new("rows.json", text))
    }

    #[test]
    fn parents_come_first_and_columns_that_are_not_there_are_left_out() {
        let fixtures = parse(r#"{"posts": [{"id": 1, "later": 2}], "users": [{"id": 1}]}"#).unwrap();
        let mut schema = Schema::new();
        for table in ["posts", "users"] {
            let id = ObjectId::part(Kind::Table, Name::new(table), Kind::Column, "id");
            schema.insert(id, Object::new());
        }
        let key = ObjectId::part(Kind::Table, Name::new("posts"), Kind::ForeignKey, "fk");
        schema.insert(key, Object::new().with(Attribute::References, "users (id)"));
        let wanted = fixtures.tables().collect();
        let fitting = fixtures.fitting(&schema, &wanted);
        let shown: Vec<String> = fitting
            .iter()
            .map(|(name, rows)| format!("{name} {:?}", rows[0].keys().collect::<Vec<_>>()))
            .collect();
        assert_eq!(shown, [r#"users ["id"]"#, r#"posts ["id"]"#]);
    }

    #[rstest]
    #[case("[]", "rows.json:1: the document is not an object of tables")]
    #[case(r#"{"users": 1}"#, r#"rows.json:1: the rows of "users" are not an array"#)]
    #[case("{\n\"users\": [1]}", r#"rows.json:1: a row of "users" is not an object"#)]
    #[case("{\n\"users\": [", "rows.json:2: EOF while parsing")]
    fn says_what_is_wrong(#[case] text: &str, #[case] message: &str) {
        let error = parse(text).unwrap_err().to_string();
        assert!(error.starts_with(message), "{error}");
    }
}
