//! Reading the schema of a SQLite database, 3.34 or later.
//!
//! What the texts in `sqlite_master` say is taken from the texts, through a SQLite grammar; the
//! pragmas are asked only for what no text says. Texts that `ALTER TABLE` has rewritten read like
//! those of a table made so in the first place.
//!
//! - Names keep the case in which they were declared, without their quotes. Names and collations
//!   inside a longer text (`users (id)`, `email collate NOCASE desc`) are quoted only when they
//!   hold anything but letters, digits, `_` and `$`.
//! - Types are as declared, in upper case and without needless white space.
//! - A constraint without a name is called after its columns, in parentheses: `(email)`.
//! - A foreign key that names no columns refers to the other table's primary key, and is shown so.
//! - Left out are the tables of the `ignore` list, whatever SQLite names `sqlite_…` itself, the
//!   indexes that it makes for constraints, and the shadow tables of virtual tables.

mod catalog;
mod constraint;
mod pragmas;
mod spelling;
mod table;
mod unit;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sqlx_sqlite::SqliteConnection;
use switchback_core::schema::{Attribute, Group, Kind, Name, Object, ObjectId, Schema};

use catalog::{Catalog, Unit};
use constraint::ForeignKey;
use unit::{Builder, Missing, Parsed};

/// Why a schema could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectError {
    /// SQLite did not answer.
    #[error(
        "cannot read the schema of the sqlite database: {0}; check that the file is a database and not locked"
    )]
    Read(sqlx::Error),
    /// What it answered makes no sense.
    #[error(
        "cannot read the schema of the sqlite database: its catalog is damaged; run `PRAGMA integrity_check` on it"
    )]
    Catalog,
}

impl From<sqlx::Error> for IntrospectError {
    fn from(error: sqlx::Error) -> Self {
        Self::Read(error)
    }
}

/// Reads the schema of one database again and again, and parses only what is new.
///
/// What was read is kept by content: forks of a reader, for copies of the database, know what any
/// of them has read before, and hold it in memory once.
#[derive(Debug)]
pub struct Reader {
    ignore: Arc<BTreeSet<String>>,
    known: Arc<Mutex<Known>>,
    last: Option<Last>,
}

/// The last snapshot.
#[derive(Clone, Debug)]
struct Last {
    catalog: Catalog,
    content: Content,
    schema: Arc<Schema>,
}

/// What has been read, by what it was read from.
#[derive(Debug, Default)]
struct Known {
    /// By the texts of a table or view.
    read: HashMap<String, Read>,
    /// Groups that took more than their own texts, by the numbers of all that they took.
    completed: HashMap<Vec<usize>, Arc<Group>>,
}

/// What some texts say, with a number of its own.
#[derive(Clone, Debug)]
struct Read {
    number: usize,
    parsed: Arc<Parsed>,
}

impl Known {
    fn read(&mut self, unit: &Unit<'_>) -> Read {
        let number = self.read.len();
        let read = || Read { number, parsed: Arc::new(Parsed::new(unit)) };
        self.read.entry(unit.key()).or_insert_with(read).clone()
    }
}

impl Reader {
    /// A reader that leaves out the tables named here, such as a tool's bookkeeping.
    pub fn new(ignore: Vec<String>) -> Self {
        let ignore = ignore.into_iter().map(|name| name.to_ascii_lowercase()).collect();
        Self { ignore: Arc::new(ignore), known: Arc::default(), last: None }
    }

    /// A reader for a copy of this one's database.
    pub fn fork(&self) -> Self {
        Self { ignore: Arc::clone(&self.ignore), known: Arc::clone(&self.known), last: self.last.clone() }
    }

    /// Reads everything anew, whatever was read before.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub async fn full(&mut self, connection: &mut SqliteConnection) -> Result<Arc<Schema>, IntrospectError> {
        let catalog = Catalog::read(connection).await?;
        let anew = Mutex::default();
        let (content, mut schema) = self.whole(&catalog, connection, &anew).await?;
        let mut known = lock(&self.known);
        if known.read.is_empty() {
            *known = anew.into_inner().unwrap_or_else(PoisonError::into_inner);
        }
        drop(known);
        if let Some(last) = &self.last {
            schema.share_with(&last.schema);
        }
        Ok(self.remember(catalog, content, schema))
    }

    /// Reads what has changed since the last time: the same `Arc` if nothing has, and the groups
    /// that have not changed shared with the last schema.
    ///
    /// # Errors
    ///
    /// When the database can't be read.
    pub async fn snapshot(
        &mut self,
        connection: &mut SqliteConnection,
    ) -> Result<Arc<Schema>, IntrospectError> {
        let catalog = Catalog::read(connection).await?;
        // Whatever fails on the way, the next snapshot starts afresh.
        let Some(last) = self.last.take() else {
            let (content, schema) = self.whole(&catalog, connection, &self.known).await?;
            return Ok(self.remember(catalog, content, schema));
        };
        if last.catalog == catalog {
            return Ok(Arc::clone(&self.last.insert(last).schema));
        }
        let changed = catalog.changed_since(&last.catalog)?;
        let mut content = last.content;
        let (schema, content) = match content.update(&catalog, &changed, &self.known)? {
            Some(gone) => {
                let mut schema = (*last.schema).clone();
                for unit in gone {
                    schema.remove_group(unit.parsed.kind, &unit.parsed.name);
                }
                read_settings(&catalog, &mut schema);
                let touched = |name: &String, unit: &Read| {
                    changed.contains(name) || unit.parsed.missing != Missing::Nothing
                };
                content.read(touched, connection, &self.ignore, &self.known, &mut schema).await?;
                (schema, content)
            }
            None => {
                let (content, mut schema) = self.whole(&catalog, connection, &self.known).await?;
                schema.share_with(&last.schema);
                (schema, content)
            }
        };
        Ok(self.remember(catalog, content, schema))
    }

    /// Takes the schema that was expected in place of the one that was just read, if they are equal:
    /// what is read from now on then shares with it.
    pub fn settle(&mut self, read: Arc<Schema>, expected: &Arc<Schema>) -> Arc<Schema> {
        if read != *expected {
            return read;
        }
        if let Some(last) = &mut self.last {
            last.schema = Arc::clone(expected);
        }
        Arc::clone(expected)
    }

    async fn whole(
        &self,
        catalog: &Catalog,
        connection: &mut SqliteConnection,
        known: &Mutex<Known>,
    ) -> Result<(Content, Schema), IntrospectError> {
        let content = Content::new(catalog, known)?;
        let mut schema = Schema::new();
        read_settings(catalog, &mut schema);
        content.read(|_, _| true, connection, &self.ignore, known, &mut schema).await?;
        Ok((content, schema))
    }

    fn remember(&mut self, catalog: Catalog, content: Content, schema: Schema) -> Arc<Schema> {
        let schema = Arc::new(schema);
        self.last = Some(Last { catalog, content, schema: Arc::clone(&schema) });
        schema
    }
}

fn read_settings(catalog: &Catalog, schema: &mut Schema) {
    for (setting, value) in
        [("application_id", catalog.application_id), ("user_version", catalog.user_version)]
    {
        let id = ObjectId::whole(Kind::Setting, Name::new(setting));
        if value == 0 {
            schema.remove_group(Kind::Setting, &id.group);
        } else {
            schema.insert(id, Object::new().with(Attribute::Value, value.to_string()));
        }
    }
}

/// What the texts of a catalog say.
#[derive(Clone, Debug)]
struct Content {
    /// By name in lower case, also what is left out of the schema but may be named by the rest.
    units: BTreeMap<String, Read>,
    shadows: BTreeSet<String>,
}

impl Content {
    fn new(catalog: &Catalog, known: &Mutex<Known>) -> Result<Self, IntrospectError> {
        let mut known = lock(known);
        let units = catalog.units()?.into_iter();
        let units: BTreeMap<_, _> = units.map(|(name, unit)| (name, known.read(&unit))).collect();
        let shadows = shadows(&units);
        Ok(Self { units, shadows })
    }

    /// Takes over what the catalog says of the tables and views that have changed, and returns what
    /// was said of them before. `None` if another table is now left out.
    fn update(
        &mut self,
        catalog: &Catalog,
        changed: &BTreeSet<String>,
        known: &Mutex<Known>,
    ) -> Result<Option<Vec<Read>>, IntrospectError> {
        let gone: Vec<Read> = changed.iter().filter_map(|name| self.units.remove(name)).collect();
        let mut known = lock(known);
        for (name, unit) in catalog.units_of(changed)? {
            self.units.insert(name, known.read(&unit));
        }
        Ok((shadows(&self.units) == self.shadows).then_some(gone))
    }

    /// Puts into the schema what is said of some tables and views.
    async fn read(
        &self,
        wanted: impl Fn(&String, &Read) -> bool,
        connection: &mut SqliteConnection,
        ignore: &BTreeSet<String>,
        known: &Mutex<Known>,
        schema: &mut Schema,
    ) -> Result<(), IntrospectError> {
        let mut put = |parsed: &Parsed, group: Arc<Group>| {
            // What is as it was stays shared with the last schema.
            if schema.group(parsed.kind, &parsed.name) != Some(&group) {
                schema.insert_group(parsed.kind, parsed.name.clone(), group);
            }
        };
        let mut incomplete = Vec::new();
        for (name, unit) in self.units.iter().filter(|(name, unit)| wanted(name, unit)) {
            if catalog::is_internal(name) || ignore.contains(name) || self.shadows.contains(name) {
                continue;
            }
            let sources = self.sources(unit);
            let done = match unit.parsed.missing {
                Missing::Nothing => Some(Arc::clone(&unit.parsed.group)),
                _ => sources.as_ref().and_then(|sources| lock(known).completed.get(sources).cloned()),
            };
            match done {
                Some(group) => put(&unit.parsed, group),
                None => incomplete.push((unit, sources)),
            }
        }
        let open = incomplete.iter().filter(|(unit, _)| unit.parsed.missing == Missing::Columns);
        let open: Vec<&str> = open.map(|(unit, _)| unit.parsed.name.local()).collect();
        let columns = pragmas::columns(connection, &open).await?;
        for (unit, sources) in incomplete {
            let parsed = unit.parsed.as_ref();
            let group = match &parsed.missing {
                Missing::Nothing => Arc::clone(&parsed.group),
                Missing::Everything => pragmas::complete(connection, parsed).await?,
                Missing::Columns => pragmas::with_columns(parsed, &columns),
                Missing::ReferencedKeys(keys) => self.with_references(parsed, keys),
            };
            if let Some(sources) = sources {
                lock(known).completed.insert(sources, Arc::clone(&group));
            }
            put(parsed, group);
        }
        Ok(())
    }

    /// The numbers of all texts that decide what this table or view is, its own first: a view has
    /// other columns when a table that it names does, through whichever views. `None` if that
    /// can't be told.
    fn sources(&self, unit: &Read) -> Option<Vec<usize>> {
        let mut sources = vec![unit.number];
        let mut seen = BTreeSet::new();
        let mut open = vec![unit];
        while let Some(unit) = open.pop() {
            for name in unit.parsed.mentions.as_ref()? {
                if let Some(mentioned) = self.units.get(name)
                    && seen.insert(name)
                {
                    sources.push(mentioned.number);
                    if mentioned.parsed.kind == Kind::View {
                        open.push(mentioned);
                    }
                }
            }
        }
        Some(sources)
    }

    /// Spells out the keys that foreign keys refer to, as far as the other table is there and has
    /// one.
    fn with_references(&self, unit: &Parsed, keys: &[(String, String)]) -> Arc<Group> {
        let mut builder = Builder::from(unit);
        for (name, table) in keys {
            let key = self.units.get(&table.to_ascii_lowercase()).map(|unit| unit.parsed.primary_key.clone());
            let columns = key.filter(|columns| !columns.is_empty());
            if let Some(object) = unit.group.part(Kind::ForeignKey, name) {
                let references = ForeignKey { table: table.clone(), columns }.to_string();
                let object = object.clone().with(Attribute::References, references);
                builder.part(Kind::ForeignKey, name.as_str(), object);
            }
        }
        builder.finish()
    }
}

/// The tables in which virtual tables keep their data, which are left out.
fn shadows(units: &BTreeMap<String, Read>) -> BTreeSet<String> {
    units.values().flat_map(|unit| unit.parsed.shadows.iter().cloned()).collect()
}

/// What is known stays true when a thread that held it panicked.
fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}
