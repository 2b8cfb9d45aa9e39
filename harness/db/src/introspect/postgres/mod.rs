//! Reading the schema of a PostgreSQL database, 13 to 18.

mod calls;
mod ledger;
mod queries;
mod rows;
mod spelling;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use sqlx::postgres::types::Oid;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use switchback_core::schema::{Attribute, Kind, Name, Schema};

use ledger::{Ledger, Touched};
use queries::Queries;
use rows::Read;

/// Why a schema could not be read.
#[derive(Debug, thiserror::Error)]
pub enum IntrospectError {
    /// The server did not answer.
    #[error("cannot read the schema of the postgres database: {0}")]
    Read(#[from] sqlx::Error),
    /// A query of ours speaks of a kind that there is not.
    #[error("cannot read the schema of the postgres database: \"{0}\" is no kind of object")]
    UnknownKind(String),
    /// A query of ours speaks of an attribute that there is not.
    #[error("cannot read the schema of the postgres database: \"{word}\" of {object} is no attribute")]
    UnknownAttribute {
        /// The object of which it was said.
        object: String,
        /// The word.
        word: String,
    },
    /// What a query of ours said of an object is not what it should be.
    #[error(
        "cannot read the schema of the postgres database: what it says of {object} is damaged: {problem}"
    )]
    Attributes {
        /// The object of which it was said.
        object: String,
        /// What is wrong with it.
        problem: serde_json::Error,
    },
}

impl IntrospectError {
    /// Whether a statement that was prepared is no longer there, as after `DISCARD ALL`.
    fn is_forgotten_statement(&self) -> bool {
        let Self::Read(error) = self else { return false };
        error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "26000")
    }
}

/// Reads the schema of one database again and again, and only what has changed where the catalogs
/// tell.
///
/// The catalogs keep with each row the transaction that wrote it. So one query over them finds the
/// rows written since the last snapshot; rows that have gone are missed in the count. Both lead to
/// the relations and routines that they belong to. Where a name has changed, whoever depends on it
/// is read again too. Anything else that changed (a type, a namespace, an extension, a role) means
/// that everything is read.
#[derive(Clone, Debug)]
pub struct Reader {
    queries: Arc<Queries>,
    default_namespace: Arc<str>,
    ignore: Arc<Vec<String>>,
    last: Option<Last>,
    /// How often what has changed was read since the catalogs were swept.
    readings: u32,
}

/// The last snapshot.
#[derive(Clone, Debug)]
struct Last {
    schema: Arc<Schema>,
    /// The relations and routines in it, by oid.
    groups: HashMap<u32, (Kind, Name)>,
    /// What the catalogs held then; not looked at yet if nobody asked for a second snapshot.
    ledger: Ledger,
}

impl Reader {
    /// A reader for a server of this major version.
    ///
    /// Objects in the default namespace have no namespace in their names. If it is another than
    /// `public`, nothing else is looked at. The tables to `ignore`, with or without their
    /// namespace, are left out.
    pub fn new(version: u32, default_namespace: &str, ignore: Vec<String>) -> Self {
        Self {
            queries: Arc::new(Queries::new(version, default_namespace != "public")),
            default_namespace: default_namespace.into(),
            ignore: Arc::new(ignore),
            last: None,
            readings: 0,
        }
    }

    /// A reader for a copy of this one's database, in which all that was read has kept its oids and
    /// transactions.
    #[must_use]
    pub fn fork(&self) -> Self {
        self.clone()
    }

    /// Reads everything, whatever was read before.
    ///
    /// # Errors
    ///
    /// When the database cannot be read. The connection must not be in a transaction.
    pub async fn full(&mut self, connection: &mut PgConnection) -> Result<Arc<Schema>, IntrospectError> {
        match self.read_whole(connection).await {
            Err(error) if error.is_forgotten_statement() => {
                connection.clear_cached_statements().await?;
                self.read_whole(connection).await
            }
            result => result,
        }
    }

    async fn read_whole(&mut self, connection: &mut PgConnection) -> Result<Arc<Schema>, IntrospectError> {
        let mut transaction = connection.begin_with(AssertSqlSafe(self.settings())).await?;
        let schema = self.whole(&mut transaction).await?;
        transaction.commit().await?;
        Ok(schema)
    }

    /// Reads what has changed since the last time: the same `Arc` if nothing has, and the groups
    /// that have not changed shared with the last schema.
    ///
    /// # Errors
    ///
    /// When the database cannot be read. The connection must not be in a transaction.
    pub async fn snapshot(&mut self, connection: &mut PgConnection) -> Result<Arc<Schema>, IntrospectError> {
        match self.read_changes(connection).await {
            Err(error) if error.is_forgotten_statement() => {
                connection.clear_cached_statements().await?;
                self.read_whole(connection).await
            }
            result => result,
        }
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

    async fn read_changes(&mut self, connection: &mut PgConnection) -> Result<Arc<Schema>, IntrospectError> {
        let mut transaction = connection.begin_with(AssertSqlSafe(self.settings())).await?;
        // Whatever fails on the way, the next snapshot starts afresh.
        let schema = match self.last.take() {
            None => self.whole(&mut transaction).await?,
            Some(mut last) => {
                let touched = self.touched(&mut transaction, &mut last.ledger).await?;
                let updated = match touched {
                    Some(touched) => self.update(&mut transaction, &mut last, touched).await?,
                    None => false,
                };
                let schema = Arc::clone(&last.schema);
                self.last = Some(last);
                if !updated {
                    // Afresh, since by indexes alone it takes longer to read everything.
                    transaction.rollback().await?;
                    return self.read_whole(connection).await;
                }
                schema
            }
        };
        transaction.commit().await?;
        self.sweep(connection).await;
        Ok(schema)
    }

    /// Every table that came and went has left dead rows in the catalogs, over which each reading
    /// steps, and no autovacuum may come. In a database that isn't our own they are not ours to sweep.
    async fn sweep(&mut self, connection: &mut PgConnection) {
        self.readings += 1;
        if self.readings >= READINGS_TO_A_SWEEP && &*self.default_namespace == "public" {
            self.readings = 0;
            // Without it, the next readings take longer, and nothing else.
            let _ = sqlx::raw_sql(SWEEP).execute(connection).await;
        }
    }

    async fn whole(&mut self, connection: &mut PgConnection) -> Result<Arc<Schema>, IntrospectError> {
        let ledger = Ledger::new(self.changes(connection, None, &[]).await?);
        let Read { mut schema, groups } = self.read(connection, None).await?;
        if let Some(last) = &self.last {
            schema.share_with(&last.schema);
        }
        let schema = Arc::new(schema);
        self.last = Some(Last { schema: Arc::clone(&schema), groups, ledger });
        Ok(schema)
    }

    /// The relations and routines that may have changed; none if anything may have.
    async fn touched(
        &self,
        connection: &mut PgConnection,
        ledger: &mut Ledger,
    ) -> Result<Option<BTreeSet<u32>>, IntrospectError> {
        let since = Some(ledger.since());
        let rows = self.changes(connection, since, &[]).await?;
        let (mut touched, catalogs) = match ledger.enter(rows) {
            Touched::Some(touched) => return Ok(Some(touched)),
            Touched::RowsGone(touched, catalogs) => (touched, catalogs),
            Touched::Everything => return Ok(None),
        };
        let rows = self.changes(connection, since, &catalogs).await?;
        let Touched::Some(gone) = ledger.strike(rows, &catalogs) else { return Ok(None) };
        touched.extend(gone);
        Ok(Some(touched))
    }

    /// Reads the touched relations and routines again, and those that speak of them if their names
    /// have changed. Says no if that is not enough.
    async fn update(
        &self,
        connection: &mut PgConnection,
        last: &mut Last,
        touched: BTreeSet<u32>,
    ) -> Result<bool, IntrospectError> {
        if !touched.is_empty() {
            sqlx::raw_sql(BY_INDEXES).execute(&mut *connection).await?;
        }
        let mut schema = (*last.schema).clone();
        let mut seen = BTreeSet::new();
        let mut next = touched;
        while !next.is_empty() {
            // Reading most of a schema piece by piece takes longer than reading it whole.
            if next.len() > 32 && next.len() * 2 > last.groups.len() {
                return Ok(false);
            }
            let read = self.read(connection, Some(&next)).await?;
            let renamed: Vec<Oid> = next
                .iter()
                .filter(|oid| {
                    is_renamed(&last.schema, last.groups.get(oid), &read.schema, read.groups.get(oid))
                })
                .map(|oid| Oid(*oid))
                .collect();
            for oid in next.iter().chain(read.groups.keys()) {
                if let Some((kind, name)) = last.groups.remove(oid)
                    && read.schema.group(kind, &name).is_none()
                {
                    schema.remove_group(kind, &name);
                }
            }
            // What is as it was stays shared with the last schema.
            for (kind, name, group) in read.schema.groups() {
                if schema.group(kind, name) != Some(group) {
                    schema.insert_group(kind, name.clone(), Arc::clone(group));
                }
            }
            last.groups.extend(read.groups);
            seen.append(&mut next);
            if !renamed.is_empty() {
                let query = sqlx::query_scalar::<_, Oid>(self.queries.dependents).bind(renamed);
                let dependents = query.fetch_all(&mut *connection).await?;
                next = dependents.into_iter().map(|oid| oid.0).filter(|oid| !seen.contains(oid)).collect();
                if next.contains(&0) {
                    return Ok(false);
                }
            }
        }
        if schema != *last.schema {
            last.schema = Arc::new(schema);
        }
        Ok(true)
    }

    async fn changes(
        &self,
        connection: &mut PgConnection,
        since: Option<i64>,
        whole: &[String],
    ) -> Result<Vec<ledger::Row>, IntrospectError> {
        let text = AssertSqlSafe(Arc::clone(&self.queries.changes));
        Ok(sqlx::query_as(text).bind(since).bind(whole).fetch_all(connection).await?)
    }

    async fn read(
        &self,
        connection: &mut PgConnection,
        only: Option<&BTreeSet<u32>>,
    ) -> Result<Read, IntrospectError> {
        let text = if only.is_some() { &self.queries.some } else { &self.queries.whole };
        let mut query = sqlx::query_as::<_, rows::Row>(AssertSqlSafe(Arc::clone(text)))
            .bind(&*self.default_namespace)
            .bind(&*self.ignore);
        if let Some(only) = only {
            query = query.bind(only.iter().map(|oid| Oid(*oid)).collect::<Vec<_>>());
        }
        let rows = query.fetch_all(connection).await?;
        rows::read(rows, &self.default_namespace)
    }

    /// Begins a transaction in which names and constants are spelled the same whatever the session
    /// has set: names in the default namespace without it, all others with theirs.
    fn settings(&self) -> String {
        format!(
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; \
             SET LOCAL search_path = \"{}\"; \
             SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; \
             SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL lc_monetary = 'C'; \
             SET LOCAL quote_all_identifiers = off; SET LOCAL standard_conforming_strings = on; \
             SET LOCAL jit = off; SET LOCAL plan_cache_mode = 'force_generic_plan'",
            self.default_namespace.replace('"', "\"\"")
        )
    }
}

/// A sweep costs as much as a dozen readings: the plans of the queries are made anew after it.
const READINGS_TO_A_SWEEP: u32 = 250;

const SWEEP: &str = "VACUUM (SKIP_LOCKED, TRUNCATE FALSE) pg_attribute, pg_class, pg_type, pg_index, \
     pg_constraint, pg_depend, pg_attrdef, pg_proc, pg_trigger, pg_rewrite, pg_description";

/// Lets what is asked for by oid be found by indexes. The plan is made once and kept, perhaps while the
/// catalogs are still so small that reading all of them looks cheap.
const BY_INDEXES: &str = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; \
     SET LOCAL enable_mergejoin = off; SET LOCAL enable_material = off";

/// Whether what others say of a relation or routine may have changed: its name, or that of a column.
fn is_renamed(
    before: &Schema,
    old: Option<&(Kind, Name)>,
    after: &Schema,
    new: Option<&(Kind, Name)>,
) -> bool {
    let (old, new) = match (old, new) {
        (Some(old), Some(new)) => (old, new),
        // What is left out has a name too.
        (None, None) => return true,
        // Nobody speaks of what is new or gone.
        _ => return false,
    };
    let columns = |schema: &Schema, (kind, name): &(Kind, Name)| -> Vec<String> {
        let group = schema.group(*kind, name);
        group.map(|group| group.object().list(Attribute::ColumnOrder).to_vec()).unwrap_or_default()
    };
    old != new || !columns(after, new).starts_with(&columns(before, old))
}
