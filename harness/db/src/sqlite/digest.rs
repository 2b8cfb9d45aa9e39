//! A digest of all rows of a large SQLite table.
//!
//! SQLite has no function that hashes, and one of our own would need `unsafe`. Its rows are in this
//! very process, so they are hashed here, page by page, and no page is kept. The values go by as they
//! are stored, since `quote()` would take longer than all the rest.

use std::hash::{DefaultHasher, Hasher as _};

use sqlx::{AssertSqlSafe, Row as _, TypeInfo as _, ValueRef as _};
use sqlx_sqlite::{SqliteConnection, SqliteRow};
use switchback_core::evidence::Digest;
use switchback_core::schema::{Attribute, Group, Name};

use crate::record::statement::{identifier, table};

/// How many rows are held in memory at once.
const PAGE: usize = 5_000;

/// What a value is hashed with is the hash of its key, so a sum over all rows tells which value goes
/// with which key, in whatever order they come.
pub(super) async fn of(
    connection: &mut SqliteConnection,
    name: &Name,
    group: &Group,
    columns: &[String],
    key: &[String],
) -> Result<Digest, sqlx::Error> {
    let key_places: Vec<usize> =
        key.iter().filter_map(|name| columns.iter().position(|column| column == name)).collect();
    let (mut rows, mut keys, mut sums) = (0, 0_u64, vec![0_u64; columns.len()]);
    let path = path(group, columns, key);
    let mut page = Page::first(&path, columns);
    loop {
        let query = format!("{} FROM {}{}", page.select, table(name), page.rest);
        let found = sqlx::query(AssertSqlSafe(query)).persistent(false).fetch_all(&mut *connection).await?;
        for row in &found {
            let mut hasher = DefaultHasher::new();
            for place in &key_places {
                hash(&mut hasher, row, path.len() + place)?;
            }
            if key_places.is_empty() {
                (0..columns.len()).try_for_each(|place| hash(&mut hasher, row, path.len() + place))?;
            }
            let of_key = hasher.finish();
            keys = keys.wrapping_add(of_key);
            for (place, sum) in sums.iter_mut().enumerate().filter(|_| !key.is_empty()) {
                let mut hasher = DefaultHasher::new();
                hasher.write_u64(of_key);
                hash(&mut hasher, row, path.len() + place)?;
                *sum = sum.wrapping_add(hasher.finish());
            }
        }
        rows += found.len();
        match found.last().filter(|_| found.len() == PAGE && !path.is_empty()) {
            Some(last) => page.follow(&path, last)?,
            None => break,
        }
    }
    let judged = if key.is_empty() { &[] } else { columns };
    let columns = judged.iter().cloned().zip(sums.iter().map(u64::to_string)).collect();
    Ok(Digest { rows, keys: keys.to_string(), columns })
}

/// Adds a value as it is stored, whatever the type of its column.
fn hash(hasher: &mut DefaultHasher, row: &SqliteRow, place: usize) -> Result<(), sqlx::Error> {
    let value = row.try_get_raw(place)?;
    if value.is_null() {
        hasher.write_u8(0);
        return Ok(());
    }
    let bytes = || row.try_get_unchecked::<&[u8], _>(place);
    match value.type_info().name() {
        "INTEGER" => {
            hasher.write_u8(1);
            hasher.write_i64(row.try_get_unchecked(place)?);
        }
        "REAL" => {
            hasher.write_u8(2);
            hasher.write_u64(row.try_get_unchecked::<f64, _>(place)?.to_bits());
        }
        "TEXT" => {
            hasher.write_u8(3);
            let bytes = bytes()?;
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        }
        _ => {
            hasher.write_u8(4);
            let bytes = bytes()?;
            hasher.write_usize(bytes.len());
            hasher.write(bytes);
        }
    }
    Ok(())
}

/// The columns by which a table is stored, so that a page begins where the one before it ended; none
/// if the table hides its rowid and has no key.
fn path(group: &Group, columns: &[String], key: &[String]) -> Vec<String> {
    // SQLite manual, "Rowid Tables": each of the names goes to a column that is called so.
    let hidden = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
    let rowid = ["rowid", "oid", "_rowid_"].into_iter().find(|name| !hidden(name));
    match rowid.filter(|_| !group.object().has(Attribute::WithoutRowid)) {
        Some(rowid) => vec![rowid.to_owned()],
        None => key.to_vec(),
    }
}

/// The part of a query that selects one page.
struct Page {
    select: String,
    rest: String,
}

impl Page {
    fn first(path: &[String], columns: &[String]) -> Self {
        let cells: Vec<String> = path.iter().chain(columns).map(|column| identifier(column)).collect();
        let select = format!("SELECT {}", cells.join(", "));
        let rest = if path.is_empty() { String::new() } else { ordered(path) };
        Self { select, rest }
    }

    fn follow(&mut self, path: &[String], last: &SqliteRow) -> Result<(), sqlx::Error> {
        let names: Vec<String> = path.iter().map(|column| identifier(column)).collect();
        let cells = (0..path.len()).map(|place| literal(last, place)).collect::<Result<Vec<_>, _>>()?;
        self.rest = format!(" WHERE ({}) > ({}){}", names.join(", "), cells.join(", "), ordered(path));
        Ok(())
    }
}

/// A value of a key as it is stored. A text may hold what no literal can.
fn literal(row: &SqliteRow, place: usize) -> Result<String, sqlx::Error> {
    let type_name = row.try_get_raw(place)?.type_info().name().to_owned();
    Ok(match type_name.as_str() {
        "INTEGER" => row.try_get_unchecked::<i64, _>(place)?.to_string(),
        "REAL" => format!("{:e}", row.try_get_unchecked::<f64, _>(place)?),
        other => {
            let bytes = row.try_get_unchecked::<&[u8], _>(place)?;
            let digits: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
            if other == "TEXT" { format!("CAST(X'{digits}' AS TEXT)") } else { format!("X'{digits}'") }
        }
    })
}

fn ordered(path: &[String]) -> String {
    let names: Vec<String> = path.iter().map(|column| identifier(column)).collect();
    format!(" ORDER BY {} LIMIT {PAGE}", names.join(", "))
}
