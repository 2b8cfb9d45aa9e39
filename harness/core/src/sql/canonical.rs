//! One spelling for all texts that say the same.

use std::collections::BTreeSet;

use super::dialect::Dialect;
use super::lex::{Lexer, Token, TokenKind, lex};
use super::names::{certain_names, content};
use super::quote::joined;
use crate::Backend;

/// The canonical spelling of a piece of SQL.
///
/// Texts that differ only in white space, comments, the case of unquoted words, or quotes that
/// simple identifiers don't need have the same one; any other difference stays. The content of
/// strings, function bodies among them, is kept byte for byte.
///
/// ```
/// use switchback_core::{Backend, sql::canonical};
///
/// assert_eq!(canonical("SELECT  \"id\",Count( * ) FROM T -- all", Backend::Postgres),
///            "select id, count(*) from t");
/// ```
pub fn canonical(text: &str, dialect: Backend) -> String {
    let tokens: Vec<_> = Lexer::new(text, dialect).filter(Token::is_significant).collect();
    join(&tokens, dialect)
}

/// Whether two texts have the same [`canonical`] spelling.
pub fn tokens_equal(a: &str, b: &str, dialect: Backend) -> bool {
    canonical(a, dialect) == canonical(b, dialect)
}

/// The canonical spelling of significant tokens.
pub(super) fn join(tokens: &[Token<'_>], backend: Backend) -> String {
    let dialect = Dialect::of(backend);
    let names = if dialect.quoted_names_fold { certain_names(tokens, dialect) } else { BTreeSet::new() };
    let mut out = String::new();
    let mut previous: Option<(TokenKind, String)> = None;
    // Whether the previous token is a sign rather than a binary operator.
    let mut signed = false;
    for token in tokens {
        let (kind, text) = spelling(token, dialect, &names);
        let before = previous.as_ref().map(|(kind, text)| (*kind, text.as_str()));
        if let Some(before) = before {
            out.push_str(gap(before, signed, (kind, &text), backend));
        }
        signed = kind == TokenKind::Operator && matches!(text.as_str(), "-" | "+") && !is_operand(before);
        out.push_str(&text);
        previous = Some((kind, text));
    }
    out
}

/// Whether an operator after this token has an operand on its left.
fn is_operand(token: Option<(TokenKind, &str)>) -> bool {
    match token {
        None | Some((TokenKind::Operator, _)) | Some((TokenKind::Punctuation, "(" | "[" | "," | ";")) => {
            false
        }
        Some((TokenKind::Word, word)) => matches!(word, "end" | "null") || !SPACED.contains(&word),
        Some(_) => true,
    }
}

fn spelling(token: &Token<'_>, dialect: &Dialect, names: &BTreeSet<String>) -> (TokenKind, String) {
    let text = match token.kind {
        TokenKind::Word => token.text.to_ascii_lowercase(),
        TokenKind::QuotedIdentifier => return identifier(token.text, dialect, names),
        TokenKind::String => joined(token.text, dialect),
        TokenKind::Operator => {
            let synonym = dialect.synonyms.iter().find(|(other, _)| *other == token.text);
            synonym.map_or(token.text, |(_, operator)| operator).to_owned()
        }
        _ => token.text.to_owned(),
    };
    (token.kind, text)
}

/// A quoted identifier in double quotes, or without quotes if it needs none.
fn identifier(text: &str, dialect: &Dialect, names: &BTreeSet<String>) -> (TokenKind, String) {
    let quoted = TokenKind::QuotedIdentifier;
    if text.as_bytes()[0].eq_ignore_ascii_case(&b'u') {
        return (quoted, format!("U{}", &text[1..]));
    }
    let inner = content(text);
    if !is_terminated(text) {
        return (quoted, text.to_owned());
    }
    let folded = inner.to_ascii_lowercase();
    if is_simple(&folded) && (folded == inner || names.contains(&folded)) {
        if dialect.is_keyword(&folded) {
            return (quoted, format!("\"{folded}\""));
        }
        return (TokenKind::Word, folded);
    }
    let requoted = match text.as_bytes()[0] {
        b'[' => format!("\"{}\"", inner.replace('"', "\"\"")),
        b'`' => format!("\"{}\"", inner.replace("``", "`").replace('"', "\"\"")),
        _ => text.to_owned(),
    };
    (quoted, requoted)
}

/// Whether a quoted identifier ends with its closing mark rather than with the text.
fn is_terminated(text: &str) -> bool {
    let inner = content(text);
    if text.starts_with('[') {
        return text.ends_with(']');
    }
    let mark = &text[..1];
    text.len() == inner.len() + 2 && !inner.replace(&mark.repeat(2), "").contains(mark)
}

fn is_simple(name: &str) -> bool {
    let mut bytes = name.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_')
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// Words after which a parenthesis is no argument list.
const SPACED: &[&str] = &[
    "all",
    "also",
    "and",
    "any",
    "as",
    "between",
    "by",
    "case",
    "check",
    "default",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exclude",
    "filter",
    "from",
    "having",
    "ilike",
    "in",
    "include",
    "instead",
    "intersect",
    "is",
    "join",
    "key",
    "lateral",
    "like",
    "limit",
    "materialized",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "over",
    "return",
    "returning",
    "select",
    "set",
    "some",
    "then",
    "union",
    "unique",
    "using",
    "values",
    "when",
    "where",
    "with",
    "within",
];

/// What stands between two tokens.
fn gap(previous: (TokenKind, &str), signed: bool, next: (TokenKind, &str), dialect: Backend) -> &'static str {
    use TokenKind::{Number, Operator, Punctuation, QuotedIdentifier, Word};
    let close = match (previous, next) {
        ((Punctuation, ";"), (Punctuation, ";")) => true,
        ((Punctuation, ";"), _) => return "\n",
        (_, (Punctuation, "," | ")" | "]" | ";" | ".")) | (_, (Operator, "::")) => true,
        ((Punctuation, "(" | "[" | "."), _) | ((Operator, "::"), _) => true,
        ((Word, word), (Punctuation, "(" | "[")) => !SPACED.contains(&word),
        ((QuotedIdentifier, _) | (Punctuation, "]"), (Punctuation, "(" | "[")) => true,
        ((Punctuation, ")"), (Punctuation, "[")) => true,
        (_, (Number, _)) => signed,
        _ => false,
    };
    if close && !merge(previous, next, dialect) { "" } else { " " }
}

/// Whether two tokens written without a space would be read as something else.
fn merge(previous: (TokenKind, &str), next: (TokenKind, &str), dialect: Backend) -> bool {
    use TokenKind::{DollarString, QuotedIdentifier, String, Word};
    let closed = |kind| matches!(kind, String | DollarString | QuotedIdentifier | Word);
    if closed(previous.0) || closed(next.0) {
        return false;
    }
    let text = format!("{}{}", previous.1, next.1);
    let tokens: Vec<_> = lex(&text, dialect).iter().map(|token| (token.kind, token.text)).collect();
    tokens != [previous, next]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rstest::rstest;

    use super::*;
    use crate::Backend::{Postgres, Sqlite};
    use crate::sql::testing;

    #[rstest]
    #[case("", "")]
    #[case("-- x\n/* y */", "")]
    #[case("SELECT  A ,b\nFROM T;", "select a, b from t;")]
    #[case(
        "CREATE TABLE \"users\" (\"id\" INTEGER PRIMARY KEY, n VARCHAR (20) NOT NULL)",
        "create table users(id integer primary key, n varchar(20) not null)"
    )]
    #[case(
        "SELECT COUNT ( * ), f (x) FROM t WHERE a IN (1,2) AND (b)",
        "select count(*), f(x) from t where a in (1, 2) and (b)"
    )]
    #[case("a . b", "a.b")]
    #[case("\"order\" \"a b\" \"a\"\"b\" \"1a\" \"\"", "\"order\" \"a b\" \"a\"\"b\" \"1a\" \"\"")]
    #[case("\"t\".\"c\"", "t.c")]
    #[case("a!=b", "a <> b")]
    #[case("'It''s  A' X'fF'", "'It''s  A' X'fF'")]
    #[case("x'ff'", "X'ff'")]
    #[case("1 . 5", "1 . 5")]
    #[case("1.5 .5", "1.5 .5")]
    #[case("a.5", "a .5")]
    #[case("a;b;;c;", "a;\nb;;\nc;")]
    #[case("'open", "'open")]
    #[case("\"open", "\"open")]
    #[case("- - 1", "- -1")]
    #[case("a+-b - 1", "a + - b - 1")]
    #[case("f(- 1, + 2) - 3", "f(-1, +2) - 3")]
    #[case("DEFAULT - 1 CHECK (a > - .5)", "default -1 check (a > -.5)")]
    #[case("CASE WHEN a THEN - 1 END - 1", "case when a then -1 end - 1")]
    #[case("Größe", "größe")]
    #[case("ÄB", "Äb")]
    fn both_dialects(#[case] text: &str, #[case] expected: &str) {
        for dialect in Backend::ALL {
            assert_eq!(canonical(text, dialect), expected, "{dialect}");
        }
    }

    #[rstest]
    #[case("SELECT x :: TEXT [], (a) [1 : 2]", "select x::text[], (a)[1 : 2]")]
    #[case("'{}' :: jsonb", "'{}'::jsonb")]
    #[case("a==b", "a == b")]
    #[case("\"Users\" \"users\"", "\"Users\" users")]
    #[case("\"name\" \"type\" \"user\" \"char\"", "name type \"user\" \"char\"")]
    #[case("u&\"a\" u & \"a\" u&'b' e'\\n' N'x' n 'x'", "U&\"a\" u & a U&'b' E'\\n' N'x' n 'x'")]
    #[case("'a' -- why\n  'b'", "'ab'")]
    #[case("'a'''\n'''b'\n''", "'a''''b'")]
    #[case("E'\\x4'  \n  '1'", "E'\\x4'\n'1'")]
    #[case("'a' 'b'", "'a' 'b'")]
    #[case("$F$ A  b; $F$", "$F$ A  b; $F$")]
    #[case("ARRAY [1]", "array[1]")]
    #[case("a : : b : = c", "a : : b : = c")]
    #[case(". . ..", ". . ..")]
    #[case("$ a $ b", "$ a $ b")]
    fn postgres(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(canonical(text, Postgres), expected);
    }

    #[rstest]
    #[case("[users] `users` [a b] [a\"b] `a``b` [order]", "users users \"a b\" \"a\"\"b\" \"a`b\" \"order\"")]
    #[case("a==b", "a = b")]
    #[case(
        "CREATE TABLE \"Users\" (\"Id\" INTEGER, \"Key\" TEXT, CHECK (\"Id\" > 0), FOREIGN KEY (\"Id\") REFERENCES \"B\" (\"C\"))",
        "create table users(id integer, \"key\" text, check (id > 0), foreign key (id) references b(c))"
    )]
    #[case(
        "CREATE TABLE t (a TEXT CHECK (a IN (\"Open\", 'Shut')) DEFAULT \"Open\")",
        "create table t(a text check (a in (\"Open\", 'Shut')) default \"Open\")"
    )]
    #[case(
        "CREATE UNIQUE INDEX \"Ix\" ON \"T\" (\"Email\" COLLATE NOCASE) WHERE \"Kind\" = \"Good\"",
        "create unique index ix on t(email collate nocase) where \"Kind\" = \"Good\""
    )]
    #[case("UPDATE t SET a = NEW.\"Id\" WHERE \"Id\" = 1", "update t set a = new.id where id = 1")]
    #[case("'Users' \"true\"", "'Users' \"true\"")]
    #[case("[open", "[open")]
    #[case("$a (b)", "$a (b)")]
    #[case("?1 . 5", "?1. 5")]
    fn sqlite(#[case] text: &str, #[case] expected: &str) {
        assert_eq!(canonical(text, Sqlite), expected);
    }

    #[rstest]
    #[case("SELECT 'a'", "SELECT 'A'")]
    #[case("SELECT 'a '", "SELECT 'a'")]
    #[case("SELECT a.b", "SELECT a b")]
    #[case("SELECT 1 - 1", "SELECT 1 + 1")]
    #[case("SELECT 1.5", "SELECT 1 .5")]
    #[case("SELECT ab", "SELECT a b")]
    #[case("SELECT \"a b\"", "SELECT \"a  b\"")]
    #[case("SELECT f(a)", "SELECT f(\"A B\")")]
    #[case("SELECT 1", "SELECT 1;")]
    #[case("SELECT \"Id\"", "SELECT id")]
    fn different(#[case] a: &str, #[case] b: &str) {
        for dialect in Backend::ALL {
            assert!(!tokens_equal(a, b, dialect), "{dialect}");
        }
    }

    #[rstest]
    #[case("SELECT user", "SELECT \"user\"")]
    #[case("SELECT $$ a $$", "SELECT $$ A $$")]
    #[case("SELECT a", "SELECT \"A\"")]
    #[case("SELECT E'a'\n'b'", "SELECT 'a'\n'b'")]
    #[case("SELECT interval '1' year", "SELECT interval '1' \"year\"")]
    fn different_in_postgres(#[case] a: &str, #[case] b: &str) {
        assert!(!tokens_equal(a, b, Postgres));
    }

    #[test]
    fn bodies_read_line_by_line() {
        let text = "CREATE TRIGGER x BEFORE DELETE ON events BEGIN SELECT RAISE(ABORT, 'no'); SELECT 1; END";
        let lines =
            "create trigger x before delete on events begin select raise(abort, 'no');\nselect 1;\nend";
        assert_eq!(canonical(text, Sqlite), lines);
    }

    proptest! {
        #[test]
        fn canonical_is_idempotent(text in testing::text()) {
            for dialect in Backend::ALL {
                let once = canonical(&text, dialect);
                prop_assert_eq!(canonical(&once, dialect), once);
            }
        }

        #[test]
        fn no_token_is_lost(text in testing::text()) {
            for dialect in Backend::ALL {
                let significant = |text: &str| Lexer::new(text, dialect).filter(Token::is_significant).count();
                prop_assert_eq!(significant(&canonical(&text, dialect)), significant(&text));
            }
        }

        #[test]
        fn blanks_and_case_do_not_count(tokens in testing::tokens(), blanks in prop::collection::vec(testing::blank(), 25)) {
            for dialect in Backend::ALL {
                let mut spaced = String::new();
                for (token, blank) in tokens.iter().zip(&blanks) {
                    let word = token.bytes().all(|byte| byte.is_ascii_alphabetic());
                    spaced.push_str(blank);
                    spaced.push_str(&if word { token.to_ascii_uppercase() } else { (*token).to_owned() });
                }
                prop_assert_eq!(canonical(&spaced, dialect), canonical(&tokens.join(" "), dialect));
            }
        }

        #[test]
        fn the_content_of_strings_counts(before in testing::tokens(), a in "[a-zA-Z ;-]{0,4}", b in "[a-zA-Z ;-]{0,4}", after in testing::tokens()) {
            for dialect in Backend::ALL {
                let with = |content: &str| format!("{} '{content}' {}", before.join(" "), after.join(" "));
                prop_assert_eq!(tokens_equal(&with(&a), &with(&b), dialect), a == b);
            }
        }

        #[test]
        fn tokens_that_differ_stay_different(tokens in testing::tokens(), at in any::<prop::sample::Index>()) {
            prop_assume!(!tokens.is_empty());
            for dialect in Backend::ALL {
                let mut fewer = tokens.clone();
                fewer.remove(at.index(tokens.len()));
                prop_assert!(!tokens_equal(&tokens.join(" "), &fewer.join(" "), dialect));
            }
        }
    }
}
