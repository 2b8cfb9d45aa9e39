//! Moments that definitions have kept.
//!
//! PostgreSQL computes `'now'::timestamp` when a view or a default is made, and keeps the result as
//! a constant. The same statement then makes another definition each time it runs.

use super::object::Value;
use crate::Backend;
use crate::sql::{Lexer, TokenKind};

/// What a moment is read as.
const MOMENT: &str = "'now'";

/// Whether two values that differ are the same but for the moments at which they were made.
pub(super) fn alone_differs(before: Option<&Value>, after: Option<&Value>) -> bool {
    let same = |before: &str, after: &str| before == after || without(before) == without(after);
    match (before, after) {
        (Some(Value::Text(before)), Some(Value::Text(after))) => same(before, after),
        (Some(Value::List(before)), Some(Value::List(after))) => {
            before.len() == after.len() && before.iter().zip(after).all(|(before, after)| same(before, after))
        }
        _ => false,
    }
}

/// The text with its moments all alike.
fn without(text: &str) -> String {
    let tokens = Lexer::new(text, Backend::Postgres);
    let spelled = tokens.map(|token| match token.kind {
        TokenKind::String if is_moment(token.text) => MOMENT,
        _ => token.text,
    });
    spelled.collect()
}

/// Whether a string is a time to the fraction of a millisecond, which a clock writes and people do
/// not: `'2025-11-21 12:06:48.271807'`, perhaps with a time zone.
fn is_moment(string: &str) -> bool {
    const FORM: &[u8] = b"'0000-00-00 00:00:00.0000";
    let like = |(byte, form): (u8, &u8)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == *form,
    };
    string.len() > FORM.len() && string.bytes().zip(FORM).all(like)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        "select '2025-11-21 12:06:48.271807'::timestamp",
        "select '2025-11-21 12:06:48.417463'::timestamp",
        true
    )]
    #[case("'2025-12-31 23:59:59.9999+00'::timestamptz", "'2026-01-01 00:00:00.00011+00'::timestamptz", true)]
    #[case("'2025-11-21 12:06:48.271807'::timestamp", "'2025-11-21 12:06:48.417463'::timestamptz", false)]
    #[case("'2025-11-21 12:06:48.271807'::timestamp", "now()", false)]
    #[case("'2025-11-21 12:06:48.271'::timestamp", "'2025-11-21 12:06:48.417'::timestamp", false)]
    #[case("'2025-11-21 12:06:48'::timestamp", "'2025-11-21 12:06:49'::timestamp", false)]
    #[case("'at 2025-11-21 12:06:48.271807'", "'at 2025-11-21 12:06:48.417463'", false)]
    fn the_moment_of_a_definition_does_not_count(
        #[case] before: &str,
        #[case] after: &str,
        #[case] alone: bool,
    ) {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(alone_differs(Some(&text(before)), Some(&text(after))), alone);
        let list = |text: &str| Value::List(vec!["id".to_owned(), text.to_owned()]);
        assert_eq!(alone_differs(Some(&list(before)), Some(&list(after))), alone);
        assert!(!alone_differs(Some(&text(before)), None));
    }
}
