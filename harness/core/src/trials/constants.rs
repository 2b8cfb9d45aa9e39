//! What an expression speaks of, and how values are shown.

use std::collections::BTreeSet;

use crate::Backend;
use crate::rows::cut;
use crate::sql::{TokenKind, lex, words};

/// What an expression mentions.
pub(super) struct Constants {
    /// Names in lower case.
    pub(super) names: BTreeSet<String>,
    pub(super) numbers: BTreeSet<i128>,
    pub(super) texts: BTreeSet<String>,
}

impl Constants {
    pub(super) fn of(expression: &str, backend: Backend) -> Self {
        let names = words(expression, backend);
        let mut found = Self { names, numbers: BTreeSet::new(), texts: BTreeSet::new() };
        for token in lex(expression, backend) {
            match token.kind {
                TokenKind::Number => found.numbers.extend(token.text.parse::<i128>()),
                TokenKind::String => {
                    let inner =
                        token.text.trim_start_matches(['e', 'E']).trim_matches('\'').replace("''", "'");
                    found.texts.insert(inner);
                }
                _ => {}
            }
        }
        found
    }
}

/// The text with its letters in the other case.
pub(super) fn swapped(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_uppercase() { c.to_ascii_lowercase() } else { c.to_ascii_uppercase() })
        .collect()
}

pub(super) fn short(text: &str) -> String {
    let (shown, length) = (cut(text, 24), text.chars().count());
    if shown == text { format!("'{text}'") } else { format!("'{shown}' ({length} characters)") }
}
