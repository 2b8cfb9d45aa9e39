//! Attempts to break the promise of append-only tables.

use std::collections::{BTreeMap, BTreeSet};

use switchback_core::evidence::{Attempt, AttemptResult};
use switchback_core::report::NotRun;
use switchback_core::schema::{Name, Schema};

use super::counting::add_ancestors;
use super::engine::{Engine, Refusal, all_rows};
use super::sow::{Field, sow};
use super::{Plan, RecordError};

/// The tables that promise to be append-only: those that the project declares, and those whose
/// triggers refuse every UPDATE and DELETE.
pub(crate) fn promised<E: Engine>(
    engine: &E,
    plan: &Plan,
    head: &Schema,
    not_run: &mut Vec<NotRun>,
) -> BTreeSet<Name> {
    let mut promised = BTreeSet::new();
    for (name, group) in head.tables() {
        if engine.promises_append_only(head, group) {
            promised.insert(name.clone());
        }
    }
    for declared in &plan.append_only {
        match head.tables().find(|(name, _)| name.to_string() == *declared) {
            Some((name, _)) => {
                promised.insert(name.clone());
            }
            None => {
                let reason = format!("table \"{declared}\" of [append_only] is not there at head");
                not_run.push(NotRun::check("append-only-hole", engine.backend(), reason));
            }
        }
    }
    promised
}

/// Makes the attempts in a copy of the trunk, which holds no rows but those of revisions: that it takes
/// the project's rows, or made-up ones where the project gives none, shows that inserting still works.
pub(crate) async fn make<E: Engine>(
    engine: &mut E,
    plan: &Plan,
    copy: &mut E::Database,
    head: &Schema,
    promised: &BTreeSet<Name>,
) -> Result<Vec<Attempt>, RecordError> {
    let mut attempts = Vec::new();
    let all = plan.fixtures.tables().collect();
    for (table, rows) in plan.fixtures.fitting(head, &all, engine.backend()) {
        let answers = engine.insert(copy, table, &rows).await?;
        let refused = answers.into_iter().filter_map(Result::err).collect();
        let Some(group) = head.table(table).filter(|_| promised.contains(table) && !rows.is_empty()) else {
            continue;
        };
        let taken = !engine.rows(copy, table, group).await?.rows.is_empty();
        attempts.push(Attempt {
            table: table.clone(),
            way: "INSERT".to_owned(),
            owner_only: false,
            statement: format!("INSERT INTO {table} …"),
            result: of_insert(taken, refused),
        });
    }
    let barren = make_up(engine, plan, copy, head, promised, &mut attempts).await?;
    for table in promised {
        let Some(group) = head.table(table) else { continue };
        let rows = engine.rows(copy, table, group).await?;
        for way in engine.ways_to_break(head, table, &rows) {
            let attempt = |statement: String, result| Attempt {
                table: table.clone(),
                way: way.name.clone(),
                owner_only: way.owner_only,
                statement,
                result,
            };
            if rows.rows.is_empty() {
                let why = barren.get(table).map(|why| format!(", since none could be made up ({why})"));
                let why = why.unwrap_or_default();
                let reason = format!("the table has no rows{why}: give some in [rows] fixtures");
                attempts.push(attempt(String::new(), AttemptResult::NotTried(reason)));
                continue;
            }
            let mut best: Option<Attempt> = None;
            for statement in &way.statements {
                let result = engine.attempt(copy, table, group, statement).await?;
                let decides = matches!(result, AttemptResult::Changed | AttemptResult::Refused(_));
                // A statement that changes nothing may have met a value that it cannot change.
                let says_more =
                    best.as_ref().is_none_or(|best| matches!(best.result, AttemptResult::NotTried(_)));
                if decides || says_more {
                    best = Some(attempt(statement.clone(), result));
                }
                if decides {
                    break;
                }
            }
            attempts.extend(best);
        }
    }
    Ok(one_for_all_columns(attempts))
}

/// Makes up rows for the tables that have none and that the project gives none for, and for those that
/// they refer to. Says why where there are none.
async fn make_up<E: Engine>(
    engine: &mut E,
    plan: &Plan,
    copy: &mut E::Database,
    head: &Schema,
    promised: &BTreeSet<Name>,
    attempts: &mut Vec<Attempt>,
) -> Result<BTreeMap<Name, String>, RecordError> {
    let given: BTreeSet<&Name> = plan.fixtures.tables().collect();
    let lacking: Vec<&Name> = promised.iter().filter(|table| !given.contains(table)).collect();
    let mut wanted: BTreeSet<Name> = lacking.iter().map(|table| (*table).clone()).collect();
    lacking.iter().for_each(|table| add_ancestors(head, table, &mut wanted));
    let present = all_rows(engine, copy, head, wanted.iter()).await?;
    let has_rows = |table: &Name| present.tables.get(table).is_some_and(|rows| !rows.rows.is_empty());
    wanted.retain(|table| !has_rows(table) && !given.contains(table));
    let field = Field { schema: head, wanted, present: Some(&present), also: Vec::new(), plain: None };
    let sown = sow(engine, copy, plan, field).await?;
    for table in lacking.into_iter().filter(|table| sown.fed.contains(*table)) {
        attempts.push(Attempt {
            table: table.clone(),
            way: "INSERT".to_owned(),
            owner_only: false,
            statement: format!("INSERT INTO {table} …"),
            result: AttemptResult::Changed,
        });
    }
    Ok(sown.barren)
}

/// What became of the project's rows, given to a table that promises to take them: one that it took
/// shows that it does.
fn of_insert(taken: bool, refused: Vec<Refusal>) -> AttemptResult {
    let (guarded, unfit): (Vec<_>, Vec<_>) = refused.into_iter().partition(|refusal| refusal.by_guard);
    match (taken, guarded.into_iter().next(), unfit.into_iter().next()) {
        (true, ..) => AttemptResult::Changed,
        (false, Some(refusal), _) => AttemptResult::Refused(refusal.message),
        (false, None, Some(refusal)) => {
            AttemptResult::NotTried(format!("the rows given for it do not fit head: {}", refusal.message))
        }
        (false, None, None) => AttemptResult::NoEffect,
    }
}

/// Where an UPDATE of each column of a table ends in the same way, that is one attempt to tell of.
fn one_for_all_columns(attempts: Vec<Attempt>) -> Vec<Attempt> {
    let is_update = |attempt: &Attempt| attempt.way.starts_with("UPDATE of ");
    let kind = |attempt: &Attempt| std::mem::discriminant(&attempt.result);
    let mut told: Vec<Attempt> = Vec::new();
    for attempt in &attempts {
        let of_table = || attempts.iter().filter(|one| is_update(one) && one.table == attempt.table);
        if !is_update(attempt) || !of_table().all(|one| kind(one) == kind(attempt)) {
            told.push(attempt.clone());
        } else if !told.iter().any(|one| one.table == attempt.table && one.way == "UPDATE") {
            told.push(Attempt { way: "UPDATE".to_owned(), ..attempt.clone() });
        }
    }
    told
}
