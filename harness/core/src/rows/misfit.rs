//! Rows that a schema does not allow.

use std::collections::BTreeMap;

use super::datum::Datum;
use super::expression::Condition;
use super::generator::Side;
use super::harvest;
use super::keys::{may_be_null, unique_keys};
use crate::evidence::{Rows, TableRows};
use crate::family::{ColumnType, Family};
use crate::schema::{Attribute, Group, Kind, Name};
use crate::sql::words;

/// The first of some rows that the schema certainly does not allow, and why:
/// `users (id = 4): "email" is NULL`. If a statement is given, of the tables that it names: no row of
/// another one is why it failed.
pub fn misfit(side: Side<'_>, rows: &Rows, statement: Option<&str>) -> Option<String> {
    let named = statement.map(|statement| words(statement, side.backend));
    let is_meant =
        |name: &Name| named.as_ref().is_none_or(|named| named.contains(&name.local().to_lowercase()));
    let mut tables = rows.tables.iter().filter(|(name, _)| is_meant(name));
    tables.find_map(|(name, rows)| of_table(side, name, side.schema.table(name)?, rows))
}

fn of_table(side: Side<'_>, name: &Name, group: &Group, rows: &TableRows) -> Option<String> {
    let types: BTreeMap<&str, ColumnType> = group
        .columns()
        .into_iter()
        .map(|(column, object)| (column, ColumnType::of(side.backend, side.schema, object)))
        .collect();
    let conditions: Vec<(&str, Condition)> = harvest::conditions(group)
        .filter_map(|text| Some((text, Condition::parse(text, side.backend)?)))
        .collect();
    for row in &rows.rows {
        let cell = |column: &str| {
            let place = rows.columns.iter().position(|one| one.eq_ignore_ascii_case(column))?;
            let column_type = types.iter().find(|(one, _)| one.eq_ignore_ascii_case(column))?.1;
            Some(Datum::read(side.backend, column_type, row[place].as_deref()))
        };
        let told = |why: String| Some(format!("{name} ({}): {why}", identified(rows, row)));
        for (column, column_type) in &types {
            match cell(column) {
                Some(Datum::Null) if !may_be_null(group, column) => {
                    return told(format!("\"{column}\" is NULL"));
                }
                Some(Datum::Text(text)) if column_type.family == Family::Text => {
                    let length = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
                    if let Some(most) = column_type.length.filter(|most| length > *most) {
                        return told(format!("\"{column}\" has {length} characters, and {most} are allowed"));
                    }
                }
                _ => {}
            }
        }
        if let Some((text, _)) =
            conditions.iter().find(|(_, condition)| condition.refuses(&|name| cell(name)))
        {
            return told(format!("it does not meet {text}"));
        }
    }
    twice(name, group, rows)
}

/// Two rows with the same key; an index over a part of the rows may allow them.
fn twice(name: &Name, group: &Group, rows: &TableRows) -> Option<String> {
    let partial = group.parts_of(Kind::Index).any(|(_, index)| index.has(Attribute::Where));
    for key in unique_keys(group).into_iter().filter(|_| !partial) {
        let Some(mut values) = rows.project(&key) else { continue };
        values.retain(|values| values.iter().all(Option::is_some));
        values.sort();
        if let Some(pair) = values.windows(2).find(|pair| pair[0] == pair[1]) {
            let shown: Vec<String> =
                pair[0].iter().map(|value| super::shown(value.unwrap_or("NULL"))).collect();
            return Some(format!("{name}: two rows have {} ({})", key.join(", "), shown.join(", ")));
        }
    }
    None
}

/// The key of a row, or its first cells.
fn identified(rows: &TableRows, row: &[Option<String>]) -> String {
    let columns = if rows.key.is_empty() { rows.columns.get(..1).unwrap_or_default() } else { &rows.key };
    let cell = |column: &String| {
        let place = rows.columns.iter().position(|one| one == column)?;
        let text = super::shown(row.get(place)?.as_deref().unwrap_or("NULL"));
        Some(format!("{column} = {text}"))
    };
    columns.iter().filter_map(cell).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::Backend;
    use crate::schema::{Object, ObjectId, Schema};

    #[test]
    fn a_row_is_of_a_table_that_the_statement_names() {
        let mut schema = Schema::new();
        let tables = ["logs", "users"].map(|table| {
            let id = ObjectId::part(Kind::Table, Name::new(table), Kind::Column, "at");
            schema.insert(id, Object::new().flag(Attribute::NotNull));
            let held =
                TableRows { columns: vec!["at".to_owned()], rows: vec![vec![None]], ..TableRows::default() };
            (Name::new(table), Arc::new(held))
        });
        let rows = Rows { tables: tables.into_iter().collect() };
        let side = Side { backend: Backend::Sqlite, schema: &schema };
        let found = |statement| misfit(side, &rows, statement);
        assert_eq!(found(None).unwrap(), "logs (at = NULL): \"at\" is NULL");
        let copy = "INSERT INTO users_new SELECT at FROM \"Users\"";
        assert_eq!(found(Some(copy)).unwrap(), "users (at = NULL): \"at\" is NULL");
        assert_eq!(found(Some("INSERT INTO posts_new SELECT at FROM posts")), None);
    }
}
