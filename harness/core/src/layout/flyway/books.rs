//! Flyway's books: `flyway_schema_history`, as `JdbcTableSchemaHistory` and the classes of the two
//! databases write it.

use std::collections::BTreeMap;

use crate::Backend;
use crate::history::{Bookkeeping, Revision, RevisionId, Sending, Tool};
use crate::layout::Options;
use crate::sql::quoted_string as string;

const TABLE: &str = "flyway_schema_history";

/// What is written of a revision.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) version: Option<String>,
    pub(super) description: String,
    pub(super) script: String,
    pub(super) checksum: i32,
    /// The script, description and checksum of what undoes it.
    pub(super) undo: Option<(String, String, i32)>,
}

/// Flyway as a tool that runs revisions.
#[derive(Clone, Debug)]
pub(super) struct Flyway {
    pub(super) table: String,
    entries: BTreeMap<RevisionId, Entry>,
}

impl Flyway {
    pub(super) fn new(options: &Options) -> Self {
        let table = options.bookkeeping.clone().unwrap_or_else(|| TABLE.to_owned());
        Self { table, entries: BTreeMap::new() }
    }

    pub(super) fn note(&mut self, id: RevisionId, entry: Entry) {
        self.entries.insert(id, entry);
    }

    fn insert(
        &self,
        backend: Backend,
        version: Option<&String>,
        kind: &str,
        what: (&str, &str, i32),
    ) -> String {
        let Spelling { schema, restore, user, success, .. } = spelling(backend);
        let table = format!("\"{schema}\".\"{}\"", self.table);
        let (script, description, checksum) = what;
        let version = version.map_or_else(|| "NULL".to_owned(), |version| string(version));
        let (description, script) = (string(description), string(script));
        format!(
            "{restore}INSERT INTO {table} (\"installed_rank\", \"version\", \"description\", \"type\", \
             \"script\", \"checksum\", \"installed_by\", \"execution_time\", \"success\") VALUES ((SELECT \
             COALESCE(MAX(\"installed_rank\"), 0) + 1 FROM {table}), {version}, {description}, '{kind}', \
             {script}, {checksum}, {user}, 0, {success})"
        )
    }
}

/// How the statements are spelled for a backend.
struct Spelling {
    backend: Backend,
    /// The schema that a connection starts in, which Flyway calls the default one.
    schema: &'static str,
    /// `restoreOriginalState`: what Flyway does after each migration, so that none changes the role or
    /// the search path for the next.
    restore: &'static str,
    user: &'static str,
    success: &'static str,
    create: fn(&str) -> String,
}

const SPELLINGS: [Spelling; 2] = [
    Spelling {
        backend: Backend::Postgres,
        schema: "public",
        restore: "RESET ROLE; RESET search_path; ",
        user: "current_user",
        success: "TRUE",
        create: |table| {
            format!(
                "CREATE TABLE \"public\".\"{table}\" (
    \"installed_rank\" INT NOT NULL,
    \"version\" VARCHAR(50),
    \"description\" VARCHAR(200) NOT NULL,
    \"type\" VARCHAR(20) NOT NULL,
    \"script\" VARCHAR(1000) NOT NULL,
    \"checksum\" INTEGER,
    \"installed_by\" VARCHAR(100) NOT NULL,
    \"installed_on\" TIMESTAMP NOT NULL DEFAULT now(),
    \"execution_time\" INTEGER NOT NULL,
    \"success\" BOOLEAN NOT NULL
);
ALTER TABLE \"public\".\"{table}\" ADD CONSTRAINT \"{table}_pk\" PRIMARY KEY (\"installed_rank\");
CREATE INDEX \"{table}_s_idx\" ON \"public\".\"{table}\" (\"success\");"
            )
        },
    },
    Spelling {
        backend: Backend::Sqlite,
        schema: "main",
        restore: "",
        user: "''",
        success: "1",
        create: |table| {
            format!(
                "CREATE TABLE \"main\".\"{table}\" (
    \"installed_rank\" INT NOT NULL PRIMARY KEY,
    \"version\" VARCHAR(50),
    \"description\" VARCHAR(200) NOT NULL,
    \"type\" VARCHAR(20) NOT NULL,
    \"script\" VARCHAR(1000) NOT NULL,
    \"checksum\" INT,
    \"installed_by\" VARCHAR(100) NOT NULL,
    \"installed_on\" TEXT NOT NULL DEFAULT (strftime('%Y-%m-%d %H:%M:%f','now')),
    \"execution_time\" INT NOT NULL,
    \"success\" BOOLEAN NOT NULL
);
CREATE INDEX \"main\".\"{table}_s_idx\" ON \"{table}\" (\"success\");"
            )
        },
    },
];

fn spelling(backend: Backend) -> &'static Spelling {
    let found = SPELLINGS.iter().find(|spelling| spelling.backend == backend);
    found.expect("every backend has its spelling")
}

/// The schema in which migrations start.
pub(super) fn default_schema(backend: Backend) -> &'static str {
    spelling(backend).schema
}

/// The name of the user, where a statement may have one.
pub(super) fn user(backend: Backend) -> &'static str {
    spelling(backend).user.trim_matches('\'')
}

impl Tool for Flyway {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn sending(&self) -> Sending {
        Sending::Statements
    }

    fn outside_transaction(&self) -> &'static str {
        "put executeInTransaction=false into a file of the script's name with \".conf\" after it"
    }

    /// The Xerial driver leaves SQLite's own default.
    fn foreign_keys(&self) -> bool {
        false
    }

    fn bookkeeping(&self, backend: Backend) -> Bookkeeping {
        let create = (spelling(backend).create)(&self.table);
        Bookkeeping { tables: vec![self.table.clone()], create: Some(create) }
    }

    fn record(&self, backend: Backend, revision: &Revision) -> Option<String> {
        let entry = self.entries.get(&revision.id)?;
        let what = (entry.script.as_str(), entry.description.as_str(), entry.checksum);
        Some(self.insert(backend, entry.version.as_ref(), "SQL", what))
    }

    /// Flyway takes nothing out of its books: it adds that the revision was undone.
    fn forget(&self, backend: Backend, revision: &Revision) -> Option<String> {
        let entry = self.entries.get(&revision.id)?;
        let (script, description, checksum) = entry.undo.as_ref()?;
        let what = (script.as_str(), description.as_str(), *checksum);
        Some(self.insert(backend, entry.version.as_ref(), "UNDO_SQL", what))
    }
}

/// `ChecksumCalculator`: the CRC-32 of all lines without what ends them.
pub(super) fn checksum(text: &str) -> i32 {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let bytes = text.bytes().filter(|byte| !matches!(byte, b'\n' | b'\r'));
    let crc = bytes.fold(u32::MAX, |crc, byte| {
        let mixed = crc ^ u32::from(byte);
        (0..8).fold(mixed, |crc, _| if crc & 1 == 1 { (crc >> 1) ^ 0xEDB8_8320 } else { crc >> 1 })
    });
    (!crc).cast_signed()
}
