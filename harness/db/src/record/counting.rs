//! Rows that leave their key to the database: after each revision that touches their table, and at
//! head among the rows that revisions wrote themselves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchback_core::evidence::{Counted, Recording, Rows, TableRows, Uncounted};
use switchback_core::history::{Revision, Script};
use switchback_core::rows::{Datum, Parents, Side, TableGenerator, foreign_keys};
use switchback_core::schema::{Attribute, Kind, Name, Schema};
use switchback_core::sql::{quoted_identifier, words};
use switchback_core::trials::{Action, Answer, Dialect, Row, counting_column};

use super::engine::all_rows;
use super::sow::{Field, sow, takes_no_rows};
use super::touched::lowercase;
use super::{Engine, Plan, RecordError};

/// How many rows are tried until one is taken with a key of its own.
const TRIES: u32 = 4;
/// The first candidate, beyond those that the table has.
const FROM: u32 = 30;

/// What came of the rows that were tried.
#[derive(Debug, Default)]
pub(super) struct Counting {
    pub(super) counted: Vec<Counted>,
    uncounted: BTreeMap<Name, Uncounted>,
}

impl Counting {
    fn note(&mut self, revision: &Revision, table: &Name, column: String, tried: Tried, at_head: bool) {
        match tried {
            Tried::So { statement, refused } => {
                let (revision, table) = (revision.id.clone(), table.clone());
                self.counted.push(Counted { revision, table, column, statement, refused, at_head });
            }
            Tried::Not(reason) => {
                let known = || Uncounted { table: table.to_string(), column, revisions: Vec::new(), reason };
                let known = self.uncounted.entry(table.clone()).or_insert_with(known);
                if !known.revisions.contains(&revision.name) {
                    known.revisions.push(revision.name.clone());
                }
            }
        }
    }

    /// Hands over what was seen.
    pub(super) fn finish(self, recording: &mut Recording) {
        recording.uncounted.extend(self.uncounted.into_values());
        recording.counted.extend(self.counted);
    }
}

/// What came of a row that leaves its key to the database.
enum Tried {
    So { statement: String, refused: Option<String> },
    Not(String),
}

/// Tries one row in each table that carries rows and that the revision names, or in all where nobody
/// tells what it says.
pub(super) async fn count<E: Engine>(
    engine: &mut E,
    probe: &mut E::Database,
    plan: &Plan,
    (revision, script): (&Revision, Option<&str>),
    schema: &Schema,
    rows: &Rows,
    counting: &mut Counting,
) -> Result<(), RecordError> {
    let own = Side { backend: engine.backend(), schema };
    let named = script.map(|script| words(script, own.backend));
    let mut parents: Option<Parents> = None;
    for (name, carried) in rows.tables.iter() {
        if carried.rows.is_empty() || named.as_ref().is_some_and(|named| !names(named, name)) {
            continue;
        }
        let Some((column, table)) = counts(plan, own, name) else { continue };
        let parents = parents.get_or_insert_with(|| parents_of(own, rows));
        let counts = (column.as_str(), largest(carried, &column));
        let mut tried = try_one(engine, probe, own, &table, parents, counts).await?;
        if let Tried::Not(_) = tried
            && let Some(again) = try_again(engine, probe, own, (name, carried), counts).await?
        {
            tried = again;
        }
        counting.note(revision, name, column, tried, false);
    }
    Ok(())
}

/// Tries one row at head in each table that revisions wrote rows into. Made-up rows move sequences
/// on, so this needs a database that has had none, and asks only whether the very next key is free:
/// whether a later one meets a row that a revision wrote, only the project knows.
pub(super) async fn count_at_head<E: Engine>(
    engine: &mut E,
    trunk: &mut E::Database,
    plan: &Plan,
    schema: &Arc<Schema>,
    scripts: &[(&Revision, Option<Script>)],
    counting: &mut Counting,
) -> Result<(), RecordError> {
    let own = Side { backend: engine.backend(), schema };
    let known: BTreeSet<&Name> =
        counting.counted.iter().filter(|one| one.refused.is_some()).map(|one| &one.table).collect();
    let wanted = schema.tables().filter(|(name, group)| {
        let counts = counting_column(own.backend, group).is_some();
        counts && takes_no_rows(group).is_none() && !known.contains(name)
    });
    let mut filled = all_rows(engine, trunk, schema, wanted.map(|(name, _)| name)).await?;
    let rows = filled.tables.iter().filter(|(_, rows)| !rows.rows.is_empty());
    let rows = rows.map(|(name, rows)| (name.clone(), Arc::clone(rows))).collect();
    filled = Arc::new(Rows { tables: rows });
    if filled.tables.is_empty() {
        return Ok(());
    }
    let Some(mut copy) = engine.copy(trunk, "keys").await? else { return Ok(()) };
    let mut ancestors = BTreeSet::new();
    filled.tables.keys().for_each(|name| add_ancestors(schema, name, &mut ancestors));
    ancestors.retain(|name| !filled.tables.contains_key(name));
    let field =
        Field { schema, wanted: ancestors.clone(), present: Some(&filled), also: Vec::new(), plain: None };
    sow(engine, &mut copy, plan, field).await?;
    let tables = ancestors.iter().chain(filled.tables.keys());
    let parents = parents_of(own, &*all_rows(engine, &mut copy, schema, tables).await?);
    let words = |script: &Option<Script>| Some(words(&script.as_ref()?.text, own.backend));
    let texts = scripts.iter().map(|(revision, script)| (*revision, words(script)));
    let texts: Vec<_> = texts.collect();
    for name in filled.tables.keys() {
        let revision = last_to_fill(&texts, name);
        let Some((revision, (column, table))) = revision.zip(counts(plan, own, name)) else { continue };
        let tried = try_one(engine, &mut copy, own, &table, &parents, (&column, None)).await?;
        counting.note(revision, name, column, tried, true);
    }
    engine.drop(copy).await
}

/// The column of a table that counts by itself, and what makes up rows for it.
fn counts<'a>(plan: &'a Plan, own: Side<'a>, name: &Name) -> Option<(String, TableGenerator<'a>)> {
    let column = counting_column(own.backend, own.schema.table(name)?)?;
    Some((column, plan.rows.table(name, own, &[])?))
}

fn parents_of(own: Side<'_>, rows: &Rows) -> Parents {
    let mut parents = Parents::default();
    rows.tables.iter().for_each(|(name, rows)| parents.take(own, name, rows));
    parents
}

/// Tries rows made up for the table until it takes one with a key of its own.
async fn try_one<E: Engine>(
    engine: &mut E,
    database: &mut E::Database,
    own: Side<'_>,
    table: &TableGenerator<'_>,
    parents: &Parents,
    counting: (&str, Option<i128>),
) -> Result<Tried, RecordError> {
    let mut tried = Tried::Not(String::new());
    for number in FROM..FROM + TRIES {
        let row = match table.candidate(number, parents) {
            Ok(candidate) => candidate.cells,
            Err(reason) => return Ok(Tried::Not(reason)),
        };
        tried = try_row(engine, database, own, (table.name(), row), &[], counting).await?;
        if matches!(tried, Tried::So { .. }) {
            break;
        }
    }
    Ok(tried)
}

/// Where the table takes no further row, since each needs a parent of its own: takes one of its rows
/// away, and tries it once more. That is not the last one, whose key SQLite would give again.
async fn try_again<E: Engine>(
    engine: &mut E,
    database: &mut E::Database,
    own: Side<'_>,
    (name, carried): (&Name, &TableRows),
    (column, largest): (&str, Option<i128>),
) -> Result<Option<Tried>, RecordError> {
    let dialect = Dialect { backend: own.backend, schema: own.schema };
    let datum = |(name_of, cell): (&String, &Option<String>)| {
        let column_type = dialect.column(name, name_of);
        (name_of.clone(), Datum::read(own.backend, &column_type, cell.as_deref()))
    };
    let mut rows = carried.rows.iter().map(|row| carried.columns.iter().zip(row).map(datum).collect());
    let is_last = |row: &Row| row.get(column) == largest.map(Datum::Integer).as_ref();
    let Some(mut row) = rows.find(|row| !is_last(row)) else { return Ok(None) };
    let group = own.schema.table(name);
    let is_given = |column: &str| {
        let object = group.and_then(|group| group.part(Kind::Column, column));
        object.is_some_and(|object| !object.has(Attribute::Generated))
    };
    row.retain(|column, _| is_given(column));
    let key: Row = row.get(column).map(|key| (column.to_owned(), key.clone())).into_iter().collect();
    let gone = dialect.action(&Action::Delete { table: name.clone(), key });
    let tried = try_row(engine, database, own, (name, row), &[gone], (column, largest)).await?;
    Ok(Some(tried).filter(|tried| matches!(tried, Tried::So { .. })))
}

/// Tries a row that the table takes with a key of its own once more without it. If the largest key
/// that is there is given, the new one has to be beyond it.
async fn try_row<E: Engine>(
    engine: &mut E,
    database: &mut E::Database,
    own: Side<'_>,
    (name, mut row): (&Name, Row),
    prepare: &[String],
    (column, largest): (&str, Option<i128>),
) -> Result<Tried, RecordError> {
    let dialect = Dialect { backend: own.backend, schema: own.schema };
    let insert = |row: &Row| dialect.action(&Action::Insert { table: name.clone(), row: row.clone() });
    let whole = engine.answer(database, prepare, &insert(&row), None).await?;
    if let Answer::Refused(reason) | Answer::NotAsked(reason) = whole {
        return Ok(Tried::Not(reason));
    }
    row.remove(column);
    let statement = insert(&row);
    // A key that is not beyond those that are there meets one of them sooner or later.
    let beyond = largest.map(|largest| {
        let (table, column) = (name.in_sql(), quoted_identifier(column));
        format!("SELECT {} FROM {table} WHERE {column} > {largest}", own.backend.cell("count(*)"))
    });
    let refused = match engine.answer(database, prepare, &statement, beyond.as_deref()).await? {
        Answer::Refused(reason) => Some(reason),
        Answer::Accepted(rows) => {
            let none = rows.first().and_then(|row| row.first()?.as_deref()) == Some("0");
            let is_behind = |largest| format!("the key is not beyond {largest}, which is there");
            largest.filter(|_| none).map(is_behind)
        }
        Answer::NotAsked(reason) => return Ok(Tried::Not(reason)),
    };
    Ok(Tried::So { statement, refused })
}

/// The largest key that is there.
fn largest(carried: &TableRows, column: &str) -> Option<i128> {
    let place = carried.columns.iter().position(|one| one == column)?;
    carried.rows.iter().filter_map(|row| row.get(place)?.as_deref()?.parse().ok()).max()
}

/// The last revision that says it writes rows into a table, or failing that names it.
fn last_to_fill<'a>(
    texts: &[(&'a Revision, Option<BTreeSet<String>>)],
    table: &Name,
) -> Option<&'a Revision> {
    // What nobody tells may be anything.
    let says = |words: &Option<BTreeSet<String>>, is: &dyn Fn(&BTreeSet<String>) -> bool| {
        words.as_ref().is_none_or(is)
    };
    let writes = |words: &BTreeSet<String>| ["insert", "copy", "into"].iter().any(|one| words.contains(*one));
    let mut naming = texts.iter().rev().filter(|(_, words)| says(words, &|words| names(words, table)));
    let last = naming.clone().next();
    naming.find(|(_, words)| says(words, &writes)).or(last).map(|(revision, _)| *revision)
}

/// Adds the tables that a table refers to, through any number of others.
pub(super) fn add_ancestors(schema: &Schema, table: &Name, ancestors: &mut BTreeSet<Name>) {
    let keys = schema.table(table).map(|group| foreign_keys(schema, group)).unwrap_or_default();
    for key in keys {
        if key.parent != *table && ancestors.insert(key.parent.clone()) {
            add_ancestors(schema, &key.parent, ancestors);
        }
    }
}

fn names(words: &BTreeSet<String>, table: &Name) -> bool {
    words.contains(&*lowercase(table.local()))
}
