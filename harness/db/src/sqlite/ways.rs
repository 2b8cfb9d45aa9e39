//! The ways to break the promise of an append-only table on SQLite.

use switchback_core::Backend;
use switchback_core::evidence::TableRows;
use switchback_core::schema::{Attribute, Group, Kind, Name, Schema};

use crate::record::Way;
use crate::record::relatives::{parents, views_of};
use crate::record::statement::{identifier, upsert};

pub(super) fn to_break(schema: &Schema, name: &Name, rows: &TableRows) -> Vec<Way> {
    let Some(group) = schema.table(name) else { return Vec::new() };
    let target = name.in_sql();
    let columns = written_columns(group);
    let mut ways: Vec<Way> = columns
        .iter()
        .map(|column| Way::new(format!("UPDATE of {column}"), updates(&target, column, &target)))
        .collect();
    let idle = columns.iter().map(|column| identifier(column));
    let idle = idle.map(|column| format!("UPDATE {target} SET {column} = {column} WHERE false"));
    ways.push(Way::new("UPDATE that matches no row", idle));
    ways.push(Way::new("DELETE", [format!("DELETE FROM {target}")]));
    if !rows.key.is_empty() {
        ways.extend(replacing(name, &columns, &rows.key));
    }
    ways.extend(through_parents(schema, name));
    // A view takes writes only through triggers of its own (SQLite manual, "CREATE TRIGGER", 3).
    for (view, view_group) in views_of(schema, name, Backend::Sqlite) {
        let takes = |event: &str| {
            view_group.parts_of(Kind::Trigger).any(|(_, trigger)| {
                trigger.list(Attribute::Events).iter().any(|one| one.eq_ignore_ascii_case(event))
            })
        };
        let through = view.in_sql();
        if takes("update") {
            let shared = view_group.columns().into_iter().map(|(column, _)| column);
            let update = shared.flat_map(|column| updates(&through, column, &through));
            ways.push(Way::new(format!("UPDATE through view {view}"), update.collect::<Vec<_>>()));
        }
        if takes("delete") {
            ways.push(Way::new(format!("DELETE through view {view}"), [format!("DELETE FROM {through}")]));
        }
    }
    ways.retain(|way| !way.statements.is_empty());
    ways
}

/// The ways in which one row takes the place of another: REPLACE deletes the other without firing
/// its delete triggers unless recursive triggers are on (SQLite manual, "ON CONFLICT").
fn replacing(name: &Name, columns: &[&str], key: &[String]) -> Vec<Way> {
    let target = name.in_sql();
    let mut replace = Vec::new();
    let mut conflict = Vec::new();
    for column in columns.iter().filter(|column| !key.iter().any(|key| key == *column)) {
        for value in other_values(&identifier(column), &target) {
            replace.push(insert_or_replace(&target, columns, column, &value));
        }
        let qualified = format!("{target}.{}", identifier(column));
        for value in other_values(&qualified, &target) {
            conflict.push(upsert(name, columns, Backend::Sqlite, key, column, &value));
        }
    }
    let take_place = key.iter().map(|key| {
        let key = identifier(key);
        format!(
            "UPDATE OR REPLACE {target} SET {key} = (SELECT max({key}) FROM {target}) \
             WHERE {key} = (SELECT min({key}) FROM {target})"
        )
    });
    vec![
        Way::new("INSERT OR REPLACE", replace),
        Way::new("UPDATE OR REPLACE", take_place),
        Way::new("INSERT … ON CONFLICT DO UPDATE", conflict),
    ]
}

/// Replaces a row that is there by one that differs in `column`.
fn insert_or_replace(target: &str, columns: &[&str], column: &str, value: &str) -> String {
    let names: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
    let values = columns
        .iter()
        .zip(&names)
        .map(|(one, name)| if *one == column { value.to_owned() } else { name.clone() });
    let values: Vec<String> = values.collect();
    format!(
        "INSERT OR REPLACE INTO {target} ({}) SELECT {} FROM {target} LIMIT 1",
        names.join(", "),
        values.join(", ")
    )
}

fn through_parents(schema: &Schema, name: &Name) -> Vec<Way> {
    let mut ways = Vec::new();
    for parent in parents(schema, name) {
        let target = parent.table.in_sql();
        let place = format!("in parent {}", parent.table);
        if parent.passes_deletes {
            ways.push(Way::new(format!("DELETE {place}"), [format!("DELETE FROM {target}")]));
        }
        if parent.passes_updates {
            let update = parent.columns.iter().map(|column| identifier(column)).flat_map(|column| {
                let target = &target;
                other_values(&column, target)
                    .map(move |value| format!("UPDATE {target} SET {column} = {value}"))
            });
            ways.push(Way::new(format!("UPDATE {place}"), update));
        }
    }
    ways
}

fn written_columns(group: &Group) -> Vec<&str> {
    let columns = group.columns().into_iter();
    let written =
        columns.filter(|(_, object)| !object.has(Attribute::Generated) && !object.has(Attribute::Hidden));
    written.map(|(column, _)| column).collect()
}

fn updates(target: &str, column: &str, values_from: &str) -> Vec<String> {
    let column = identifier(column);
    other_values(&column, values_from)
        .map(|value| format!("UPDATE {target} SET {column} = {value}"))
        .collect()
}

/// Expressions that give another value than the column has, for one type or the other; the literals
/// serve columns that have none so far.
fn other_values(column: &str, target: &str) -> impl Iterator<Item = String> + use<> {
    let bare = column.rsplit('.').next().unwrap_or(column);
    let moved = |by: u32| {
        format!(
            "CASE WHEN typeof({column}) IN ('integer', 'real') THEN {column} + {by} ELSE {column} || 'x' END"
        )
    };
    [
        moved(1),
        // Far enough from the keys of other rows.
        moved(1_000_003),
        "'{\"switchback\": 1}'".to_owned(),
        "1".to_owned(),
        "NULL".to_owned(),
        format!("(SELECT max({bare}) FROM {target})"),
    ]
    .into_iter()
}
