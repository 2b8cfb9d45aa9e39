//! What to tell of a server when a run on it has ended, well or badly.

use super::{Held, Server};
use crate::room;

impl Server {
    /// A message of this server's, with what its reader needs beside it: why a private server fell,
    /// and which disk has no room.
    pub fn explain(&self, message: String) -> String {
        let Held::Cluster(cluster) = &self.held else {
            return match room::is_lacking(&message) {
                true => format!("{message}; make room on the disk of the server ({})", self.source),
                false => message,
            };
        };
        let message = match cluster.cause_of_death().filter(|_| !room::is_lacking(&message)) {
            Some(cause) => format!("{message}; the server fell: {cause}"),
            None => message,
        };
        room::explain(message, cluster.folder())
    }
}
