//! What only the database itself can tell: the columns of views and virtual tables, and whatever
//! a text that no parser accepts declares.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::Row as _;
use sqlx_sqlite::{SqliteConnection, SqliteRow};
use switchback_core::schema::{Attribute, Group, Kind, Object};

use super::IntrospectError;
use super::constraint::{self, Constraint, ForeignKey};
use super::spelling::{canonical, identifier};
use super::unit::{Builder, Parsed};

/// The columns of views and virtual tables by name in lower case, or SQLite's message if the view
/// no longer reads or the module isn't there.
pub(super) type Columns = BTreeMap<String, Result<Vec<Column>, String>>;

/// A row of `PRAGMA table_xinfo`.
#[derive(Clone, Debug)]
pub(super) struct Column {
    name: String,
    declared: String,
    not_null: bool,
    default: Option<String>,
    primary_key: i64,
    hidden: i64,
}

const XINFO: &str = "x.name, x.type, x.\"notnull\", x.dflt_value, x.pk, x.hidden";

/// More names than this are asked for in one query, which reads all that there are.
const FEW: usize = 8;

/// Reads the columns of some views and virtual tables.
pub(super) async fn columns(
    connection: &mut SqliteConnection,
    names: &[&str],
) -> Result<Columns, IntrospectError> {
    if names.len() > FEW
        && let Some(columns) = all_columns(connection).await?
    {
        return Ok(columns.into_iter().map(|(name, columns)| (name, Ok(columns))).collect());
    }
    let mut columns = Columns::new();
    for name in names {
        let one = match table_columns(connection, name).await {
            Ok(columns) => Ok(columns),
            Err(IntrospectError::Read(error)) if is_refusal(&error) => Err(message(&error)),
            Err(error) => return Err(error),
        };
        columns.insert(name.to_ascii_lowercase(), one);
    }
    Ok(columns)
}

/// The columns of all views and virtual tables, unless there is one whose columns can't be read,
/// which makes the whole query fail.
async fn all_columns(
    connection: &mut SqliteConnection,
) -> Result<Option<BTreeMap<String, Vec<Column>>>, IntrospectError> {
    // Neither a view nor a virtual table has a root page.
    let sql = format!(
        "SELECT m.name, {XINFO} FROM main.sqlite_master AS m, pragma_table_xinfo(m.name, 'main') AS x \
         WHERE m.type IN ('table', 'view') AND m.rootpage = 0 ORDER BY m.name, x.cid"
    );
    let rows = match sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(connection).await {
        Err(error) if is_refusal(&error) => return Ok(None),
        rows => rows?,
    };
    let mut columns: BTreeMap<String, Vec<Column>> = BTreeMap::new();
    for row in rows {
        let name: String = row.try_get(0)?;
        columns.entry(name.to_ascii_lowercase()).or_default().push(column(&row, 1)?);
    }
    Ok(Some(columns))
}

/// Adds its columns to a view or virtual table.
pub(super) fn with_columns(parsed: &Parsed, columns: &Columns) -> Arc<Group> {
    // A table that another connection dropped in between has none.
    let columns = columns.get(&parsed.name.local().to_ascii_lowercase());
    match columns.map(Result::as_ref).unwrap_or(Ok(&Vec::new())) {
        Ok(columns) => valid(parsed, columns),
        Err(message) => invalid(parsed, message),
    }
}

fn valid(parsed: &Parsed, columns: &[Column]) -> Arc<Group> {
    let mut builder = Builder::from(parsed);
    builder.whole(parsed.group.object().clone().with(Attribute::ColumnOrder, order(columns)));
    for column in columns {
        // What type SQLite reports for a view's column differs from version to version.
        let object = if parsed.kind == Kind::View { Object::new() } else { column_object(column) };
        builder.part(Kind::Column, column.name.clone(), object);
    }
    builder.finish()
}

fn invalid(parsed: &Parsed, message: &str) -> Arc<Group> {
    let mut builder = Builder::from(parsed);
    builder.whole(parsed.group.object().clone().with(Attribute::Invalid, message));
    builder.finish()
}

/// Completes a table of which some text was not understood.
pub(super) async fn complete(
    connection: &mut SqliteConnection,
    parsed: &Parsed,
) -> Result<Arc<Group>, IntrospectError> {
    let mut builder = Builder::from(parsed);
    let table = parsed.name.local();
    if parsed.group.object().has(Attribute::Definition) {
        let columns = match table_columns(connection, table).await {
            Err(IntrospectError::Read(error)) if is_refusal(&error) => {
                return Ok(invalid(parsed, &message(&error)));
            }
            other => other?,
        };
        builder.whole(parsed.group.object().clone().with(Attribute::ColumnOrder, order(&columns)));
        let constraints = constraints(connection, table, &columns).await?;
        for column in columns {
            builder.part(Kind::Column, column.name.clone(), column_object(&column));
        }
        for (name, constraint) in constraint::named(constraints) {
            builder.part(constraint.kind, name, constraint.object);
        }
    }
    for index in indexes(connection, table).await? {
        if let Some(object) = parsed.group.part(Kind::Index, &index.name)
            && object.has(Attribute::Definition)
        {
            let mut object = object.clone().with(Attribute::Columns, index.terms);
            if index.unique {
                object = object.flag(Attribute::UniqueIndex);
            }
            builder.part(Kind::Index, index.name, object);
        }
    }
    Ok(builder.finish())
}

async fn table_columns(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<Column>, IntrospectError> {
    let sql = format!("SELECT {XINFO} FROM pragma_table_xinfo(?, 'main') AS x ORDER BY x.cid");
    let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).bind(table).fetch_all(connection).await?;
    rows.iter().map(|row| column(row, 0)).collect()
}

fn column(row: &SqliteRow, first: usize) -> Result<Column, IntrospectError> {
    Ok(Column {
        name: row.try_get(first)?,
        declared: row.try_get(first + 1)?,
        not_null: row.try_get::<i64, _>(first + 2)? != 0,
        default: row.try_get(first + 3)?,
        primary_key: row.try_get(first + 4)?,
        hidden: row.try_get(first + 5)?,
    })
}

fn column_object(column: &Column) -> Object {
    let mut object = Object::new();
    let declared = canonical(&column.declared).to_ascii_uppercase();
    let declared = match column.hidden {
        // 3.34 takes these words for a part of the type.
        2 | 3 => declared.strip_suffix("GENERATED ALWAYS").unwrap_or(&declared).trim_end(),
        _ => &declared,
    };
    if !declared.is_empty() {
        object.set(Attribute::Type, declared);
    }
    if column.not_null {
        object = object.flag(Attribute::NotNull);
    }
    if let Some(default) = &column.default {
        object.set(Attribute::Default, canonical(default));
    }
    // https://sqlite.org/pragma.html#pragma_table_xinfo
    match column.hidden {
        1 => object.flag(Attribute::Hidden),
        2 => object.with(Attribute::Generated, "virtual"),
        3 => object.with(Attribute::Generated, "stored"),
        _ => object,
    }
}

struct Index {
    name: String,
    unique: bool,
    origin: String,
    terms: Vec<String>,
    columns: Vec<String>,
}

async fn indexes(connection: &mut SqliteConnection, table: &str) -> Result<Vec<Index>, IntrospectError> {
    let sql = "SELECT l.name, l.\"unique\", l.origin, x.name, x.\"desc\", x.coll \
               FROM pragma_index_list(?, 'main') AS l, pragma_index_xinfo(l.name, 'main') AS x \
               WHERE x.key ORDER BY l.name, x.seqno";
    let mut indexes: Vec<Index> = Vec::new();
    for row in sqlx::query(sql).bind(table).fetch_all(connection).await? {
        let name: String = row.try_get(0)?;
        if indexes.last().is_none_or(|last| last.name != name) {
            let (unique, origin) = (row.try_get::<i64, _>(1)? != 0, row.try_get(2)?);
            indexes.push(Index { name, unique, origin, terms: Vec::new(), columns: Vec::new() });
        }
        let column: Option<String> = row.try_get(3)?;
        let descending: i64 = row.try_get(4)?;
        let collation: String = row.try_get::<String, _>(5)?.to_ascii_uppercase();
        let mut term = column.as_deref().map_or_else(|| "(expression)".to_owned(), identifier);
        if collation != "BINARY" {
            term = format!("{term} collate {collation}");
        }
        if descending != 0 {
            term.push_str(" desc");
        }
        if let Some(index) = indexes.last_mut() {
            index.terms.push(term);
            index.columns.extend(column);
        }
    }
    Ok(indexes)
}

/// Primary key, unique constraints and foreign keys; checks are known from the text only.
async fn constraints(
    connection: &mut SqliteConnection,
    table: &str,
    columns: &[Column],
) -> Result<Vec<Constraint>, IntrospectError> {
    let mut constraints = Vec::new();
    let indexes = indexes(connection, table).await?;
    let mut add = |kind, about: Vec<String>, object, foreign_key| {
        constraints.push(Constraint { kind, name: None, about, object, foreign_key });
    };
    let mut key: Vec<&Column> = columns.iter().filter(|column| column.primary_key > 0).collect();
    key.sort_by_key(|column| column.primary_key);
    if !key.is_empty() {
        let about: Vec<String> = key.iter().map(|column| column.name.clone()).collect();
        // The rowid needs no index; every other primary key has one, which knows the order.
        let index = indexes.iter().find(|index| index.origin == "pk").map(|index| index.terms.clone());
        let terms = index.unwrap_or_else(|| about.iter().map(|column| identifier(column)).collect());
        add(Kind::PrimaryKey, about, Object::new().with(Attribute::Columns, terms), None);
    }
    for index in indexes.into_iter().filter(|index| index.origin == "u") {
        add(Kind::Unique, index.columns, Object::new().with(Attribute::Columns, index.terms), None);
    }
    for (columns, foreign_key, actions) in foreign_keys(connection, table).await? {
        let terms: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
        let mut object = Object::new().with(Attribute::Columns, terms);
        object.set(Attribute::References, foreign_key.to_string());
        for (attribute, action) in actions {
            if action != "no action" {
                object.set(attribute, action);
            }
        }
        add(Kind::ForeignKey, columns, object, Some(foreign_key));
    }
    Ok(constraints)
}

type ForeignKeyRow = (Vec<String>, ForeignKey, [(Attribute, String); 2]);

async fn foreign_keys(
    connection: &mut SqliteConnection,
    table: &str,
) -> Result<Vec<ForeignKeyRow>, IntrospectError> {
    let sql = "SELECT id, \"table\", \"from\", \"to\", lower(on_delete), lower(on_update) \
               FROM pragma_foreign_key_list(?, 'main') ORDER BY id, seq";
    let mut keys: Vec<(i64, ForeignKeyRow)> = Vec::new();
    for row in sqlx::query(sql).bind(table).fetch_all(connection).await? {
        let id: i64 = row.try_get(0)?;
        let to: Option<String> = row.try_get(3)?;
        if keys.last().is_none_or(|(last, _)| *last != id) {
            let foreign_key = ForeignKey { table: row.try_get(1)?, columns: to.as_ref().map(|_| Vec::new()) };
            let actions = [(Attribute::OnDelete, row.try_get(4)?), (Attribute::OnUpdate, row.try_get(5)?)];
            keys.push((id, (Vec::new(), foreign_key, actions)));
        }
        if let Some((_, (columns, foreign_key, _))) = keys.last_mut() {
            columns.push(row.try_get(2)?);
            if let Some(referenced) = &mut foreign_key.columns {
                referenced.extend(to);
            }
        }
    }
    Ok(keys.into_iter().map(|(_, key)| key).collect())
}

fn order(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|column| column.name.clone()).collect()
}

/// Whether SQLite refused the statement, rather than failing at running it.
fn is_refusal(error: &sqlx::Error) -> bool {
    // SQLITE_ERROR: https://sqlite.org/rescode.html#error
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "1")
}

fn message(error: &sqlx::Error) -> String {
    error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}

#[cfg(test)]
mod tests;
