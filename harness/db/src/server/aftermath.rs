//! What to tell of a server when a run on it has ended, well or badly.

use super::{Held, Isolate, Server};
use crate::room;

impl Server {
    /// A message of this server's, with what its reader needs beside it: why a private server fell,
    /// which disk has no room, and where that is which is kept.
    pub fn explain(&self, message: String) -> String {
        let message = match &self.held {
            Held::Cluster(cluster) | Held::Together { cluster, .. } => {
                let cause = cluster.cause_of_death().filter(|_| !room::is_lacking(&message));
                let fell = cause.map(|cause| format!("{message}; the server fell: {cause}"));
                room::explain(fell.unwrap_or(message), cluster.folder())
            }
            _ if room::is_lacking(&message) => {
                format!("{message}; make room on the disk of the server ({})", self.source)
            }
            _ => message,
        };
        match self.kept() {
            Some(kept) => format!("{message}; {kept}"),
            None => message,
        }
    }

    /// Where the databases stay that are to be kept, and how to reach them when this run is over. No
    /// password is part of it: one of a private server's sockets asks for none, and whoever gave us a
    /// URL knows it.
    pub fn kept(&self) -> Option<String> {
        if !self.keep {
            return None;
        }
        Some(match &self.held {
            Held::Cluster(cluster) | Held::Together { cluster, .. } => {
                let (folder, start, reach) =
                    (cluster.folder().display(), cluster.to_start(), cluster.to_reach());
                format!(
                    "databases kept in {folder}: start their server with `{start}`, list them with `{reach}`"
                )
            }
            #[cfg(feature = "containers")]
            Held::Container { id, .. } => format!(
                "databases kept in container {id}: start it with `docker start {id}`, list them with \
                 `docker exec {id} psql -U postgres -l`"
            ),
            Held::Stranger(_) => {
                let what = if self.isolate == Isolate::Schema { "schemas" } else { "databases" };
                format!("{what} kept on that server, named {}…", self.run.name(""))
            }
        })
    }

    /// Whether what is made stays when this run is over.
    pub fn is_kept(&self) -> bool {
        self.keep
    }
}
