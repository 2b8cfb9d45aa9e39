//! Writing down the SQL that the walks run, so that it can be run again by hand.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

use switchback_core::Backend;

use super::engine::Run;

/// A folder with a file for each backend and database, such as `postgres.probe.sql`.
#[derive(Clone, Debug)]
pub struct Log {
    folder: PathBuf,
}

impl Log {
    /// A log in a folder, which is made if it isn't there; files of an earlier run in it are emptied.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made or its files cannot be written.
    pub fn new(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let log = Self { folder: folder.into() };
        fs::create_dir_all(&log.folder)?;
        for backend in Backend::ALL {
            for database in ["trunk", "probe"] {
                fs::write(log.file(backend, database), "")?;
            }
        }
        Ok(log)
    }

    fn file(&self, backend: Backend, database: &str) -> PathBuf {
        self.folder.join(format!("{backend}.{database}.sql"))
    }

    /// Adds a script as its tool runs it: with its transaction and its bookkeeping.
    pub(super) fn write(&self, backend: Backend, database: &str, run: Run<'_>) -> io::Result<()> {
        let mut text = String::new();
        if !run.script.path.is_empty() {
            text.push_str(&format!("-- {}\n", run.script.path));
        }
        let (begin, commit) = if run.transaction { ("BEGIN;\n", "COMMIT;\n") } else { ("", "") };
        text.push_str(begin);
        text.push_str(&run.script.text);
        if !run.script.text.trim_end().ends_with(';') {
            // The last statement of a file may do without; a comment ends with its line.
            text.push_str("\n;");
        }
        text.push('\n');
        if let Some(bookkeeping) = run.bookkeeping {
            text.push_str(bookkeeping);
            text.push_str(";\n");
        }
        text.push_str(commit);
        self.append(backend, database, &text)
    }

    /// Notes that a database is now a copy of another one. A new one starts with what was run in
    /// that; of one that was remade, only a comment tells.
    pub(super) fn write_copy(&self, backend: Backend, from: &str, to: &str) -> io::Result<()> {
        let is_new = fs::metadata(self.file(backend, to))?.len() == 0;
        let text = if is_new {
            fs::read_to_string(self.file(backend, from))?
        } else {
            format!("-- From here on it is another database: a copy of the {from} as it is at this point.\n")
        };
        self.append(backend, to, &text)
    }

    fn append(&self, backend: Backend, database: &str, text: &str) -> io::Result<()> {
        let file = OpenOptions::new().append(true).create(true).open(self.file(backend, database));
        file?.write_all(text.as_bytes())
    }
}
