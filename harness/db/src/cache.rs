//! The user's folder of cached things, which outlive a run and are only ever made anew.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::geteuid;

/// A folder of Switchback's own below `XDG_CACHE_HOME` or `~/.cache`, which need not be there yet.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let absolute = |name: &str| {
        let path = std::env::var_os(name).map(PathBuf::from);
        path.filter(|path| path.is_absolute())
    };
    let base = absolute("XDG_CACHE_HOME").or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("switchback").join(name))
}

/// Whether a file or folder is this user's own, and nobody else can have written it.
pub(crate) fn is_trusted(path: &Path) -> bool {
    let ours = |found: &fs::Metadata| found.uid() == geteuid().as_raw() && found.mode() & 0o022 == 0;
    fs::symlink_metadata(path).is_ok_and(|found| !found.is_symlink() && ours(&found))
}

/// What lies in a folder and has not been touched for that long.
pub(crate) fn untouched(folder: &Path, long: Duration) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(move |path| {
        let at = fs::metadata(path).and_then(|found| found.modified()).ok();
        at.and_then(|at| at.elapsed().ok()).is_some_and(|age| age > long)
    })
}
