//! One private cluster for several processes: the first one starts it, the others find it, and with
//! the last one it goes. To each other they are as strangers on a server of somebody else's, so what
//! one of them makes is safe from the others, and what it leaves when it is killed is removed by them.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::claims::Claims;
use super::cluster::Cluster;
use super::guardian::Until;
use super::keeper::Keeper;
use super::run::RunId;
use super::stranger::{Visited, visit};
use super::{Request, private_cluster};
use crate::cache;

/// A meeting place that nobody has come to for that long is given up.
const FORSAKEN: Duration = Duration::from_secs(24 * 3600);

/// A cluster that other processes use, too, and this run's stay there.
pub(crate) struct Together {
    pub(crate) cluster: Cluster,
    pub(crate) keeper: Keeper,
    pub(crate) claims: Arc<Claims>,
    pub(crate) version: String,
}

/// Finds the server of this build's processes, or starts it; none where they have no place to meet.
pub(crate) async fn serve(run: &RunId, request: &Request) -> Option<Together> {
    let file = place(request)?;
    // Goes away with this future: nobody waits for the server any more.
    let wanted = Arc::new(());
    let waiter = Arc::downgrade(&wanted);
    let met = tokio::task::spawn_blocking(move || {
        let meeting = Meeting::enter(&file, &waiter)?;
        let cluster = meeting.server().ok().and_then(|folder| Cluster::join(&folder));
        Some((meeting, cluster))
    });
    let (mut meeting, found) = met.await.ok()??;
    if let Some(cluster) = found {
        // The others need not wait until we are in.
        drop(meeting);
        return enter(cluster, run, request).await;
    }
    let mut cluster = private_cluster(run, request, Until::Unused).await.ok()?;
    cluster.set_up().await.ok()?;
    cluster.share().ok()?;
    meeting.tell(cluster.folder()).ok()?;
    drop(meeting);
    enter(cluster, run, request).await
}

async fn enter(cluster: Cluster, run: &RunId, request: &Request) -> Option<Together> {
    let visited = visit(cluster.options(), request, run).await.ok()?;
    let Visited { keeper, claims, version, .. } = visited;
    Some(Together { cluster, keeper, claims, version })
}

/// Where the processes meet that would have the same server: their programs lie in the same folder,
/// their servers' data goes to the same place, and they ask for the same.
fn place(request: &Request) -> Option<PathBuf> {
    let program = std::env::current_exe().ok()?;
    let wanted = (program.parent()?, std::env::var_os("TMPDIR"), std::env::var_os(super::FOLDERS_ENV));
    let mut digest = Sha256::new();
    digest.update(format!("{wanted:?} {:?} {:?}", request.version, request.binary_dirs));
    let name: String = digest.finalize()[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    Some(cache::folder("servers")?.join(name))
}

/// A file that says where the server is, locked by whoever looks for it or starts it.
struct Meeting(File);

impl Meeting {
    fn enter(place: &Path, waiter: &Weak<()>) -> Option<Self> {
        let folder = place.parent()?;
        DirBuilder::new().recursive(true).mode(0o700).create(folder).ok()?;
        if !cache::is_trusted(folder) {
            return None;
        }
        for old in cache::untouched(folder, FORSAKEN) {
            // Whoever has it open already meets nobody, which costs a server, and no more.
            let _ = fs::remove_file(old);
        }
        let mut options = OpenOptions::new();
        let file =
            options.read(true).write(true).create(true).truncate(false).mode(0o600).open(place).ok()?;
        loop {
            match file.try_lock() {
                Ok(()) => return Some(Self(file)),
                Err(TryLockError::WouldBlock) if waiter.strong_count() > 0 => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(_) => return None,
            }
        }
    }

    /// The folder of the server that was here last.
    fn server(&self) -> io::Result<PathBuf> {
        let mut told = Vec::new();
        { &self.0 }.read_to_end(&mut told)?;
        Ok(PathBuf::from(std::ffi::OsString::from_vec(told)))
    }

    fn tell(&mut self, folder: &Path) -> io::Result<()> {
        self.0.set_len(0)?;
        self.0.rewind()?;
        self.0.write_all(folder.as_os_str().as_bytes())
    }
}
