//! Functions that have a syntax of their own in SQL.
//!
//! `substring(a from 2)` is written so by servers since version 14, and as `"substring"(a, 2)` by
//! older ones, which do not remember how it was written. Both mean the same and come out as the
//! former.

use switchback_core::Backend;
use switchback_core::sql::{Token, TokenKind, canonical, lex};

/// Gives calls their SQL syntax, in a canonical text.
pub(super) fn in_sql_syntax(text: &str) -> String {
    let tokens: Vec<Token<'_>> = lex(text, Backend::Postgres);
    let mut out = String::new();
    let mut copied = 0;
    let mut index = 0;
    while index < tokens.len() {
        if let Some((call, end)) = call_at(text, &tokens, index) {
            out.push_str(&text[copied..tokens[index].offset]);
            out.push_str(&call);
            copied = tokens[end].end();
            index = end;
        }
        index += 1;
    }
    if copied == 0 {
        return text.to_owned();
    }
    out.push_str(&text[copied..]);
    canonical(&out, Backend::Postgres)
}

/// The call that starts at a token, in SQL syntax, with the index of its closing parenthesis.
fn call_at(text: &str, tokens: &[Token<'_>], index: usize) -> Option<(String, usize)> {
    let name = match tokens[index].kind {
        TokenKind::Word => tokens[index].text,
        TokenKind::QuotedIdentifier => tokens[index].text.trim_matches('"'),
        _ => return None,
    };
    if !FUNCTIONS.contains(&name)
        || (index > 0 && tokens[index - 1].is_mark("."))
        || !tokens.get(index + 1)?.is_mark("(")
    {
        return None;
    }
    let mut arguments = Vec::new();
    let mut depth = 0_usize;
    let mut start = tokens[index + 1].end();
    for (at, token) in tokens.iter().enumerate().skip(index + 1) {
        if token.is_mark("(") || token.is_mark("[") {
            depth += 1;
        } else if token.is_mark(")") || token.is_mark("]") {
            depth -= 1;
        }
        if depth == 0 || (depth == 1 && token.is_mark(",")) {
            arguments.push(in_sql_syntax(text[start..token.offset].trim()));
            start = token.end();
        }
        if depth == 0 {
            let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
            return Some((spell(name, &arguments)?, at));
        }
    }
    None
}

const FUNCTIONS: &[&str] = &[
    "btrim",
    "date_part",
    "is_normalized",
    "ltrim",
    "normalize",
    "overlaps",
    "overlay",
    "pg_collation_for",
    "position",
    "rtrim",
    "substring",
    "timezone",
    "xmlexists",
];

/// A call as version 14 and later write it; nothing if it is written in no other way.
fn spell(name: &str, arguments: &[&str]) -> Option<String> {
    Some(match (name, arguments) {
        ("btrim", [from]) => format!("trim(both from {from})"),
        ("btrim", [from, what]) => format!("trim(both {what} from {from})"),
        ("ltrim", [from]) => format!("trim(leading from {from})"),
        ("ltrim", [from, what]) => format!("trim(leading {what} from {from})"),
        ("rtrim", [from]) => format!("trim(trailing from {from})"),
        ("rtrim", [from, what]) => format!("trim(trailing {what} from {from})"),
        ("date_part", [field, from]) => format!("extract({} from {from})", word(field)?),
        ("is_normalized", [what]) => format!("({what} is normalized)"),
        ("is_normalized", [what, form]) => format!("({what} is {} normalized)", word(form)?),
        ("normalize", [what, form]) => format!("normalize({what}, {})", word(form)?),
        ("overlaps", [a, b, c, d]) => format!("(({a}, {b}) overlaps ({c}, {d}))"),
        ("overlay", [on, what, from]) => format!("overlay({on} placing {what} from {from})"),
        ("overlay", [on, what, from, length]) => {
            format!("overlay({on} placing {what} from {from} for {length})")
        }
        ("pg_collation_for", [what]) => format!("collation for ({what})"),
        ("position", [within, what]) => format!("position(({what}) in ({within}))"),
        ("substring", [of, from]) => format!("substring({of} from {from})"),
        ("substring", [of, pattern, escape]) if escape.contains('\'') => {
            format!("substring({of} similar {pattern} escape {escape})")
        }
        ("substring", [of, from, length]) => format!("substring({of} from {from} for {length})"),
        ("timezone", [zone, at]) => format!("({at} at time zone {zone})"),
        ("xmlexists", [path, document]) => format!("xmlexists(({path}) passing ({document}))"),
        _ => return None,
    })
}

/// The word in a constant such as `'year'::text`.
fn word(constant: &str) -> Option<&str> {
    let word = constant.strip_prefix('\'')?.strip_suffix("'::text")?;
    word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(word)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("(timezone('UTC'::text, at))::date", "((at at time zone 'UTC'::text))::date")]
    #[case("btrim(body, 'x'::text)", "trim(both 'x'::text from body)")]
    #[case("\"substring\"(body, 2, 3)", "substring(body from 2 for 3)")]
    #[case("\"position\"(lower(a, b), f('(', c[1, 2]))", "position((f('(', c[1, 2])) in (lower(a, b)))")]
    #[case(
        "\"substring\"(btrim(\"substring\"(a, 1)), 2)",
        "substring(trim(both from substring(a from 1)) from 2)"
    )]
    #[case("date_part('epoch'::text, now())", "extract(epoch from now())")]
    #[case("\"normalize\"(body, 'nfc'::text)", "normalize(body, nfc)")]
    fn older_servers_are_read_like_newer_ones(#[case] older: &str, #[case] newer: &str) {
        assert_eq!(in_sql_syntax(older), canonical(newer, Backend::Postgres));
        assert_eq!(in_sql_syntax(&canonical(newer, Backend::Postgres)), canonical(newer, Backend::Postgres));
    }

    #[rstest]
    #[case("own.btrim(a)")]
    #[case("btrim")]
    #[case("btrim(a, b, c)")]
    #[case("'btrim(a)'")]
    #[case("date_part(field, at)")]
    #[case("trim(both 'x'::text from body)")]
    #[case("btrim(unclosed")]
    fn anything_else_stays(#[case] text: &str) {
        assert_eq!(in_sql_syntax(text), text);
    }
}
