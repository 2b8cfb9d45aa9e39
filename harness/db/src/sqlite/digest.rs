//! A digest of all rows of a large SQLite table.
//!
//! SQLite has no function that hashes, and one of our own would need `unsafe`. Its rows are in this
//! very process, so they are hashed here, page by page, and no page is kept. To hand over each row
//! takes several times as long as to hand over the values of each column of a page in one text.

use std::hash::{DefaultHasher, Hasher as _};

use sqlx::{AssertSqlSafe, Row as _};
use sqlx_sqlite::{SqliteConnection, SqliteRow};
use switchback_core::Backend;
use switchback_core::evidence::Digest;
use switchback_core::schema::{Attribute, Group, Name};

use crate::record::statement::identifier;

/// How many rows are held in memory at once. SQLite's texts have a limit of a thousand million bytes.
const PAGE: usize = 1_000;
/// What stands between two values. A page that holds one with this byte in it is read row by row.
const BETWEEN: u8 = 0x1f;
/// What stands for NULL.
const NULL: &str = "\u{1e}";

/// Values go by as the texts that SQLite makes of them, without their storage class: a change of that
/// alone concerns a whole column, and shows in the rows that are looked at one by one.
pub(super) async fn of(
    connection: &mut SqliteConnection,
    name: &Name,
    group: &Group,
    columns: &[String],
    key: &[String],
) -> Result<Digest, sqlx::Error> {
    let place = |name: &String| columns.iter().position(|column| column == name);
    let mut sums = Sums::new(key.iter().filter_map(place).collect(), columns.len());
    let path = Path::of(name, group, columns, key);
    let mut low: Option<String> = None;
    loop {
        let high = path.end_of_page(connection, low.as_deref()).await?;
        let page = path.between(low.as_deref(), high.as_deref());
        sums.add(connection, columns, &page).await?;
        match high {
            Some(_) => low = high,
            None => return Ok(sums.digest(columns)),
        }
    }
}

/// What a value is hashed with is the hash of its key, so a sum over all rows tells which value goes
/// with which key, in whatever order they come.
struct Sums {
    /// The places of the key's columns.
    key: Vec<usize>,
    rows: usize,
    keys: u64,
    columns: Vec<u64>,
}

impl Sums {
    fn new(key: Vec<usize>, columns: usize) -> Self {
        Self { key, rows: 0, keys: 0, columns: vec![0; columns] }
    }

    /// Adds the rows that a FROM clause gives.
    async fn add(
        &mut self,
        connection: &mut SqliteConnection,
        columns: &[String],
        page: &str,
    ) -> Result<(), sqlx::Error> {
        let all = columns.iter().map(|column| {
            format!("group_concat(ifnull({}, '{NULL}'), '{}')", identifier(column), char::from(BETWEEN))
        });
        let all: Vec<String> = std::iter::once("count(*)".to_owned()).chain(all).collect();
        let found = select(connection, &format!("SELECT {}{page}", all.join(", "))).await?;
        let Some(found) = found.first() else { return Ok(()) };
        let count = usize::try_from(found.try_get::<i64, _>(0)?).unwrap_or_default();
        let mut values = Vec::with_capacity(columns.len());
        for place in 1..=columns.len() {
            let bytes = found.try_get_unchecked::<Option<&[u8]>, _>(place)?.unwrap_or_default();
            values.push(bytes.split(|byte| *byte == BETWEEN).collect::<Vec<_>>());
        }
        if count == 0 {
            return Ok(());
        }
        if values.iter().all(|column| column.len() == count) {
            let mut row = Vec::with_capacity(columns.len());
            for number in 0..count {
                row.clear();
                row.extend(values.iter().map(|column| column[number]));
                self.add_row(&row);
            }
            return Ok(());
        }
        let each =
            columns.iter().map(|column| format!("ifnull(CAST({} AS TEXT), '{NULL}')", identifier(column)));
        let each: Vec<String> = each.collect();
        for row in select(connection, &format!("SELECT {}{page}", each.join(", "))).await? {
            let cells = (0..columns.len()).map(|place| row.try_get_unchecked::<&[u8], _>(place));
            self.add_row(&cells.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(())
    }

    fn add_row(&mut self, row: &[&[u8]]) {
        let whole = self.key.is_empty();
        let mut hasher = DefaultHasher::new();
        let (all, key) = (0..row.len(), self.key.iter().copied());
        for place in all.filter(|_| whole).chain(key) {
            hash(&mut hasher, row[place]);
        }
        let of_key = hasher.finish();
        self.rows += 1;
        self.keys = self.keys.wrapping_add(of_key);
        for (sum, value) in self.columns.iter_mut().zip(row).filter(|_| !whole) {
            let mut hasher = DefaultHasher::new();
            hasher.write_u64(of_key);
            hash(&mut hasher, value);
            *sum = sum.wrapping_add(hasher.finish());
        }
    }

    fn digest(self, columns: &[String]) -> Digest {
        let judged = if self.key.is_empty() { &[] } else { columns };
        let columns = judged.iter().cloned().zip(self.columns.iter().map(u64::to_string)).collect();
        Digest { rows: self.rows, keys: self.keys.to_string(), columns }
    }
}

fn hash(hasher: &mut DefaultHasher, value: &[u8]) {
    hasher.write_usize(value.len());
    hasher.write(value);
}

/// How one goes through a table page by page.
struct Path {
    table: String,
    /// The columns by which the table is stored; none if it hides its rowid and has no key.
    columns: Vec<String>,
}

impl Path {
    fn of(name: &Name, group: &Group, columns: &[String], key: &[String]) -> Self {
        // SQLite manual, "Rowid Tables": each of the names goes to a column that is called so.
        let hidden = |name: &str| columns.iter().any(|column| column.eq_ignore_ascii_case(name));
        let rowid = ["rowid", "oid", "_rowid_"].into_iter().find(|name| !hidden(name));
        let columns = match rowid.filter(|_| !group.object().has(Attribute::WithoutRowid)) {
            Some(rowid) => vec![rowid.to_owned()],
            None => key.iter().map(|column| identifier(column)).collect(),
        };
        Self { table: name.in_sql(), columns }
    }

    /// The literals of the last row of the page after a row; none if the table ends within it.
    async fn end_of_page(
        &self,
        connection: &mut SqliteConnection,
        low: Option<&str>,
    ) -> Result<Option<String>, sqlx::Error> {
        if self.columns.is_empty() {
            return Ok(None);
        }
        let cells: Vec<String> = self.columns.iter().map(|column| Backend::Sqlite.cell(column)).collect();
        let query = format!(
            "SELECT {} {} ORDER BY {} LIMIT 1 OFFSET {}",
            cells.join(", "),
            self.between(low, None),
            self.columns.join(", "),
            PAGE - 1
        );
        let found = select(connection, &query).await?;
        let Some(last) = found.first() else { return Ok(None) };
        let cells = (0..cells.len()).map(|place| last.try_get(place)).collect::<Result<Vec<String>, _>>()?;
        Ok(Some(cells.join(", ")))
    }

    /// The rows after one and up to another.
    fn between(&self, low: Option<&str>, high: Option<&str>) -> String {
        let columns = self.columns.join(", ");
        let low = low.map(|low| format!("({columns}) > ({low})"));
        let high = high.map(|high| format!("({columns}) <= ({high})"));
        let bounds: Vec<String> = low.into_iter().chain(high).collect();
        let bounds =
            if bounds.is_empty() { String::new() } else { format!(" WHERE {}", bounds.join(" AND ")) };
        format!(" FROM {}{bounds}", self.table)
    }
}

async fn select(connection: &mut SqliteConnection, query: &str) -> Result<Vec<SqliteRow>, sqlx::Error> {
    sqlx::query(AssertSqlSafe(query)).persistent(false).fetch_all(connection).await
}
