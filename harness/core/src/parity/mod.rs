//! Whether a schema of PostgreSQL and one of SQLite mean the same.
//!
//! Both are read into a common form, and what is compared is that: a type by its family, an
//! expression by its parsed and normalised form, a unique index and a unique constraint as the one
//! promise that they are. What no parser accepts is neither equal nor a mismatch.

mod checks;
mod columns;
mod form;
mod functions;
mod indexes;
mod keys;
mod pair;
mod read;
#[cfg(test)]
mod tests;
mod triggers;
mod types;
mod views;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Backend;
use crate::report::Severity;
use crate::schema::{Group, Kind, Name, ObjectId, Schema};
use pair::{Pair, Side};
pub use types::{COMPATIBLE, Compatible};

/// What two schemas do not have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Where they differ in meaning, one for each root cause.
    pub mismatches: Vec<Mismatch>,
    /// What could not be compared.
    pub unclear: Vec<Unclear>,
}

/// What about an object differs. Together with the object it tells one mismatch from another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// It is there on one backend only.
    Existence,
    /// The type of a column.
    Type,
    /// Whether a column may be null.
    Nullability,
    /// The default of a column.
    Default,
    /// Whether a column counts up by itself.
    Counting,
    /// The expression of a generated column.
    Generated,
    /// Which texts of a column are equal.
    Collation,
    /// What a constraint, an index, a trigger or a view does.
    Meaning,
}

/// Where the two backends do not mean the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The object on PostgreSQL, if it is there.
    pub postgres: Option<ObjectId>,
    /// The object on SQLite, if it is there.
    pub sqlite: Option<ObjectId>,
    /// What about it differs.
    pub aspect: Aspect,
    /// How much it matters.
    pub severity: Severity,
    /// What differs, in a sentence that names both sides.
    pub message: String,
    /// How to mend it.
    pub help: String,
    /// How both sides spell it: `-` before what PostgreSQL has, `+` before what SQLite has.
    pub diff: String,
}

impl Mismatch {
    /// The backend that deviates: the one that lacks the object. Where both have it that is SQLite,
    /// whose schema projects derive from PostgreSQL's.
    pub fn backend(&self) -> Backend {
        if self.postgres.is_none() { Backend::Postgres } else { Backend::Sqlite }
    }

    /// The object, under the name that the deviating backend has for it, if it has one.
    pub fn object(&self) -> &ObjectId {
        self.sqlite.as_ref().or(self.postgres.as_ref()).expect("a mismatch is about an object")
    }

    /// What tells it from any other mismatch of the same schemas.
    pub fn key(&self) -> (ObjectId, Aspect) {
        (self.postgres.as_ref().unwrap_or_else(|| self.object()).clone(), self.aspect)
    }
}

/// Two texts of which one at least is not understood.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unclear {
    /// What they are about.
    pub object: ObjectId,
    /// The text on PostgreSQL.
    pub postgres: String,
    /// The text on SQLite.
    pub sqlite: String,
}

/// Compares schemas, and remembers what it said of tables that stay as they are.
#[derive(Debug, Default)]
pub struct Comparer {
    known: BTreeMap<(Name, Name), Known>,
    surroundings: Surroundings,
}

/// What was said of a table when it last looked like this on both backends.
#[derive(Debug)]
struct Known {
    postgres: Arc<Group>,
    sqlite: Arc<Group>,
    comparison: Arc<Comparison>,
}

/// What else decides what is said of a table.
#[derive(Debug, Default)]
struct Surroundings {
    /// Types and functions.
    groups: Vec<Arc<Group>>,
    /// The names of the tables that only one side has.
    alone: BTreeSet<String>,
}

impl Surroundings {
    fn of(postgres: &Schema, sqlite: &Schema) -> Self {
        let leaned_on = |kind| matches!(kind, Kind::Type | Kind::Routine);
        let groups = |schema: &Schema| -> Vec<Arc<Group>> {
            let groups = schema.groups().filter(|(kind, ..)| leaned_on(*kind));
            groups.map(|(.., group)| Arc::clone(group)).collect()
        };
        Self {
            groups: [groups(postgres), groups(sqlite)].concat(),
            alone: pair::table_names(postgres)
                .symmetric_difference(&pair::table_names(sqlite))
                .cloned()
                .collect(),
        }
    }

    fn is(&self, other: &Self) -> bool {
        let same = |(one, other): (&Arc<Group>, &Arc<Group>)| Arc::ptr_eq(one, other);
        self.alone == other.alone
            && self.groups.len() == other.groups.len()
            && self.groups.iter().zip(&other.groups).all(same)
    }
}

impl Comparer {
    /// One that has seen nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What the two schemas do not have in common.
    pub fn compare(&mut self, postgres: &Schema, sqlite: &Schema) -> Comparison {
        let surroundings = Surroundings::of(postgres, sqlite);
        if !surroundings.is(&self.surroundings) {
            self.known.clear();
            self.surroundings = surroundings;
        }
        let mut all = Found { postgres, sqlite, comparison: Comparison::default() };
        for pair in paired(postgres, sqlite) {
            match pair {
                (Some(left), Some(right)) => {
                    let comparison = self.tables(postgres, sqlite, left, right);
                    all.comparison.mismatches.extend(comparison.mismatches.iter().cloned());
                    all.comparison.unclear.extend(comparison.unclear.iter().cloned());
                }
                (left, right) => {
                    let whole = |table: Option<Table<'_>>| {
                        table.map(|(name, _)| ObjectId::whole(Kind::Table, name.clone()))
                    };
                    all.one_sided(whole(left), whole(right), Severity::Error, None);
                }
            }
        }
        views::compare(postgres, sqlite, &mut all);
        all.comparison
    }

    fn tables(
        &mut self,
        postgres: &Schema,
        sqlite: &Schema,
        left: Table<'_>,
        right: Table<'_>,
    ) -> Arc<Comparison> {
        let key = (left.0.clone(), right.0.clone());
        let same =
            |known: &&Known| Arc::ptr_eq(&known.postgres, left.1) && Arc::ptr_eq(&known.sqlite, right.1);
        if let Some(known) = self.known.get(&key).filter(same) {
            return Arc::clone(&known.comparison);
        }
        let comparison = Arc::new(tables(postgres, sqlite, left, right));
        let known = Known {
            postgres: Arc::clone(left.1),
            sqlite: Arc::clone(right.1),
            comparison: Arc::clone(&comparison),
        };
        self.known.insert(key, known);
        comparison
    }
}

/// What the two schemas do not have in common.
pub fn compare(postgres: &Schema, sqlite: &Schema) -> Comparison {
    Comparer::new().compare(postgres, sqlite)
}

type Table<'a> = (&'a Name, &'a Arc<Group>);

/// The tables of both schemas, those that belong together side by side.
fn paired<'a>(postgres: &'a Schema, sqlite: &'a Schema) -> Vec<(Option<Table<'a>>, Option<Table<'a>>)> {
    let comparable = |schema: &'a Schema| schema.tables().filter(|(_, group)| pair::is_comparable(group));
    let mut rights: BTreeMap<&Name, &Arc<Group>> = comparable(sqlite).collect();
    let mut pairs = Vec::new();
    for left in comparable(postgres) {
        let right = rights.remove_entry(left.0).or_else(|| {
            // SQLite has no namespaces; there the name alone stands, or one made of both.
            let local = left.0.local().to_lowercase();
            let joined = left.0.namespace().map(|space| format!("{}_{local}", space.to_lowercase()));
            let is_meant = |name: &Name| {
                let name = name.local().to_lowercase();
                name == local || Some(&name) == joined.as_ref()
            };
            let name = rights.keys().copied().find(|name| is_meant(name))?;
            rights.remove_entry(name)
        });
        pairs.push((Some(left), right));
    }
    pairs.extend(rights.into_iter().map(|right| (None, Some(right))));
    pairs
}

fn tables(postgres: &Schema, sqlite: &Schema, left: Table<'_>, right: Table<'_>) -> Comparison {
    let pair = Pair::new(
        Side { backend: Backend::Postgres, schema: postgres, name: left.0, group: left.1 },
        Side { backend: Backend::Sqlite, schema: sqlite, name: right.0, group: right.1 },
    );
    let mut found = Found { postgres, sqlite, comparison: Comparison::default() };
    columns::compare(&pair, &mut found);
    keys::compare(&pair, &mut found);
    checks::compare(&pair, &mut found);
    indexes::compare(&pair, &mut found);
    triggers::compare(&pair, &mut found);
    found.comparison
}

/// Collects what is found.
struct Found<'a> {
    postgres: &'a Schema,
    sqlite: &'a Schema,
    comparison: Comparison,
}

impl Found<'_> {
    /// An object that only one side has.
    fn one_sided(
        &mut self,
        postgres: Option<ObjectId>,
        sqlite: Option<ObjectId>,
        severity: Severity,
        help: Option<String>,
    ) {
        let (has, lacks) = match postgres {
            Some(_) => (Backend::Postgres, Backend::Sqlite),
            None => (Backend::Sqlite, Backend::Postgres),
        };
        let Some(object) = postgres.as_ref().or(sqlite.as_ref()) else { return };
        let what = pair::described(object);
        let message = format!("{what} is there on {has} but not on {lacks}");
        let help = help
            .unwrap_or_else(|| format!("create it in a new revision on {lacks}, or drop it in one on {has}"));
        self.push(postgres, sqlite, Aspect::Existence, severity, message, help);
    }

    fn push(
        &mut self,
        postgres: Option<ObjectId>,
        sqlite: Option<ObjectId>,
        aspect: Aspect,
        severity: Severity,
        message: String,
        help: String,
    ) {
        let lines = |schema: &Schema, id: &Option<ObjectId>, sign: char| {
            let lines = id.as_ref().map(|id| schema.excerpt(id)).unwrap_or_default();
            lines.iter().map(|line| format!("{sign} {line}\n")).collect::<String>()
        };
        let (left, right) = (lines(self.postgres, &postgres, '-'), lines(self.sqlite, &sqlite, '+'));
        let diff = left + &right;
        self.comparison.mismatches.push(Mismatch { postgres, sqlite, aspect, severity, message, help, diff });
    }

    fn unclear(&mut self, object: ObjectId, postgres: &str, sqlite: &str) {
        let unclear = Unclear { object, postgres: postgres.to_owned(), sqlite: sqlite.to_owned() };
        self.comparison.unclear.push(unclear);
    }
}
