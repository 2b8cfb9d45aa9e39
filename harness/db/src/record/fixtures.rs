//! Rows that the project gives, to ride along through the history.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use switchback_core::Backend;
use switchback_core::history::Script;
use switchback_core::report::Location;
use switchback_core::rows;
use switchback_core::schema::{Group, Kind, Name, Schema};
use switchback_core::sql::{TokenKind, lex, split};

use super::statement::literal;

/// The rows of files of rows: JSON objects from table to an array of objects from column to value,
/// or INSERT statements.
#[derive(Clone, Debug, Default)]
pub struct Fixtures {
    tables: Vec<(Name, Vec<Row>)>,
}

/// A row that the project gives.
#[derive(Clone, Debug)]
enum Row {
    /// Column and value.
    Cells(BTreeMap<String, Value>),
    /// A statement of the project's own.
    Statement(String),
}

/// A file of rows that cannot be understood.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("{location}: {problem}: write {form}")]
pub struct FixturesError {
    location: Location,
    problem: String,
    form: &'static str,
}

const JSON: &str = "{\"table\": [{\"column\": value, …}, …], …}";
const SQL: &str = "INSERT statements alone, such as INSERT INTO table (column, …) VALUES (value, …)";

impl Fixtures {
    /// Reads a file of rows.
    ///
    /// # Errors
    ///
    /// If it is not JSON, or not of the form above.
    pub fn parse(script: &Script) -> Result<Self, FixturesError> {
        if script.path.to_lowercase().ends_with(".sql") {
            return Self::parse_sql(script);
        }
        let fail = |line: usize, problem: String| FixturesError {
            location: Location { file: script.path.clone(), line: u32::try_from(line).unwrap_or(u32::MAX) },
            problem,
            form: JSON,
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
                Value::Object(cells) => Ok(Row::Cells(cells.into_iter().collect())),
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

    fn parse_sql(script: &Script) -> Result<Self, FixturesError> {
        let mut found = Self::default();
        for statement in split(&script.text, Backend::Postgres) {
            if statement.is_blank() {
                continue;
            }
            let Some(name) = target(statement.body) else {
                return Err(FixturesError {
                    location: Location { file: script.path.clone(), line: statement.line },
                    problem: "the statement is not an INSERT".to_owned(),
                    form: SQL,
                });
            };
            found.add(name, vec![Row::Statement(statement.body.to_owned())]);
        }
        Ok(found)
    }

    fn add(&mut self, name: Name, rows: Vec<Row>) {
        match self.tables.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) => known.extend(rows),
            None => self.tables.push((name, rows)),
        }
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
                all.add(name, rows);
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

    /// The statements that insert the rows of the given tables, parents before children; columns that
    /// are not there yet are left out.
    pub fn fitting<'a>(
        &'a self,
        schema: &Schema,
        wanted: &BTreeSet<&Name>,
        backend: Backend,
    ) -> Vec<(&'a Name, Vec<String>)> {
        let mut left: Vec<&(Name, Vec<Row>)> =
            self.tables.iter().filter(|(name, _)| wanted.contains(name)).collect();
        let mut ordered = Vec::new();
        while !left.is_empty() {
            let names: Vec<&Name> = left.iter().map(|(name, _)| name).collect();
            let ready = left.iter().position(|(name, _)| {
                schema.table(name).is_none_or(|group| !refers_to_any(schema, group, name, &names))
            });
            // Tables that refer to each other go in the order in which the file names them.
            ordered.push(left.remove(ready.unwrap_or(0)));
        }
        let statements = |(name, rows): &'a (Name, Vec<Row>)| {
            let group = schema.table(name)?;
            let has = |column: &str| group.part(Kind::Column, column).is_some();
            let statement = |row: &Row| match row {
                Row::Cells(cells) => {
                    let cells = cells.iter().filter(|(column, _)| has(column));
                    let cells = cells.map(|(column, value)| (column.clone(), literal(value))).collect();
                    rows::insert(backend, name, &cells)
                }
                Row::Statement(text) => text.clone(),
            };
            Some((name, rows.iter().map(statement).collect()))
        };
        ordered.into_iter().filter_map(statements).collect()
    }
}

/// The table that an INSERT names.
pub(super) fn target(statement: &str) -> Option<Name> {
    let tokens: Vec<_> =
        lex(statement, Backend::Postgres).into_iter().filter(|token| token.is_significant()).collect();
    let into = tokens.iter().take(5).position(|token| token.is_word("into"))?;
    if !tokens.first()?.is_word("insert") {
        return None;
    }
    let part = |place: usize| {
        let token = tokens.get(place)?;
        match token.kind {
            TokenKind::Word => Some(token.text.to_owned()),
            TokenKind::QuotedIdentifier => Some(token.text.trim_matches('"').replace("\"\"", "\"")),
            _ => None,
        }
    };
    let first = part(into + 1)?;
    match tokens.get(into + 2).filter(|token| token.is_mark(".")) {
        Some(_) => Some(Name::within(first, part(into + 3)?)),
        None => Some(Name::new(first)),
    }
}

fn refers_to_any(schema: &Schema, group: &Group, own: &Name, names: &[&Name]) -> bool {
    let parents = rows::foreign_keys(schema, group).into_iter().map(|key| key.parent);
    parents.into_iter().any(|parent| parent != *own && names.contains(&&parent))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;
    use switchback_core::schema::{Attribute, Object, ObjectId};

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
        let columns = Object::new().with(Attribute::Columns, vec!["id".to_owned()]);
        schema.insert(key, columns.with(Attribute::References, "users (id)"));
        let wanted = fixtures.tables().collect();
        let fitting = fixtures.fitting(&schema, &wanted, Backend::Sqlite);
        let shown: Vec<&str> = fitting.iter().map(|(_, statements)| statements[0].as_str()).collect();
        let expected =
            [r#"INSERT INTO "users" ("id") VALUES (1)"#, r#"INSERT INTO "posts" ("id") VALUES (1)"#];
        assert_eq!(shown, expected);
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

    #[test]
    fn statements_are_rows_too() {
        let sql = "-- one\nINSERT INTO users (id) VALUES (1);\nINSERT INTO \"audit\".\"Log\" DEFAULT VALUES;";
        let fixtures = Fixtures::parse(&Script::new("rows.sql", sql)).unwrap();
        let tables: Vec<&Name> = fixtures.tables().collect();
        assert_eq!(tables, [&Name::new("users"), &Name::within("audit", "Log")]);
        let error = Fixtures::parse(&Script::new("rows.sql", "\nDELETE FROM users")).unwrap_err().to_string();
        assert!(
            error.starts_with("rows.sql:2: the statement is not an INSERT: write INSERT statements"),
            "{error}"
        );
    }
}
