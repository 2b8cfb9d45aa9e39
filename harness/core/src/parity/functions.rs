//! Functions under their common names, and what each backend has for time, JSON and chance.

use super::form::{self, Form, UNKNOWN};
use super::read::span;
use crate::Backend;
use crate::family::Family;

/// Functions that do the same under one of several names, by the common one.
const SAME: &[(&str, &[&str])] = &[
    ("length", &["length", "char_length", "character_length"]),
    ("lower", &["lower"]),
    ("upper", &["upper"]),
    ("substr", &["substr", "substring"]),
    ("trim", &["trim", "btrim"]),
    ("ltrim", &["ltrim"]),
    ("rtrim", &["rtrim"]),
    ("replace", &["replace"]),
    ("coalesce", &["coalesce", "ifnull"]),
    ("nullif", &["nullif"]),
    ("abs", &["abs"]),
    ("round", &["round"]),
    ("ceil", &["ceil", "ceiling"]),
    ("floor", &["floor"]),
    ("max", &["max", "greatest"]),
    ("min", &["min", "least"]),
    ("sum", &["sum", "total"]),
    ("count", &["count"]),
    ("avg", &["avg"]),
    ("bytes length", &["octet_length"]),
    ("json type", &["json_type", "json_typeof", "jsonb_typeof"]),
    ("json length", &["json_array_length", "jsonb_array_length"]),
    ("json valid", &["json_valid"]),
    ("typeof", &["typeof"]),
    ("uuid", &["gen_random_uuid", "uuid_generate_v4", "uuidv4", "uuidv7", "uuid", "uuid4", "uuid7"]),
    ("chance", &["random", "randomblob", "gen_random_bytes"]),
    ("hex", &["hex"]),
    ("raise", &["raise"]),
];

/// A call, by what it does.
pub(super) fn call(backend: Backend, name: &str, mut arguments: Vec<Form>) -> Form {
    match (name, arguments.len()) {
        (
            "now"
            | "transaction_timestamp"
            | "statement_timestamp"
            | "clock_timestamp"
            | "current_timestamp"
            | "localtimestamp",
            _,
        ) => return Form::call("now", Vec::new()),
        ("current_date", _) => return Form::call("today", Vec::new()),
        ("current_time" | "localtime", _) => return Form::call("time of day", Vec::new()),
        ("timezone", 2) if is_utc(&arguments[0]) => return arguments.remove(1),
        ("strpos" | "instr", 2) => return Form::call("instr", arguments),
        ("iif" | "if", 3) => return Form::call("case", arguments),
        ("octet_length", 1) if arguments[0].family() == Some(Family::Bytes) => {
            return Form::call("length", arguments);
        }
        ("date", 1) if backend == Backend::Postgres => return Form::call("date", arguments),
        ("json" | "jsonb", 1) => return form::coerced(arguments.remove(0), Some(Family::Json)),
        ("json_object" | "jsonb_object" | "json_build_object" | "jsonb_build_object", 0) => {
            return Form::Text("{}".to_owned());
        }
        ("json_array" | "jsonb_array" | "json_build_array" | "jsonb_build_array", 0) => {
            return Form::Text("[]".to_owned());
        }
        ("num_nonnulls", _) => {
            let mut terms: Vec<Form> =
                arguments.into_iter().map(|one| form::not(Form::call("is null", vec![one]))).collect();
            terms.sort();
            return Form::call("+", terms);
        }
        ("num_nulls", _) => {
            let mut terms: Vec<Form> =
                arguments.into_iter().map(|one| Form::call("is null", vec![one])).collect();
            terms.sort();
            return Form::call("+", terms);
        }
        (
            "json_extract_path_text" | "jsonb_extract_path_text" | "json_extract_path" | "jsonb_extract_path",
            2..,
        ) => {
            let mut steps = arguments.split_off(1);
            if let [Form::Call(name, inner)] = steps.as_mut_slice()
                && name == "array"
            {
                steps = std::mem::take(inner);
            }
            let base = arguments.remove(0);
            match steps.iter().try_fold(base.clone(), json_step) {
                Some(found) => return found,
                None => arguments = std::iter::once(base).chain(steps).collect(),
            }
        }
        ("json_extract" | "jsonb_extract", 2) => {
            if let Form::Text(path) = &arguments[1]
                && let Some(steps) = sqlite_path(path)
            {
                return stepped(arguments.remove(0), &steps);
            }
        }
        _ => {}
    }
    if let Some(clock) = sqlite_clock(name, &arguments).filter(|_| backend == Backend::Sqlite) {
        return clock;
    }
    let same = SAME.iter().find(|(_, names)| names.contains(&name));
    match same {
        // What stands in for a value is of its kind.
        Some((common @ ("coalesce" | "nullif" | "max" | "min"), _)) => {
            let family = arguments.iter().find(|one| !one.is_literal()).and_then(Form::family);
            let arguments = arguments.into_iter().map(|one| form::coerced(one, family)).collect();
            Form::call(common, arguments)
        }
        Some((common, _)) => Form::call(common, arguments),
        None => Form::call(&format!("{UNKNOWN}{name}"), arguments),
    }
}

fn is_utc(zone: &Form) -> bool {
    matches!(zone, Form::Text(zone) if ["utc", "gmt", "z", "+00", "+00:00"].contains(&zone.to_lowercase().as_str()))
}

/// SQLite's functions of date and time (SQLite manual, "Date And Time Functions").
fn sqlite_clock(name: &str, arguments: &[Form]) -> Option<Form> {
    let (format, rest) = match name {
        "strftime" => (Some(arguments.first()?), &arguments[1..]),
        "date" | "time" | "datetime" | "julianday" | "unixepoch" => (None, arguments),
        _ => return None,
    };
    let now = Form::Text("now".to_owned());
    let (value, modifiers) = rest.split_first().unwrap_or((&now, &[]));
    let mut moment = if *value == now { Form::call("now", Vec::new()) } else { value.clone() };
    for modifier in modifiers {
        let Form::Text(modifier) = modifier else { return None };
        moment = match modifier.as_str() {
            "utc" | "subsec" | "subsecond" | "auto" => moment,
            "unixepoch" => Form::call("from epoch", vec![moment]),
            "localtime" => Form::call("local now", vec![moment]),
            other => later(moment, span(other), false),
        };
    }
    let is_now = moment.is_call("now");
    Some(match (name, format) {
        ("datetime", _) => moment,
        ("date", _) if is_now => Form::call("today", Vec::new()),
        ("time", _) if is_now => Form::call("time of day", Vec::new()),
        ("unixepoch", _) => Form::call("epoch", vec![moment]),
        ("julianday", _) => Form::call("julian day", vec![moment]),
        ("strftime", Some(Form::Text(format))) => {
            let has = |what: &str| format.contains(what);
            match () {
                () if has("%s") => Form::call("epoch", vec![moment]),
                () if has("%J") => Form::call("julian day", vec![moment]),
                () if has("%Y") && (has("%H") || has("%T") || has("%R")) || has("%F") && has("%T") => moment,
                () if is_now && (has("%Y") && has("%m") && has("%d") || format == "%F") => {
                    Form::call("today", Vec::new())
                }
                () => Form::call(&format!("strftime {format}"), vec![moment]),
            }
        }
        _ => Form::call(name, vec![moment]),
    })
}

/// A moment, and a span of time later or earlier.
pub(super) fn later(moment: Form, by: Form, earlier: bool) -> Form {
    let by = match by {
        Form::Call(name, arguments) if name == "span" && earlier => match &arguments[0] {
            Form::Text(text) => span(&format!("-{text}")),
            _ => Form::Call(name, arguments),
        },
        other => other,
    };
    Form::call("later", vec![moment, by])
}

/// One step into a JSON document, by a key, a place, or on SQLite a whole path. Whether what is
/// there comes out as JSON or as text, SQLite's `json_extract` decides by the value, so that is not
/// told apart.
pub(super) fn json_step(base: Form, step: &Form) -> Option<Form> {
    match step {
        Form::Text(path) if path.starts_with('$') => Some(stepped(base, &sqlite_path(path)?)),
        Form::Text(key) => Some(stepped(base, std::slice::from_ref(key))),
        Form::Number(place) => Some(stepped(base, std::slice::from_ref(place))),
        _ => None,
    }
}

/// A path in PostgreSQL's form: `{upload,state}` or an array.
pub(super) fn json_path(base: Form, path: &Form) -> Option<Form> {
    let steps: Vec<String> = match path {
        Form::Text(text) => {
            let inside = match text.strip_prefix('{') {
                Some(rest) => rest.strip_suffix('}')?.to_owned(),
                // A literal that was cast to an array is in the spelling of JSON.
                None => serde_json::from_str::<Vec<serde_json::Value>>(text)
                    .ok()?
                    .iter()
                    .map(|step| step.as_str().map_or_else(|| step.to_string(), str::to_owned))
                    .collect::<Vec<_>>()
                    .join(","),
            };
            inside.split(',').map(|step| step.trim_matches('"').to_owned()).collect()
        }
        Form::Call(name, items) if name == "array" => items
            .iter()
            .map(|item| match item {
                Form::Text(step) | Form::Number(step) => Some(step.clone()),
                _ => None,
            })
            .collect::<Option<_>>()?,
        _ => return None,
    };
    Some(stepped(base, &steps))
}

/// A document with steps into it, all of them in one call.
fn stepped(base: Form, steps: &[String]) -> Form {
    let mut arguments = match base {
        Form::Call(name, arguments) if name == "json" => arguments,
        other => vec![other],
    };
    arguments.extend(steps.iter().cloned().map(Form::Text));
    Form::call("json", arguments)
}

/// The steps of a path in SQLite's form: `$.upload.state`, `$."a b"[0]`.
fn sqlite_path(path: &str) -> Option<Vec<String>> {
    let mut rest = path.strip_prefix('$')?;
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let (step, left) = if let Some(quoted) = rest.strip_prefix(".\"") {
            quoted.split_once('"')?
        } else if let Some(key) = rest.strip_prefix('.') {
            key.split_at(key.find(['.', '[']).unwrap_or(key.len()))
        } else {
            let (place, left) = rest.strip_prefix('[')?.split_once(']')?;
            (place, left)
        };
        steps.push(step.to_owned());
        rest = left;
    }
    Some(steps)
}
