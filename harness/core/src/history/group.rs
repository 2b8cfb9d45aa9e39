//! Revisions that are only taken back together.

use std::ops::Range;

/// Revisions, one after the other, of which only all downgrades together bring back what was there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What the project calls it.
    pub name: String,
    /// The positions of its revisions.
    pub positions: Range<usize>,
}
