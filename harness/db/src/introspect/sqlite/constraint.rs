//! Constraints and the names of those that have none.

use std::collections::BTreeSet;
use std::fmt;

use switchback_core::schema::{Kind, Object};

use super::spelling::identifier;

/// A constraint of a table, before it has a name in any case.
pub(super) struct Constraint {
    pub(super) kind: Kind,
    pub(super) name: Option<String>,
    /// The columns it is about.
    pub(super) about: Vec<String>,
    pub(super) object: Object,
    pub(super) foreign_key: Option<ForeignKey>,
}

/// What a foreign key refers to; without columns it is the other table's primary key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ForeignKey {
    pub(super) table: String,
    pub(super) columns: Option<Vec<String>>,
}

impl fmt::Display for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&identifier(&self.table))?;
        match &self.columns {
            Some(columns) => {
                let columns: Vec<String> = columns.iter().map(|column| identifier(column)).collect();
                write!(f, " ({})", columns.join(", "))
            }
            None => Ok(()),
        }
    }
}

/// Gives every constraint a name.
///
/// SQLite gives none to a constraint whose author didn't. It is called after the columns it is
/// about, in parentheses, which no one would take for a name that was given: `(email)`. Of several
/// with the same columns the second is `(email) 2`, counted in the order of what they say and not
/// of where they stand, so that the same table read from another text has the same names.
pub(super) fn named(mut constraints: Vec<Constraint>) -> Vec<(String, Constraint)> {
    let content = |one: &Constraint| format!("{:?}", one.object.attributes().collect::<Vec<_>>());
    constraints.sort_by_cached_key(|one| (one.kind, one.name.is_none(), content(one)));
    let mut taken = BTreeSet::new();
    let mut named = Vec::with_capacity(constraints.len());
    for constraint in constraints {
        let stem = constraint.name.clone().unwrap_or_else(|| {
            let columns: Vec<String> = constraint.about.iter().map(|column| identifier(column)).collect();
            format!("({})", columns.join(", "))
        });
        let mut name = stem.clone();
        let mut count = 1;
        while !taken.insert((constraint.kind, name.clone())) {
            count += 1;
            name = format!("{stem} {count}");
        }
        named.push((name, constraint));
    }
    named
}
