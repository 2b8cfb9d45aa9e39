//! How names, types and expressions of the parsed text are spelled in a schema.

use std::collections::BTreeSet;
use std::convert::Infallible;

use sqlite3_parser::ast::fmt::{ToTokens, TokenStream};
use sqlite3_parser::ast::{Expr, Literal, Name, SortOrder, SortedColumn, Type};
use sqlite3_parser::dialect::TokenType;
use switchback_core::Backend;

/// The spelling of SQL in which white space, comments, needless quotes and case don't count.
pub(super) fn canonical(sql: &str) -> String {
    switchback_core::sql::canonical(sql, Backend::Sqlite)
}

/// A name without its quotes, of whichever of SQLite's four kinds they are.
pub(super) fn unquoted(raw: &str) -> String {
    let mut chars = raw.chars();
    match (chars.next(), chars.next_back()) {
        (Some('['), Some(']')) => chars.as_str().to_owned(),
        (Some(open @ ('"' | '`' | '\'')), Some(close)) if open == close => {
            chars.as_str().replace(&format!("{open}{open}"), &open.to_string())
        }
        _ => raw.to_owned(),
    }
}

pub(super) fn name(name: &Name<'_>) -> String {
    unquoted(name.0)
}

/// A name inside a longer text, quoted where it could be taken for something else.
pub(super) fn identifier(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '$'));
    if plain { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// A type as it was declared, in upper case and with the least white space: SQLite looks at
/// neither, and 3.37 and later report the commonest types in upper case themselves.
pub(super) fn declared_type(declared: &Type<'_>) -> String {
    written(declared).to_ascii_uppercase()
}

/// An expression, without parentheses around the whole of it.
pub(super) fn expression(expression: &Expr<'_>) -> String {
    canonical(&bare(expression).to_string())
}

/// Anything else that the parser can write back.
pub(super) fn written(tokens: &impl ToTokens) -> String {
    struct Written<'a, T>(&'a T);
    impl<T: ToTokens> std::fmt::Display for Written<'_, T> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            self.0.to_fmt(f)
        }
    }
    canonical(&Written(tokens).to_string())
}

/// All names in a piece of SQL, whatever they name, in lower case.
pub(super) fn names_in(tokens: &impl ToTokens) -> BTreeSet<String> {
    let mut names = Names(BTreeSet::new());
    let Ok(()) = tokens.to_tokens(&mut names);
    names.0
}

struct Names(BTreeSet<String>);

impl TokenStream for Names {
    type Error = Infallible;

    fn append(&mut self, token: TokenType, value: Option<&str>) -> Result<(), Infallible> {
        if token == TokenType::TK_ID
            && let Some(raw) = value
        {
            self.0.insert(unquoted(raw).to_ascii_lowercase());
        }
        Ok(())
    }
}

/// What stands inside any number of parentheses.
pub(super) fn bare<'a, 'bump>(mut expression: &'a Expr<'bump>) -> &'a Expr<'bump> {
    while let Expr::Parenthesized(inner) = expression
        && let [only] = inner.as_slice()
    {
        expression = only;
    }
    expression
}

/// A column as keys and indexes see it: what they need to spell it and its collation.
pub(super) struct KeyColumn {
    pub(super) name: String,
    pub(super) collation: String,
}

/// A column's name as its definition spells it.
pub(super) fn declared(name: &str, columns: &[KeyColumn]) -> String {
    let column = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
    column.map_or_else(|| name.to_owned(), |column| column.name.clone())
}

/// One term of a key or index: a column or expression, its collation if that isn't the column's
/// own, and `desc`. The second value is the column, if it is one.
pub(super) fn term(term: &SortedColumn<'_>, columns: &[KeyColumn]) -> (String, Option<String>) {
    let mut inner = bare(&term.expr);
    let mut collation = None;
    while let Expr::Collate(collated, name) = inner {
        // The outermost counts.
        collation.get_or_insert_with(|| unquoted(name).to_ascii_uppercase());
        inner = bare(collated);
    }
    let raw = match inner {
        Expr::Id(id) => Some(id.0),
        Expr::Name(name) => Some(name.0),
        Expr::Literal(Literal::String(text)) => Some(*text),
        _ => None,
    };
    let column = raw.and_then(|raw| {
        let wanted = unquoted(raw);
        columns.iter().find(|column| column.name.eq_ignore_ascii_case(&wanted))
    });
    let own_collation = column.map_or("BINARY", |column| column.collation.as_str());
    let mut text = column.map_or_else(|| expression(inner), |column| identifier(&column.name));
    if let Some(collation) = collation.filter(|collation| collation != own_collation) {
        text.push_str(" collate ");
        text.push_str(&identifier(&collation));
    }
    if term.order == Some(SortOrder::Desc) {
        text.push_str(" desc");
    }
    (text, column.map(|column| column.name.clone()))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::plain("users", "users")]
    #[case::double("\"a\"\"b\"", "a\"b")]
    #[case::bracket("[a b]", "a b")]
    #[case::backtick("`a``b`", "a`b")]
    #[case::single("'it''s'", "it's")]
    #[case::empty("\"\"", "")]
    #[case::one_quote("\"", "\"")]
    fn names_lose_their_quotes(#[case] raw: &str, #[case] expected: &str) {
        assert_eq!(unquoted(raw), expected);
    }

    #[rstest]
    #[case("user_id", "user_id")]
    #[case("größe", "größe")]
    #[case("first name", "\"first name\"")]
    #[case("a\"b", "\"a\"\"b\"")]
    #[case("", "\"\"")]
    fn identifiers_are_quoted_where_needed(#[case] name: &str, #[case] expected: &str) {
        assert_eq!(identifier(name), expected);
    }
}
