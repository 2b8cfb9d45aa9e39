//! Queries that give the same columns in another order.
//!
//! A view of `SELECT *` keeps the columns in the order that the table had when it was made, so it
//! shows the place of a column that was dropped and added again. As with the table, that is no
//! change of its own.

use super::object::Value;
use crate::Backend;
use crate::sql::{Lexer, Token};

/// Whether two queries that differ are one `SELECT` whose columns stand in another order.
pub(super) fn alone_differs(before: Option<&Value>, after: Option<&Value>) -> bool {
    let query = |value: Option<&Value>| Query::read(value?.as_text()?);
    let (Some(before), Some(after)) = (query(before), query(after)) else {
        return false;
    };
    before == after
}

#[derive(PartialEq)]
struct Query {
    /// What is selected, sorted.
    columns: Vec<String>,
    /// From `FROM` on.
    rest: String,
}

impl Query {
    /// None for anything but a plain `SELECT … FROM …`; in a `UNION`, the order of the one part is
    /// tied to that of the other.
    fn read(text: &str) -> Option<Self> {
        let mut tokens = Lexer::new(text, Backend::Postgres).filter(Token::is_significant);
        if !tokens.next()?.is_word("SELECT") {
            return None;
        }
        let mut columns = vec![String::new()];
        let mut rest = String::new();
        let mut depth = 0_usize;
        for token in tokens {
            if token.is_mark("(") || token.is_mark("[") {
                depth += 1;
            } else if token.is_mark(")") || token.is_mark("]") {
                depth = depth.saturating_sub(1);
            } else if depth == 0
                && ["UNION", "INTERSECT", "EXCEPT", "DISTINCT"].iter().any(|word| token.is_word(word))
            {
                return None;
            }
            let ends = depth == 0 && token.is_word("FROM");
            if !rest.is_empty() || ends {
                rest.push_str(token.text);
                rest.push(' ');
            } else if depth == 0 && token.is_mark(",") {
                columns.push(String::new());
            } else if let Some(column) = columns.last_mut() {
                column.push_str(token.text);
                column.push(' ');
            }
        }
        columns.sort();
        (!rest.is_empty()).then_some(Self { columns, rest })
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case("select id, a, f(b, c) as d from t", "select id, f(b, c) as d, a from t", true)]
    #[case("select id, a from t", "select id, b from t", false)]
    #[case("select id, a from t where (a > 1)", "select a, id from t where (a > 2)", false)]
    #[case("select id, f(a, b) as c from t", "select id, f(b, a) as c from t", false)]
    #[case(
        "select id, a from t union select 1, 2 from u",
        "select a, id from t union select 1, 2 from u",
        false
    )]
    #[case("with c as (select 1) select id, a from c", "with c as (select 1) select a, id from c", false)]
    #[case("values (1, 2)", "values (2, 1)", false)]
    fn the_order_of_the_columns_does_not_count(
        #[case] before: &str,
        #[case] after: &str,
        #[case] alone: bool,
    ) {
        let text = |text: &str| Value::Text(text.to_owned());
        assert_eq!(alone_differs(Some(&text(before)), Some(&text(after))), alone);
        assert!(!alone_differs(Some(&text(before)), None));
    }
}
