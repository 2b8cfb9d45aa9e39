//! Putting the same questions to both backends at head.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use switchback_core::Backend;
use switchback_core::report::NotRun;
use switchback_core::rows::{Candidate, Parents, Side, TableGenerator, order};
use switchback_core::schema::{Kind, Name, Schema};
use switchback_core::trials::{
    Action, Answer, Common, Dialect, Heads, Question, Row, Taken, Trial, plan as questions,
};

use super::engine::all_rows;
use super::exchange::Exchange;
use super::sow::{Field, sow, takes_no_rows};
use super::{Engine, Fixtures, Plan, RecordError};

/// How many further rows with unusual values are wanted, and the first candidate that is tried.
const UNUSUAL: (usize, u32) = (6, 4);
/// The same of plain ones.
const PLAIN: (usize, u32) = (2, 24);
/// How many candidates are tried for what is wanted of them.
const TRIES: u32 = 16;

/// One recorder's side of the questions to both.
#[derive(Clone, Debug)]
pub struct Asking {
    heads: Exchange<Option<(Backend, Arc<Schema>)>>,
    taken: Exchange<Taken>,
    asked: Arc<OnceLock<Asked>>,
}

/// What is asked, the same on both sides.
#[derive(Debug)]
struct Asked {
    common: Common,
    questions: Vec<Arc<Question>>,
}

impl Asking {
    /// Both sides.
    pub fn pair() -> (Self, Self) {
        let (heads, other_heads) = Exchange::pair();
        let (taken, other_taken) = Exchange::pair();
        let asked = Arc::new(OnceLock::new());
        let other = Self { heads: other_heads, taken: other_taken, asked: Arc::clone(&asked) };
        (Self { heads, taken, asked }, other)
    }

    /// Lets the other side no longer wait, however this one ended.
    pub fn end(&self) {
        self.heads.end();
        self.taken.end();
    }

    /// Tells the head, or that it was not reached, and hears that of the other.
    async fn meet(&self, head: Option<(Backend, Arc<Schema>)>) -> Option<(Backend, Arc<Schema>)> {
        self.heads.tell(Arc::new(head));
        (*self.heads.hear().await?).clone()
    }

    /// Tells what the backend took, and settles with the other on what is asked.
    async fn settle(&self, taken: Taken, heads: &Heads<'_>, types: bool) -> Option<&Asked> {
        let taken = Arc::new(taken);
        self.taken.tell(Arc::clone(&taken));
        let theirs = self.taken.hear().await?;
        // Whoever comes first writes the questions, which takes as much memory as all answers do.
        Some(self.asked.get_or_init(|| Asked::of(Common::of(&taken, &theirs), heads, types)))
    }
}

impl Asked {
    fn of(common: Common, heads: &Heads<'_>, types: bool) -> Self {
        let questions = questions(heads, &common, types);
        Self { common, questions }
    }
}

/// The head of the other backend, once it is there; nothing if it does not come so far.
pub(super) async fn meet(
    plan: &Plan,
    backend: Backend,
    head: Option<&Arc<Schema>>,
) -> Option<(Backend, Arc<Schema>)> {
    plan.asking.as_ref()?.meet(head.map(|head| (backend, Arc::clone(head)))).await
}

/// Asks in a copy of the trunk at head, which this fills with rows.
pub(super) async fn ask<E: Engine>(
    engine: &mut E,
    copy: &mut E::Database,
    plan: &Plan,
    head: &Schema,
    other: Option<&(Backend, Arc<Schema>)>,
) -> Result<(Vec<Trial>, Vec<NotRun>), RecordError> {
    let own = Side { backend: engine.backend(), schema: head };
    let others: Vec<Side<'_>> =
        other.iter().map(|(backend, schema)| Side { backend: *backend, schema }).collect();
    let taken = take(engine, copy, plan, own, &others).await?;
    let heads: Heads<'_> = others.iter().chain([&own]).map(|side| (side.backend, side.schema)).collect();
    let alone;
    let asked = match &plan.asking {
        Some(asking) if other.is_some() => asking.settle(taken, &heads, plan.tries_types).await,
        _ => {
            alone = Asked::of(Common::alone(&taken), &heads, plan.tries_types);
            Some(&alone)
        }
    };
    let Some(Asked { common, questions }) = asked else { return Ok((Vec::new(), Vec::new())) };
    let dialect = Dialect { backend: own.backend, schema: head };
    let mut trials = Vec::with_capacity(questions.len());
    for question in questions.iter().map(Arc::clone) {
        let prepare: Vec<String> = question.prepare.iter().map(|action| dialect.action(action)).collect();
        let statement = dialect.action(&question.action);
        let reading = question.reading.as_ref().map(|reading| dialect.reading(reading));
        let answer = engine.answer(copy, &prepare, &statement, reading.as_deref()).await?;
        trials.push(Trial { question, answer });
    }
    Ok((trials, left_out(own, &others, common)))
}

/// The tables that nothing could be asked about, for want of a row that could be added to them.
fn left_out(own: Side<'_>, others: &[Side<'_>], common: &Common) -> Vec<NotRun> {
    let mut left_out = Vec::new();
    for (name, group) in own.schema.tables().filter(|(_, group)| takes_no_rows(group).is_none()) {
        let shared = others.iter().all(|other| other.schema.table(name).is_some());
        let lacks = |rows: &BTreeMap<Name, Vec<Row>>| rows.get(name).is_none_or(Vec::is_empty);
        let has_columns = group.parts_of(Kind::Column).next().is_some();
        for (check, rows) in [("value-not-kept", &common.unusual), ("behaviour-mismatch", &common.plain)] {
            let compares = check == "behaviour-mismatch";
            if shared && has_columns && lacks(rows) && !(compares && others.is_empty()) {
                let reason = format!(
                    "nothing was asked about table \"{name}\": no row could be made up beside those that are there; \
                     [rows] values can name more"
                );
                left_out.push(NotRun::check(check, own.backend, reason));
            }
        }
    }
    left_out
}

/// Gives each table rows, and finds out which further ones it would take.
async fn take<E: Engine>(
    engine: &mut E,
    copy: &mut E::Database,
    plan: &Plan,
    own: Side<'_>,
    others: &[Side<'_>],
) -> Result<Taken, RecordError> {
    let schema = own.schema;
    let wanted = schema.tables().filter(|(_, group)| takes_no_rows(group).is_none());
    let wanted = wanted.map(|(name, _)| name.clone()).collect();
    let field = Field { schema, wanted, present: None, also: others.to_vec(), plain: None };
    let sown = sow(engine, copy, plan, field).await?;
    let rows = all_rows(engine, copy, schema, sown.fed.iter()).await?;
    let mut parents = Parents::default();
    for (name, rows) in rows.tables.iter() {
        parents.take(own, name, rows);
    }
    let mut taken = Taken::default();
    for row in sown.rows {
        taken.seeded.entry(row.table.clone()).or_default().push(row);
    }
    let fed: Vec<&Name> = order(schema).into_iter().filter(|name| sown.fed.contains(*name)).collect();
    add_further(engine, copy, plan, (own, others), &fed, &parents, &mut taken).await?;
    // Where each row needs a parent of its own, all parents may be taken: then there must be more.
    let lacking = fed.iter().filter(|name| taken.lacks(name));
    let tables = lacking.filter_map(|name| plan.rows.table(name, own, others));
    let wanted: BTreeSet<Name> =
        tables.flat_map(|table| table.parents().cloned().collect::<Vec<_>>()).collect();
    if !wanted.is_empty() {
        let made_up = Plan { fixtures: Fixtures::default(), ..plan.clone() };
        let field = Field {
            schema,
            wanted: wanted.clone(),
            present: Some(&rows),
            also: others.to_vec(),
            plain: None,
        };
        sow(engine, copy, &made_up, field).await?;
        for (name, rows) in all_rows(engine, copy, schema, wanted.iter()).await?.tables.iter() {
            parents.take(own, name, rows);
        }
        // The new ones may be in the way of what would have been taken before.
        add_further(engine, copy, plan, (own, others), &fed, &parents, &mut taken).await?;
    }
    Ok(taken)
}

/// Finds out which further rows some tables would take.
async fn add_further<E: Engine>(
    engine: &mut E,
    copy: &mut E::Database,
    plan: &Plan,
    (own, others): (Side<'_>, &[Side<'_>]),
    tables: &[&Name],
    parents: &Parents,
    taken: &mut Taken,
) -> Result<(), RecordError> {
    for name in tables {
        let Some(table) = plan.rows.table(name, own, others) else { continue };
        for (of, found) in [(UNUSUAL, &mut taken.unusual), (PLAIN, &mut taken.plain)] {
            let rows = would_take(engine, copy, &table, parents, own.schema, of).await?;
            found.insert(Name::clone(name), rows);
        }
    }
    Ok(())
}

/// The first candidates that the database would take.
async fn would_take<E: Engine>(
    engine: &mut E,
    copy: &mut E::Database,
    table: &TableGenerator<'_>,
    parents: &Parents,
    schema: &Schema,
    (wanted, from): (usize, u32),
) -> Result<Vec<Candidate>, RecordError> {
    let dialect = Dialect { backend: engine.backend(), schema };
    let mut found = Vec::new();
    for candidate in (from..from + TRIES).map_while(|number| table.candidate(number, parents).ok()) {
        if found.len() == wanted {
            break;
        }
        let insert = Action::Insert { table: candidate.table.clone(), row: candidate.cells.clone() };
        let answer = engine.answer(copy, &[], &dialect.action(&insert), None).await?;
        if matches!(answer, Answer::Accepted(_)) {
            found.push(candidate);
        }
    }
    Ok(found)
}
