//! What mends a statement that fails wherever it stands.

use crate::Backend;
use crate::evidence::{Failure, Recording};
use crate::sql::{Token, lex};

/// What mends it; nothing if that depends on what the statement is for.
pub(super) fn remedy(recording: &Recording, failure: &Failure) -> Option<String> {
    // PostgreSQL's SQLSTATE for what must not run in a transaction (manual, appendix A).
    if failure.code.as_deref() == Some("25001") {
        let how = recording.history.tool().outside_transaction();
        return Some(format!("{how}, with the statement in a file of its own"));
    }
    defined_by_application(failure).or_else(|| {
        failure
            .message
            .contains("syntax error")
            .then(|| format!("change the statement so that {} accepts it", recording.backend))
    })
}

/// SQLite has no statement that defines a function: applications do so on each of their connections, in
/// code that is not known here.
pub(super) fn defined_by_application(failure: &Failure) -> Option<String> {
    let message = &failure.message;
    let other_count = message.strip_prefix("wrong number of arguments to function ");
    let name = match message.strip_prefix("no such function: ") {
        Some(name) => name,
        None => other_count?.strip_suffix("()")?,
    };
    let count = failure.statement.as_deref().and_then(|statement| arguments(statement, name)).unwrap_or(1);
    let arguments: Vec<String> =
        (0..count).map(|place| if place == 0 { "x".to_owned() } else { format!("x{}", place + 1) }).collect();
    let body = if count == 0 { "NULL" } else { "x" };
    Some(format!(
        "if the application defines \"{name}\" on its connections, which no setup script can, write under \
         [sqlite.functions] what stands in for it, such as \"{name}({})\" = \"{body}\", or name its loadable extension \
         in extensions under [sqlite]",
        arguments.join(", ")
    ))
}

/// With how many arguments a statement calls a function first.
fn arguments(statement: &str, name: &str) -> Option<usize> {
    let tokens = lex(statement, Backend::Sqlite);
    let tokens: Vec<&Token<'_>> = tokens.iter().filter(|token| token.is_significant()).collect();
    let is_call = |pair: &[&Token<'_>]| pair[0].is_word(name) && pair[1].is_mark("(");
    let start = tokens.windows(2).position(is_call)? + 2;
    let (mut depth, mut commas) = (0_usize, 0);
    for (place, token) in tokens[start..].iter().enumerate() {
        match token.text {
            "(" => depth += 1,
            ")" if depth == 0 => return Some(if place == 0 { 0 } else { commas + 1 }),
            ")" => depth -= 1,
            "," if depth == 0 => commas += 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("UPDATE t SET a = bin2b64(a)", 1)]
    #[case("SELECT \"bin2b64\", BIN2B64 ( max(a, b), 'c,' )", 2)]
    #[case("SELECT bin2b64()", 0)]
    fn the_arguments_of_a_call_are_counted(#[case] statement: &str, #[case] count: usize) {
        assert_eq!(arguments(statement, "BIN2B64"), Some(count));
    }

    #[test]
    fn a_statement_without_the_call_tells_nothing() {
        assert_eq!(arguments("SELECT bin2b64 FROM t", "BIN2B64"), None);
        assert_eq!(arguments("SELECT bin2b64(a", "BIN2B64"), None);
    }

    #[test]
    fn a_function_that_is_not_there_can_be_stood_in_for() {
        let failing = |message: &str, statement: &str| Failure {
            statement: Some(statement.to_owned()),
            ..Failure::new(message)
        };
        let help = |failure: Failure| defined_by_application(&failure);
        assert_eq!(
            help(failing("no such function: normalize", "SELECT normalize(a, 'nfc')")).unwrap(),
            "if the application defines \"normalize\" on its connections, which no setup script can, write under \
             [sqlite.functions] what stands in for it, such as \"normalize(x, x2)\" = \"x\", or name its loadable \
             extension in extensions under [sqlite]"
        );
        let counted = help(failing("wrong number of arguments to function f()", "SELECT f()")).unwrap();
        assert!(counted.contains("\"f()\" = \"NULL\""), "{counted}");
        assert_eq!(help(failing("no such table: f", "SELECT f()")), None);
    }
}
