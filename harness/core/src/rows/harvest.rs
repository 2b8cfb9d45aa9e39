//! Values that conditions speak of: their constants, what lies next to them, and texts that match
//! their patterns. Whether a value meets a condition is told elsewhere, or tried.

use super::datum::Datum;
use super::strategy::pick;
use super::wanted::Wanted;
use crate::Backend;
use crate::family::Family;
use crate::schema::{Attribute, Group, Kind, Name, Schema};
use crate::sql::{Token, TokenKind, lex};

/// A constant, and what it is used for.
#[derive(Clone, Debug, PartialEq)]
enum Constant {
    Text(String),
    Number(String),
    Like(String),
    Glob(String),
    Regex(String),
}

/// The longest text that is made because a condition names its length.
const LONGEST: usize = 5000;

/// The values of that kind that a condition speaks of.
pub(super) fn hints(condition: &str, backend: Backend, wanted: &Wanted) -> Vec<Datum> {
    let mut found: Vec<Datum> = Vec::new();
    for constant in constants(condition, backend) {
        for hint in of_constant(&constant, wanted) {
            if !found.contains(&hint) {
                found.push(hint);
            }
        }
    }
    found
}

/// Whether a condition asks for a form that no constant alone has.
pub(super) fn asks_for_a_pattern(condition: &str, backend: Backend) -> bool {
    let is_pattern = |constant: &Constant| matches!(constant, Constant::Regex(_) | Constant::Glob(_));
    constants(condition, backend).iter().any(is_pattern)
}

fn constants(condition: &str, backend: Backend) -> Vec<Constant> {
    let tokens: Vec<Token<'_>> = lex(condition, backend).into_iter().filter(Token::is_significant).collect();
    let mut found = Vec::new();
    for (place, token) in tokens.iter().enumerate() {
        let before = place.checked_sub(1).and_then(|place| tokens.get(place));
        match token.kind {
            TokenKind::String => {
                let text = unquoted(token.text);
                found.push(match before.map(|token| token.text.to_lowercase()).as_deref() {
                    Some("like" | "ilike" | "~~" | "~~*") => Constant::Like(text),
                    Some("glob") => Constant::Glob(text),
                    Some("~" | "~*" | "regexp") => Constant::Regex(text),
                    _ => Constant::Text(text),
                });
            }
            TokenKind::Number => {
                let minus = before.is_some_and(|token| token.text == "-")
                    || before.is_some_and(|token| token.text == "(")
                        && place
                            .checked_sub(2)
                            .and_then(|place| tokens.get(place))
                            .is_some_and(|token| token.text == "-");
                let sign = if minus { "-" } else { "" };
                found.push(Constant::Number(format!("{sign}{}", token.text)));
            }
            _ => {}
        }
    }
    found
}

/// The text of a string literal. PostgreSQL writes `E'…'` where a backslash stands in it.
fn unquoted(literal: &str) -> String {
    let (escaped, literal) = match literal.strip_prefix(['E', 'e']) {
        Some(rest) => (true, rest),
        None => (false, literal),
    };
    let inner = literal.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(literal);
    let text = inner.replace("''", "'");
    if escaped { text.replace("\\\\", "\\") } else { text }
}

fn of_constant(constant: &Constant, wanted: &Wanted) -> Vec<Datum> {
    let is_text = matches!(wanted.family, Family::Text | Family::Any);
    let texts = match constant {
        Constant::Text(text) if wanted.family == Family::Json => match text.as_str() {
            "object" => vec!["{}".to_owned(), "{\"a\": [1, null]}".to_owned()],
            "array" => vec!["[]".to_owned(), "[{\"a\": 1}]".to_owned()],
            "string" => vec!["\"a\"".to_owned()],
            "number" => vec!["1".to_owned()],
            _ => vec![text.clone()],
        },
        // Only what can stand in a time is one; a unit or a zone is not.
        Constant::Text(text) => vec![text.clone()],
        Constant::Number(number) if is_text => of_length(number),
        Constant::Number(number) if matches!(wanted.family, Family::Bytes) => {
            let lengths = of_length(number).into_iter().map(|text| Datum::Bytes(text.into_bytes()));
            return lengths.collect();
        }
        Constant::Number(number) => neighbours(number),
        Constant::Like(pattern) if is_text => {
            let fill = |many: &str| pattern.replace('%', many).replace('_', "x");
            vec![fill("a1"), fill("")]
        }
        Constant::Glob(pattern) if is_text => of_regex(&glob_as_regex(pattern)),
        Constant::Regex(pattern) if is_text => of_regex(pattern),
        _ => Vec::new(),
    };
    texts.iter().filter_map(|text| wanted.read(text)).collect()
}

/// Texts of that many characters, of one fewer and of one more.
fn of_length(number: &str) -> Vec<String> {
    let Some(length) = number.parse::<usize>().ok().filter(|length| *length <= LONGEST) else {
        return Vec::new();
    };
    let lengths = [length, length.saturating_sub(1), length + 1];
    lengths
        .into_iter()
        .map(|length| "é1a".chars().cycle().take(length).collect())
        .chain(["a".repeat(length)])
        .collect()
}

fn neighbours(number: &str) -> Vec<String> {
    match number.parse::<i128>() {
        Ok(whole) => [0, 1, -1].iter().map(|step| (whole + step).to_string()).collect(),
        Err(_) => vec![number.to_owned(), "0".to_owned(), "1".to_owned()],
    }
}

fn glob_as_regex(pattern: &str) -> String {
    let mut regex = String::new();
    let mut inside = false;
    for char in pattern.chars() {
        match char {
            '*' if !inside => regex.push_str("[a-z0-9]{0,5}"),
            '?' if !inside => regex.push_str("[a-z0-9]"),
            '[' | ']' | '-' | '^' if inside || char == '[' => {
                inside = char != ']';
                regex.push(char);
            }
            char if char.is_alphanumeric() => regex.push(char),
            char => regex.extend(['\\', char]),
        }
    }
    regex
}

/// Texts that match a regular expression.
fn of_regex(pattern: &str) -> Vec<String> {
    let bare = pattern.strip_prefix('^').unwrap_or(pattern);
    let bare = bare.strip_suffix('$').unwrap_or(bare);
    // The classes are PostgreSQL's narrow ones; repetitions without end are kept short.
    let classes =
        [("\\d", "[0-9]"), ("\\w", "[A-Za-z0-9_]"), ("\\s", " "), ("\\m", ""), ("\\M", ""), ("\\y", "")];
    let bare = classes.iter().fold(bare.to_owned(), |text, (class, plain)| match *class {
        // Inside brackets a class stands without brackets of its own.
        "\\d" | "\\w" => replace_class(&text, class, plain),
        _ => text.replace(class, plain),
    });
    let Ok(strategy) = proptest::string::string_regex(&bare) else {
        return Vec::new();
    };
    (0..12)
        .filter_map(|number: u64| pick(&strategy, number, &[pattern]))
        .filter(|text| !text.contains('\0'))
        .collect()
}

fn replace_class(text: &str, class: &str, plain: &str) -> String {
    let inner = plain.trim_matches(['[', ']']);
    let mut out = String::new();
    let mut rest = text;
    while let Some(place) = rest.find(class) {
        out.push_str(&rest[..place]);
        let inside = out.rfind('[') > out.rfind(']');
        out.push_str(if inside { inner } else { plain });
        rest = &rest[place + class.len()..];
    }
    out.push_str(rest);
    out
}

/// For each column of a partitioned table's key, values for which there is a partition; nothing if
/// there is one for all values.
pub(super) fn bounds(
    schema: &Schema,
    table: &Name,
    group: &Group,
    wanted: &dyn Fn(&str) -> Option<Wanted>,
) -> Vec<(String, Vec<Datum>)> {
    let Some(by) = group.object().text(Attribute::PartitionBy) else { return Vec::new() };
    let columns = super::keys::mentioned(group, &[by.to_owned()]);
    let mut found: Vec<(String, Vec<Datum>)> =
        columns.iter().map(|column| (column.clone(), Vec::new())).collect();
    let prefix = format!("{table} ");
    for (name, child) in schema.tables() {
        let Some(of) = child.object().text(Attribute::PartitionOf) else { continue };
        let Some(bound) = of.strip_prefix(&prefix) else { continue };
        if !bound.contains("from") && !bound.contains("in (") && !bound.contains("in(") {
            return Vec::new();
        }
        let values = bound_values(bound);
        let is_list = !bound.contains("from");
        for (place, (column, values_of)) in found.iter_mut().enumerate() {
            let Some(wanted) = wanted(column) else { continue };
            let own: Vec<&String> =
                if is_list { values.iter().collect() } else { values.get(place).into_iter().collect() };
            values_of.extend(own.into_iter().filter_map(|text| wanted.read(text)));
        }
        for (column, deeper) in bounds(schema, name, child, wanted) {
            match found.iter_mut().find(|(known, _)| *known == column) {
                Some((_, values)) => values.extend(deeper),
                None => found.push((column, deeper)),
            }
        }
    }
    found
}

/// The constants of the first parenthesis of a partition's bound.
fn bound_values(bound: &str) -> Vec<String> {
    let mut values = Vec::new();
    let mut minus = false;
    for token in lex(bound, Backend::Postgres) {
        match token.kind {
            TokenKind::String => values.push(unquoted(token.text)),
            TokenKind::Number => values.push(format!("{}{}", if minus { "-" } else { "" }, token.text)),
            TokenKind::Word if token.is_word("minvalue") || token.is_word("maxvalue") => {
                values.push(String::new())
            }
            TokenKind::Punctuation if token.text == ")" => break,
            _ => {}
        }
        minus = token.text == "-" || minus && !token.is_significant();
    }
    // Below a bound there is no least value to take; one step below the upper bound will do.
    if values.first().is_some_and(String::is_empty)
        && let Some(upper) = bound.split_once(" to").map(|(_, upper)| upper)
    {
        let upper = constants(upper, Backend::Postgres).into_iter().next();
        if let Some(Constant::Number(number)) = &upper
            && let Ok(number) = number.parse::<i128>()
        {
            values[0] = (number - 1).to_string();
        } else if let Some(Constant::Text(text)) = upper
            && let Some((micros, _)) = super::moment::parse_timestamp(&text)
        {
            values[0] = super::moment::timestamp_text(micros - super::moment::DAY, ' ');
        }
    }
    values
}

/// The conditions of a table's checks.
pub(super) fn conditions(group: &Group) -> impl Iterator<Item = &str> {
    group.parts_of(Kind::Check).filter_map(|(_, check)| check.text(Attribute::Expression))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::family::ColumnType;

    fn wanted(spelled: &str) -> Wanted {
        let column = ColumnType::named(Backend::Postgres, &Schema::new(), spelled);
        Wanted::of(Backend::Postgres, &Schema::new(), &column)
    }

    #[rstest]
    #[case("text", "(mood = ANY (ARRAY['bad'::text, 'good'::text]))", &["bad", "good"])]
    #[case("integer", "((n >= '-5'::integer) AND (n < 10))", &["-5", "10", "11", "9"])]
    #[case("text", "(url ~~ 'https://%'::text)", &["https://a1", "https://"])]
    #[case("date", "(day > '2000-01-01'::date)", &["2000-01-01"])]
    fn constants_are_found(#[case] spelled: &str, #[case] condition: &str, #[case] expected: &[&str]) {
        let found: Vec<String> =
            hints(condition, Backend::Postgres, &wanted(spelled)).iter().map(Datum::plain).collect();
        for one in expected {
            assert!(found.iter().any(|found| found == one), "{one} is not in {found:?}");
        }
    }

    #[test]
    fn texts_match_regular_expressions() {
        let found = hints("(slug ~ '^[a-z]{2}-\\d+$'::text)", Backend::Postgres, &wanted("text"));
        assert!(!found.is_empty());
        for hint in found {
            let text = hint.plain();
            let (letters, digits) = text.split_once('-').unwrap();
            assert!(letters.len() == 2 && digits.bytes().all(|byte| byte.is_ascii_digit()), "{text}");
        }
    }
}
