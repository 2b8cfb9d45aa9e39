//! Databases that others are copied from, one for each key, in the user's cache.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{Database, DatabaseError};
use crate::cache;

/// What nobody has copied for a day, nobody will: its key holds the program that it was made by.
const LIFE: Duration = Duration::from_secs(24 * 3600);

/// The folder of these databases. None of them is ever opened where it lies, so a copy of the file is
/// a copy of the database.
#[derive(Clone, Debug)]
pub struct Shelf(PathBuf);

impl Shelf {
    /// The user's own, if there is a cache that can be written.
    pub fn of_user() -> Option<Self> {
        Self::at(cache::folder("databases")?)
    }

    fn at(folder: PathBuf) -> Option<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).ok()?;
        cache::is_trusted(&folder).then_some(Self(folder))
    }

    fn file(&self, key: &str) -> PathBuf {
        self.0.join(format!("{key}.sqlite"))
    }

    /// Copies the database of that key to a file that isn't there yet, and tells whether there is one.
    ///
    /// # Errors
    ///
    /// When the copy cannot be written.
    pub fn copy(&self, key: &str, to: &Path) -> io::Result<bool> {
        let file = self.file(key);
        if !cache::is_trusted(&file) {
            return Ok(false);
        }
        match fs::copy(&file, to) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            copied => copied?,
        };
        // It is wanted; where the time cannot be set, it is made anew after a day.
        let _ = File::open(&file).and_then(|file| file.set_modified(SystemTime::now()));
        Ok(true)
    }

    /// Keeps a copy of a database under that key. Several processes may do so at once: each is whole.
    ///
    /// # Errors
    ///
    /// When the database is locked, or the copy cannot be written.
    pub async fn keep(&self, key: &str, database: &Database) -> Result<(), DatabaseError> {
        for old in cache::untouched(&self.0, LIFE) {
            let _ = fs::remove_file(old);
        }
        let draft = tempfile::Builder::new().prefix(".draft-").tempdir_in(&self.0);
        let failed = |reason: io::Error| DatabaseError::Copy {
            from: database.path().to_owned(),
            to: self.file(key),
            reason: reason.into(),
        };
        let draft = draft.map_err(failed)?;
        let copy = database.copy_to(draft.path().join("database")).await?;
        fs::rename(copy.path(), self.file(key)).map_err(failed)
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection as _;

    use super::*;

    #[tokio::test]
    async fn what_is_kept_is_copied_with_all_that_is_in_it_until_nobody_wants_it() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::at(folder.path().join("shelf")).unwrap();
        let database = Database::at(folder.path().join("one"));
        let mut connection = database.connect(true).await.unwrap();
        let script = "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO t (a) VALUES (1), (2); \
                      DELETE FROM t WHERE id = 2; PRAGMA user_version = 7; PRAGMA journal_mode = WAL";
        sqlx::raw_sql(script).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
        let target = folder.path().join("copy");
        assert!(!shelf.copy("key", &target).unwrap());
        shelf.keep("key", &database).await.unwrap();
        assert!(shelf.copy("key", &target).unwrap());

        let mut copy = Database::at(&target).connect(true).await.unwrap();
        sqlx::query("INSERT INTO t (a) VALUES (3)").execute(&mut copy).await.unwrap();
        let found: String = sqlx::query_scalar(
            "SELECT (SELECT group_concat(id || '=' || a) FROM t) || ' ' || user_version || ' ' || journal_mode \
             FROM pragma_user_version, pragma_journal_mode",
        )
        .fetch_one(&mut copy)
        .await
        .unwrap();
        assert_eq!(found, "1=1,3=3 7 wal");

        let long_ago = SystemTime::now() - 2 * LIFE;
        File::open(shelf.file("key")).unwrap().set_modified(long_ago).unwrap();
        shelf.keep("other", &database).await.unwrap();
        assert!(!shelf.copy("key", &folder.path().join("another")).unwrap());
    }
}
