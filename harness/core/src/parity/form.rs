//! The common form of expressions: one value for all spellings that mean the same.
//!
//! The constructors keep the form: conjunctions are flat, sorted and free of repetition, a
//! comparison looks in one direction only, negation stands as far inside as it can, and comparing
//! with constants is membership in a list.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use crate::family::Family;

/// An expression, whatever backend it was written for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Form {
    Null,
    Bool(bool),
    Number(String),
    Text(String),
    /// A column by its name in lower case, with what it holds, if it is known.
    Column(String, Option<Family>),
    /// Anything else: an operation or function by its common name, with its arguments.
    Call(String, Vec<Form>),
}

/// What comes of comparing two texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Same,
    Different,
    /// One of them says what is not understood.
    Unclear,
}

impl Form {
    pub(super) fn call(name: &str, arguments: Vec<Self>) -> Self {
        Self::Call(name.to_owned(), arguments)
    }

    pub(super) fn is_call(&self, name: &str) -> bool {
        matches!(self, Self::Call(own, _) if own == name)
    }

    /// The arguments, if it is a call of that name.
    pub(super) fn arguments_of(&self, name: &str) -> Option<&[Self]> {
        match self {
            Self::Call(own, arguments) if own == name => Some(arguments),
            _ => None,
        }
    }

    pub(super) fn is_literal(&self) -> bool {
        matches!(self, Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_))
    }

    /// What kind of value it is, as far as that can be told.
    pub(super) fn family(&self) -> Option<Family> {
        match self {
            Self::Null | Self::Text(_) => None,
            Self::Bool(_) => Some(Family::Boolean),
            Self::Number(digits) if digits.contains(['.', 'e']) => Some(Family::Decimal),
            Self::Number(_) => Some(Family::Integer),
            Self::Column(_, family) => *family,
            Self::Call(name, arguments) => match name.as_str() {
                "lower" | "upper" | "||" | "substr" | "trim" | "ltrim" | "rtrim" | "replace" => {
                    Some(Family::Text)
                }
                "length" | "instr" | "count" => Some(Family::Integer),
                "and" | "or" | "not" | "in" | "=" | "<" | "<=" | "is null" | "is distinct" | "like" => {
                    Some(Family::Boolean)
                }
                "+" | "-" | "*" | "abs" | "coalesce" => arguments.first().and_then(Self::family),
                "now" => Some(Family::TimestampTz),
                _ => None,
            },
        }
    }

    /// Whether a form for which the question holds is anywhere in it.
    pub(super) fn any(&self, holds: &mut dyn FnMut(&Self) -> bool) -> bool {
        holds(self)
            || match self {
                Self::Call(_, arguments) => arguments.iter().any(|one| one.any(holds)),
                _ => false,
            }
    }

    /// The columns that it names, sorted.
    pub(super) fn columns(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.any(&mut |one| {
            if let Self::Column(name, _) = one {
                found.push(name.clone());
            }
            false
        });
        found.sort();
        found.dedup();
        found
    }

    /// The form with each part replaced by what `change` makes of it, from the inside out.
    pub(super) fn map(self, change: &dyn Fn(Self) -> Self) -> Self {
        match self {
            Self::Call(name, arguments) => {
                let arguments = arguments.into_iter().map(|one| one.map(change)).collect();
                change(Self::Call(name, arguments))
            }
            other => change(other),
        }
    }

    /// The conditions that must all hold for it to hold.
    pub(super) fn conjuncts(self) -> Vec<Self> {
        match self {
            Self::Call(name, arguments) if name == "and" => arguments,
            other => vec![other],
        }
    }

    /// How this and the other, of the other backend, compare.
    pub(super) fn compared(&self, other: &Self) -> Answer {
        if self == other {
            return Answer::Same;
        }
        // What a function does that only one side calls, nobody here knows.
        match self.unknown() == other.unknown() {
            true => Answer::Different,
            false => Answer::Unclear,
        }
    }

    /// The names of the functions in it of which nothing is known but the name.
    pub(super) fn unknown(&self) -> Vec<String> {
        let mut found = Vec::new();
        self.any(&mut |one| {
            if let Self::Call(name, _) = one
                && let Some(name) = name.strip_prefix(UNKNOWN)
            {
                found.push(name.to_owned());
            }
            false
        });
        found.sort();
        found.dedup();
        found
    }
}

/// What the names of unknown functions begin with.
pub(super) const UNKNOWN: &str = "? ";

/// The same, as the text of a form would have it from the catalogs.
pub(super) fn compare(one: Option<&Form>, other: Option<&Form>) -> Answer {
    match (one, other) {
        (Some(one), Some(other)) => one.compared(other),
        _ => Answer::Unclear,
    }
}

pub(super) fn not(form: Form) -> Form {
    match form {
        Form::Bool(value) => Form::Bool(!value),
        Form::Null => Form::Null,
        Form::Call(name, mut arguments) => match (name.as_str(), arguments.len()) {
            ("not", 1) => arguments.remove(0),
            ("and", _) => or(arguments.into_iter().map(not).collect()),
            ("or", _) => and(arguments.into_iter().map(not).collect()),
            // Of `a < b`, `b <= a` is the opposite.
            ("<", 2) => {
                arguments.reverse();
                less(arguments, true)
            }
            ("<=", 2) => {
                arguments.reverse();
                less(arguments, false)
            }
            _ => Form::call("not", vec![Form::Call(name, arguments)]),
        },
        other => Form::call("not", vec![other]),
    }
}

pub(super) fn and(parts: Vec<Form>) -> Form {
    let parts = flat("and", parts);
    if parts.contains(&Form::Bool(false)) {
        return Form::Bool(false);
    }
    // `not in (1)` and `not in (2)` is `not in (1, 2)`.
    let (negated, mut rest): (Vec<_>, Vec<_>) = parts
        .into_iter()
        .partition(|one| one.arguments_of("not").is_some_and(|inner| inner[0].is_call("in")));
    let lists = negated.into_iter().map(not).collect();
    rest.extend(merged(lists).into_iter().map(not));
    rest.retain(|one| *one != Form::Bool(true));
    joined("and", rest, Form::Bool(true))
}

pub(super) fn or(parts: Vec<Form>) -> Form {
    let parts = flat("or", parts);
    if parts.contains(&Form::Bool(true)) {
        return Form::Bool(true);
    }
    let mut parts = merged(parts);
    parts.retain(|one| *one != Form::Bool(false));
    joined("or", parts, Form::Bool(false))
}

fn flat(name: &str, parts: Vec<Form>) -> Vec<Form> {
    let mut all = Vec::new();
    for part in parts {
        match part {
            Form::Call(own, inner) if own == name => all.extend(inner),
            other => all.push(other),
        }
    }
    all
}

fn joined(name: &str, mut parts: Vec<Form>, none: Form) -> Form {
    parts.sort();
    parts.dedup();
    match parts.len() {
        0 => none,
        1 => parts.remove(0),
        _ => Form::call(name, parts),
    }
}

/// The lists of one value as one list.
fn merged(parts: Vec<Form>) -> Vec<Form> {
    let mut all: Vec<Form> = Vec::new();
    for part in parts {
        let same = |one: &Form| match (one.arguments_of("in"), part.arguments_of("in")) {
            (Some(one), Some(part)) => one[0] == part[0],
            _ => false,
        };
        match all.iter_mut().find(|one| same(one)) {
            Some(Form::Call(_, arguments)) => {
                let Form::Call(_, more) = part else { continue };
                let (value, mut list) = (arguments[0].clone(), arguments.split_off(1));
                list.extend(more.into_iter().skip(1));
                *arguments = members(value, list);
            }
            _ => all.push(part),
        }
    }
    all
}

/// Whether a value is one of a list.
pub(super) fn within(value: Form, list: Vec<Form>) -> Form {
    let family = value.family();
    let list: Vec<Form> = list.into_iter().map(|one| coerced(one, family)).collect();
    if family == Some(Family::Boolean) && list.len() == 1 {
        match list[0] {
            Form::Bool(true) => return value,
            Form::Bool(false) => return not(value),
            _ => {}
        }
    }
    Form::Call("in".to_owned(), members(value, list))
}

fn members(value: Form, mut list: Vec<Form>) -> Vec<Form> {
    list.sort();
    list.dedup();
    std::iter::once(value).chain(list).collect()
}

pub(super) fn equal(left: Form, right: Form) -> Form {
    match (left.is_literal(), right.is_literal()) {
        (false, true) => within(left, vec![right]),
        (true, false) => within(right, vec![left]),
        _ => {
            // Of two conditions, the sign may stand on either.
            let bare = |form: Form| match form {
                Form::Call(name, mut inner) if name == "not" => (inner.remove(0), true),
                other => (other, false),
            };
            let ((left, one), (right, other)) = (bare(left), bare(right));
            let mut both = vec![left, right];
            both.sort();
            let same = Form::call("=", both);
            if one == other { same } else { Form::call("not", vec![same]) }
        }
    }
}

/// `a < b`, or with `equal` `a <= b`. Whole numbers are compared by `<=` alone.
pub(super) fn less(mut arguments: Vec<Form>, equal: bool) -> Form {
    let (right, left) = (arguments.pop().unwrap_or(Form::Null), arguments.pop().unwrap_or(Form::Null));
    let (of_left, of_right) = (left.family(), right.family());
    let (left, right) = (coerced(left, of_right), coerced(right, of_left));
    let whole = |form: &Form| form.family() == Some(Family::Integer) && !form.is_literal();
    let moved = |form: &Form, by: i64| match form {
        Form::Number(digits) => {
            digits.parse::<i64>().ok()?.checked_add(by).map(|n| Form::Number(n.to_string()))
        }
        _ => None,
    };
    let one = if equal { "1" } else { "0" };
    if left == Form::Number(one.to_owned())
        && let Some([text]) = right.arguments_of("length")
        && text.family() == Some(Family::Text)
    {
        // A text has a length unless it is the empty one.
        return not(within(text.clone(), vec![Form::Text(String::new())]));
    }
    if !equal {
        if whole(&left)
            && let Some(right) = moved(&right, -1)
        {
            return Form::call("<=", vec![left, right]);
        }
        if whole(&right)
            && let Some(left) = moved(&left, 1)
        {
            return Form::call("<=", vec![left, right]);
        }
    }
    Form::call(if equal { "<=" } else { "<" }, vec![left, right])
}

/// A constant as a column of that family keeps it.
pub(super) fn coerced(form: Form, family: Option<Family>) -> Form {
    match (form, family) {
        (Form::Number(digits), Some(Family::Boolean)) if digits == "0" || digits == "1" => {
            Form::Bool(digits == "1")
        }
        (Form::Bool(value), Some(Family::Integer | Family::Decimal | Family::Real)) => {
            Form::Number(u8::from(value).to_string())
        }
        (Form::Number(digits), Some(Family::Text | Family::Enum)) => Form::Text(digits),
        (Form::Text(text), Some(Family::Integer | Family::Decimal | Family::Real)) => match number(&text) {
            Some(digits) => Form::Number(digits),
            None => Form::Text(text),
        },
        (Form::Text(text), Some(Family::Json)) => Form::Text(document(&text)),
        // JSON as the bytes of its text.
        (Form::Call(name, arguments), Some(Family::Json)) if name == "bytes" => match written(&arguments) {
            Some(text) => Form::Text(document(&text)),
            None => Form::Call(name, arguments),
        },
        (Form::Text(text), Some(Family::Array)) => Form::Text(array(&text)),
        (Form::Text(text), Some(Family::Uuid)) => Form::Text(text.replace('-', "").to_lowercase()),
        (Form::Text(text), Some(Family::Timestamp | Family::TimestampTz)) => Form::Text(moment(&text)),
        (other, _) => other,
    }
}

/// A number without the digits that do not matter.
pub(super) fn number(text: &str) -> Option<String> {
    let text = text.trim();
    text.parse::<f64>().ok().filter(|value| value.is_finite())?;
    if text.contains(['e', 'E', 'n', 'N']) {
        return Some(text.to_lowercase());
    }
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", text.trim_start_matches('+')),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let (whole, fraction) = (whole.trim_start_matches('0'), fraction.trim_end_matches('0'));
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if whole == "0" && fraction.is_empty() { "" } else { sign };
    Some(if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") })
}

/// The text that bytes in hexadecimal digits are.
fn written(digits: &[Form]) -> Option<String> {
    let [Form::Text(digits)] = digits else { return None };
    let pairs = (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok());
    String::from_utf8(pairs.collect::<Option<_>>()?).ok()
}

/// A JSON document in one spelling.
fn document(text: &str) -> String {
    serde_json::from_str::<Json>(text).map_or_else(|_| text.to_owned(), |value| sorted(&value))
}

/// A JSON document whose keys are in order, whichever order the parser keeps.
fn sorted(value: &Json) -> String {
    match value {
        Json::Object(entries) => {
            let entries: BTreeMap<&String, String> =
                entries.iter().map(|(key, value)| (key, sorted(value))).collect();
            let entries =
                entries.into_iter().map(|(key, value)| format!("{}:{value}", Json::from(key.as_str())));
            format!("{{{}}}", entries.collect::<Vec<_>>().join(","))
        }
        Json::Array(items) => format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(",")),
        other => other.to_string(),
    }
}

/// An array in the spelling of JSON: PostgreSQL writes `{a,b}`, and SQLite's people a JSON array.
fn array(text: &str) -> String {
    let inside = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    match inside {
        Some("") => "[]".to_owned(),
        Some(inside) if !inside.contains(['{', '\\', '"']) => {
            let items = inside.split(',').map(|item| match number(item) {
                Some(digits) => digits,
                None => Json::from(item).to_string(),
            });
            format!("[{}]", items.collect::<Vec<_>>().join(","))
        }
        _ => document(text),
    }
}

/// A moment without the zone if that is none, and without the fraction of a second if that is none.
fn moment(text: &str) -> String {
    let text = text.trim().replacen('T', " ", 1);
    let text = ["Z", "+00", "+00:00"].iter().find_map(|zone| text.strip_suffix(zone)).unwrap_or(&text);
    let trimmed = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text };
    trimmed.strip_suffix(" 00:00:00").unwrap_or(trimmed).to_owned()
}
