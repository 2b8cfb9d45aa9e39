//! Triggers by what they do: refuse a change, set columns, or something that is not understood.

use std::collections::BTreeSet;

use sqlparser::ast::{AssignmentTarget, Expr, SelectItem, SetExpr, Statement, TableFactor, TableObject};

use super::form::{self, Answer, Form};
use super::pair::{Left, Pair, Side, bare, described, identifiers, left_over, table_names};
use super::{Aspect, Found, checks, keys};
use crate::Backend;
use crate::report::Severity;
use crate::schema::{Attribute, Kind, Object, ObjectId, Schema};
use crate::sql::{self, Token, TokenKind, lex};

/// What a trigger does on one event.
#[derive(Clone, Debug)]
struct Act {
    id: ObjectId,
    /// `insert`, `update` or `delete`.
    event: String,
    /// The columns whose update it waits for; none if any will do.
    watched: Vec<String>,
    effect: Effect,
    /// When it does so; nothing if that is not understood.
    when: Option<Form>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    /// It raises an error.
    Refuse,
    /// It gives columns of the row a value.
    Set(Vec<String>),
    /// It serves what only its own backend has: notifications, or the index of a search.
    Own,
    /// Anything else.
    Other,
}

impl Act {
    fn does(&self) -> String {
        match &self.effect {
            Effect::Refuse => format!("refuses {}", self.event),
            Effect::Set(columns) => format!("sets {} on {}", columns.join(", "), self.event),
            Effect::Own | Effect::Other => format!("acts on {}", self.event),
        }
    }
}

pub(super) fn compare(pair: &Pair<'_>, found: &mut Found<'_>) {
    let [postgres, sqlite] = pair.sides().map(|side| acts(pair, side));
    let (postgres, sqlite) = (about_both(pair, postgres), about_both(pair, sqlite));
    let sqlite: Vec<Act> = sqlite.iter().filter(|act| !stands_in(pair, &sqlite, act)).cloned().collect();
    let answer = |one: &Act, other: &Act| {
        if one.effect == Effect::Other || other.effect == Effect::Other {
            return Answer::Unclear;
        }
        match one.event == other.event && one.effect == other.effect && one.watched == other.watched {
            true => form::compare(one.when.as_ref(), other.when.as_ref()),
            false => Answer::Different,
        }
    };
    let event = |one: &Act, other: &Act| one.event == other.event;
    let named = |one: &Act, other: &Act| event(one, other) && keys::same_name(&one.id, &other.id);
    let alike = |one: &Act, other: &Act| event(one, other) && one.effect == other.effect;
    let unread = |one: &Act, other: &Act| event(one, other) && answer(one, other) == Answer::Unclear;
    let Left { akin, postgres, sqlite } = left_over(&postgres, &sqlite, answer, &[&named, &alike, &unread]);
    for (one, other, answer) in akin {
        if answer == Answer::Unclear {
            found.unclear(one.id, &one.text, &other.text);
            continue;
        }
        let condition = |act: &Act| match act.text.is_empty() || act.effect == Effect::Other {
            true => String::new(),
            false => format!(" ({})", act.text),
        };
        let message = format!(
            "{} {}{} on postgres and {}{} on sqlite",
            described(&one.id),
            one.does(),
            condition(&one),
            other.does(),
            condition(&other)
        );
        let help = "let the triggers of both backends do the same, on the same events and conditions";
        found.push(Some(one.id), Some(other.id), Aspect::Meaning, Severity::Error, message, help.to_owned());
    }
    one_sided(&postgres, Backend::Postgres, found);
    one_sided(&sqlite, Backend::Sqlite, found);
}

/// The acts without those on a table that only one side has, which is told already.
fn about_both(pair: &Pair<'_>, acts: Vec<Act>) -> Vec<Act> {
    let [postgres, sqlite] = pair.sides().map(|side| table_names(side.schema));
    let alone: BTreeSet<&String> = postgres.symmetric_difference(&sqlite).collect();
    let speaks = |act: &Act| {
        act.effect == Effect::Other
            && identifiers(&act.text, Backend::Sqlite).iter().any(|name| alone.contains(name))
    };
    acts.into_iter().filter(|act| !speaks(act)).collect()
}

/// One finding for each trigger, however many of its events are left alone.
fn one_sided(acts: &[Act], has: Backend, found: &mut Found<'_>) {
    let lacks = if has == Backend::Postgres { Backend::Sqlite } else { Backend::Postgres };
    for acts in acts.chunk_by(|one, other| one.id == other.id) {
        let does: Vec<String> = acts.iter().map(Act::does).collect();
        let id = Some(acts[0].id.clone());
        let message = format!(
            "{} {} on {has}, and nothing does on {lacks}",
            described(&acts[0].id),
            does.join(" and ")
        );
        let help = format!("create a trigger on {lacks} that does the same, or drop it on {has}");
        let (postgres, sqlite) = if has == Backend::Postgres { (id, None) } else { (None, id) };
        found.push(postgres, sqlite, Aspect::Existence, Severity::Error, message, help);
    }
}

fn acts(pair: &Pair<'_>, side: &Side<'_>) -> Vec<Act> {
    let mut all = Vec::new();
    for (id, _, trigger) in side.parts_of(Kind::Trigger) {
        if matches!(trigger.text(Attribute::Enabled), Some("disabled" | "replica")) {
            continue;
        }
        let (effect, inner, text) = match trigger.text(Attribute::Calls) {
            Some(calls) => called(pair, side, calls),
            None => body(pair, side, trigger.text(Attribute::Definition).unwrap_or_default()),
        };
        // What only its own backend has needs no counterpart.
        if effect == Effect::Own {
            continue;
        }
        let outer = match trigger.text(Attribute::When) {
            Some(when) => pair.scope(side).condition(when),
            None => Some(Form::Bool(true)),
        };
        let text = [trigger.text(Attribute::When).unwrap_or_default(), &text]
            .into_iter()
            .filter(|text| !text.is_empty())
            .collect::<Vec<_>>()
            .join(" and ");
        for event in trigger.list(Attribute::Events) {
            let (event, watched) = event.split_once(" of ").unwrap_or((event, ""));
            // SQLite has no TRUNCATE: its DELETE without a condition fires the triggers of DELETE.
            if event == "truncate" {
                continue;
            }
            let mut watched = identifiers(watched, side.backend);
            watched.sort();
            let mut when =
                outer.clone().zip(inner.clone()).map(|(outer, inner)| form::and(vec![outer, inner]));
            if let Effect::Set(set) = &effect {
                // That the trigger is not fired by its own update is what SQLite needs these for.
                let own =
                    |form: &Form| form.columns().iter().all(|name| set.contains(&bare(name).to_owned()));
                when = when.map(|form| if own(&form) { Form::Bool(true) } else { form });
                let key = side.primary_key();
                let mut others = side.group.parts_of(Kind::Column).map(|(name, _)| name.to_lowercase());
                if others.all(|name| set.contains(&name) || key.contains(&name) || watched.contains(&name)) {
                    watched.clear();
                }
            }
            all.push(Act {
                id: id.clone(),
                event: event.to_owned(),
                watched,
                effect: effect.clone(),
                when,
                text: text.clone(),
            });
        }
    }
    all
}

type What = (Effect, Option<Form>, String);

const ALWAYS: Option<Form> = Some(Form::Bool(true));

/// What the body of a SQLite trigger does.
fn body(pair: &Pair<'_>, side: &Side<'_>, text: &str) -> What {
    let other = || (Effect::Other, ALWAYS, text.to_owned());
    let Some(statements) = sql::parsed_statements(text, side.backend) else { return other() };
    if !statements.is_empty() && statements.iter().all(|one| serves_search(one, side)) {
        return (Effect::Own, ALWAYS, String::new());
    }
    let [statement] = statements.as_slice() else { return other() };
    match statement {
        Statement::Query(query) => {
            let SetExpr::Select(select) = query.body.as_ref() else { return other() };
            let [SelectItem::UnnamedExpr(expr)] = select.projection.as_slice() else { return other() };
            if !select.from.is_empty() {
                return other();
            }
            let scope = pair.scope(side);
            let selected = select.selection.as_ref();
            let (raised, condition) = match expr {
                Expr::Case { operand: None, conditions, else_result: None, .. } if conditions.len() == 1 => {
                    (&conditions[0].result, Some(&conditions[0].condition))
                }
                other => (other, None),
            };
            match refuses(raised) {
                true => {
                    let parts = [selected, condition].into_iter().flatten();
                    let text = parts.clone().map(ToString::to_string).collect::<Vec<_>>().join(" and ");
                    let forms: Option<Vec<Form>> = parts.map(|part| scope.form(part)).collect();
                    (Effect::Refuse, forms.map(form::and), text)
                }
                false => other(),
            }
        }
        Statement::Update(update) => {
            let TableFactor::Table { name, .. } = &update.table.relation else { return other() };
            let table = identifiers(&name.to_string(), side.backend);
            if table.last() != Some(&side.name.local().to_lowercase()) {
                return other();
            }
            let columns = update.assignments.iter().map(|assignment| match &assignment.target {
                AssignmentTarget::ColumnName(name) => identifiers(&name.to_string(), side.backend).pop(),
                AssignmentTarget::Tuple(_) => None,
            });
            match columns.collect::<Option<Vec<String>>>() {
                // Which row it is, and that it does not fire itself, is SQLite's business.
                Some(columns) => set(columns),
                None => other(),
            }
        }
        _ => other(),
    }
}

fn set(mut columns: Vec<String>) -> What {
    columns.sort();
    columns.dedup();
    (Effect::Set(columns), ALWAYS, String::new())
}

/// Whether it is `RAISE(ABORT, …)`, `RAISE(FAIL, …)` or `RAISE(ROLLBACK, …)`.
fn refuses(expr: &Expr) -> bool {
    let Expr::Function(function) = expr else { return false };
    let text = function.to_string().to_lowercase();
    ["raise(abort", "raise(fail", "raise(rollback"].iter().any(|start| text.starts_with(start))
}

/// Whether a statement only keeps a virtual table up to date.
fn serves_search(statement: &Statement, side: &Side<'_>) -> bool {
    let name = match statement {
        Statement::Insert(insert) => match &insert.table {
            TableObject::TableName(name) => name.to_string(),
            _ => return false,
        },
        Statement::Update(update) => update.table.to_string(),
        Statement::Delete(delete) => match &delete.from {
            sqlparser::ast::FromTable::WithFromKeyword(tables)
            | sqlparser::ast::FromTable::WithoutKeyword(tables) => {
                tables.first().map(ToString::to_string).unwrap_or_default()
            }
        },
        _ => return false,
    };
    let names = identifiers(&name, side.backend);
    let is_virtual = |object: &Object| object.text(Attribute::Variety) == Some("virtual");
    side.schema.tables().any(|(table, group)| {
        is_virtual(group.object()) && names.first() == Some(&table.local().to_lowercase())
    })
}

/// What the function does that a PostgreSQL trigger calls.
fn called(pair: &Pair<'_>, side: &Side<'_>, calls: &str) -> What {
    let name = calls.split('(').next().unwrap_or_default();
    if name.contains("tsvector_update_trigger") {
        return (Effect::Own, ALWAYS, String::new());
    }
    if name.contains("moddatetime") {
        let column = calls.split('\'').nth(1).unwrap_or_default();
        return set(vec![column.to_lowercase()]);
    }
    match routine(side.schema, name) {
        Some(definition) => plpgsql(pair, side, definition)
            .unwrap_or_else(|| (Effect::Other, ALWAYS, format!("{calls}: {definition}"))),
        None => (Effect::Other, ALWAYS, calls.to_owned()),
    }
}

fn routine<'a>(schema: &'a Schema, name: &str) -> Option<&'a str> {
    let local = identifiers(name, Backend::Postgres).pop()?;
    let own = |full: &str| full.split('(').next().is_some_and(|own| own.eq_ignore_ascii_case(&local));
    let mut routines = schema.groups().filter(|(kind, ..)| *kind == Kind::Routine);
    let (.., group) = routines.find(|(_, name, _)| own(name.local()))?;
    group.object().text(Attribute::Definition)
}

/// What a body in PL/pgSQL does, if it is one of the few that are understood: `RAISE EXCEPTION`, the
/// same under one condition, assignments to the new row, `pg_notify`.
fn plpgsql(pair: &Pair<'_>, side: &Side<'_>, text: &str) -> Option<What> {
    let tokens: Vec<Token<'_>> =
        lex(text, Backend::Postgres).into_iter().filter(Token::is_significant).collect();
    let is = |token: &Token<'_>, word: &str| {
        token.kind == TokenKind::Word && token.text.eq_ignore_ascii_case(word)
    };
    let (first, rest) = tokens.split_first()?;
    if !is(first, "begin") {
        return None;
    }
    let mut statements: Vec<&[Token<'_>]> = rest.split(|token| token.is_mark(";")).collect();
    statements.retain(|one| {
        let nothing = one.is_empty() || is(&one[0], "return") || one.len() == 1 && is(&one[0], "end");
        !nothing
    });
    let starts = |statement: &[Token<'_>], words: &[&str]| {
        statement.len() >= words.len() && words.iter().zip(statement).all(|(word, token)| is(token, word))
    };
    if statements.iter().all(|one| starts(one, &["perform", "pg_notify"])) && !statements.is_empty() {
        return Some((Effect::Own, ALWAYS, String::new()));
    }
    match statements.as_slice() {
        [raise] if starts(raise, &["raise", "exception"]) => {
            return Some((Effect::Refuse, ALWAYS, String::new()));
        }
        [guard, end] if starts(guard, &["if"]) && starts(end, &["end", "if"]) => {
            let then = guard.iter().position(|token| is(token, "then"))?;
            if !starts(&guard[then + 1..], &["raise", "exception"]) || then < 2 {
                return None;
            }
            let condition = &text[guard[1].offset..guard[then].offset];
            let form = pair.scope(side).condition(condition.trim());
            return Some((Effect::Refuse, form, condition.trim().to_owned()));
        }
        _ => {}
    }
    let assigned = statements.iter().map(|statement| match statement {
        [row, dot, column, sign, ..]
            if is(row, "new") && dot.is_mark(".") && matches!(sign.text, ":=" | "=" | ":") =>
        {
            identifiers(column.text, Backend::Postgres).pop()
        }
        _ => None,
    });
    let columns: Option<Vec<String>> = assigned.collect();
    columns.filter(|columns| !columns.is_empty()).map(set)
}

/// Whether a trigger of SQLite does what something else does on PostgreSQL: it refuses a row that
/// would replace another, where PostgreSQL knows no REPLACE, it looks for rows that an exclusion
/// constraint would find there, or it stands in for a constraint that ALTER TABLE cannot add.
fn stands_in(pair: &Pair<'_>, all: &[Act], act: &Act) -> bool {
    if act.effect != Effect::Refuse {
        return false;
    }
    let own = pair.sqlite.name.local().to_lowercase();
    let forbids =
        |one: &Act| one.effect == Effect::Refuse && matches!(one.event.as_str(), "update" | "delete");
    let looks_for_itself =
        act.text.contains("exists") && identifiers(&act.text, Backend::Sqlite).contains(&own);
    let for_replace = act.event == "insert" && all.iter().any(forbids);
    let for_exclusion = act.event != "delete" && pair.postgres.parts_of(Kind::Exclusion).next().is_some();
    if looks_for_itself && (for_replace || for_exclusion) {
        return true;
    }
    let Some(when) = act.when.clone() else { return false };
    let conditions = checks::demanded(when);
    let stated = checks::stated(pair, &pair.postgres);
    let holds = |one: &Form| stated.contains(one) || checks::says_not_null(pair, &pair.postgres, one);
    !conditions.is_empty() && conditions.iter().all(holds)
}
