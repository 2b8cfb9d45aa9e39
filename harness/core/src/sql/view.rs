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
    let found = match only_relation(text, rules) {
        // Where the tokens and the parser disagree on what a qualifier is, none is touched.
        Parsed::Relation(relation) => {
            let found = qualifiers(&tokens, &relation.name, rules);
            if found.len() == relation.qualified { found } else { Vec::new() }
        }
        Parsed::Several => Vec::new(),
        // What PostgreSQL writes is regular enough to be told by its tokens.
        Parsed::NotAtAll if dialect == Backend::Postgres => {
            plain_relation(&tokens).map(|name| qualifiers(&tokens, &name, rules)).unwrap_or_default()
        }
        Parsed::NotAtAll => Vec::new(),
    };
    // The relation and the dot after it go.
    let leaves = |index: usize| found.binary_search(&index).is_ok();
    let kept = |&(index, _): &(usize, Token<'_>)| !leaves(index) && (index == 0 || !leaves(index - 1));
    let tokens: Vec<_> = tokens.into_iter().enumerate().filter(kept).map(|(_, token)| token).collect();
    join(&tokens, dialect)
}

/// What a parser finds in the FROM of the outermost query.
enum Parsed {
    /// One relation.
    Relation(Relation),
    /// None or several.
    Several,
    /// The parser does not take the text.
    NotAtAll,
}

/// The one relation in the FROM of the outermost query.
struct Relation {
    name: Ident,
    /// How often the outermost query writes it before a column.
    qualified: usize,
}

fn only_relation(text: &str, dialect: &Dialect) -> Parsed {
    match Parser::parse_sql(dialect.parser, text) {
        Ok(statements) => relation_in(&statements, dialect).map_or(Parsed::Several, Parsed::Relation),
        Err(_) => Parsed::NotAtAll,
    }
}

fn relation_in(statements: &[Statement], dialect: &Dialect) -> Option<Relation> {
    let [statement] = statements else {
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
                && (mark_at(index - 1, ".") || word_at(index - 1, &["ONLY", "VIEW", "EXISTS", "COLLATE"])))
            && !(open.is_empty() && begins_from(tokens, index))
            && !(index > 0 && tokens[index - 1].text == "::")
        {
            found.push(index);
        }
    }
    found
}

/// Whether the token before this one begins a FROM clause, rather than being part of a comparison
/// or, inside parentheses, of a call.
fn begins_from(tokens: &[Token<'_>], index: usize) -> bool {
    let word_before =
        |back: usize, word: &str| index.checked_sub(back).is_some_and(|at| tokens[at].is_word(word));
    word_before(1, "FROM") && !word_before(2, "DISTINCT")
}

/// The name or alias of the one relation that the outermost FROM names, if it does no more.
fn plain_relation(tokens: &[Token<'_>]) -> Option<Ident> {
    const AFTER: &[&str] =
        &["WHERE", "GROUP", "HAVING", "WINDOW", "ORDER", "LIMIT", "OFFSET", "FETCH", "FOR"];
    let mut depth = 0_i32;
    let mut outer = Vec::new();
    for token in tokens {
        if token.is_mark(")") {
            depth -= 1;
        }
        if depth == 0 {
            outer.push(*token);
        }
        if token.is_mark("(") {
            depth += 1;
        }
    }
    let is_any = |token: &Token<'_>, words: &[&str]| words.iter().any(|word| token.is_word(word));
    if outer.iter().any(|token| is_any(token, &["UNION", "INTERSECT", "EXCEPT", "VALUES"])) {
        return None;
    }
    let from = (1..=outer.len()).find(|&at| begins_from(&outer, at))?;
    let item: Vec<_> = outer[from..]
        .iter()
        .take_while(|token| !is_any(token, AFTER))
        .filter(|token| !token.is_word("ONLY"))
        .collect();
    let name = match item.as_slice() {
        [name] | [name, _] | [_, _, name] | [_, _, name, _] => name,
        _ => return None,
    };
    let alias = match item.as_slice() {
        [_, alias] | [_, _, _, alias] => alias,
        _ => name,
    };
    let is_qualified = item.len() < 3 || item[1].is_mark(".");
    let is_named = is_identifier(name) && is_identifier(alias);
    (is_qualified && is_named).then(|| ident_of(alias))
}

fn ident_of(token: &Token<'_>) -> Ident {
    match token.kind {
        TokenKind::QuotedIdentifier => Ident::with_quote('"', content(token.text).replace("\"\"", "\"")),
        _ => Ident::new(token.text),
    }
}

fn is_identifier(token: &Token<'_>) -> bool {
    matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier)
}

fn is_name(token: &Token<'_>, name: &Ident, dialect: &Dialect) -> bool {
    if !is_identifier(token) {
        return false;
    }
    let ident = ident_of(token);
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
    #[case(
        "SELECT TRIM(BOTH 'x'::text FROM t.a) AS a, (t.a IS DISTINCT FROM t.b) AS b FROM t",
        "SELECT TRIM(BOTH 'x'::text FROM a) AS a, (a IS DISTINCT FROM b) AS b FROM t"
    )]
    #[case("SELECT t.a, t.*::t AS t FROM t", "SELECT a, t.*::t AS t FROM t")]
    #[case(
        "SELECT (u.a IS NORMALIZED) AS a FROM app.users u WHERE (u.b > 1)",
        "SELECT (a IS NORMALIZED) AS a FROM app.users u WHERE (b > 1)"
    )]
    #[case(
        "SELECT (users.a IS NORMALIZED) AS a FROM users.users",
        "SELECT (a IS NORMALIZED) AS a FROM users.users"
    )]
    #[case(
        "SELECT XMLELEMENT(NAME a, t.a) AS x, (SELECT max(u.b) FROM u WHERE (u.a = t.a)) AS m FROM ONLY t ORDER BY t.a",
        "SELECT XMLELEMENT(NAME a, a) AS x, (SELECT max(u.b) FROM u WHERE (u.a = t.a)) AS m FROM ONLY t ORDER BY a"
    )]
    fn versions_agree(#[case] older: &str, #[case] newer: &str) {
        assert_eq!(canonical_view(older, Backend::Postgres), canonical_view(newer, Backend::Postgres));
        assert!(!canonical_view(newer, Backend::Postgres).ends_with(';'));
    }

    #[rstest]
    #[case("SELECT a.id, b.id FROM a JOIN b ON a.id = b.id")]
    #[case("SELECT a.id FROM a, b")]
    #[case("SELECT a.x FROM a UNION SELECT a.y FROM a")]
    #[case("SELECT t.a IS NORMALIZED FROM t, u")]
    #[case("SELECT t.a IS NORMALIZED FROM (t JOIN u ON true)")]
    #[case("SELECT t.a IS NORMALIZED FROM t UNION SELECT u.a FROM u")]
    #[case("SELECT t.f(1) FROM t")]
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
