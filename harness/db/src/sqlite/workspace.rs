//! The folder in which a run keeps its databases.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use super::Database;
use crate::files::plain;

const PREFIX: &str = "switchback-";
const LOCK: &str = "switchback.lock";
const UNNAMED: &str = "lock";
const KEPT: &str = "switchback.kept";

/// Why there is no folder for a run's databases.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// It could not be made.
    #[error("cannot make a folder in \"{}\": {}; set TMPDIR to a folder that can be written", parent.display(), plain(reason))]
    Create {
        /// Where it was to be.
        parent: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
    /// It could not be removed.
    #[error("cannot remove the folder \"{}\": {}; remove it by hand", folder.display(), plain(reason))]
    Remove {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        reason: io::Error,
    },
}

/// A folder of this run's own, `switchback-<run>-…`, removed when it is dropped.
///
/// A lock on a file in it says that the run lives. When a run ends without a chance to clean up,
/// its lock ends with it, and the next run's [`Workspace::sweep`] removes the folder.
#[derive(Debug)]
pub struct Workspace {
    folder: Option<TempDir>,
    path: PathBuf,
    /// Holds the lock.
    _lock: File,
    keep: bool,
}

impl Workspace {
    /// Makes a folder where temporary files go: `TMPDIR`, or `/tmp`. With `keep` it stays.
    ///
    /// # Errors
    ///
    /// When it can't be made there.
    pub fn new(run: &str, keep: bool) -> Result<Self, WorkspaceError> {
        Self::within(&std::env::temp_dir(), run, keep)
    }

    /// Makes a folder in another one.
    ///
    /// # Errors
    ///
    /// When it can't be made there.
    pub fn within(parent: &Path, run: &str, keep: bool) -> Result<Self, WorkspaceError> {
        let create = || {
            let folder = tempfile::Builder::new().prefix(&format!("{PREFIX}{run}-")).tempdir_in(parent)?;
            // The lock gets its name only when it is held, so that no one finds it free before.
            let unnamed = folder.path().join(UNNAMED);
            let lock = File::create_new(&unnamed)?;
            lock.try_lock()?;
            fs::rename(&unnamed, folder.path().join(LOCK))?;
            let path = folder.path().to_owned();
            Ok(Self { folder: Some(folder), path, _lock: lock, keep })
        };
        // Another run may sweep a folder that has no lock yet, since its maker may be dead.
        let created = create().or_else(|_| create()).or_else(|_| create());
        created.map_err(|reason| WorkspaceError::Create { parent: parent.to_owned(), reason })
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether it stays when the run is over.
    pub fn is_kept(&self) -> bool {
        self.keep
    }

    /// A database in the folder, which need not exist yet.
    pub fn database(&self, name: &str) -> Database {
        Database::at(self.path.join(format!("{name}.sqlite")))
    }

    /// Removes the folder now, or lets it stay if it is to be kept.
    ///
    /// # Errors
    ///
    /// When it can't be removed.
    pub fn close(mut self) -> Result<(), WorkspaceError> {
        self.end()
    }

    /// Removes the folders of this user's runs that have ended without doing so, and only those.
    /// Returns the folders that were removed.
    pub fn sweep(parent: &Path) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(parent) else { return Vec::new() };
        let named = entries
            .flatten()
            .filter(|entry| entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX)));
        let mut swept: Vec<PathBuf> =
            named.map(|entry| entry.path()).filter(|folder| remove_if_dead(folder)).collect();
        swept.sort();
        swept
    }

    fn end(&mut self) -> Result<(), WorkspaceError> {
        let Some(folder) = self.folder.take() else { return Ok(()) };
        if self.keep {
            // Without the name that was locked, no sweep will take it for left behind.
            let folder = folder.keep();
            return fs::rename(folder.join(LOCK), folder.join(KEPT))
                .map_err(|reason| WorkspaceError::Remove { folder: folder.join(LOCK), reason });
        }
        remove(&folder.keep()).map_err(|reason| WorkspaceError::Remove { folder: self.path.clone(), reason })
    }
}

/// Removes a folder, also while a statement that nobody waits for any more still makes a file in it.
fn remove(folder: &Path) -> io::Result<()> {
    for _ in 0..100 {
        match fs::remove_dir_all(folder) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
                std::thread::sleep(Duration::from_millis(10));
            }
            done => return done,
        }
    }
    fs::remove_dir_all(folder)
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // What could not be removed now, the next sweep removes.
        let _ = self.end();
    }
}

fn remove_if_dead(folder: &Path) -> bool {
    let removed = || -> io::Result<bool> {
        let metadata = fs::symlink_metadata(folder)?;
        if !metadata.is_dir() || metadata.uid() != rustix::process::geteuid().as_raw() {
            return Ok(false);
        }
        let lock = match File::open(folder.join(LOCK)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return remove_unfinished(folder),
            opened => opened?,
        };
        if lock.try_lock().is_err() {
            return Ok(false);
        }
        remove(folder)?;
        Ok(true)
    };
    removed().unwrap_or(false)
}

/// Removes the folder of a run that was killed before it held its lock, unless there is more in it than
/// such a run leaves: databases that are to be kept have no lock either.
fn remove_unfinished(folder: &Path) -> io::Result<bool> {
    let unnamed = folder.join(UNNAMED);
    match File::open(&unnamed) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        opened => {
            if opened?.try_lock().is_err() {
                return Ok(false);
            }
            fs::remove_file(&unnamed)?;
        }
    }
    fs::remove_dir(folder).map(|()| true)
}
