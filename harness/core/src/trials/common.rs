//! The rows to ask with: those that both backends took.

use std::collections::BTreeMap;

use super::Row;
use crate::rows::{Candidate, Datum};
use crate::schema::Name;

/// What one backend made of the candidates for its tables.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taken {
    /// The rows that are there now.
    pub seeded: BTreeMap<Name, Vec<Candidate>>,
    /// Further rows with unusual values, which it would take.
    pub unusual: BTreeMap<Name, Vec<Candidate>>,
    /// Further rows with plain values, which it would take.
    pub plain: BTreeMap<Name, Vec<Candidate>>,
}

impl Taken {
    /// Whether there is nothing further that could be added to a table.
    pub fn lacks(&self, table: &Name) -> bool {
        let none = |rows: &BTreeMap<Name, Vec<Candidate>>| rows.get(table).is_none_or(Vec::is_empty);
        none(&self.unusual) || none(&self.plain)
    }
}

/// The rows that both backends took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Common {
    /// The rows that are there.
    pub seeded: BTreeMap<Name, Vec<Row>>,
    /// Rows with unusual values, which are not there.
    pub unusual: BTreeMap<Name, Vec<Row>>,
    /// Rows with plain values, which are not there.
    pub plain: BTreeMap<Name, Vec<Row>>,
}

impl Common {
    /// What one backend took, where there is no other.
    pub fn alone(taken: &Taken) -> Self {
        Self::of(taken, taken)
    }

    /// What both took.
    pub fn of(one: &Taken, other: &Taken) -> Self {
        Self {
            seeded: shared(&one.seeded, &other.seeded),
            unusual: shared(&one.unusual, &other.unusual),
            plain: shared(&one.plain, &other.plain),
        }
    }
}

type Candidates = BTreeMap<Name, Vec<Candidate>>;

fn shared(one: &Candidates, other: &Candidates) -> BTreeMap<Name, Vec<Row>> {
    let both = one.iter().filter_map(|(name, candidates)| {
        let others = other.get(name)?;
        let rows: Vec<Row> = candidates.iter().filter_map(|one| same_row(one, others)).collect();
        Some((name.clone(), rows))
    });
    both.collect()
}

/// The row that both took under the same number, unless they refer to different parents.
fn same_row(one: &Candidate, others: &[Candidate]) -> Option<Row> {
    let other = others.iter().find(|other| other.number == one.number)?;
    let mut row = other.cells.clone();
    for (column, value) in &one.cells {
        let agreed = match other.cells.get(column) {
            Some(other) if !other.same(value) => return None,
            Some(other) => more_telling(value, other),
            None => value,
        };
        row.insert(column.clone(), agreed.clone());
    }
    Some(row)
}

/// Of two forms of the same value the one that says what it is, whichever backend asks: what one
/// keeps as an identifier, the other may keep as a text.
fn more_telling<'a>(one: &'a Datum, other: &'a Datum) -> &'a Datum {
    let rank = |value: &Datum| (matches!(value, Datum::Text(_) | Datum::Bytes(_)), format!("{value:?}"));
    if rank(one) <= rank(other) { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(rows: &[(u32, &str, i128)]) -> Taken {
        let candidate = |(number, column, value): &(u32, &str, i128)| Candidate {
            table: Name::new("t"),
            number: *number,
            cells: Row::from_iter([
                ("id".to_owned(), Datum::Integer(*value)),
                ((*column).to_owned(), Datum::Null),
            ]),
        };
        let seeded = rows.iter().map(candidate).collect();
        Taken { seeded: [(Name::new("t"), seeded)].into(), ..Taken::default() }
    }

    #[test]
    fn a_row_is_common_if_both_took_it_with_the_same_values() {
        let one = taken(&[(0, "a", 1), (1, "a", 2), (2, "a", 3)]);
        let other = taken(&[(0, "b", 1), (2, "b", 4)]);
        let common = Common::of(&one, &other);
        let rows = &common.seeded[&Name::new("t")];
        let columns: Vec<Vec<&String>> = rows.iter().map(|row| row.keys().collect()).collect();
        assert_eq!(columns, [["a", "b", "id"]]);
    }
}
