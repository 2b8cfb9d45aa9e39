//! What the catalogs held at the last snapshot, as far as it takes to tell what has changed since.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sqlx::postgres::types::Oid;

/// A row of the query for changes: a catalog, how many rows it has (or, for `now` and `state`, a
/// value), the keys of the rows written since, and the objects that these belong to.
pub(super) type Row = (String, Option<i64>, Option<Vec<i64>>, Option<Vec<Oid>>);

/// The relations and routines that may have changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Touched {
    /// These.
    Some(BTreeSet<u32>),
    /// Rows have gone; which ones takes another look at all of them.
    RowsGone(BTreeSet<u32>),
    /// It cannot be told, or something that others speak of.
    Everything,
}

/// Rows of catalogs, by key, with the object that each belongs to.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Every later transaction has at least this number.
    pub(super) since: i64,
    /// What is only told as a whole.
    whole: BTreeMap<String, i64>,
    catalogs: BTreeMap<String, HashMap<i64, u32>>,
}

/// What a row belongs to.
enum Owner {
    /// A relation or routine.
    Group(u32),
    /// Nothing that is read.
    Nobody,
    /// Something that is only read with everything.
    Unknown,
}

const RELATIONS: &str = "relation";
const ROUTINES: &str = "routine";

/// The catalogs whose rows can carry comments of their own.
const PARTS: &[&str] = &["index", "constraint", "trigger", "rule", "policy", "statistics"];

impl Ledger {
    /// A ledger of all rows.
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let mut ledger = Self::default();
        for (catalog, value, keys, owners) in rows {
            match (catalog.as_str(), value) {
                ("now", Some(value)) => ledger.since = value,
                ("other" | "state", Some(value)) => {
                    ledger.whole.insert(catalog, value);
                }
                ("attribute", _) => {}
                _ => {
                    ledger.catalogs.insert(catalog, pairs(keys, owners).collect());
                }
            }
        }
        ledger
    }

    /// Enters the rows written since, and tells what they touch.
    pub(super) fn enter(&mut self, rows: Vec<Row>) -> Touched {
        let mut written = Vec::new();
        let mut counts = BTreeMap::new();
        for (catalog, value, keys, owners) in rows {
            match (catalog.as_str(), value) {
                ("now", Some(value)) => self.since = value,
                ("other" | "state", Some(value)) => {
                    if self.whole.get(&catalog) != Some(&value) || keys.is_some_and(|keys| !keys.is_empty()) {
                        return Touched::Everything;
                    }
                }
                ("attribute", _) => {
                    written.extend(owners.unwrap_or_default().into_iter().map(|owner| owner.0))
                }
                (_, count) => {
                    let known = self.catalogs.entry(catalog.clone()).or_default();
                    for (key, owner) in pairs(keys, owners) {
                        known.insert(key, owner);
                        // An index or toast table is told by its own row.
                        written.push(if owner == 0 { u32::try_from(key).unwrap_or_default() } else { owner });
                    }
                    counts.insert(catalog, count.unwrap_or_default());
                }
            }
        }
        let Some(touched) = self.groups(written) else { return Touched::Everything };
        let gone = self.catalogs.iter().any(|(catalog, known)| {
            let count = counts.get(catalog).copied().unwrap_or_default();
            i64::try_from(known.len()) != Ok(count)
        });
        if gone { Touched::RowsGone(touched) } else { Touched::Some(touched) }
    }

    /// What the rows that are no longer there touch.
    pub(super) fn missing_from(&self, now: &Self) -> Touched {
        let none = HashMap::new();
        let mut owners = Vec::new();
        for (catalog, known) in &self.catalogs {
            let still = now.catalogs.get(catalog).unwrap_or(&none);
            for (key, owner) in known.iter().filter(|(key, _)| !still.contains_key(key)) {
                owners.push(if *owner == 0 { u32::try_from(*key).unwrap_or_default() } else { *owner });
            }
            if still.keys().any(|key| !known.contains_key(key)) {
                return Touched::Everything;
            }
        }
        self.groups(owners).map_or(Touched::Everything, Touched::Some)
    }

    fn groups(&self, owners: Vec<u32>) -> Option<BTreeSet<u32>> {
        let mut groups = BTreeSet::new();
        for owner in owners {
            match self.owner(owner) {
                Owner::Group(group) => {
                    groups.insert(group);
                }
                Owner::Nobody => {}
                Owner::Unknown => return None,
            }
        }
        Some(groups)
    }

    fn owner(&self, oid: u32) -> Owner {
        let find = |catalog: &str| self.catalogs.get(catalog)?.get(&i64::from(oid)).copied();
        match find(RELATIONS) {
            Some(0) => return find("index").map_or(Owner::Nobody, Owner::Group),
            Some(relation) => return Owner::Group(relation),
            None => {}
        }
        if find(ROUTINES).is_some() {
            return Owner::Group(oid);
        }
        PARTS.iter().find_map(|catalog| find(catalog)).map_or(Owner::Unknown, Owner::Group)
    }
}

fn pairs(keys: Option<Vec<i64>>, owners: Option<Vec<Oid>>) -> impl Iterator<Item = (i64, u32)> {
    let owners = owners.unwrap_or_default().into_iter().map(|owner| owner.0);
    keys.unwrap_or_default().into_iter().zip(owners)
}
