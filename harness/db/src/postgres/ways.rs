//! The ways to break the promise of an append-only table on PostgreSQL.
//!
//! COPY is none of them: it only adds rows (manual, "COPY").

use switchback_core::Backend;
use switchback_core::evidence::TableRows;
use switchback_core::schema::{Attribute, Group, Name, Schema};

use crate::record::Way;
use crate::record::relatives::{parents, views_of};
use crate::record::statement::{identifier, upsert};

/// The first version that knows MERGE (release notes of PostgreSQL 15).
const MERGE_SINCE: u32 = 15;

pub(super) fn to_break(schema: &Schema, name: &Name, rows: &TableRows, major: u32) -> Vec<Way> {
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
    let truncate = [format!("TRUNCATE {target}"), format!("TRUNCATE {target} CASCADE")];
    ways.push(Way::new("TRUNCATE", truncate));
    let changed: Vec<&str> =
        columns.iter().copied().filter(|one| !rows.key.iter().any(|key| key == one)).collect();
    if !rows.key.is_empty() && !changed.is_empty() {
        let upserts = changed.iter().flat_map(|column| {
            let qualified = format!("{target}.{}", identifier(column));
            other_values(&qualified, &target)
                .map(|value| upsert(name, &columns, Backend::Postgres, &rows.key, column, &value))
        });
        ways.push(Way::new("INSERT … ON CONFLICT DO UPDATE", upserts));
    }
    if major >= MERGE_SINCE {
        let merge = format!("MERGE INTO {target} AS t USING (SELECT 1) AS one ON true WHEN MATCHED THEN");
        let update = columns.iter().flat_map(|column| {
            let column = identifier(column);
            let merge = &merge;
            other_values(&format!("t.{column}"), &target)
                .map(move |value| format!("{merge} UPDATE SET {column} = {value}"))
        });
        ways.push(Way::new("UPDATE by MERGE", update));
        ways.push(Way::new("DELETE by MERGE", [format!("{merge} DELETE")]));
    }
    ways.extend(through_parents(schema, name));
    for (view, view_group) in views_of(schema, name, Backend::Postgres) {
        let through = view.in_sql();
        let shared =
            columns.iter().filter(|column| view_group.columns().iter().any(|(one, _)| one == *column));
        let update = shared.flat_map(|column| updates(&through, column, &target));
        ways.push(Way::new(format!("UPDATE through view {view}"), update));
        ways.push(Way::new(format!("DELETE through view {view}"), [format!("DELETE FROM {through}")]));
    }
    for part in partitions(schema, name) {
        let target = part.in_sql();
        ways.push(Way::new(format!("DELETE in partition {part}"), [format!("DELETE FROM {target}")]));
        ways.push(Way::new(format!("TRUNCATE in partition {part}"), [format!("TRUNCATE {target}")]));
    }
    // Triggers that are not ENABLE ALWAYS don't fire then (manual, "Client Connection Defaults").
    let replica = format!("SET LOCAL session_replication_role = replica; DELETE FROM {target}");
    let replica = Way::new("DELETE with session_replication_role = replica", [replica]);
    ways.push(Way { owner_only: true, ..replica });
    ways.retain(|way| !way.statements.is_empty());
    ways
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
        ways.push(Way::new(format!("TRUNCATE CASCADE {place}"), [format!("TRUNCATE {target} CASCADE")]));
    }
    ways
}

/// The partitions of a table, and theirs.
fn partitions<'a>(schema: &'a Schema, name: &Name) -> Vec<&'a Name> {
    let prefix = format!("{name} ");
    let mut found = Vec::new();
    for (part, group) in schema.tables() {
        let of = group.object().text(Attribute::PartitionOf);
        if of.is_some_and(|of| of.starts_with(&prefix)) {
            found.push(part);
            found.extend(partitions(schema, part));
        }
    }
    found
}

fn written_columns(group: &Group) -> Vec<&str> {
    let columns = group.columns().into_iter().filter(|(_, object)| !object.has(Attribute::Generated));
    columns.map(|(column, _)| column).collect()
}

fn updates(target: &str, column: &str, values_from: &str) -> impl Iterator<Item = String> {
    let column = identifier(column);
    let values: Vec<String> = other_values(&column, values_from).collect();
    let target = target.to_owned();
    values.into_iter().map(move |value| format!("UPDATE {target} SET {column} = {value}"))
}

/// Expressions that give another value than the column has, for one type or the other; the literals
/// serve columns that have none so far.
fn other_values(column: &str, target: &str) -> impl Iterator<Item = String> + use<> {
    let bare = column.rsplit('.').next().unwrap_or(column);
    [
        format!("NOT {column}"),
        format!("{column} + 1"),
        // Far enough from the keys of other rows.
        format!("{column} + 1000003"),
        format!("{column} || 'x'"),
        format!("{column} + interval '1 day'"),
        "'{\"switchback\": 1}'".to_owned(),
        "'1'".to_owned(),
        "'2001-01-01'".to_owned(),
        "gen_random_uuid()".to_owned(),
        "NULL".to_owned(),
        format!("(SELECT max({bare}) FROM {target})"),
        "DEFAULT".to_owned(),
    ]
    .into_iter()
}
