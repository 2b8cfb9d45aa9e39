//! `sqlite_master` as one text, read in one query and one row.
//!
//! `PRAGMA schema_version` would be less to read, but it cannot be trusted: a transaction that is
//! rolled back gives its number to the next one, and an edit under `writable_schema` leaves it as
//! it was. The text of the whole catalog can be, and comes at about the same price.

use std::collections::{BTreeMap, BTreeSet};

use sqlx::Row as _;
use sqlx_sqlite::SqliteConnection;

use super::IntrospectError;

/// Each column of the catalog as one text, with a character between the rows that no statement can
/// hold. (One text for each row, or one row for each, takes SQLite three times as long.)
const QUERY: &str = "
    SELECT (SELECT user_version FROM pragma_user_version),
           (SELECT application_id FROM pragma_application_id),
           coalesce(group_concat(type, char(0)), ''),
           coalesce(group_concat(name, char(0)), ''),
           coalesce(group_concat(tbl_name, char(0)), ''),
           coalesce(group_concat(sql, char(0)), ''),
           count(*)
    FROM main.sqlite_master WHERE sql IS NOT NULL";

/// The same rows one by one, for libraries whose `group_concat` ends its answer at such a character.
const ROWS: &str = "SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE sql IS NOT NULL";

/// What ends each row in a column.
const END: u8 = 0;

/// What a database says of itself: equal texts mean equal schemas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Catalog {
    pub(super) user_version: i64,
    pub(super) application_id: i64,
    kinds: String,
    names: String,
    tables: String,
    texts: String,
}

/// A table or view with the indexes and triggers that belong to it.
#[derive(Debug)]
pub(super) struct Unit<'a> {
    pub(super) is_view: bool,
    pub(super) name: &'a str,
    pub(super) sql: &'a str,
    pub(super) parts: Vec<Entry<'a>>,
}

/// A row of `sqlite_master` that has a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry<'a> {
    pub(super) kind: &'a str,
    pub(super) name: &'a str,
    pub(super) table: &'a str,
    pub(super) sql: &'a str,
}

impl Catalog {
    pub(super) async fn read(connection: &mut SqliteConnection) -> Result<Self, IntrospectError> {
        let row = sqlx::query(QUERY).fetch_one(&mut *connection).await?;
        let mut catalog = Self {
            user_version: row.try_get(0)?,
            application_id: row.try_get(1)?,
            kinds: row.try_get(2)?,
            names: row.try_get(3)?,
            tables: row.try_get(4)?,
            texts: row.try_get(5)?,
        };
        let count: i64 = row.try_get(6)?;
        if count > 0 {
            catalog.columns_mut().into_iter().for_each(|column| column.push('\0'));
        }
        if usize::try_from(count).is_ok_and(|count| count > rows_in(&catalog.kinds)) {
            catalog.read_rows(connection).await?;
        }
        Ok(catalog)
    }

    async fn read_rows(&mut self, connection: &mut SqliteConnection) -> Result<(), IntrospectError> {
        let rows = sqlx::query(ROWS).fetch_all(connection).await?;
        for (index, column) in self.columns_mut().into_iter().enumerate() {
            column.clear();
            for row in &rows {
                column.push_str(row.try_get(index)?);
                column.push('\0');
            }
        }
        Ok(())
    }

    fn columns(&self) -> [&String; 4] {
        [&self.kinds, &self.names, &self.tables, &self.texts]
    }

    fn columns_mut(&mut self) -> [&mut String; 4] {
        [&mut self.kinds, &mut self.names, &mut self.tables, &mut self.texts]
    }

    /// Tables and views with their parts, by name in lower case.
    pub(super) fn units(&self) -> Result<BTreeMap<String, Unit<'_>>, IntrospectError> {
        self.units_if(|_| true)
    }

    /// Those of the tables and views with these names in lower case that are there.
    pub(super) fn units_of(
        &self,
        wanted: &BTreeSet<String>,
    ) -> Result<BTreeMap<String, Unit<'_>>, IntrospectError> {
        self.units_if(|table| wanted.iter().any(|one| one.eq_ignore_ascii_case(table)))
    }

    fn units_if(&self, wanted: impl Fn(&str) -> bool) -> Result<BTreeMap<String, Unit<'_>>, IntrospectError> {
        let entries = entries(self.columns().map(String::as_str))?.filter(|entry| wanted(entry.table));
        let (whole, mut parts): (Vec<_>, Vec<_>) =
            entries.partition(|entry| matches!(entry.kind, "table" | "view"));
        let mut units: BTreeMap<String, Unit<'_>> = BTreeMap::new();
        for Entry { kind, name, sql, .. } in whole {
            let unit = Unit { is_view: kind == "view", name, sql, parts: Vec::new() };
            units.insert(name.to_ascii_lowercase(), unit);
        }
        parts.sort();
        for entry in parts {
            // A trigger's `tbl_name` is spelled as its author did, not as the table is.
            if let Some(unit) = units.get_mut(&entry.table.to_ascii_lowercase()) {
                unit.parts.push(entry);
            }
        }
        Ok(units)
    }

    /// The names in lower case of the tables and views of which a text has come, gone or changed
    /// since an earlier reading.
    pub(super) fn changed_since(&self, earlier: &Self) -> Result<BTreeSet<String>, IntrospectError> {
        let (before, after) = (earlier.columns(), self.columns());
        let rows = rows_in(&self.kinds);
        if after.iter().any(|column| rows_in(column) != rows) {
            return Err(IntrospectError::Catalog);
        }
        let pairs = || before.into_iter().zip(after).map(|(one, other)| (one.as_bytes(), other.as_bytes()));
        let starts: Vec<Ends> = pairs().map(|(one, other)| Ends::at_start(one, other)).collect();
        let start = starts.iter().map(|ends| ends.rows).min().unwrap_or_default();
        let most = rows.min(rows_in(&earlier.kinds)) - start;
        let ends: Vec<Ends> = pairs().map(|(one, other)| Ends::at_end(one, other)).collect();
        let end = ends.iter().map(|ends| ends.rows).min().unwrap_or_default().min(most);
        let mut changed = BTreeSet::new();
        for columns in [before, after] {
            let mut place = 0;
            let between = columns.map(|column| {
                let (starts, ends) = (&starts[place], &ends[place]);
                place += 1;
                let from = before_rows(column.as_bytes(), starts.bytes, starts.rows - start);
                let to = after_rows(column.as_bytes(), column.len() - ends.bytes, ends.rows - end);
                &column[from..to]
            });
            changed.extend(entries(between)?.map(|entry| entry.table.to_ascii_lowercase()));
        }
        Ok(changed)
    }
}

/// Whole rows that a column has in common with an earlier reading of it, at one end.
#[derive(Debug, PartialEq, Eq)]
struct Ends {
    rows: usize,
    bytes: usize,
}

impl Ends {
    fn at_start(one: &[u8], other: &[u8]) -> Self {
        const STRIDE: usize = 4096;
        let strides = one.chunks_exact(STRIDE).zip(other.chunks_exact(STRIDE));
        let same = STRIDE * strides.take_while(|(one, other)| one == other).count();
        let same =
            same + one[same..].iter().zip(&other[same..]).take_while(|(one, other)| one == other).count();
        let bytes = one[..same].iter().rposition(|byte| *byte == END).map_or(0, |place| place + 1);
        Self { rows: ends_in(&one[..bytes]), bytes }
    }

    fn at_end(one: &[u8], other: &[u8]) -> Self {
        const STRIDE: usize = 4096;
        let strides = one.rchunks_exact(STRIDE).zip(other.rchunks_exact(STRIDE));
        let same = STRIDE * strides.take_while(|(one, other)| one == other).count();
        let rest = one[..one.len() - same].iter().rev().zip(other[..other.len() - same].iter().rev());
        let same = same + rest.take_while(|(one, other)| one == other).count();
        let begins = |text: &[u8]| text[..text.len() - same].last().is_none_or(|byte| *byte == END);
        let common = &one[one.len() - same..];
        let partial = match begins(one) && begins(other) {
            true => 0,
            false => common.iter().position(|byte| *byte == END).map_or(same, |place| place + 1),
        };
        Self { rows: ends_in(&common[partial..]), bytes: same - partial }
    }
}

/// The place some rows before another place.
fn before_rows(column: &[u8], mut place: usize, rows: usize) -> usize {
    for _ in 0..rows {
        let end = column[..place - 1].iter().rposition(|byte| *byte == END);
        place = end.map_or(0, |end| end + 1);
    }
    place
}

/// The place some rows after another place.
fn after_rows(column: &[u8], mut place: usize, rows: usize) -> usize {
    for _ in 0..rows {
        let end = column[place..].iter().position(|byte| *byte == END);
        place = end.map_or(column.len(), |end| place + end + 1);
    }
    place
}

fn ends_in(column: &[u8]) -> usize {
    column.iter().filter(|byte| **byte == END).count()
}

fn rows_in(column: &str) -> usize {
    ends_in(column.as_bytes())
}

/// The rows of these columns.
fn entries(columns: [&str; 4]) -> Result<impl Iterator<Item = Entry<'_>>, IntrospectError> {
    let rows = rows_in(columns[0]);
    if columns.iter().any(|column| rows_in(column) != rows) {
        return Err(IntrospectError::Catalog);
    }
    let [kinds, names, tables, texts] = columns.map(|column| column.split_terminator('\0'));
    let rows = kinds.zip(names).zip(tables.zip(texts));
    Ok(rows.map(|((kind, name), (table, sql))| Entry { kind, name, table, sql }))
}

impl Unit<'_> {
    /// All texts that say what this table or view is, as the key of what was read from them.
    pub(super) fn key(&self) -> String {
        let mut key = format!("{}\0{}", self.name, self.sql);
        for part in &self.parts {
            key.push('\0');
            key.push_str(part.sql);
        }
        key
    }
}

/// SQLite refuses to create anything with this prefix for a user.
pub(super) fn is_internal(name: &str) -> bool {
    name.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("sqlite_"))
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;

    fn catalog(rows: &[(&str, &str, &str, &str)]) -> Catalog {
        let column =
            |of: fn(&(&str, &str, &str, &str)) -> String| rows.iter().map(|row| of(row) + "\0").collect();
        Catalog {
            user_version: 0,
            application_id: 0,
            kinds: column(|row| row.0.to_owned()),
            names: column(|row| row.1.to_owned()),
            tables: column(|row| row.2.to_owned()),
            texts: column(|row| row.3.to_owned()),
        }
    }

    #[test]
    fn parts_find_their_table_whatever_the_case_and_order() {
        let catalog = catalog(&[
            ("trigger", "t2", "USERS", "CREATE TRIGGER t2 …"),
            ("index", "ix", "users", "CREATE INDEX ix /* größe */ 3:on"),
            ("table", "Users", "Users", "CREATE TABLE Users(id)"),
            ("view", "all_users", "all_users", "CREATE VIEW …"),
        ]);
        let units = catalog.units().unwrap();
        let names: Vec<_> = units.values().map(|unit| unit.name).collect();
        assert_eq!(names, ["all_users", "Users"]);
        let users = &units["users"].parts;
        let parts: Vec<_> = users.iter().map(|part| (part.kind, part.name)).collect();
        assert_eq!(parts, [("index", "ix"), ("trigger", "t2")]);
        assert_eq!(users[0].sql, "CREATE INDEX ix /* größe */ 3:on");
    }

    #[rstest]
    #[case::nothing(&["a", "b"], &["a", "b"], &[])]
    #[case::at_the_end(&["a", "b"], &["a", "b", "C"], &["c"])]
    #[case::in_the_middle(&["a", "b", "c"], &["a", "c"], &["b"])]
    #[case::in_another_order(&["a", "b", "c", "d"], &["d", "b", "c", "a"], &["a", "b", "c", "d"])]
    #[case::one_of_equals(&["a", "a", "a"], &["a", "a"], &["a"])]
    #[case::everything(&["a"], &[], &["a"])]
    fn what_has_changed_is_between_what_has_not(
        #[case] before: &[&'static str],
        #[case] after: &[&'static str],
        #[case] changed: &[&str],
    ) {
        let of = |names: &[&'static str]| {
            let rows: Vec<_> = names.iter().map(|name| ("table", *name, *name, "CREATE TABLE …")).collect();
            catalog(&rows)
        };
        let found = of(after).changed_since(&of(before)).unwrap();
        assert_eq!(found.iter().collect::<Vec<_>>(), changed);
    }

    proptest! {
        #[test]
        fn what_has_changed_is_told_as_row_by_row(
            before in vec(("[ti]", "a?b?", "a?b?", "a?b?"), 0..6),
            after in vec(("[ti]", "a?b?", "a?b?", "a?b?"), 0..6),
        ) {
            fn rows(rows: &[(String, String, String, String)]) -> Vec<(&str, &str, &str, &str)> {
                rows.iter().map(|(a, b, c, d)| (&**a, &**b, &**c, &**d)).collect()
            }
            let (before, after) = (rows(&before), rows(&after));
            let same = |(one, other): &(&_, &_)| one == other;
            let start = before.iter().zip(&after).take_while(same).count();
            let rest = before.iter().rev().zip(after.iter().rev()).take(before.len().min(after.len()) - start);
            let end = rest.take_while(same).count();
            let (old, new) = (&before[start..before.len() - end], &after[start..after.len() - end]);
            let expected: BTreeSet<String> = old.iter().chain(new).map(|row| row.2.to_owned()).collect();
            let found = catalog(&after).changed_since(&catalog(&before)).unwrap();
            prop_assert_eq!(found, expected);
        }
    }

    #[tokio::test]
    async fn one_text_and_single_rows_say_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let database = crate::sqlite::Database::at(folder.path().join("a"));
        let mut connection = database.connect(false).await.unwrap();
        let sql = "CREATE TABLE a (x UNIQUE); CREATE INDEX ix ON a (x); CREATE VIEW v AS SELECT 'ö' FROM a;";
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
        let read = Catalog::read(&mut connection).await.unwrap();
        let mut rows = read.clone();
        rows.read_rows(&mut connection).await.unwrap();
        assert_eq!(rows, read);
        assert_eq!(entries(read.columns().map(String::as_str)).unwrap().count(), 3);
    }

    #[test]
    fn nothing_is_no_unit() {
        assert!(catalog(&[]).units().unwrap().is_empty());
    }

    #[test]
    fn a_catalog_that_cannot_be_told_apart_is_an_error() {
        let broken = catalog(&[("table", "t", "t", "CREATE TABLE t (a \0 b)")]);
        assert!(matches!(broken.units(), Err(IntrospectError::Catalog)));
    }
}
