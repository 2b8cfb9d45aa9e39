//! Which double-quoted names of a SQLite text are certainly names.

use std::collections::BTreeSet;

use super::dialect::Dialect;
use super::lex::{Token, TokenKind};

/// Words that a name follows directly.
const NAMING: &[&str] = &[
    "ADD",
    "AS",
    "COLUMN",
    "CONSTRAINT",
    "DROP",
    "EXISTS",
    "FROM",
    "INDEX",
    "INTO",
    "JOIN",
    "ON",
    "REFERENCES",
    "RENAME",
    "TABLE",
    "TO",
    "TRIGGER",
    "UPDATE",
    "VIEW",
];

/// Words after whose name a parenthesised list of names stands.
const LISTING: &[&str] = &["EXISTS", "INTO", "REFERENCES", "TABLE"];

/// The names of a text, in lower case, that can't be anything else.
///
/// To SQLite `"Active"` is a string where no column has that name, and then its case counts; see
/// "Double-quoted String Literals Are Accepted" in SQLite's list of quirks. So a text must tell by
/// itself that a name is one: by where it stands, or by quotes that no string has.
pub(super) fn certain_names(tokens: &[Token<'_>], dialect: &Dialect) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut context = Context::Other;
    let mut lists = Vec::new();
    let mut first_list = true;
    for (index, token) in tokens.iter().enumerate() {
        let previous = index.checked_sub(1).map(|index| &tokens[index]);
        let certain = matches!(context, Context::Naming { .. })
            || (lists.last() == Some(&true)
                && previous.is_some_and(|token| token.is_mark("(") || token.is_mark(",")))
            || [previous, tokens.get(index + 1)].into_iter().flatten().any(|token| token.is_mark("."));
        match token.kind {
            TokenKind::Word => {
                let word = token.text.to_ascii_lowercase();
                let plain = !dialect.is_keyword(&word);
                context = match context {
                    Context::Naming { listing } | Context::Named { listing } if plain => {
                        Context::Named { listing }
                    }
                    _ if is_any(token, &["KEY", "UNIQUE"]) => Context::Named { listing: true },
                    _ if is_any(token, NAMING) => Context::Naming {
                        listing: is_any(token, LISTING) || (token.is_word("ON") && first_list),
                    },
                    _ => Context::Other,
                };
                if plain && certain {
                    names.insert(word);
                }
            }
            TokenKind::QuotedIdentifier => {
                if certain || !token.text.starts_with('"') {
                    names.insert(content(token.text).to_ascii_lowercase());
                }
                if let Context::Naming { listing } = context {
                    context = Context::Named { listing };
                }
            }
            TokenKind::Punctuation if token.text == "(" => {
                lists.push(matches!(context, Context::Named { listing: true }));
                context = Context::Other;
                first_list = false;
            }
            TokenKind::Punctuation if token.text == ")" => {
                lists.pop();
                context = Context::Other;
            }
            TokenKind::Punctuation if token.text == "." => {}
            _ => context = Context::Other,
        }
    }
    names
}

#[derive(Clone, Copy)]
enum Context {
    /// A name comes next.
    Naming {
        listing: bool,
    },
    /// A name came, and a list of names may follow.
    Named {
        listing: bool,
    },
    Other,
}

fn is_any(token: &Token<'_>, words: &[&str]) -> bool {
    words.iter().any(|word| token.is_word(word))
}

/// What stands between the one-character marks of a quoted identifier, which may lack its end.
pub(super) fn content(quoted: &str) -> &str {
    let close = match quoted.as_bytes().first() {
        Some(b'[') => ']',
        _ => quoted.chars().next().unwrap_or('"'),
    };
    let inner = &quoted[1..];
    inner.strip_suffix(close).unwrap_or(inner)
}
