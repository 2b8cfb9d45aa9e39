//! What a parser makes of a single expression or query.

use std::any::TypeId;

use sqlparser::ast::{Expr, Query, Statement};
use sqlparser::dialect::{Dialect as ParserDialect, SQLiteDialect};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token as ParserToken;

use super::dialect::Dialect;
use super::lex::{Lexer, Token};
use crate::Backend;

/// The expression, if the parser accepts the whole text.
pub(crate) fn expression(text: &str, backend: Backend) -> Option<Expr> {
    let parse = |text: &str| parsed(text, backend, |parser| parser.parse_expr());
    parse(text).or_else(|| parse(&plainer(text, backend)))
}

/// The query, if the parser accepts the whole text.
pub(crate) fn query(text: &str, backend: Backend) -> Option<Query> {
    parsed(text.trim_end().trim_end_matches(';'), backend, |parser| parser.parse_query().map(|query| *query))
}

/// The statements, if the parser accepts them all.
pub(crate) fn parsed_statements(text: &str, backend: Backend) -> Option<Vec<Statement>> {
    Parser::parse_sql(parser_of(backend), text).ok()
}

/// The text in words that the parser knows: SQLite's `a IS b`, which compares any values, and
/// PostgreSQL's `VARIADIC` before the array that holds a call's last arguments.
fn plainer(text: &str, backend: Backend) -> String {
    let tokens: Vec<Token<'_>> = Lexer::new(text, backend).filter(Token::is_significant).collect();
    let word = |place: usize| tokens.get(place).map(|token| token.text.to_lowercase()).unwrap_or_default();
    let known = ["null", "true", "false", "distinct", "unknown", "json", "normalized"];
    let mut words: Vec<&str> = Vec::new();
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        match (word(place).as_str(), word(place + 1).as_str()) {
            ("variadic", _) => {}
            ("is", "not") if !known.contains(&word(place + 2).as_str()) => {
                words.push("is distinct from");
                place += 1;
            }
            ("is", next) if next != "not" && !known.contains(&next) => words.push("is not distinct from"),
            _ => words.push(token.text),
        }
        place += 1;
    }
    words.join(" ")
}

fn parsed<T>(
    text: &str,
    backend: Backend,
    parse: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Option<T> {
    let mut parser = Parser::new(parser_of(backend)).try_with_sql(text).ok()?;
    let found = parse(&mut parser).ok()?;
    (parser.peek_token().token == ParserToken::EOF).then_some(found)
}

fn parser_of(backend: Backend) -> &'static dyn ParserDialect {
    match backend {
        Backend::Postgres => Dialect::of(backend).parser,
        Backend::Sqlite => &SqliteExpressions,
    }
}

/// SQLite's dialect, in which `->` binds as tightly as SQLite has it (SQLite manual, "SQL Language
/// Expressions", 2): the parser's own reads `data -> 'a' = 1` as `data -> ('a' = 1)`.
#[derive(Debug)]
struct SqliteExpressions;

const SQLITE: SQLiteDialect = SQLiteDialect {};

impl ParserDialect for SqliteExpressions {
    fn dialect(&self) -> TypeId {
        TypeId::of::<SQLiteDialect>()
    }

    fn is_delimited_identifier_start(&self, ch: char) -> bool {
        SQLITE.is_delimited_identifier_start(ch)
    }

    fn is_identifier_start(&self, ch: char) -> bool {
        SQLITE.is_identifier_start(ch)
    }

    fn is_identifier_part(&self, ch: char) -> bool {
        SQLITE.is_identifier_part(ch)
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        SQLITE.supports_filter_during_aggregation()
    }

    fn supports_in_empty_list(&self) -> bool {
        SQLITE.supports_in_empty_list()
    }

    fn supports_notnull_operator(&self) -> bool {
        SQLITE.supports_notnull_operator()
    }

    fn supports_comma_separated_trim(&self) -> bool {
        SQLITE.supports_comma_separated_trim()
    }

    fn parse_statement(&self, parser: &mut Parser<'_>) -> Option<Result<Statement, ParserError>> {
        SQLITE.parse_statement(parser)
    }

    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        expr: &Expr,
        precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        SQLITE.parse_infix(parser, expr, precedence)
    }

    fn get_next_precedence(&self, parser: &Parser<'_>) -> Option<Result<u8, ParserError>> {
        let tight = matches!(
            parser.peek_token().token,
            ParserToken::Arrow | ParserToken::LongArrow | ParserToken::StringConcat
        );
        tight.then_some(Ok(TIGHT))
    }
}

/// Above multiplication, below a collation.
const TIGHT: u8 = 41;
