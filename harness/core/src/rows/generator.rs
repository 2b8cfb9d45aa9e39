//! Rows made up from what introspection found, the same ones for the same seed.

use std::collections::{BTreeMap, BTreeSet};

use super::datum::Datum;
use super::expression::Condition;
use super::keys::{ForeignKey, foreign_keys, likely_keys, may_be_null, mentioned, unique_keys};
use super::strategy::{any_value, edges, pick};
use super::wanted::{Wanted, domain_is_not_null};
use super::{Plain, Row, distinct, harvest, plain};
use crate::Backend;
use crate::evidence::TableRows;
use crate::family::{ColumnType, Family, domain_checks};
use crate::schema::{Attribute, Group, Kind, Name, Object, ObjectId, Schema};

/// The number of the first candidate that holds no unusual values any more.
const PLAIN_FROM: u32 = 12;
/// How often values are drawn anew before a candidate is tried as it is.
const REDRAWS: u32 = 60;

/// Makes up rows.
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    per_table: usize,
    values: BTreeMap<String, Vec<String>>,
    only_plain: Option<Plain>,
}

/// A schema in which the rows must fit.
#[derive(Clone, Copy, Debug)]
pub struct Side<'a> {
    /// The backend whose schema it is.
    pub backend: Backend,
    /// The schema.
    pub schema: &'a Schema,
}

/// A row that may be tried. The same table and number are the same row on both backends.
#[derive(Clone, Debug, PartialEq)]
pub struct Candidate {
    /// The table.
    pub table: Name,
    /// Which of the table's candidates it is.
    pub number: u32,
    /// The values that are written, by column.
    pub cells: Row,
}

/// The rows that other rows may refer to.
#[derive(Clone, Debug, Default)]
pub struct Parents(BTreeMap<Name, Vec<Row>>);

impl Parents {
    /// Takes the rows of a table as they were read, replacing earlier ones.
    pub fn take(&mut self, side: Side<'_>, table: &Name, rows: &TableRows) {
        let Some(group) = side.schema.table(table) else { return };
        let types: Vec<ColumnType> = rows
            .columns
            .iter()
            .map(|column| match group.part(Kind::Column, column) {
                Some(object) => ColumnType::of(side.backend, side.schema, object),
                None => ColumnType::named(side.backend, side.schema, ""),
            })
            .collect();
        let read = |row: &Vec<Option<String>>| {
            let cells = rows.columns.iter().zip(&types).zip(row);
            cells
                .map(|((column, column_type), text)| {
                    (column.clone(), Datum::read(side.backend, column_type, text.as_deref()))
                })
                .collect::<Row>()
        };
        let mut read: Vec<Row> = rows.rows.iter().map(read).collect();
        // The same rows stand in the same order on both backends: by their keys first, since other
        // columns may hold the time.
        let plain = |row: &Row| {
            let keys: Vec<String> =
                rows.key.iter().filter_map(|key| row.get(key)).map(Datum::plain).collect();
            (keys, row.values().map(Datum::plain).collect::<Vec<_>>())
        };
        read.sort_by_cached_key(plain);
        self.0.insert(table.clone(), read);
    }

    /// Adds a row that is to be written together with those that refer to it.
    pub fn add(&mut self, candidate: &Candidate) {
        self.0.entry(candidate.table.clone()).or_default().push(candidate.cells.clone());
    }

    /// Leaves a table with this row alone.
    pub fn only(&mut self, candidate: &Candidate) {
        self.0.insert(candidate.table.clone(), vec![candidate.cells.clone()]);
    }

    /// The rows of a table.
    pub fn of(&self, table: &Name) -> &[Row] {
        self.0.get(table).map(Vec::as_slice).unwrap_or_default()
    }
}

impl Generator {
    /// A generator; `values` are the project's own for `table.column`.
    pub fn new(seed: u64, per_table: usize, values: BTreeMap<String, Vec<String>>) -> Self {
        Self { seed, per_table, values, only_plain: None }
    }

    /// The same without unusual values, and with texts in one form.
    #[must_use]
    pub fn plain(mut self, style: Plain) -> Self {
        self.only_plain = Some(style);
        self
    }

    /// How many rows each table is to have; none turns generation off.
    pub fn per_table(&self) -> usize {
        self.per_table
    }

    /// The seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// What makes up rows of one table, such that they fit in every schema in which there is one of
    /// that name. Nothing if the first schema has none.
    pub fn table<'a>(
        &'a self,
        name: &Name,
        own: Side<'a>,
        others: &[Side<'a>],
    ) -> Option<TableGenerator<'a>> {
        let own_group = own.schema.table(name)?;
        let mut sides: Vec<(Side<'a>, &Group)> = vec![(own, own_group)];
        for side in others {
            sides.extend(side.schema.table(name).map(|group| (*side, group.as_ref())));
        }
        // Both backends ask for the same rows, each with itself first.
        sides.sort_by_key(|(side, _)| side.backend);
        let mut table = TableGenerator {
            generator: self,
            name: name.clone(),
            own: own.backend,
            columns: Vec::new(),
            conditions: Vec::new(),
            keys: Vec::new(),
            uniques: Vec::new(),
            likely: BTreeSet::new(),
            left_out: BTreeSet::new(),
        };
        for (side, group) in &sides {
            table.take(*side, group, own, own_group);
        }
        table.settle(&sides);
        Some(table)
    }
}

/// Makes up rows of one table.
#[derive(Debug)]
pub struct TableGenerator<'a> {
    generator: &'a Generator,
    name: Name,
    own: Backend,
    columns: Vec<Column>,
    conditions: Vec<(Condition, Vec<String>)>,
    keys: Vec<ForeignKey>,
    uniques: Vec<Vec<String>>,
    /// The keys that no constraint says.
    likely: BTreeSet<String>,
    /// Columns whose default alone may fill them.
    left_out: BTreeSet<String>,
}

#[derive(Debug)]
struct Column {
    name: String,
    wanted: Wanted,
    nullable: bool,
    /// The type on the backend that asks; nothing if the column is not written there.
    own: Option<ColumnType>,
    /// Values that conditions speak of.
    hints: Vec<Datum>,
    /// Whether a condition asks for a form that only the hints have.
    shaped: bool,
    /// The only values there are: the project's own, or those that have a partition.
    only: Vec<Datum>,
    /// Its place among the columns that keep rows apart, if it is one of them.
    apart: Option<u32>,
}

impl TableGenerator<'_> {
    /// The tables whose rows its own may refer to.
    pub fn parents(&self) -> impl Iterator<Item = &Name> {
        self.keys.iter().map(|key| &key.parent)
    }

    /// Takes what one schema says about the columns.
    fn take(&mut self, side: Side<'_>, group: &Group, own: Side<'_>, own_group: &Group) {
        for (name, object) in group.columns() {
            if object.has(Attribute::Generated) || object.has(Attribute::Hidden) {
                continue;
            }
            if counts_by_itself(side, &self.name, name, object) {
                self.left_out.insert(name.to_owned());
            }
            let column_type = ColumnType::of(side.backend, side.schema, object);
            let wanted = Wanted::of(side.backend, side.schema, &column_type);
            let domain = column_type.domain.as_ref();
            let nullable = may_be_null(group, name)
                && !domain.is_some_and(|domain| domain_is_not_null(side.schema, domain));
            match self.columns.iter_mut().find(|column| column.name == name) {
                Some(known) => {
                    // Of one backend's schemas the own one says what is written: a later one may want
                    // a value of another kind, to which the revision converts.
                    let converts = side.backend == own.backend && known.wanted.family != wanted.family;
                    if !converts {
                        known.wanted = known.wanted.clone().and(wanted);
                    }
                    known.nullable &= nullable;
                }
                None => {
                    let written = own_group.part(Kind::Column, name);
                    let written = written.filter(|object| !object.has(Attribute::Generated));
                    self.columns.push(Column {
                        name: name.to_owned(),
                        wanted,
                        nullable,
                        own: written.map(|object| ColumnType::of(own.backend, own.schema, object)),
                        hints: Vec::new(),
                        shaped: false,
                        only: Vec::new(),
                        apart: None,
                    });
                }
            }
        }
        for key in foreign_keys(side.schema, group) {
            let known = self.keys.iter().any(|one| one.columns == key.columns && one.parent == key.parent);
            let reachable = own.schema.table(&key.parent).is_some();
            if !known && reachable {
                self.keys.push(key);
            }
        }
        for key in likely_keys(side.schema, group) {
            let known = self.keys.iter().any(|one| one.columns == key.columns);
            if !known && own.schema.table(&key.parent).is_some() && key.parent != self.name {
                self.likely.insert(key.name.clone());
                self.keys.push(key);
            }
        }
        // A key of several columns settles what a shorter one shares with it.
        self.keys.sort_by_key(|key| std::cmp::Reverse(key.columns.len()));
        for unique in unique_keys(group) {
            if !self.uniques.contains(&unique) {
                self.uniques.push(unique);
            }
        }
    }

    /// Once all columns are known: conditions, values and what keeps rows apart.
    fn settle(&mut self, sides: &[(Side<'_>, &Group)]) {
        self.columns.retain(|column| !self.left_out.contains(&column.name));
        for (side, group) in sides {
            self.holds_json(group);
            for condition in harvest::conditions(group) {
                let columns = mentioned(group, &[condition.to_owned()]);
                self.harvest(condition, side.backend, &columns);
                if let Some(parsed) = Condition::parse(condition, side.backend) {
                    self.conditions.push((parsed, columns));
                }
            }
            for (name, object) in group.columns() {
                let column_type = ColumnType::of(side.backend, side.schema, object);
                let Some(domain) = &column_type.domain else { continue };
                for condition in domain_checks(side.schema, domain) {
                    self.harvest(condition, side.backend, &[name.to_owned()]);
                    if let Some(parsed) = Condition::parse(condition, side.backend) {
                        self.conditions.push((parsed, vec![name.to_owned()]));
                    }
                }
            }
            let wanted = |name: &str| {
                self.columns.iter().find(|column| column.name == name).map(|column| column.wanted.clone())
            };
            for (name, values) in harvest::bounds(side.schema, &self.name, group, &wanted) {
                if let Some(column) = self.columns.iter_mut().find(|column| column.name == name) {
                    column.only = values;
                }
            }
        }
        for column in &mut self.columns {
            let given = self.generator.values.get(&format!("{}.{}", self.name, column.name));
            if let Some(given) = given {
                let read =
                    |text: &String| column.wanted.read(text).unwrap_or_else(|| Datum::Text(text.clone()));
                column.only = given.iter().map(read).collect();
            }
        }
        for (_, group) in sides {
            self.keep_apart(group);
        }
    }

    /// A text that must be JSON is meant as JSON.
    fn holds_json(&mut self, group: &Group) {
        for condition in harvest::conditions(group) {
            let lower = condition.to_lowercase();
            for column in self.columns.iter_mut().filter(|column| column.wanted.family == Family::Text) {
                let name = column.name.to_lowercase();
                if lower.contains(&format!("json_valid({name})"))
                    || lower.contains(&format!("json_type({name})"))
                {
                    column.wanted.family = Family::Json;
                }
            }
        }
    }

    fn harvest(&mut self, condition: &str, backend: Backend, columns: &[String]) {
        let shaped = harvest::asks_for_a_pattern(condition, backend);
        for column in self.columns.iter_mut().filter(|column| columns.contains(&column.name)) {
            column.shaped |= shaped;
            for hint in harvest::hints(condition, backend, &column.wanted) {
                if !column.hints.contains(&hint) {
                    column.hints.push(hint);
                }
            }
        }
    }

    /// Chooses the columns whose values are different in every row.
    fn keep_apart(&mut self, group: &Group) {
        let refers: BTreeSet<&String> = self.keys.iter().flat_map(|key| &key.columns).collect();
        let mut apart: Vec<(String, u32)> = Vec::new();
        for unique in unique_keys(group) {
            let free = |name: &&String| !refers.contains(name);
            let able = |name: &&String| {
                let column = self.columns.iter().find(|column| column.name == **name);
                column.map_or(u32::MAX, |column| distinct::ability(column.wanted.family))
            };
            let best = unique.iter().filter(free).min_by_key(able);
            apart.extend(best.map(|name| (name.clone(), 0)));
        }
        for (_, exclusion) in group.parts_of(Kind::Exclusion) {
            let columns = mentioned(group, exclusion.list(Attribute::Columns)).into_iter();
            let free: Vec<String> = columns.filter(|name| !refers.contains(name)).collect();
            apart.extend(free.into_iter().zip(0..));
        }
        for (name, place) in apart {
            if let Some(column) = self.columns.iter_mut().find(|column| column.name == name) {
                column.apart.get_or_insert(place);
            }
        }
    }

    /// The candidates one after the other, without an end; what cannot be made up says why.
    pub fn candidates<'p>(
        &'p self,
        parents: &'p Parents,
    ) -> impl Iterator<Item = Result<Candidate, String>> + 'p {
        (0..).map(move |number| self.candidate(number, parents))
    }

    /// The table.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// Whether rows of the table may refer to others of it.
    pub fn refers_to_itself(&self) -> bool {
        self.keys.iter().any(|key| key.parent == self.name)
    }

    /// What is known of a candidate before any row is there that it may refer to: its own key.
    pub fn without_references(&self, number: u32) -> Candidate {
        let cells = self.columns.iter().map(|column| (column.name.clone(), self.draw(column, number, 0)));
        Candidate { table: self.name.clone(), number, cells: cells.collect() }
    }

    /// One candidate.
    ///
    /// # Errors
    ///
    /// If a foreign key that must refer to a row finds none.
    pub fn candidate(&self, number: u32, parents: &Parents) -> Result<Candidate, String> {
        let mut cells: BTreeMap<&str, Datum> =
            self.columns.iter().map(|column| (column.name.as_str(), self.draw(column, number, 0))).collect();
        let mut settled = self.refer(&mut cells, number, 0, parents)?;
        for attempt in 1..=REDRAWS {
            let Some(columns) = self.refused(&cells) else { break };
            let mut drawn = false;
            for column in self.columns.iter().filter(|column| columns.contains(&column.name)) {
                if !settled.contains(column.name.as_str()) {
                    cells.insert(&column.name, self.draw(column, number, attempt));
                    drawn = true;
                }
            }
            if !drawn || attempt % 4 == 0 {
                settled = self.refer(&mut cells, number, attempt, parents)?;
            }
        }
        let written = self.columns.iter().filter(|column| column.own.is_some());
        let cells =
            written.filter_map(|column| Some((column.name.clone(), cells.remove(column.name.as_str())?)));
        Ok(Candidate { table: self.name.clone(), number, cells: cells.collect() })
    }

    /// The literals of a candidate's cells, for the backend that asks.
    pub fn literals(&self, candidate: &Candidate) -> BTreeMap<String, String> {
        let own = |column: &str| self.columns.iter().find(|one| one.name == column)?.own.as_ref();
        let cells = candidate.cells.iter();
        cells
            .filter_map(|(column, datum)| Some((column.clone(), datum.literal(self.own, own(column)?))))
            .collect()
    }

    /// The columns of the first condition that certainly refuses the values.
    fn refused(&self, cells: &BTreeMap<&str, Datum>) -> Option<&[String]> {
        let refuses = |(condition, columns): &&(Condition, Vec<String>)| {
            condition.refuses(&|name: &str| {
                let by_name = cells.iter().find(|(column, _)| column.eq_ignore_ascii_case(name));
                let of_domain = || columns.first().filter(|_| name.eq_ignore_ascii_case("value"));
                let found = by_name.map(|(_, datum)| datum);
                found.or_else(|| cells.get(of_domain()?.as_str())).cloned()
            })
        };
        self.conditions.iter().find(refuses).map(|(_, columns)| columns.as_slice())
    }

    /// A value for a column: edges first, then whatever the strategy gives, then plain ones.
    fn draw(&self, column: &Column, number: u32, attempt: u32) -> Datum {
        let (table, shift) = (self.name.to_string(), shift(&column.name));
        if let Some(only) = plain::nth(&column.only, number + attempt) {
            return only.clone();
        }
        let is_plain = self.generator.only_plain.is_some() || number >= PLAIN_FROM;
        let turn = number.wrapping_add(shift);
        let drawn = |of: &str, attempt: u32| {
            let parts = [table.as_str(), &column.name, of, &number.to_string(), &attempt.to_string()];
            pick(&any_value(&column.wanted), self.generator.seed, &parts)
        };
        if attempt == 0 {
            let hint = plain::nth(&column.hints, number).cloned();
            let is_text = matches!(column.wanted.family, Family::Text | Family::Any);
            let stays_null = column.nullable && turn % 4 == 3 && !is_plain && column.apart.is_none();
            match hint.clone().filter(|_| is_text && !stays_null) {
                Some(hint) if column.shaped => return hint,
                // What a length asks for may vary.
                Some(hint) if column.apart.is_some() && !number.is_multiple_of(3) => {
                    return distinct::vary(hint, number);
                }
                _ => {}
            }
            if let Some(place) = column.apart {
                let drawn = if is_plain { None } else { drawn("apart", 0) };
                return distinct::value(&column.wanted, &column.name, number, place, drawn);
            }
            if is_plain {
                // Plain values first; what a pattern asks for where they were refused again and again.
                let refused = number % PLAIN_FROM >= PLAIN_FROM / 2;
                return hint.filter(|_| refused).unwrap_or_else(|| self.plain(column, number));
            }
            if column.nullable && turn % 4 == 3 {
                return Datum::Null;
            }
            let edges = if turn % 2 == 0 && !column.hints.is_empty() {
                column.hints.clone()
            } else {
                edges(&column.wanted)
            };
            let edge = plain::nth(&edges, turn).cloned().filter(|_| turn % 8 != 6);
            return edge.or_else(|| drawn("value", 0)).unwrap_or(Datum::Null);
        }
        let choice = pick(
            &(0_u32..12),
            self.generator.seed,
            &[&table, &column.name, &number.to_string(), &attempt.to_string(), "choice"],
        );
        match choice.unwrap_or_default() {
            0..=5 if !column.hints.is_empty() => {
                let hint = plain::nth(&column.hints, turn.wrapping_add(attempt)).cloned();
                let hint = hint.unwrap_or(Datum::Null);
                if column.apart.is_some() && attempt.is_multiple_of(2) {
                    distinct::vary(hint, number)
                } else {
                    hint
                }
            }
            6 | 7 if column.nullable => Datum::Null,
            0..=9 if column.apart.is_some() => {
                distinct::value(&column.wanted, &column.name, number, column.apart.unwrap_or(0), None)
            }
            0..=9 => self.plain(column, number.wrapping_add(attempt)),
            _ => drawn("again", attempt).unwrap_or(Datum::Null),
        }
    }

    fn plain(&self, column: &Column, number: u32) -> Datum {
        match self.generator.only_plain {
            Some(style) => plain::styled(&column.wanted, &column.name, number, style),
            None => plain::value(&column.wanted, &column.name, number),
        }
    }

    /// Lets the columns of foreign keys refer to rows that are there, and says which columns those are.
    fn refer<'c>(
        &'c self,
        cells: &mut BTreeMap<&'c str, Datum>,
        number: u32,
        attempt: u32,
        parents: &Parents,
    ) -> Result<BTreeSet<&'c str>, String> {
        let mut settled: BTreeSet<&str> = BTreeSet::new();
        let mut stride = 1;
        for (index, key) in self.keys.iter().enumerate() {
            let own: Option<Vec<&Column>> = key
                .columns
                .iter()
                .map(|name| self.columns.iter().find(|column| column.name == *name))
                .collect();
            // A key over a generated column follows from the others.
            let Some(own) = own else { continue };
            let open: Vec<&Column> = own
                .iter()
                .copied()
                .filter(|column| column.nullable && !settled.contains(column.name.as_str()))
                .collect();
            let is_own = key.parent == self.name;
            let fits = |row: &&Row| {
                own.iter().zip(&key.parent_columns).all(|(column, parent)| {
                    let value = row.get(parent).filter(|value| **value != Datum::Null);
                    let fixed = settled.contains(column.name.as_str());
                    value.is_some_and(|value| {
                        !fixed || cells.get(column.name.as_str()).is_some_and(|own| own.same(value))
                    })
                })
            };
            let rows: Vec<&Row> = parents.of(&key.parent).iter().filter(fits).collect();
            if rows.is_empty() && self.likely.contains(&key.name) {
                continue;
            }
            let is_alone =
                self.uniques.iter().any(|unique| unique.iter().all(|column| key.columns.contains(column)));
            let left_empty = match attempt {
                0 => number.wrapping_add(shift(&key.name)) % 4 == 3 && self.generator.only_plain.is_none(),
                // Which of several keys are empty goes through all that can be.
                _ => (attempt + number) >> (index % 6) & 1 == 1,
            };
            let empty = !open.is_empty() && (rows.is_empty() || is_own && number == 0 || left_empty);
            if empty {
                for column in &open {
                    cells.insert(&column.name, Datum::Null);
                    settled.insert(&column.name);
                }
                continue;
            }
            let mut place = number + attempt;
            if !is_alone && stride > 1 {
                place += number / stride;
            }
            stride *= u32::try_from(rows.len()).unwrap_or(1).max(1);
            let row: Vec<Datum> = match plain::nth(&rows, place) {
                Some(row) => {
                    key.parent_columns.iter().filter_map(|column| row.get(column).cloned()).collect()
                }
                None if is_own => key
                    .parent_columns
                    .iter()
                    .filter_map(|column| cells.get(column.as_str()).cloned())
                    .collect(),
                None => return Err(format!("table \"{}\" has no row to refer to", key.parent)),
            };
            for (column, value) in own.iter().zip(row) {
                cells.insert(&column.name, value);
                settled.insert(&column.name);
            }
        }
        Ok(settled)
    }
}

/// Whether the column counts by a sequence that no other insert of a value moves on.
fn counts_by_itself(side: Side<'_>, table: &Name, column: &str, object: &Object) -> bool {
    let counts = object.text(Attribute::Default).is_some_and(|default| default.starts_with("nextval("));
    let owner = ObjectId::part(Kind::Table, table.clone(), Kind::Column, column).to_string();
    let sequences = || side.schema.groups().filter(|(kind, ..)| *kind == Kind::Sequence);
    let owned = || {
        sequences().any(|(.., sequence)| sequence.object().text(Attribute::OwnedBy) == Some(owner.as_str()))
    };
    counts && !owned()
}

/// A number of the name's own, so that columns do not all meet their edges in the same row.
fn shift(name: &str) -> u32 {
    name.bytes().fold(7, |sum: u32, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 1000
}
