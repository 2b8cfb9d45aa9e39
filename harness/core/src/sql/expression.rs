//! What a parser makes of a single expression or query.

use sqlparser::ast::{Expr, Query, Statement};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::Token;

use super::dialect::Dialect;
use crate::Backend;

/// The expression, if the parser accepts the whole text.
pub(crate) fn expression(text: &str, backend: Backend) -> Option<Expr> {
    parsed(text, backend, |parser| parser.parse_expr())
}

/// The query, if the parser accepts the whole text.
pub(crate) fn query(text: &str, backend: Backend) -> Option<Query> {
    parsed(text.trim_end().trim_end_matches(';'), backend, |parser| parser.parse_query().map(|query| *query))
}

/// The statements, if the parser accepts them all.
pub(crate) fn parsed_statements(text: &str, backend: Backend) -> Option<Vec<Statement>> {
    Parser::parse_sql(Dialect::of(backend).parser, text).ok()
}

fn parsed<T>(
    text: &str,
    backend: Backend,
    parse: impl FnOnce(&mut Parser<'_>) -> Result<T, ParserError>,
) -> Option<T> {
    let mut parser = Parser::new(Dialect::of(backend).parser).try_with_sql(text).ok()?;
    let found = parse(&mut parser).ok()?;
    (parser.peek_token().token == Token::EOF).then_some(found)
}
