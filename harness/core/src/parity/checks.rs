//! CHECK constraints, and the checks of domains: what rows must satisfy.

use std::collections::BTreeMap;

use super::form::{self, Answer, Form};
use super::keys::{demanded_by_keys, same_name};
use super::pair::{Column, Left, Pair, Side, described, left_over};
use super::{Aspect, Found};
use crate::family::{self, Family};
use crate::report::Severity;
use crate::schema::{Attribute, Kind, ObjectId};

/// A constraint as the conditions that must all hold.
#[derive(Clone)]
struct Check {
    id: ObjectId,
    /// The domain that it belongs to, if it is not the table's own.
    domain: Option<String>,
    text: String,
    /// Nothing if it is not understood.
    conditions: Option<Vec<Form>>,
}

impl Check {
    fn columns(&self) -> Vec<String> {
        let mut all: Vec<String> = self.conditions.iter().flatten().flat_map(Form::columns).collect();
        all.sort();
        all.dedup();
        all
    }
}

pub(super) fn compare(pair: &Pair<'_>, found: &mut Found<'_>) {
    words(pair, found);
    let [postgres, sqlite] = pair.sides().map(|side| checks(pair, side));
    let conditions = |checks: &[Check]| -> Vec<Form> {
        checks.iter().filter_map(|check| check.conditions.clone()).flatten().collect()
    };
    let (mut all_postgres, mut all_sqlite) = (conditions(&postgres), conditions(&sqlite));
    all_postgres.extend(demanded_by_keys(pair));
    all_sqlite.extend(guarded(pair));
    let lacking = |form: &Form| pair.lacks_any(form);
    let rest = |checks: Vec<Check>, others: &[Form], own: &dyn Fn(&Form) -> bool| -> Vec<Check> {
        let open = checks.into_iter().map(|mut check| {
            if let Some(conditions) = &mut check.conditions {
                conditions.retain(|one| !others.contains(one) && !own(one) && !lacking(one));
            }
            check
        });
        open.filter(|check| check.conditions.as_ref().is_none_or(|conditions| !conditions.is_empty()))
            .collect()
    };
    let postgres = rest(postgres, &all_sqlite, &|form| {
        says_not_null(pair, &pair.sqlite, form) || is_implied(form, &all_postgres)
    });
    let sqlite = rest(sqlite, &all_postgres, &|form| {
        says_not_null(pair, &pair.postgres, form)
            || is_of_the_type(pair, form)
            || is_implied(form, &all_sqlite)
    });
    let answer = |one: &Check, other: &Check| match (&one.conditions, &other.conditions) {
        (Some(left), Some(right)) => {
            let all = |forms: &[Form]| form::and(forms.to_vec());
            all(left).compared(&all(right))
        }
        _ => Answer::Unclear,
    };
    let named = |one: &Check, other: &Check| same_name(&one.id, &other.id);
    let alike = |one: &Check, other: &Check| {
        one.conditions.is_some() && other.conditions.is_some() && one.columns() == other.columns()
    };
    let unread = |one: &Check, other: &Check| one.conditions.is_none() || other.conditions.is_none();
    let Left { akin, postgres, sqlite } = left_over(&postgres, &sqlite, answer, &[&named, &alike, &unread]);
    for (one, other, answer) in akin {
        if answer == Answer::Unclear {
            found.unclear(one.id, &one.text, &other.text);
            continue;
        }
        let message =
            format!("{} wants {} on postgres and {} on sqlite", described(&one.id), one.text, other.text);
        let help =
            "let both backends want the same in a new revision; on sqlite that takes a rebuild of the table";
        found.push(Some(one.id), Some(other.id), Aspect::Meaning, Severity::Error, message, help.to_owned());
    }
    // Whether one that is not understood says more than a type or NOT NULL does, nobody knows.
    for one in postgres {
        match one.conditions {
            Some(_) if one.domain.is_some() => {
                let domain = one.domain.as_deref().unwrap_or_default();
                let message = format!(
                    "{} wants {} on postgres by its domain \"{domain}\", and nothing does on sqlite",
                    described(&one.id),
                    one.text
                );
                let help = "add a check to the column on sqlite; that takes a rebuild of the table";
                let other = pair.column(&one.columns().join("")).map(|column| column.sqlite.0);
                let other = other.map(|name| pair.sqlite.part(Kind::Column, name));
                found.push(Some(one.id), other, Aspect::Meaning, Severity::Error, message, help.to_owned());
            }
            Some(_) => found.one_sided(Some(one.id), None, Severity::Error, None),
            None => found.unclear(one.id, &one.text, "nothing"),
        }
    }
    for other in sqlite {
        match other.conditions {
            Some(_) => found.one_sided(None, Some(other.id), Severity::Error, None),
            None => found.unclear(other.id, "nothing", &other.text),
        }
    }
}

fn checks(pair: &Pair<'_>, side: &Side<'_>) -> Vec<Check> {
    let own = side.parts_of(Kind::Check).filter(|(_, _, check)| !check.has(Attribute::NotEnforced));
    let mut all: Vec<Check> = own
        .filter_map(|(id, _, check)| {
            let text = check.text(Attribute::Expression)?;
            Some(Check { id, domain: None, text: text.to_owned(), conditions: conditions(pair, side, text) })
        })
        .collect();
    // A domain's checks are checks of each column that has it, in which VALUE is the column.
    for (name, column) in side.group.columns() {
        let column_type = side.column_type(column);
        let Some(domain) = column_type.domain else { continue };
        let lower = name.to_lowercase();
        let scope = super::read::Scope {
            columns: &BTreeMap::from([("value".to_owned(), column_type.family)]),
            ..pair.scope(side)
        };
        for text in family::domain_checks(side.schema, &domain) {
            let named = |form| match form {
                Form::Column(value, family) if value == "value" => Form::Column(lower.clone(), family),
                other => other,
            };
            let read = scope.read(text).map(|form| settled(form.map(&named)).conjuncts());
            all.push(Check {
                id: side.part(Kind::Column, name),
                domain: Some(domain.local().to_owned()),
                text: text.to_owned(),
                conditions: read,
            });
        }
    }
    all
}

fn conditions(pair: &Pair<'_>, side: &Side<'_>, text: &str) -> Option<Vec<Form>> {
    let form = settled(pair.folded(side, pair.scope(side).read(text)?));
    Some(form.conjuncts().into_iter().filter(|one| *one != Form::Bool(true)).collect())
}

/// A condition without what a check passes anyway: where it is unknown, as it is of a column that
/// is null, it holds.
fn settled(form: Form) -> Form {
    match form {
        Form::Call(name, parts) if name == "and" => form::and(parts.into_iter().map(settled).collect()),
        Form::Call(name, parts) if name == "or" => {
            let parts: Vec<Form> = parts.into_iter().map(settled).collect();
            let of_null = |part: &Form| part.arguments_of("is null").map(|inner| inner[0].clone());
            let rest: Vec<&Form> = parts.iter().filter(|part| of_null(part).is_none()).collect();
            let needless = |part: &Form| {
                of_null(part).is_some_and(|value| {
                    !rest.is_empty() && rest.iter().all(|one| is_unknown_of(one, &value))
                })
            };
            form::or(parts.iter().filter(|part| !needless(part)).cloned().collect())
        }
        // Neither is it told apart from true whether `is true` is asked of what is never unknown.
        other => other,
    }
}

/// Whether a condition is unknown where this value is null.
fn is_unknown_of(condition: &Form, value: &Form) -> bool {
    match condition {
        Form::Call(name, parts) => match name.as_str() {
            "and" | "or" => parts.iter().all(|part| is_unknown_of(part, value)),
            "is null" | "is true" | "is distinct" | "case" | "coalesce" => false,
            _ => parts.iter().any(|part| part == value || is_unknown_of(part, value)),
        },
        other => other == value,
    }
}

/// Whether a check says of a column what the other side says by NOT NULL.
pub(super) fn says_not_null(pair: &Pair<'_>, other: &Side<'_>, form: &Form) -> bool {
    let inner = form.arguments_of("not").and_then(|inner| inner[0].arguments_of("is null"));
    let Some([Form::Column(name, _)]) = inner else { return false };
    let column = pair.column(name);
    column.is_some_and(|column| {
        let object = if other.backend == pair.postgres.backend { column.postgres.1 } else { column.sqlite.1 };
        object.has(Attribute::NotNull)
    })
}

/// Whether a condition holds anyway, since the column is limited to words for which it does.
fn is_implied(form: &Form, all: &[Form]) -> bool {
    let names = form.columns();
    let [name] = names.as_slice() else { return false };
    let mut lists = all.iter().filter(|one| *one != form).filter_map(|one| one.arguments_of("in"));
    let words = lists.find(|list| matches!(&list[0], Form::Column(own, _) if own == name));
    words.is_some_and(|words| {
        words[1..].iter().all(|word| matches!(word, Form::Text(word) if holds_for(form, word) == Some(true)))
    })
}

/// Whether a condition on one column holds where the column has this text.
fn holds_for(form: &Form, text: &str) -> Option<bool> {
    let Form::Call(name, parts) = form else { return None };
    let count = |form: &Form| match form {
        Form::Number(digits) => digits.parse::<usize>().ok(),
        Form::Call(name, inner) if name == "length" && matches!(inner[0], Form::Column(..)) => {
            Some(text.chars().count())
        }
        _ => None,
    };
    match name.as_str() {
        "and" => parts.iter().try_fold(true, |all, part| Some(all && holds_for(part, text)?)),
        "not" => holds_for(&parts[0], text).map(|holds| !holds),
        "<=" => Some(count(&parts[0])? <= count(&parts[1])?),
        "in" if matches!(parts[0], Form::Column(..)) => {
            Some(parts[1..].contains(&Form::Text(text.to_owned())))
        }
        _ => None,
    }
}

/// Whether a check of SQLite only says what PostgreSQL's type is by itself.
fn is_of_the_type(pair: &Pair<'_>, form: &Form) -> bool {
    let names = form.columns();
    let [name] = names.as_slice() else { return false };
    let Some(column) = pair.column(name) else { return false };
    let calls = |wanted: &[&str]| form.any(&mut |one| wanted.iter().any(|name| one.is_call(name)));
    if calls(&["typeof", "json valid"]) || form.arguments_of("=").is_some_and(|both| both[0] == both[1]) {
        return true;
    }
    let members =
        form.arguments_of("in").filter(|list| matches!(list[0], Form::Column(..))).map(|list| &list[1..]);
    let postgres = &column.postgres.2;
    match postgres.family {
        Family::Json => calls(&["json type"]),
        Family::Array | Family::Range | Family::Composite => calls(&["json type", "json length"]),
        Family::Boolean => members.is_some_and(|list| list.iter().all(|one| matches!(one, Form::Bool(_)))),
        // The words themselves are compared elsewhere.
        Family::Enum => members.is_some(),
        Family::Integer => {
            let bits = postgres.bits.unwrap_or(64).min(64);
            let (low, high) = (-(1_i128 << (bits - 1)), (1_i128 << (bits - 1)) - 1);
            is_bound(form, low, high)
        }
        Family::Text => postgres.length.is_some_and(|length| {
            let counted = |form: &Form| form.is_call("length");
            let limit = Form::Number(length.to_string());
            form.arguments_of("<=").is_some_and(|both| counted(&both[0]) && both[1] == limit)
                || postgres.padded && form.arguments_of("in").is_some_and(|list| counted(&list[0]))
        }),
        // How their texts look is said by a length, a pattern or a date function.
        Family::Uuid
        | Family::Timestamp
        | Family::TimestampTz
        | Family::Date
        | Family::Time
        | Family::TimeTz
        | Family::Interval
        | Family::Bytes
        | Family::Other => form.any(&mut |one| match one {
            Form::Call(name, arguments) => {
                !matches!(name.as_str(), "in" | "<" | "<=" | "and" | "or" | "not" | "=" | "now" | "today")
                    && !arguments.is_empty()
            }
            _ => false,
        }),
        Family::Decimal => calls(&["round", "abs"]),
        Family::Real | Family::Any => false,
    }
}

fn is_bound(form: &Form, low: i128, high: i128) -> bool {
    let Some([left, right]) = form.arguments_of("<=") else { return false };
    let is = |form: &Form, value: i128| matches!(form, Form::Number(digits) if *digits == value.to_string());
    matches!(right, Form::Column(..)) && is(left, low) || matches!(left, Form::Column(..)) && is(right, high)
}

/// The words of an enum and those that SQLite's check allows.
fn words(pair: &Pair<'_>, found: &mut Found<'_>) {
    let enums = pair.columns.iter().filter(|column| column.postgres.2.family == Family::Enum);
    for column in enums {
        for check in checks(pair, &pair.sqlite) {
            let list = check.conditions.iter().flatten().find_map(|form| listed(form, column));
            let Some(words) = list else { continue };
            let mut known: Vec<&str> = column.postgres.2.values.iter().map(String::as_str).collect();
            known.sort_unstable();
            if words == known {
                continue;
            }
            let id = pair.postgres.part(Kind::Column, column.postgres.0);
            let message = format!(
                "{} is one of {} on postgres and of {} on sqlite",
                described(&id),
                known.join(", "),
                words.join(", ")
            );
            let help =
                "let the check on sqlite list the words of the enum; that takes a rebuild of the table";
            found.push(
                Some(id),
                Some(check.id.clone()),
                Aspect::Meaning,
                Severity::Error,
                message,
                help.to_owned(),
            );
        }
    }
}

fn listed<'f>(form: &'f Form, column: &Column<'_>) -> Option<Vec<&'f str>> {
    let (value, list) = form.arguments_of("in")?.split_first()?;
    let own = matches!(value, Form::Column(name, _) if *name == column.name);
    let words = list.iter().map(|word| match word {
        Form::Text(word) => Some(word.as_str()),
        _ => None,
    });
    let mut words: Vec<&str> = words.collect::<Option<_>>().filter(|_| own)?;
    words.sort_unstable();
    Some(words)
}

/// What SQLite's triggers refuse: where ALTER TABLE cannot add a check, they stand in for it.
fn guarded(pair: &Pair<'_>) -> Vec<Form> {
    let mut all = Vec::new();
    for (_, _, trigger) in pair.sqlite.parts_of(Kind::Trigger) {
        let refuses = trigger.text(Attribute::Definition).is_some_and(|body| body.contains("raise("));
        let Some(when) = trigger.text(Attribute::When).filter(|_| refuses) else { continue };
        let Some(form) = pair.scope(&pair.sqlite).read(when) else { continue };
        all.extend(demanded(form));
    }
    all
}

/// What a trigger demands of new rows that refuses them when this holds.
pub(super) fn demanded(when: Form) -> Vec<Form> {
    let named = |form| match form {
        Form::Column(name, family) => {
            let name = name.strip_prefix("new.").map(str::to_owned).unwrap_or(name);
            Form::Column(name, family)
        }
        other => other,
    };
    let wanted = settled(form::not(when.map(&named))).conjuncts();
    wanted.into_iter().filter(|one| !one.is_literal()).collect()
}

/// What SQLite demands of new rows, by checks and by triggers.
pub(super) fn stated_on_sqlite(pair: &Pair<'_>) -> Vec<Form> {
    let mut all = stated(pair, &pair.sqlite);
    all.extend(guarded(pair));
    all
}

/// The conditions that the checks of one side state.
pub(super) fn stated(pair: &Pair<'_>, side: &Side<'_>) -> Vec<Form> {
    checks(pair, side).into_iter().filter_map(|check| check.conditions).flatten().collect()
}
