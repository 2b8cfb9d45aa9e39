//! Rows of a PostgreSQL table.

use sqlx::postgres::PgRow;
use sqlx::{AssertSqlSafe, PgConnection, Row as _};
use switchback_core::evidence::{Digest, TableRows};
use switchback_core::schema::{Attribute, Group, Kind, Name};

use super::promises::refusal;
use super::run::is_of_the_server;
use super::sqlx_error;
use crate::record::statement::{identifier, string};
use crate::record::watched::{ENDS, MANY};
use crate::record::{RecordError, Refusal, Watched};

pub(super) async fn insert(
    connection: &mut PgConnection,
    name: &Name,
    statements: &[String],
) -> Result<Vec<Result<(), Refusal>>, RecordError> {
    let mut answers = Vec::with_capacity(statements.len());
    for statement in statements {
        answers.push(match sqlx::raw_sql(AssertSqlSafe(statement.clone())).execute(&mut *connection).await {
            Ok(_) => Ok(()),
            Err(sqlx::Error::Database(error)) if !is_of_the_server(&*error) => Err(refusal(&*error)),
            Err(error) => return Err(sqlx_error("inserting rows")(error)),
        });
    }
    if answers.is_empty() || answers.iter().any(Result::is_ok) {
        advance_sequences(connection, name).await?;
    }
    Ok(answers)
}

/// A row that brings its own key does not move the sequence behind that key, and the next default
/// insert would collide with it: that would be the recorder's doing, not the project's.
async fn advance_sequences(connection: &mut PgConnection, name: &Name) -> Result<(), RecordError> {
    let owned: Vec<(String, String)> = sqlx::query_as(
        "SELECT attname::text, sequence FROM pg_attribute, pg_get_serial_sequence($1, attname) AS sequence \
         WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND sequence IS NOT NULL",
    )
    .bind(name.in_sql())
    .fetch_all(&mut *connection)
    .await
    .map_err(sqlx_error("looking for the sequences of a table"))?;
    for (column, sequence) in owned {
        let statement = format!(
            "SELECT setval({}, top) FROM (SELECT max({})::bigint AS top FROM {}) AS known WHERE top > 0",
            string(&sequence),
            identifier(&column),
            name.in_sql(),
        );
        let advanced = sqlx::raw_sql(AssertSqlSafe(statement)).execute(&mut *connection).await;
        advanced.map_err(sqlx_error("advancing a sequence behind given rows"))?;
    }
    Ok(())
}

/// All rows, or of a large table some: without a watchlist any, with one those that are watched and a
/// digest of all.
pub(super) async fn read(
    connection: &mut PgConnection,
    name: &Name,
    group: &Group,
    watched: Option<&Watched>,
) -> Result<TableRows, RecordError> {
    found(connection, name, group, watched).await.map_err(sqlx_error("reading rows"))
}

async fn found(
    connection: &mut PgConnection,
    name: &Name,
    group: &Group,
    watched: Option<&Watched>,
) -> Result<TableRows, sqlx::Error> {
    let columns: Vec<String> = group.columns().into_iter().map(|(column, _)| column.to_owned()).collect();
    let cells: Vec<String> = columns.iter().map(|column| text(column)).collect();
    let from = format!("SELECT {} FROM {}", cells.join(", "), name.in_sql());
    let mut rows = select(connection, &format!("{from} LIMIT {}", MANY + 1)).await?;
    let key = key_columns(group);
    let mut digest = None;
    if rows.len() > MANY {
        rows.truncate(2 * ENDS);
        if !key.is_empty() {
            rows = some(connection, &from, (name, group), &columns, &key, watched).await?;
        }
        if watched.is_some() {
            digest = Some(digest_of(connection, name, &columns, &key).await?);
        }
    }
    rows.sort();
    Ok(TableRows { key, columns, rows, digest })
}

/// The watched rows of a table, and if these are few, the first and the last by its key.
async fn some(
    connection: &mut PgConnection,
    from: &str,
    (name, group): (&Name, &Group),
    columns: &[String],
    key: &[String],
    watched: Option<&Watched>,
) -> Result<Vec<Vec<Option<String>>>, sqlx::Error> {
    let mut rows = Vec::new();
    if let Some((names, keys)) = watched.and_then(|watched| watched.columns_and_keys(columns)) {
        match select(connection, &format!("{from} WHERE ({names}) IN ({keys})")).await {
            // The key may have a type by now that its old values do not fit.
            Err(sqlx::Error::Database(error)) if !is_of_the_server(&*error) => {}
            found => rows = found?,
        }
    }
    if rows.len() < 2 * ENDS {
        let ends = ["ASC", "DESC"].map(|direction| {
            let order = key.iter().map(|column| format!("{} {direction}", sorted(name, group, column)));
            let order = order.collect::<Vec<_>>().join(", ");
            format!("SELECT * FROM ({from} ORDER BY {order} LIMIT {ENDS}) AS {direction}_end")
        });
        rows.extend(select(connection, &ends.join(" UNION ALL ")).await?);
        rows.sort();
        rows.dedup();
    }
    Ok(rows)
}

/// Numbers of all rows that the server computes. What a value is hashed with is the hash of its key,
/// so a sum over all rows tells which value goes with which key, in whatever order they come. The
/// functions are those of hash partitioning, since PostgreSQL 11.
async fn digest_of(
    connection: &mut PgConnection,
    name: &Name,
    columns: &[String],
    key: &[String],
) -> Result<Digest, sqlx::Error> {
    let hash = |text: &str, seed: &str| format!("hashtextextended({text} COLLATE \"C\", {seed})");
    let keys = match key {
        [] => {
            let cells: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
            hash(&format!("ROW({})::text", cells.join(", ")), "0")
        }
        key => key.iter().fold("0".to_owned(), |seed, column| hash(&text(column), &seed)),
    };
    let judged = if key.is_empty() { &[] } else { columns };
    let mut inner = vec![format!("{keys} AS keys")];
    let mut outer = vec!["count(*)::text".to_owned(), "sum(keys)::text".to_owned()];
    for (place, column) in judged.iter().enumerate() {
        inner.push(format!("{} AS c{place}", text(column)));
        outer.push(format!("sum({})::text", hash(&format!("c{place}"), "keys")));
    }
    // OFFSET keeps the planner from computing the hash of the key anew for each column.
    let query = format!(
        "SELECT {} FROM (SELECT {} FROM {} OFFSET 0) AS hashed",
        outer.join(", "),
        inner.join(", "),
        name.in_sql()
    );
    let mut found = select(connection, &query).await?.into_iter().flatten();
    let rows = found.next().flatten().and_then(|count| count.parse().ok()).unwrap_or_default();
    let keys = found.next().flatten().unwrap_or_default();
    let numbers = found.map(Option::unwrap_or_default);
    Ok(Digest { rows, keys, columns: judged.iter().cloned().zip(numbers).collect() })
}

fn text(column: &str) -> String {
    format!("{}::text", identifier(column))
}

/// A column to sort by, texts byte by byte as SQLite does. Its name alone would mean the text of it that
/// is selected.
fn sorted(name: &Name, group: &Group, column: &str) -> String {
    let declared = group.part(Kind::Column, column).and_then(|object| object.text(Attribute::Type));
    let is_text = declared.is_some_and(|name| name == "text" || name.starts_with("character"));
    format!("{}.{}{}", name.in_sql(), identifier(column), if is_text { " COLLATE \"C\"" } else { "" })
}

async fn select(connection: &mut PgConnection, query: &str) -> Result<Vec<Vec<Option<String>>>, sqlx::Error> {
    let found = sqlx::query(AssertSqlSafe(query)).persistent(false).fetch_all(connection).await?;
    let cells = |row: &PgRow| (0..row.len()).map(|place| row.try_get(place)).collect();
    found.iter().map(cells).collect()
}

/// The columns of the primary key.
pub(super) fn key_columns(group: &Group) -> Vec<String> {
    let key = group.parts_of(Kind::PrimaryKey).next();
    let columns = key.map(|(_, key)| key.list(Attribute::Columns).to_vec()).unwrap_or_default();
    columns.iter().map(|column| unquoted(column)).collect()
}

fn unquoted(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => written.to_owned(),
    }
}
