//! One spelling for a view's query across server versions.

use std::ops::ControlFlow;

use sqlparser::ast::{AccessExpr, Expr, Ident, Query, SetExpr, Statement, TableFactor, Visit, Visitor};
use sqlparser::parser::Parser;

use super::canonical::join;
use super::dialect::Dialect;
use super::lex::{Lexer, Token, TokenKind};
use super::names::content;
use crate::Backend;

/// Like [`canonical`](super::canonical()), for the query of a view.
///
/// Until version 15 `pg_get_viewdef` wrote the relation before every column; since 16 it does not
/// where a query has one relation only. Both come out without it. A `;` at the end is left off.
pub fn canonical_view(text: &str, dialect: Backend) -> String {
    let mut tokens: Vec<_> = Lexer::new(text, dialect).filter(Token::is_significant).collect();
    while tokens.last().is_some_and(|token| token.is_mark(";")) {
        tokens.pop();
    }
    let rules = Dialect::of(dialect);
    if let Some(relation) = only_relation(text, rules) {
        let qualifiers = qualifiers(&tokens, &relation.name, rules);
        // Where the tokens and the parser disagree on what a qualifier is, none is touched.
        if qualifiers.len() == relation.qualified {
            // The relation and the dot after it go.
            let leaves = |index: usize| qualifiers.binary_search(&index).is_ok();
            let kept =
                |&(index, _): &(usize, Token<'_>)| !leaves(index) && (index == 0 || !leaves(index - 1));
            tokens = tokens.into_iter().enumerate().filter(kept).map(|(_, token)| token).collect();
        }
    }
    join(&tokens, dialect)
}

/// The one relation in the FROM of the outermost query.
struct Relation {
    name: Ident,
    /// How often the outermost query writes it before a column.
    qualified: usize,
}

fn only_relation(text: &str, dialect: &Dialect) -> Option<Relation> {
    let statements = Parser::parse_sql(dialect.parser, text).ok()?;
    let [statement] = statements.as_slice() else {
        return None;
    };
    let query = match statement {
        Statement::Query(query) => query,
        Statement::CreateView(view) => &view.query,
        _ => return None,
    };
    let SetExpr::Select(select) = query.body.as_ref() else {
        return None;
    };
    let [from] = select.from.as_slice() else {
        return None;
    };
    if !from.joins.is_empty() {
        return None;
    }
    let name = name_of(&from.relation)?;
    let mut counter = Counter { name: &name, dialect, depth: 0, qualified: 0 };
    let _ = query.visit(&mut counter);
    let qualified = counter.qualified;
    Some(Relation { name, qualified })
}

fn name_of(factor: &TableFactor) -> Option<Ident> {
    match factor {
        TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. }
        | TableFactor::Function { alias: Some(alias), .. } => Some(alias.name.clone()),
        TableFactor::Table { name, .. } => name.0.last()?.as_ident().cloned(),
        _ => None,
    }
}

/// Counts the columns of the outermost query that are written with the relation's name.
struct Counter<'a> {
    name: &'a Ident,
    dialect: &'a Dialect,
    depth: usize,
    qualified: usize,
}

impl Visitor for Counter<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth += 1;
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        let first = match expr {
            Expr::CompoundIdentifier(parts) if parts.len() == 2 => parts.first(),
            // `t.tags[1]` and the like.
            Expr::CompoundFieldAccess { root, access_chain } => match (root.as_ref(), access_chain.first()) {
                (Expr::Identifier(first), Some(AccessExpr::Dot(_))) => Some(first),
                _ => None,
            },
            _ => None,
        };
        if self.depth == 1 && first.is_some_and(|first| same(first, self.name, self.dialect)) {
            self.qualified += 1;
        }
        ControlFlow::Continue(())
    }
}

fn same(a: &Ident, b: &Ident, dialect: &Dialect) -> bool {
    let folded = |ident: &Ident| match ident.quote_style {
        Some(_) if !dialect.quoted_names_fold => ident.value.clone(),
        _ => ident.value.to_ascii_lowercase(),
    };
    folded(a) == folded(b)
}

/// Where the tokens hold the relation's name, a dot and a column, outside any nested query.
fn qualifiers(tokens: &[Token<'_>], name: &Ident, dialect: &Dialect) -> Vec<usize> {
    let mut found = Vec::new();
    // For each open parenthesis, whether a query stands in it.
    let mut open: Vec<bool> = Vec::new();
    let word_at = |index: usize, words: &[&str]| {
        tokens.get(index).is_some_and(|token| words.iter().any(|word| token.is_word(word)))
    };
    let mark_at = |index: usize, mark: &str| tokens.get(index).is_some_and(|token| token.is_mark(mark));
    for (index, token) in tokens.iter().enumerate() {
        if token.is_mark("(") {
            let mut inner = index + 1;
            while mark_at(inner, "(") {
                inner += 1;
            }
            open.push(word_at(inner, &["SELECT", "WITH", "VALUES"]));
        } else if token.is_mark(")") {
            open.pop();
        } else if !open.contains(&true)
            && is_name(token, name, dialect)
            && mark_at(index + 1, ".")
            && tokens.get(index + 2).is_some_and(is_identifier)
            && !mark_at(index + 3, ".")
            && !mark_at(index + 3, "(")
            && !(index > 0
                && (mark_at(index - 1, ".")
                    || word_at(index - 1, &["FROM", "ONLY", "VIEW", "EXISTS", "COLLATE"])))
            && !(index > 0 && tokens[index - 1].text == "::")
        {
            found.push(index);
        }
    }
    found
}

fn is_identifier(token: &Token<'_>) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier)
}

fn is_name(token: &Token<'_>, name: &Ident, dialect: &Dialect) -> bool {
    let ident = match token.kind {
        TokenKind::Word => Ident::new(token.text),
        TokenKind::QuotedIdentifier => Ident::with_quote('"', content(token.text).replace("\"\"", "\"")),
        _ => return false,
    };
    same(&ident, name, dialect)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;
    use crate::sql::canonical;

    /// What version 15 writes, and what 16 does.
    #[rstest]
    #[case(" SELECT users.id,\n    users.name\n   FROM users;", " SELECT id,\n    name\n   FROM users;")]
    #[case("SELECT u.id FROM users u WHERE (u.id > 1)", "SELECT id FROM users u WHERE (id > 1)")]
    #[case("SELECT u.tags[1], u.tags[1:2] FROM users u", "SELECT tags[1], tags[1:2] FROM users u")]
    #[case("SELECT users.id FROM app.users", "SELECT id FROM app.users")]
    #[case("SELECT users.id FROM users.users", "SELECT id FROM users.users")]
    #[case("SELECT \"Users\".id FROM \"Users\"", "SELECT id FROM \"Users\"")]
    #[case("SELECT users.\"order\" FROM users", "SELECT \"order\" FROM users")]
    #[case(
        "SELECT count(*) AS n, lower(t.a) AS b FROM t GROUP BY (lower(t.a)) ORDER BY t.a",
        "SELECT count(*) AS n, lower(a) AS b FROM t GROUP BY (lower(a)) ORDER BY a"
    )]
    #[case(
        "SELECT (t.data ->> 'a'::text)::integer AS a FROM t",
        "SELECT (data ->> 'a'::text)::integer AS a FROM t"
    )]
    #[case("SELECT g.n FROM generate_series(1, 3) g(n)", "SELECT n FROM generate_series(1, 3) g(n)")]
    #[case(
        "SELECT s.id FROM ( SELECT users.id FROM users) s",
        "SELECT id FROM ( SELECT users.id FROM users) s"
    )]
    #[case(
        "SELECT users.id FROM users WHERE (EXISTS ( SELECT 1 FROM orders WHERE (orders.user_id = users.id)))",
        "SELECT id FROM users WHERE (EXISTS ( SELECT 1 FROM orders WHERE (orders.user_id = users.id)))"
    )]
    #[case(
        "WITH c AS ( SELECT t.a FROM t) SELECT c.a FROM c",
        "WITH c AS ( SELECT t.a FROM t) SELECT a FROM c"
    )]
    #[case(
        "SELECT row_number() OVER (PARTITION BY t.a ORDER BY t.b) AS n FROM ONLY t",
        "SELECT row_number() OVER (PARTITION BY a ORDER BY b) AS n FROM ONLY t"
    )]
    fn versions_agree(#[case] older: &str, #[case] newer: &str) {
        assert_eq!(canonical_view(older, Backend::Postgres), canonical_view(newer, Backend::Postgres));
        assert!(!canonical_view(newer, Backend::Postgres).ends_with(';'));
    }

    #[rstest]
    #[case("SELECT a.id, b.id FROM a JOIN b ON a.id = b.id")]
    #[case("SELECT a.id FROM a, b")]
    #[case("SELECT a.x FROM a UNION SELECT a.y FROM a")]
    #[case("SELECT t.id FROM t WHERE no parser takes this")]
    #[case("SELECT t.f(1) FROM t")]
    #[case("SELECT t.a, t.*::t AS t FROM t")]
    #[case("SELECT 1")]
    fn nothing_to_leave_out(#[case] text: &str) {
        for dialect in Backend::ALL {
            assert_eq!(canonical_view(text, dialect), canonical(text, dialect), "{dialect}");
        }
    }

    #[rstest]
    #[case("SELECT id FROM t", "SELECT t.ids FROM t")]
    #[case("SELECT t.a FROM t", "SELECT u.a FROM t")]
    #[case("SELECT t.a FROM t", "SELECT a FROM u")]
    fn different(#[case] a: &str, #[case] b: &str) {
        assert_ne!(canonical_view(a, Backend::Postgres), canonical_view(b, Backend::Postgres));
    }

    #[test]
    fn a_view_of_sqlite_is_a_statement() {
        let older = "CREATE VIEW \"v\" AS SELECT [T].[a] FROM t;";
        assert_eq!(canonical_view(older, Backend::Sqlite), "create view v as select a from t");
    }
}
