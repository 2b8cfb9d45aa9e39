//! One folder for both backends: what belongs to which.
//!
//! Projects keep the two apart by a folder each (`migrations/postgresql`, `migrations/sqlite`) or by
//! a word in the file name (`0001_init.sqlite.sql`). What names no dialect is for both.

use std::collections::{BTreeMap, BTreeSet};

use super::SourceTree;
use crate::Backend;

/// The words that projects use for a dialect. Those without a backend are of databases that
/// Switchback does not check; what carries them is in no history.
const WORDS: &[(&str, Option<Backend>)] = &[
    ("postgres", Some(Backend::Postgres)),
    ("postgresql", Some(Backend::Postgres)),
    ("pg", Some(Backend::Postgres)),
    ("sqlite", Some(Backend::Sqlite)),
    ("sqlite3", Some(Backend::Sqlite)),
    ("mysql", None),
    ("mariadb", None),
    ("mssql", None),
    ("sqlserver", None),
    ("oracle", None),
    ("cockroach", None),
    ("cockroachdb", None),
    ("db2", None),
    ("derby", None),
    ("h2", None),
    ("hsqldb", None),
];

/// Which database a file or folder is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// It names none, so it is for every one.
    Common,
    /// It names one of the backends.
    Of(Backend),
    /// It names a database that Switchback does not check.
    Foreign,
}

impl Dialect {
    /// The dialect that a word names, if it is such a word.
    pub fn named(word: &str) -> Option<Self> {
        let (_, backend) = WORDS.iter().find(|(one, _)| one.eq_ignore_ascii_case(word))?;
        Some(backend.map_or(Self::Foreign, Self::Of))
    }

    /// The one backend that a name with several words is for: `server-postgres`.
    pub fn in_name(name: &str) -> Option<Backend> {
        let words = name.split(|letter: char| !letter.is_alphanumeric());
        let named: BTreeSet<_> = words.filter_map(Self::named).collect();
        match named.first() {
            Some(Self::Of(backend)) if named.len() == 1 => Some(*backend),
            _ => None,
        }
    }

    /// Whether it is in the history of that backend.
    pub fn serves(self, backend: Backend) -> bool {
        self == Self::Common || self == Self::Of(backend)
    }
}

/// The folders of a folder that are named for a backend, sorted by name.
pub fn folders(tree: &SourceTree) -> Vec<(Backend, SourceTree)> {
    let named = |name| match Dialect::named(name) {
        Some(Dialect::Of(backend)) => Some((backend, tree.folder(name))),
        _ => None,
    };
    tree.folders().into_iter().filter_map(named).collect()
}

/// Of several files for the same step, the one that serves a backend: its own variant, or else the
/// common one.
#[derive(Clone, Debug)]
pub(super) struct Variants<T> {
    files: BTreeMap<Dialect, T>,
}

impl<T> Default for Variants<T> {
    fn default() -> Self {
        Self { files: BTreeMap::new() }
    }
}

impl<T> Variants<T> {
    /// Adds a file. If there is one of the same dialect already, that one is given back.
    pub(super) fn add(&mut self, dialect: Dialect, file: T) -> Option<T> {
        // Files for databases that are not checked never clash: `mysql` and `oracle` look alike here.
        if dialect == Dialect::Foreign {
            self.files.insert(dialect, file);
            return None;
        }
        self.files.insert(dialect, file)
    }

    /// The file for that backend.
    pub(super) fn of(&self, backend: Backend) -> Option<&T> {
        self.files.get(&Dialect::Of(backend)).or_else(|| self.files.get(&Dialect::Common))
    }

    /// Whether there is no file for any database.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Any of the files.
    pub(super) fn any(&self) -> Option<&T> {
        self.files.values().next()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::layout::Entry;

    #[rstest]
    #[case("postgres", Some(Dialect::Of(Backend::Postgres)))]
    #[case("PostgreSQL", Some(Dialect::Of(Backend::Postgres)))]
    #[case("pg", Some(Dialect::Of(Backend::Postgres)))]
    #[case("sqlite", Some(Dialect::Of(Backend::Sqlite)))]
    #[case("sqlite3", Some(Dialect::Of(Backend::Sqlite)))]
    #[case("mysql", Some(Dialect::Foreign))]
    #[case("users", None)]
    #[case("", None)]
    fn a_word_names_a_dialect(#[case] word: &str, #[case] expected: Option<Dialect>) {
        assert_eq!(Dialect::named(word), expected);
    }

    #[rstest]
    #[case("server-postgres", Some(Backend::Postgres))]
    #[case("sqlite_migrations", Some(Backend::Sqlite))]
    #[case("postgres-to-sqlite", None)]
    #[case("sqlite-or-mysql", None)]
    #[case("migrations", None)]
    fn a_name_may_name_one_backend(#[case] name: &str, #[case] expected: Option<Backend>) {
        assert_eq!(Dialect::in_name(name), expected);
    }

    #[test]
    fn folders_named_for_a_backend_are_found() {
        let names = ["mysql/1_a.sql", "postgresql/1_a.sql", "sqlite/1_a.sql", "docs/notes.md"];
        let entries = names.map(|name| (name.to_owned(), Entry::File));
        let found = folders(&SourceTree::new("migrations", entries));
        let found: Vec<_> = found.iter().map(|(backend, tree)| (*backend, tree.path())).collect();
        assert_eq!(
            found,
            [(Backend::Postgres, "migrations/postgresql"), (Backend::Sqlite, "migrations/sqlite"),]
        );
    }
}
