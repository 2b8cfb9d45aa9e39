//! The text form of one object: a line with its kind, its name and what is short, then a line or a
//! block for each attribute that is long.
//!
//! No two objects have the same text. What makes that true is that an attribute is written plainly
//! only where the line can still be taken apart again: commas stand alone, brackets and quotes are
//! closed, and nothing reads like another attribute. Anything else is written after a backslash,
//! with which no plain text begins.

use std::fmt::Write as _;

use super::object::{Attribute, Kind, Object, ObjectId, Quoted, Value};
use super::wrap::wrapped;

/// What is longer than this gets a line of its own.
const SHORT: usize = 72;

/// What makes a line longer than this goes below it.
const WIDTH: usize = 100;

/// Attributes that read best below the object, however short they are.
const BELOW: &[Attribute] =
    &[Attribute::Definition, Attribute::Comment, Attribute::Privileges, Attribute::Tables];

/// Attributes whose value is a list by nature, written between parentheses. Any other list is
/// written between square brackets, so that a parenthesised expression stays plain.
const LISTS: &[Attribute] = &[
    Attribute::Columns,
    Attribute::ColumnOrder,
    Attribute::Include,
    Attribute::Inherits,
    Attribute::Options,
    Attribute::Events,
    Attribute::Transition,
    Attribute::Roles,
    Attribute::Arguments,
    Attribute::Properties,
    Attribute::Settings,
    Attribute::Values,
    Attribute::Tables,
    Attribute::Privileges,
];

/// Values that say by themselves what they are the value of.
const TELLING: &[(Attribute, &[&str])] = &[
    (Attribute::Deferrable, &["deferrable", "deferrable initially deferred"]),
    (Attribute::Persistence, &["unlogged", "temporary"]),
    (Attribute::Timing, &["before", "after", "instead of"]),
    (Attribute::Enabled, &["disabled"]),
    (Attribute::Permissive, &["permissive", "restrictive"]),
    (Attribute::Volatility, &["immutable", "stable", "volatile"]),
];

/// The events of a trigger; `update` may be followed by columns between parentheses.
const EVENTS: &[&str] = &["insert", "update", "delete", "truncate", "select"];

/// The attribute that follows the name without its own word: a column's type, an index's columns.
fn lead(kind: Kind) -> Option<Attribute> {
    match kind {
        Kind::Column => Some(Attribute::Type),
        Kind::Check => Some(Attribute::Expression),
        Kind::Setting | Kind::Extension => Some(Attribute::Value),
        Kind::PrimaryKey
        | Kind::Unique
        | Kind::ForeignKey
        | Kind::Exclusion
        | Kind::Index
        | Kind::Statistics => Some(Attribute::Columns),
        _ => None,
    }
}

/// What becomes of the attribute that holds the order of a group's columns.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The columns are written in this order below, which says it all.
    Listed,
    /// It is written like any other attribute.
    Written,
    /// There is none, though there are columns; they are written in the order of their names.
    Missing,
}

/// The lines of one object. The first one stands at the margin, the others are set in.
pub(super) fn lines(id: &ObjectId, object: &Object, order: Order) -> Vec<String> {
    let kind = id.kind();
    let name = own_name(id);
    let mut head = String::new();
    if !(kind == Kind::Column && id.part.is_some()) {
        let _ = write!(head, "{kind} ");
    }
    let mut separator = ": ";
    let mut leading = None;
    match lead(kind) {
        Some(Attribute::Columns) => {
            let columns = match object.get(Attribute::Columns) {
                Some(Value::List(list)) => short_list(Attribute::Columns, list),
                _ => None,
            };
            leading = columns.is_some().then_some(Attribute::Columns);
            match columns {
                // A constraint without a name is called by its columns.
                Some(columns) if columns == name => head.push_str(&name),
                Some(columns) => {
                    let _ = write!(head, "{name} {columns}");
                }
                None if name.starts_with('(') => head.push_str(&in_quotes(&name)),
                None => head.push_str(&name),
            }
        }
        Some(attribute) => {
            head.push_str(&name);
            if let Some(text) = object.text(attribute).filter(|text| is_short(text)) {
                let _ = write!(head, ": {text}");
                leading = Some(attribute);
            }
            separator = ", ";
        }
        None => head.push_str(&name),
    }

    let mut below = Vec::new();
    let (mut is_timed, mut is_full) = (false, false);
    let hidden = |attribute| {
        Some(attribute) == leading || attribute == Attribute::ColumnOrder && order == Order::Listed
    };
    for (attribute, value) in object.attributes().filter(|(one, _)| !hidden(*one)) {
        match written(attribute, value) {
            Written::Here(text) => {
                // `before insert or update` reads as one.
                let is_joined = is_timed && attribute == Attribute::Events && telling_events(value).is_some();
                let next = format!("{}{text}", if is_joined { " " } else { separator });
                is_full |= (head.chars().count() + next.chars().count()) > WIDTH;
                if is_full {
                    below.push(format!("    {text}"));
                } else {
                    head.push_str(&next);
                    is_timed = is_telling(attribute, &text) && attribute == Attribute::Timing;
                    separator = ", ";
                }
            }
            Written::Below(lines) => below.extend(lines.into_iter().map(|line| format!("    {line}"))),
        }
    }
    if order == Order::Missing {
        below.push(format!("    {} \\none", Attribute::ColumnOrder));
    }
    below.insert(0, head);
    below
}

/// The name as a line that is about the object writes it.
pub(super) fn own_name(id: &ObjectId) -> String {
    match &id.part {
        Some((_, name)) => Quoted(name).to_string(),
        None => id.group.to_string(),
    }
}

/// One attribute, on the object's own line or on lines below it.
enum Written {
    Here(String),
    Below(Vec<String>),
}

fn written(attribute: Attribute, value: &Value) -> Written {
    match value {
        Value::Flag if is_telling(attribute, attribute.word()) => {
            Written::Here(format!("{attribute} \\flag"))
        }
        Value::Flag => Written::Here(attribute.word().to_owned()),
        Value::Text(text) => written_text(attribute, text),
        Value::List(list) => written_list(attribute, list),
    }
}

fn written_list(attribute: Attribute, list: &[String]) -> Written {
    if let Some(events) =
        telling_events(&Value::List(list.to_vec())).filter(|_| attribute == Attribute::Events)
    {
        return Written::Here(events);
    }
    if let Some(text) = short_list(attribute, list)
        && (list.is_empty() || !BELOW.contains(&attribute))
    {
        return Written::Here(format!("{attribute} {text}"));
    }
    let items = list.iter().map(|item| match is_printable(item) {
        true => format!("* {item}"),
        false => format!("* {}", escaped(item)),
    });
    Written::Below(std::iter::once(attribute.word().to_owned()).chain(items).collect())
}

fn written_text(attribute: Attribute, text: &str) -> Written {
    if is_telling(attribute, text) {
        return Written::Here(text.to_owned());
    }
    if text.contains('\n') {
        return Written::Below(block(attribute, text));
    }
    let worded = format!("{attribute} {text}");
    if !is_printable(text) || reads_otherwise(attribute, text, &worded) {
        let text = format!("{attribute} {}", escaped(text));
        return match text.chars().count() > SHORT {
            true => Written::Below(vec![text]),
            false => Written::Here(text),
        };
    }
    if attribute == Attribute::Definition
        && text.chars().count() > SHORT
        && let Some(lines) = wrapped(text)
    {
        let lines = lines.into_iter().map(|line| format!("  {line}"));
        return Written::Below(std::iter::once(attribute.word().to_owned()).chain(lines).collect());
    }
    match BELOW.contains(&attribute) || !is_short(text) {
        true => Written::Below(vec![worded]),
        false => Written::Here(worded),
    }
}

/// Whether a text, written after its attribute's word, could be taken for something else.
fn reads_otherwise(attribute: Attribute, text: &str, worded: &str) -> bool {
    let longer = |other: &Attribute| {
        other.word().len() > attribute.word().len() && starts_with_word(worded, other.word())
    };
    text.starts_with(opening(attribute)) || is_telling(attribute, worded) || Attribute::ALL.iter().any(longer)
}

fn starts_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

fn is_telling(attribute: Attribute, text: &str) -> bool {
    if attribute == Attribute::Variety {
        let taken = TELLING.iter().flat_map(|(_, texts)| *texts).chain(EVENTS);
        let words = Attribute::ALL.iter().map(|one| one.word());
        return !text.is_empty()
            && !text.starts_with(' ')
            && !text.ends_with(' ')
            && text.chars().count() <= SHORT
            && text.chars().all(|c| c.is_ascii_lowercase() || c == ' ')
            && !taken.copied().chain(words).any(|word| starts_with_word(text, word));
    }
    TELLING.iter().any(|(one, texts)| *one == attribute && texts.contains(&text))
}

/// `insert or update of (email)`, if these are events that say by themselves what they are.
fn telling_events(value: &Value) -> Option<String> {
    let list = value.as_list()?;
    let known = |event: &String| {
        let columns = event.strip_prefix("update of ");
        EVENTS.contains(&event.as_str())
            || columns.is_some_and(|columns| is_parenthesised(columns) && is_short(event))
    };
    let text = list.join(" or ");
    (!list.is_empty() && list.iter().all(known) && text.chars().count() <= SHORT).then_some(text)
}

fn opening(attribute: Attribute) -> char {
    if LISTS.contains(&attribute) { '(' } else { '[' }
}

/// A list on one line, if it is short and its items stay apart.
fn short_list(attribute: Attribute, list: &[String]) -> Option<String> {
    let items = list.iter().map(|item| match item {
        item if !is_printable(item) => Some(escaped(item)),
        item => is_short(item).then(|| item.clone()),
    });
    let items: Vec<String> = items.collect::<Option<_>>()?;
    let text = match opening(attribute) {
        '(' => format!("({})", items.join(", ")),
        _ => format!("[{}]", items.join(", ")),
    };
    (text.chars().count() <= SHORT).then_some(text)
}

/// Whether a text can stand on a line with others.
fn is_short(text: &str) -> bool {
    text.chars().count() <= SHORT && is_printable(text) && stands_alone(text)
}

/// Whether a text can stand on a line at all.
fn is_printable(text: &str) -> bool {
    !text.is_empty()
        && !text.starts_with(|c: char| c == '\\' || c.is_whitespace())
        && !text.ends_with(char::is_whitespace)
        && !text.contains(char::is_control)
}

/// Whether a text closes what it opens, and no comma in it can be taken for the end of it.
fn stands_alone(text: &str) -> bool {
    if text.starts_with(',') || text.ends_with(',') {
        return false;
    }
    let mut open = Vec::new();
    let mut quote = None;
    let mut previous = ' ';
    for c in text.chars() {
        match (quote, c) {
            (Some(begun), _) if begun == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(') => open.push(')'),
            (None, '[') => open.push(']'),
            (None, ')' | ']') if open.pop() != Some(c) => return false,
            (None, ' ') if previous == ',' && open.is_empty() => return false,
            (None, _) => {}
        }
        previous = c;
    }
    open.is_empty() && quote.is_none()
}

/// Whether a text is one pair of parentheses with what is between them.
pub(super) fn is_parenthesised(text: &str) -> bool {
    let inside = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inside.is_some_and(|inside| {
        let mut depth = 0_i32;
        let never_closed = inside.chars().all(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth >= 0
        });
        never_closed && depth == 0
    })
}

/// Several lines, each behind a bar, so that where they begin and end is seen.
fn block(attribute: Attribute, text: &str) -> Vec<String> {
    let plain = text.split('\n').all(|line| {
        !line.ends_with(char::is_whitespace) && !line.contains(|c: char| c.is_control() && c != '\t')
    });
    let head = match plain {
        true => attribute.word().to_owned(),
        false => format!("{attribute} \\"),
    };
    let lines = text.split('\n').map(|line| match (plain, line) {
        (_, "") => "|".to_owned(),
        (true, line) => format!("| {line}"),
        (false, line) => format!("| {}", escaped_line(line)),
    });
    std::iter::once(head).chain(lines).collect()
}

fn escaped_line(line: &str) -> String {
    let body = line.trim_end_matches(char::is_whitespace);
    let mut out = String::new();
    for (at, c) in line.char_indices() {
        match c {
            '\t' if at < body.len() => out.push(c),
            c if at >= body.len() => out.extend(c.escape_unicode()),
            c => push_escaped(&mut out, c),
        }
    }
    out
}

/// A text in which everything can be seen, marked by the backslash in front of it.
fn escaped(text: &str) -> String {
    format!("\\{}", in_quotes(text))
}

/// A text between double quotes in which everything can be seen.
pub(super) fn in_quotes(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            c => push_escaped(&mut out, c),
        }
    }
    out.push('"');
    out
}

fn push_escaped(out: &mut String, c: char) {
    match c {
        '\\' | '\n' | '\r' | '\t' => out.extend(c.escape_default()),
        c if c.is_control() => out.extend(c.escape_unicode()),
        c => out.push(c),
    }
}
