//! Liquibase's books: `DATABASECHANGELOG` and `DATABASECHANGELOGLOCK`, as
//! `CreateDatabaseChangeLogTableGenerator` and `MarkChangeSetRanGenerator` write them.

use std::collections::BTreeMap;

use super::formatted::Changeset;
use crate::Backend;
use crate::history::{Bookkeeping, Revision, RevisionId, Sending, Tool};
use crate::sql::quoted_string as string;

/// What is written of a changeset.
#[derive(Clone, Debug)]
struct Entry {
    id: String,
    author: String,
    file: String,
    comment: String,
}

/// Liquibase as a tool that runs revisions.
#[derive(Clone, Debug, Default)]
pub(super) struct Liquibase {
    entries: BTreeMap<RevisionId, Entry>,
}

impl Liquibase {
    pub(super) fn note(&mut self, id: RevisionId, file: String, changeset: &Changeset) {
        let Changeset { id: own, author, comment, .. } = changeset;
        let (own, author, comment) = (own.clone(), author.clone(), comment.clone());
        self.entries.insert(id, Entry { id: own, author, file, comment });
    }
}

/// How the statements are spelled for a backend.
struct Spelling {
    backend: Backend,
    /// The tables as the database calls them.
    tables: [&'static str; 2],
    prefix: &'static str,
    moment: &'static str,
    now: &'static str,
    integer: &'static str,
}

const SPELLINGS: [Spelling; 2] = [
    Spelling {
        backend: Backend::Postgres,
        tables: ["databasechangelog", "databasechangeloglock"],
        prefix: "public.",
        moment: "TIMESTAMP WITHOUT TIME ZONE",
        now: "NOW()",
        integer: "INTEGER",
    },
    Spelling {
        backend: Backend::Sqlite,
        tables: ["DATABASECHANGELOG", "DATABASECHANGELOGLOCK"],
        prefix: "",
        moment: "TEXT",
        now: "CURRENT_TIMESTAMP",
        integer: "INTEGER",
    },
];

fn spelling(backend: Backend) -> &'static Spelling {
    let found = SPELLINGS.iter().find(|spelling| spelling.backend == backend);
    found.expect("every backend has its spelling")
}

impl Tool for Liquibase {
    fn name(&self) -> &'static str {
        super::NAME
    }

    fn sending(&self) -> Sending {
        Sending::Statements
    }

    fn outside_transaction(&self) -> &'static str {
        "write runInTransaction:false into the line of the changeset"
    }

    /// The Xerial driver leaves SQLite's own default.
    fn foreign_keys(&self) -> bool {
        false
    }

    fn bookkeeping(&self, backend: Backend) -> Bookkeeping {
        let Spelling { tables: [log, lock], prefix, moment, integer, .. } = spelling(backend);
        let create = format!(
            "CREATE TABLE {prefix}{lock} (ID {integer} NOT NULL, LOCKED BOOLEAN NOT NULL, LOCKGRANTED {moment}, \
             LOCKEDBY VARCHAR(255), CONSTRAINT DATABASECHANGELOGLOCK_PKEY PRIMARY KEY (ID));
INSERT INTO {prefix}{lock} (ID, LOCKED) VALUES (1, FALSE);
CREATE TABLE {prefix}{log} (ID VARCHAR(255) NOT NULL, AUTHOR VARCHAR(255) NOT NULL, FILENAME VARCHAR(255) NOT NULL, \
             DATEEXECUTED {moment} NOT NULL, ORDEREXECUTED {integer} NOT NULL, EXECTYPE VARCHAR(10) NOT NULL, \
             MD5SUM VARCHAR(35), DESCRIPTION VARCHAR(255), COMMENTS VARCHAR(255), TAG VARCHAR(255), \
             LIQUIBASE VARCHAR(20), CONTEXTS VARCHAR(255), LABELS VARCHAR(255), DEPLOYMENT_ID VARCHAR(10));"
        );
        Bookkeeping { tables: [log, lock].map(|table| (*table).to_owned()).into(), create: Some(create) }
    }

    fn record(&self, backend: Backend, revision: &Revision) -> Option<String> {
        let Spelling { tables: [log, _], prefix, now, .. } = spelling(backend);
        self.entries.get(&revision.id).map(|entry| {
            let [id, author, file, comment] =
                [&entry.id, &entry.author, &entry.file, &entry.comment].map(|text| string(text));
            format!(
                "INSERT INTO {prefix}{log} (ID, AUTHOR, FILENAME, DATEEXECUTED, ORDEREXECUTED, MD5SUM, \
                 DESCRIPTION, COMMENTS, EXECTYPE, CONTEXTS, LABELS, LIQUIBASE, DEPLOYMENT_ID) VALUES ({id}, \
                 {author}, {file}, {now}, (SELECT COALESCE(MAX(ORDEREXECUTED), 0) + 1 FROM {prefix}{log}), NULL, \
                 'sql', {comment}, 'EXECUTED', NULL, NULL, '5.0', '0000000000')"
            )
        })
    }

    fn forget(&self, backend: Backend, revision: &Revision) -> Option<String> {
        let Spelling { tables: [log, _], prefix, .. } = spelling(backend);
        self.entries.get(&revision.id).map(|entry| {
            let [id, author, file] = [&entry.id, &entry.author, &entry.file].map(|text| string(text));
            format!("DELETE FROM {prefix}{log} WHERE ID = {id} AND AUTHOR = {author} AND FILENAME = {file}")
        })
    }
}
