//! A cluster's empty data folder: made by `initdb` once, then copied.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::binaries::Binaries;
use super::guardian::clean_command;
use super::run::RunId;
use super::user::ServiceUser;
use crate::cache;
use crate::files::plain;

/// Within the run's private folder sockets are open to whoever may enter it, which is its user;
/// on the network only the password counts. The locale is the same on every system.
const INITDB: &[&str] = &[
    "--no-sync",
    "--username=postgres",
    "--encoding=UTF8",
    "--locale=C",
    "--auth-local=trust",
    "--auth-host=scram-sha-256",
];

/// A copy in the making, which becomes the cached folder when it is whole.
const DRAFT: &str = ".draft-";

/// The cached result of `initdb` for one build of PostgreSQL.
#[derive(Debug)]
pub(crate) struct Template<'a> {
    binaries: &'a Binaries,
    user: Option<&'a ServiceUser>,
    cached: Option<PathBuf>,
}

impl<'a> Template<'a> {
    pub(crate) fn new(binaries: &'a Binaries, user: Option<&'a ServiceUser>) -> Self {
        let mut digest = Sha256::new();
        for part in [&binaries.full_version, &binaries.dir.to_string_lossy().into_owned()] {
            digest.update(part);
            digest.update([0]);
        }
        digest.update(INITDB.concat());
        let digest: String = digest.finalize()[..6].iter().map(|b| format!("{b:02x}")).collect();
        let cached = cache::folder("initdb").map(|cache| cache.join(format!("{}-{digest}", binaries.major)));
        Self { binaries, user, cached }
    }

    /// Makes the data folder; tells whether it came from the cache. The error is a reason.
    pub(crate) fn fill(&self, data: &Path, run: &RunId) -> Result<bool, String> {
        if let Some(cached) = self.cached.as_deref().filter(|cached| trusted(cached)) {
            if self.copy(cached, data).is_ok() {
                return Ok(true);
            }
            let _ = fs::remove_dir_all(data);
        }
        self.initdb(data)?;
        self.keep(data, run);
        Ok(false)
    }

    /// Throws the cached folder away, as something is wrong with it.
    pub(crate) fn discard(&self) {
        if let Some(cached) = &self.cached {
            let _ = fs::remove_dir_all(cached);
        }
    }

    fn copy(&self, cached: &Path, data: &Path) -> std::io::Result<()> {
        copy_tree(cached, data, self.user)
    }

    fn initdb(&self, data: &Path) -> Result<(), String> {
        let mut command = clean_command(&self.binaries.dir.join("initdb"), self.user);
        command.args(INITDB).arg("--pgdata").arg(data).stdin(Stdio::null());
        if self.binaries.major >= 18 {
            command.arg("--no-data-checksums");
        }
        let run = command.output().map_err(|e| format!("initdb cannot be run: {}", plain(&e)))?;
        if run.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&run.stderr);
        let telling = |line: &&str| ["error:", "FATAL:", "PANIC:"].iter().any(|word| line.contains(word));
        let why: Vec<&str> = said.lines().filter(telling).collect();
        let why = if why.is_empty() { said.trim().to_owned() } else { why.join("; ") };
        Err(format!("initdb failed: {why}"))
    }

    /// Keeps a copy for later runs. Several runs may do so at once: the first rename wins. A cache
    /// that cannot be written only costs time.
    fn keep(&self, data: &Path, run: &RunId) {
        let Some(cached) = &self.cached else { return };
        let Some(parent) = cached.parent() else {
            return;
        };
        sweep(parent);
        let draft = parent.join(format!("{DRAFT}{run}"));
        let kept = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)
            .and_then(|()| copy_tree(data, &draft, None))
            .and_then(|()| fs::rename(&draft, cached));
        if kept.is_err() {
            let _ = fs::remove_dir_all(&draft);
        }
    }
}

/// The cache is our own, also when the server is to be another user: we copy, not that user, so
/// nobody else needs to read it and nobody else can have written it.
fn trusted(cached: &Path) -> bool {
    cached.is_dir() && cache::is_trusted(cached)
}

/// Removes the drafts of runs that were killed. Making one takes a second.
fn sweep(parent: &Path) {
    let is_draft =
        |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(DRAFT));
    for draft in cache::untouched(parent, Duration::from_secs(3600)).filter(is_draft) {
        let _ = fs::remove_dir_all(draft);
    }
}

/// Copies a data folder, which holds plain files and folders only; `fs::copy` shares the blocks
/// where the file system can.
fn copy_tree(from: &Path, to: &Path, user: Option<&ServiceUser>) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target, user)?;
        } else {
            fs::copy(entry.path(), &target)?;
            give(&target, user)?;
        }
    }
    give(to, user)
}

fn give(path: &Path, user: Option<&ServiceUser>) -> std::io::Result<()> {
    user.map_or(Ok(()), |user| chown(path, Some(user.uid), Some(user.gid)))
}
