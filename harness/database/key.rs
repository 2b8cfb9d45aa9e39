//! What a database is made from, as one word: two of the same key are the same.

use std::fmt::{self, Debug, Write};

use sha2::{Digest, Sha256};
use switchback_core::Backend;
use switchback_core::history::RevisionId;
use switchback_db::project::Project;
use switchback_db::record::Plan;

/// Everything that a project says about a database, and what its files say now: a file that has
/// changed makes another key. `made_by` is what makes the database.
pub(crate) fn of(
    project: &Project,
    plan: &Plan,
    (backend, until, with_rows): (Backend, Option<&RevisionId>, bool),
    made_by: &dyn Debug,
) -> String {
    let mut key = Key(Sha256::new());
    key.add(&(env!("CARGO_PKG_VERSION"), made_by, backend, until));
    key.add(&project.root.canonicalize().ok());
    key.add(&(&project.config, &plan.history, &plan.setup));
    for extension in &project.config.sqlite.extensions {
        let found = project.root.join(extension).metadata();
        key.add(&found.map(|found| (found.len(), found.modified().ok())).ok());
    }
    if with_rows {
        key.add(&(&plan.fixtures, &plan.rows));
    }
    key.0.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

struct Key(Sha256);

impl Key {
    /// Values show all that they hold in their debug form, which is not kept.
    fn add(&mut self, value: &dyn Debug) {
        write!(self, "{value:?}\0").expect("a digest takes whatever is written");
    }
}

impl Write for Key {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0.update(text);
        Ok(())
    }
}
