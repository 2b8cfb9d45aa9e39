//! What the catalogs held at the last snapshot, as far as it takes to tell what has changed since.

use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A row of the query for changes: a catalog, how many rows it has (or a value that stands for
/// them, or nothing where another catalog tells), and entries.
pub(super) type Row = (String, Option<i64>, Option<Vec<i64>>);

/// The relations and routines that may have changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Touched {
    /// These.
    Some(BTreeSet<u32>),
    /// These, and those that rows of the catalogs named belonged to which have gone: all their rows
    /// must be seen to tell.
    RowsGone(BTreeSet<u32>, Vec<String>),
    /// It cannot be told, or something that others speak of.
    Everything,
}

/// Rows of catalogs, by key, with the object that each belongs to.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    /// Every later transaction has at least this number.
    since: i64,
    /// What is only told as a whole.
    whole: BTreeMap<String, i64>,
    catalogs: BTreeMap<String, HashMap<u64, u32>>,
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

/// The owner of what belongs to a type.
const TYPE: u32 = 1;

const RELATIONS: &str = "relation";
const INDEXES: &str = "index";
const ROUTINES: &str = "routine";

/// The other catalogs whose rows can carry comments of their own.
const PARTS: &[&str] = &["constraint", "trigger", "rule", "policy", "statistics"];

impl Ledger {
    /// A ledger of all rows.
    pub(super) fn new(rows: Vec<Row>) -> Self {
        let mut ledger = Self::default();
        for (catalog, value, entries) in rows {
            match kind_of(&catalog) {
                Content::Now => ledger.since = value.unwrap_or_default(),
                Content::Whole => {
                    ledger.whole.insert(catalog, value.unwrap_or_default());
                }
                Content::Owners => {}
                Content::Entries => {
                    let entries = rows_of(&catalog, entries).collect();
                    ledger.catalogs.insert(catalog, entries);
                }
            }
        }
        ledger
    }

    /// Every later transaction has at least this number.
    pub(super) fn since(&self) -> i64 {
        self.since
    }

    /// Enters the rows written since the last time, and tells what they touch.
    pub(super) fn enter(&mut self, rows: Vec<Row>) -> Touched {
        let mut written = Vec::new();
        let mut shrunk = Vec::new();
        for (catalog, value, entries) in rows {
            match kind_of(&catalog) {
                Content::Now => self.since = value.unwrap_or_default(),
                Content::Whole => {
                    let value = value.unwrap_or_default();
                    if self.whole.get(&catalog) != Some(&value) || entries.is_some() {
                        return Touched::Everything;
                    }
                }
                Content::Owners => written.extend(entries.unwrap_or_default().into_iter().map(low_half)),
                Content::Entries => {
                    let known = self.catalogs.entry(catalog.clone()).or_default();
                    for (key, owner) in rows_of(&catalog, entries) {
                        known.insert(key, owner);
                        written.push(told_by(key, owner));
                    }
                    if value.is_some_and(|rows| i64::try_from(known.len()) != Ok(rows)) {
                        shrunk.push(catalog);
                    }
                }
            }
        }
        match self.groups(written) {
            None => Touched::Everything,
            Some(groups) if shrunk.is_empty() => Touched::Some(groups),
            Some(groups) => Touched::RowsGone(groups, shrunk),
        }
    }

    /// Strikes out the rows that are not among all rows of their catalogs, and tells what they
    /// touch.
    pub(super) fn strike(&mut self, rows: Vec<Row>, catalogs: &[String]) -> Touched {
        let mut gone = Vec::new();
        let mut kept = Vec::new();
        for (catalog, _, entries) in rows {
            if catalogs.contains(&catalog) {
                let still: HashMap<u64, u32> = rows_of(&catalog, entries).collect();
                let known = self.catalogs.get(&catalog).into_iter().flatten();
                gone.extend(
                    known
                        .filter(|(key, _)| !still.contains_key(key))
                        .map(|(key, owner)| told_by(*key, *owner)),
                );
                kept.push((catalog, still));
            }
        }
        let groups = self.groups(gone);
        self.catalogs.extend(kept);
        groups.map_or(Touched::Everything, Touched::Some)
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
        let find = |catalog: &str| self.catalogs.get(catalog)?.get(&u64::from(oid)).copied();
        match find(RELATIONS) {
            Some(0) => return find(INDEXES).map_or(Owner::Nobody, |table| self.owner_of_index(table)),
            Some(TYPE) => return Owner::Unknown,
            Some(relation) => return Owner::Group(relation),
            None => {}
        }
        if find(ROUTINES).is_some() {
            return Owner::Group(oid);
        }
        match PARTS.iter().find_map(|catalog| find(catalog)) {
            None | Some(TYPE) => Owner::Unknown,
            Some(owner) => Owner::Group(owner),
        }
    }

    /// The index of a toast table belongs to nothing that is read, as that table itself.
    fn owner_of_index(&self, table: u32) -> Owner {
        let relations = self.catalogs.get(RELATIONS);
        match relations.and_then(|relations| relations.get(&u64::from(table))) {
            Some(0) => Owner::Nobody,
            _ => Owner::Group(table),
        }
    }
}

/// What the entries of a catalog mean.
enum Content {
    /// There are none; the value is the number of the transaction.
    Now,
    /// That there is one means that the catalog has changed.
    Whole,
    /// The objects that have changed.
    Owners,
    /// Rows.
    Entries,
}

fn kind_of(catalog: &str) -> Content {
    match catalog {
        "now" => Content::Now,
        "other" | "other comment" | "state" => Content::Whole,
        "attribute" => Content::Owners,
        _ => Content::Entries,
    }
}

/// The keys and owners that the entries of a catalog pack into one number each.
fn rows_of(catalog: &str, entries: Option<Vec<i64>>) -> impl Iterator<Item = (u64, u32)> {
    let keyed_by_owner = matches!(catalog, "comment" | "parent");
    entries.unwrap_or_default().into_iter().map(move |entry| match keyed_by_owner {
        true => (entry.cast_unsigned(), high_half(entry)),
        false => (u64::from(high_half(entry)), low_half(entry)),
    })
}

/// The oid that leads to the group: that of the owner, or its own if the row does not name one.
fn told_by(key: u64, owner: u32) -> u32 {
    if owner == 0 { low_half(key.cast_signed()) } else { owner }
}

fn high_half(entry: i64) -> u32 {
    low_half(entry >> 32)
}

fn low_half(entry: i64) -> u32 {
    let [.., a, b, c, d] = entry.to_be_bytes();
    u32::from_be_bytes([a, b, c, d])
}
