//! Giving rows to tables: the project's own where it gives some, otherwise made-up ones.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchback_core::evidence::{Rows, TableRows};
use switchback_core::history::Script;
use switchback_core::rows::{self, Candidate, Parents, Plain, Side, TableGenerator};
use switchback_core::schema::{Attribute, Group, Kind, Name, Schema};

use super::{Engine, Plan, RecordError};

/// How many candidates of a table are tried beyond the rows that it is to have.
const TRIES: u32 = 40;

/// The tables that are to get rows, and where they must fit.
pub(super) struct Field<'a> {
    /// The schema of the database.
    pub schema: &'a Schema,
    /// The tables without rows so far.
    pub wanted: BTreeSet<Name>,
    /// The rows that other tables carry already.
    pub present: Option<&'a Rows>,
    /// Other schemas in which made-up rows must fit.
    pub also: Vec<Side<'a>>,
    /// In which form values are written if unusual ones are left out.
    pub plain: Option<Plain>,
}

/// What came of it.
#[derive(Debug, Default)]
pub(super) struct Sown {
    /// The tables that have rows now.
    pub fed: BTreeSet<Name>,
    /// The made-up rows that were taken.
    pub rows: Vec<Candidate>,
    /// The tables that have none, and why.
    pub barren: BTreeMap<Name, String>,
    /// Why rows that the project gives were refused.
    pub refused: Vec<String>,
}

/// Why a table takes no rows of its own, if it does not.
pub(super) fn takes_no_rows(group: &Group) -> Option<&'static str> {
    match group.object().text(Attribute::Variety) {
        Some("virtual") => Some("it is a virtual table"),
        Some("foreign") => Some("it is a foreign table"),
        _ if group.object().has(Attribute::PartitionOf) => Some("it is a partition"),
        _ => None,
    }
}

pub(super) async fn sow<E: Engine>(
    engine: &mut E,
    database: &mut E::Database,
    plan: &Plan,
    field: Field<'_>,
) -> Result<Sown, RecordError> {
    let own = Side { backend: engine.backend(), schema: field.schema };
    let mut sower = Sower { engine, database, own, parents: Parents::default(), sown: Sown::default() };
    let given: BTreeSet<&Name> = plan.fixtures.tables().filter(|name| field.wanted.contains(*name)).collect();
    for (name, statements) in plan.fixtures.fitting(field.schema, &given, own.backend) {
        let answers = sower.engine.insert(sower.database, name, &statements).await?;
        for refusal in answers.into_iter().filter_map(Result::err) {
            let reason = format!("a row given for table \"{name}\" was refused: {}", refusal.message);
            sower.sown.refused.push(reason);
        }
        sower.sown.fed.insert(name.clone());
        sower.look(name).await?;
    }
    let generator = match field.plain {
        Some(style) => plan.rows.clone().plain(style),
        None => plan.rows.clone(),
    };
    if generator.per_table() == 0 {
        return Ok(sower.sown);
    }
    let mut tables = Vec::new();
    // Among a thousand tables, those that get rows now are few.
    let mut few = Schema::new();
    for (name, group) in field.wanted.iter().filter_map(|name| Some((name, field.schema.table(name)?))) {
        few.insert_group(Kind::Table, name.clone(), Arc::clone(group));
    }
    for name in rows::order(&few) {
        let group = field.schema.table(name).filter(|_| field.wanted.contains(name) && !given.contains(name));
        let takes = group.is_some_and(|group| takes_no_rows(group).is_none());
        tables.extend(generator.table(name, own, &field.also).filter(|_| takes));
    }
    let referred = tables.iter().flat_map(TableGenerator::parents).collect::<BTreeSet<_>>();
    for name in referred.into_iter().filter(|name| !field.wanted.contains(*name)) {
        if let Some(rows) = field.present.and_then(|present| present.tables.get(name)) {
            sower.parents.take(own, name, rows);
        }
    }
    for table in &tables {
        sower.feed(table, generator.per_table()).await?;
    }
    let mut fed_a_cycle = false;
    for cycle in rows::cycles(&few) {
        let members: Vec<&TableGenerator<'_>> =
            tables.iter().filter(|one| cycle.contains(one.name())).collect();
        let all_barren = members.iter().all(|one| sower.sown.barren.contains_key(one.name()));
        if members.len() == cycle.len() && all_barren {
            fed_a_cycle |= sower.feed_together(&members, generator.per_table()).await?;
        }
    }
    for table in tables.iter().filter(|_| fed_a_cycle) {
        if sower.sown.barren.contains_key(table.name()) {
            sower.feed(table, generator.per_table()).await?;
        }
    }
    sower.sown.rows.sort_by(|one, other| (&one.table, one.number).cmp(&(&other.table, other.number)));
    Ok(sower.sown)
}

struct Sower<'a, E: Engine> {
    engine: &'a mut E,
    database: &'a mut E::Database,
    own: Side<'a>,
    parents: Parents,
    sown: Sown,
}

impl<E: Engine> Sower<'_, E> {
    /// Tries candidates until the table has as many rows as it is to have.
    async fn feed(&mut self, table: &TableGenerator<'_>, wanted: usize) -> Result<(), RecordError> {
        let most = u32::try_from(wanted).unwrap_or(u32::MAX).saturating_add(TRIES);
        let (mut next, mut taken, mut reason) = (0, 0, None);
        while taken < wanted && next < most {
            let until = next.saturating_add(u32::try_from(wanted - taken).unwrap_or(1));
            let tried: Vec<Candidate> =
                match (next..until).map(|number| table.candidate(number, &self.parents)).collect() {
                    Ok(candidates) => candidates,
                    Err(why) => {
                        reason = Some(why);
                        break;
                    }
                };
            let statements: Vec<String> = tried
                .iter()
                .map(|one| rows::insert(self.own.backend, &one.table, &table.literals(one)))
                .collect();
            let answers = self.engine.insert(self.database, table.name(), &statements).await?;
            for (candidate, answer) in tried.into_iter().zip(answers) {
                match answer {
                    Ok(()) => {
                        taken += 1;
                        if table.refers_to_itself() {
                            self.parents.add(&candidate);
                        }
                        self.sown.rows.push(candidate);
                    }
                    Err(refusal) => reason = Some(refusal.message),
                }
            }
            next = until;
        }
        let found = self.look(table.name()).await?;
        if found == 0 {
            let reason = reason.unwrap_or_else(|| "every row vanished when it was written".to_owned());
            self.sown.barren.insert(table.name().clone(), reason);
        } else {
            self.sown.barren.remove(table.name());
            self.sown.fed.insert(table.name().clone());
        }
        Ok(())
    }

    /// Rows of several tables that each need another one's, written at once.
    async fn feed_together(
        &mut self,
        tables: &[&TableGenerator<'_>],
        wanted: usize,
    ) -> Result<bool, RecordError> {
        let most = u32::try_from(wanted).unwrap_or(u32::MAX).saturating_add(TRIES / 2);
        let (mut taken, mut number) = (0, 0);
        while taken < wanted && number < most {
            let mut planned = self.parents.clone();
            for table in tables {
                planned.only(&table.without_references(number));
            }
            let candidates = tables.iter().map(|table| table.candidate(number, &planned));
            let Ok(candidates) = candidates.collect::<Result<Vec<_>, _>>() else { break };
            number += 1;
            let inserts: Vec<String> = tables
                .iter()
                .zip(&candidates)
                .map(|(table, one)| rows::insert(self.own.backend, &one.table, &table.literals(one)))
                .collect();
            let statements = rows::insert_together(self.own.backend, &inserts);
            let script = Script::new("", statements.join(";\n"));
            let run = super::Run { transaction: true, ..super::Run::alone(&script) };
            match self.engine.run(self.database, run).await?.outcome.failure() {
                None => {
                    taken += 1;
                    self.sown.rows.extend(candidates);
                }
                Some(failure) => {
                    for table in tables {
                        self.sown.barren.insert(table.name().clone(), failure.message.clone());
                    }
                }
            }
        }
        for table in tables.iter().filter(|_| taken > 0) {
            self.sown.barren.remove(table.name());
            self.sown.fed.insert(table.name().clone());
            // Sequences are moved on behind the rows.
            self.engine.insert(self.database, table.name(), &[]).await?;
            self.look(table.name()).await?;
        }
        Ok(taken > 0)
    }

    /// Reads what a table holds, for rows that refer to it, and says how many rows there are.
    async fn look(&mut self, name: &Name) -> Result<usize, RecordError> {
        let Some(group) = self.own.schema.table(name) else { return Ok(0) };
        let rows: TableRows = self.engine.rows(self.database, name, group).await?;
        self.parents.take(self.own, name, &rows);
        Ok(rows.rows.len())
    }
}

/// Those tables of a schema that may get rows.
pub(super) fn tables_to_feed(
    schema: &Schema,
    plan: &Plan,
    those: impl Fn(&Name, &Arc<Group>) -> bool,
) -> BTreeMap<Name, Arc<Group>> {
    let given: BTreeSet<&Name> = plan.fixtures.tables().collect();
    let makes_rows = plan.rows.per_table() > 0;
    let wanted = |(name, group): &(&Name, &Arc<Group>)| {
        those(name, group) && (given.contains(*name) || makes_rows && takes_no_rows(group).is_none())
    };
    schema.tables().filter(wanted).map(|(name, group)| (name.clone(), Arc::clone(group))).collect()
}
