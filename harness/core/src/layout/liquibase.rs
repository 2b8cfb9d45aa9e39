//! Liquibase's formatted SQL: files that begin with `--liquibase formatted sql` and hold changesets,
//! each of which is a revision.
//!
//! The rules are those of Liquibase 5, `AbstractFormattedChangeLogParser` for the files,
//! `StringUtil.processMultiLineSQL` for statements, `DatabaseList` for `dbms:`. The order is that of a
//! master changelog in XML or YAML that does no more than include others, or else that of the paths of
//! all formatted files. Contexts and labels leave nothing out, as in a run that names none.
//!
//! Preconditions are not evaluated: a changeset that has some is refused unless the config says that
//! they are met. Comments are sent, not stripped; that shows in the bodies of functions alone. The
//! books have no checksum, which Liquibase then computes itself. A changeset and its line in the books
//! are committed together here, and one after the other by Liquibase.

mod books;
mod formatted;
mod master;
mod split;

use std::collections::BTreeMap;
use std::sync::Arc;

use self::books::Liquibase;
use self::formatted::{Changeset, Rollback};
use super::{Claim, Entry, LayoutError, Options, SourceTree};
use crate::Backend;
use crate::history::{Downgrade, History, Revision, RevisionId, Script};
use crate::sql;

const NAME: &str = "liquibase";
const FORM: &str =
    "files that begin with \"--liquibase formatted sql\", and a master changelog that includes them";

/// The layout of Liquibase's formatted SQL.
#[derive(Clone, Copy, Debug)]
pub struct Layout;

impl super::Layout for Layout {
    fn name(&self) -> &'static str {
        NAME
    }

    fn form(&self) -> &'static str {
        FORM
    }

    fn claim(&self, folder: &SourceTree) -> Claim {
        let says_so = |(name, entry): (&str, &Entry)| match entry {
            Entry::Text(text) if name.ends_with(".sql") => formatted::is_formatted(text),
            _ => false,
        };
        if folder.top_level().any(says_so) {
            return Claim::Annotation;
        }
        Claim::by_names(folder.top_level().any(|(name, entry)| {
            *entry != Entry::Folder && name.to_lowercase().contains("changelog") && self.reads(name) && {
                let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
                !stem.eq_ignore_ascii_case("changelog")
                    || name.ends_with(".sql")
                    || master::is_one(folder, name)
            }
        }))
    }

    fn reads(&self, path: &str) -> bool {
        path.ends_with(".sql") || master::has_its_name(path)
    }

    fn options(&self) -> &'static [&'static str] {
        &["placeholders", "preconditions"]
    }

    fn depth(&self) -> usize {
        16
    }

    fn read_with(
        &self,
        folder: &SourceTree,
        backend: Backend,
        options: &Options,
    ) -> Result<History, LayoutError> {
        let mut parameters = options.placeholders.clone();
        let mut changesets = Vec::new();
        for path in master::files(folder)? {
            let script = folder.script(&path)?;
            let found = formatted::read(&script, &path, backend, &mut parameters)?;
            changesets.extend(found.into_iter().map(|changeset| (path.clone(), changeset)));
        }
        changesets.retain(|(_, changeset)| changeset.serves(backend));

        let mut known: BTreeMap<String, usize> = BTreeMap::new();
        for (_, changeset) in &changesets {
            *known.entry(changeset.label()).or_default() += 1;
        }
        let mut tool = Liquibase::default();
        let mut revisions = Vec::new();
        for (path, changeset) in changesets {
            let (label, file) = (changeset.label(), folder.path_of(&path));
            if let (Some(line), false) = (changeset.precondition, options.preconditions_met) {
                let problem = "preconditions are not evaluated here: write preconditions = \"met\" under \
                               [history] if all of them are met on a database that starts from nothing";
                return Err(LayoutError::Part { file, line, problem: problem.to_owned() });
            }
            let name = format!("{path}::{}::{}", changeset.id, changeset.author);
            let id = if known.get(&label) == Some(&1) { label } else { name.clone() };
            let id = RevisionId::new(id);
            tool.note(id.clone(), path, &changeset);
            let upgrade = pieces(changeset.sql, &changeset.splitting, backend)?;
            let downgrade = downgrade(changeset.rollback, backend)?;
            revisions.push(Revision {
                id,
                name,
                parents: Vec::new(),
                upgrade,
                downgrade,
                upgrade_in_transaction: changeset.in_transaction,
                downgrade_in_transaction: changeset.in_transaction,
            });
        }
        Ok(History::line(Arc::new(tool), revisions)?)
    }
}

/// A script with what Liquibase takes for its statements.
fn pieces(script: Script, splitting: &split::Splitting, backend: Backend) -> Result<Script, LayoutError> {
    let pieces = splitting.pieces(&script.text).map_err(|problem| LayoutError::Part {
        file: script.path.clone(),
        line: script.line_of(0),
        problem,
    })?;
    // A statement that holds nothing is none, and Liquibase does not send it.
    let pieces: Vec<_> =
        pieces.into_iter().filter(|piece| !sql::is_blank(&script.text[piece.clone()], backend)).collect();
    Ok(script.in_pieces(pieces))
}

fn downgrade(rollback: Rollback, backend: Backend) -> Result<Downgrade, LayoutError> {
    Ok(match rollback {
        Rollback::Missing => Downgrade::Missing,
        Rollback::Nothing(script, why) => Downgrade::Explained(script, why),
        Rollback::Sql(script, splitting) => {
            super::downgrade(Some(pieces(script, &splitting, backend)?), backend, &[])
        }
    })
}

impl Changeset {
    fn label(&self) -> String {
        format!("{}:{}", self.author, self.id)
    }
}

#[cfg(test)]
mod tests;
