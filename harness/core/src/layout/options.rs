//! What a config says of a history beyond its tool and its folders.

use std::collections::BTreeMap;

use super::pattern::FilePattern;
use crate::Backend;

/// The further keys of `[history]`. Each layout names those that it heeds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Which files are revisions, for tools of the project's own.
    pub pattern: Option<FilePattern>,
    /// The words in file names that mean a backend, the one to be preferred first.
    pub dialects: BTreeMap<Backend, Vec<String>>,
    /// What the tool wraps in a transaction.
    pub transaction: Transaction,
    /// The table in which the tool keeps its books, if it is not the usual one.
    pub bookkeeping: Option<String>,
    /// What stands for the placeholders in scripts.
    pub placeholders: BTreeMap<String, String>,
    /// Whether a script may hold statements that can be in a transaction and others that cannot.
    pub mixed: bool,
    /// Whether all preconditions can be taken for met.
    pub preconditions_met: bool,
    /// Whether callbacks can be left out.
    pub callbacks_skipped: bool,
}

/// What a tool wraps in a transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transaction {
    /// Each revision in one of its own.
    #[default]
    File,
    /// All revisions of a run in one. Each step is a run here, so a step is in one of its own, too.
    Run,
    /// Nothing.
    None,
}

impl Transaction {
    /// The words of the config.
    pub(crate) const WORDS: [(&str, Self); 3] =
        [("file", Self::File), ("run", Self::Run), ("none", Self::None)];
}
