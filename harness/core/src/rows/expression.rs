//! What an expression makes of values, as far as it can be told without a database.

use std::cmp::Ordering;

use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, UnaryOperator, Value,
};
use sqlparser::parser::Parser;

use super::datum::{Datum, truth};
use super::{json, number};
use crate::Backend;
use crate::sql::parser_dialect;

/// A condition that every row must meet.
#[derive(Clone, Debug)]
pub(super) struct Condition(Expr);

impl Condition {
    /// Nothing where the parser does not know the grammar; the database then judges alone.
    pub(super) fn parse(text: &str, backend: Backend) -> Option<Self> {
        let mut parser = Parser::new(parser_dialect(backend)).try_with_sql(text).ok()?;
        let expr = parser.parse_expr().ok()?;
        (parser.peek_token().token == sqlparser::tokenizer::Token::EOF).then_some(Self(expr))
    }

    /// Whether the values certainly do not meet it. NULL meets it, as in both databases.
    pub(super) fn refuses(&self, value: &dyn Fn(&str) -> Option<Datum>) -> bool {
        evaluate(&self.0, value).is_some_and(|result| is_true(&result) == Some(false))
    }
}

type Values<'a> = &'a dyn Fn(&str) -> Option<Datum>;

/// The value of an expression; nothing where that cannot be told.
fn evaluate(expr: &Expr, values: Values<'_>) -> Option<Datum> {
    let of = |expr: &Expr| evaluate(expr, values);
    match expr {
        Expr::Nested(inner) | Expr::Collate { expr: inner, .. } | Expr::Cast { expr: inner, .. } => of(inner),
        Expr::Identifier(name) => values(&name.value),
        Expr::CompoundIdentifier(parts) => values(&parts.last()?.value),
        Expr::Value(value) => constant(&value.value),
        Expr::TypedString(typed) => constant(&typed.value.value),
        Expr::UnaryOp { op: UnaryOperator::Not, expr } => not(of(expr)?),
        Expr::UnaryOp { op: UnaryOperator::Plus, expr } => of(expr),
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match of(expr)? {
            Datum::Integer(number) => Some(Datum::Integer(-number)),
            Datum::Decimal(text) => Some(Datum::Decimal(format!("-{text}"))),
            Datum::Real(number) => Some(Datum::Real(-number)),
            _ => None,
        },
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => both(of(left), of(right), false),
        Expr::BinaryOp { left, op: BinaryOperator::Or, right } => both(of(left), of(right), true),
        Expr::BinaryOp { left, op, right } => binary(&of(left)?, op, &of(right)?),
        Expr::IsNull(inner) => Some(Datum::Boolean(of(inner)? == Datum::Null)),
        Expr::IsNotNull(inner) => Some(Datum::Boolean(of(inner)? != Datum::Null)),
        Expr::IsTrue(inner) => Some(Datum::Boolean(is_true(&of(inner)?) == Some(true))),
        Expr::IsNotTrue(inner) => Some(Datum::Boolean(is_true(&of(inner)?) != Some(true))),
        Expr::IsFalse(inner) => Some(Datum::Boolean(is_true(&of(inner)?) == Some(false))),
        Expr::IsNotFalse(inner) => Some(Datum::Boolean(is_true(&of(inner)?) != Some(false))),
        Expr::IsDistinctFrom(one, other) => distinct(&of(one)?, &of(other)?).map(Datum::Boolean),
        Expr::IsNotDistinctFrom(one, other) => {
            distinct(&of(one)?, &of(other)?).map(|distinct| Datum::Boolean(!distinct))
        }
        Expr::InList { expr, list, negated } => {
            let value = of(expr)?;
            let found = any_of(list.iter().map(|one| binary(&value, &BinaryOperator::Eq, &of(one)?)));
            if *negated { not(found?) } else { found }
        }
        Expr::Between { expr, negated, low, high } => {
            let value = of(expr)?;
            let above = of(low).and_then(|low| binary(&value, &BinaryOperator::GtEq, &low));
            let below = of(high).and_then(|high| binary(&value, &BinaryOperator::LtEq, &high));
            let within = both(above, below, false);
            if *negated { not(within?) } else { within }
        }
        Expr::AnyOp { left, compare_op, right, .. } => {
            let value = of(left)?;
            any_of(elements(right)?.iter().map(|one| binary(&value, compare_op, &of(one)?)))
        }
        Expr::AllOp { left, compare_op, right } => {
            let value = of(left)?;
            let refused = elements(right)?
                .iter()
                .map(|one| binary(&value, compare_op, &of(one)?).and_then(not))
                .collect::<Vec<_>>();
            not(any_of(refused.into_iter())?)
        }
        Expr::Like { negated, expr, pattern, escape_char: None, .. } => {
            like(&of(expr)?, &of(pattern)?).and_then(|found| if *negated { not(found) } else { Some(found) })
        }
        Expr::Case { operand: None, conditions, else_result, .. } => {
            for when in conditions {
                if is_true(&of(&when.condition)?) == Some(true) {
                    return of(&when.result);
                }
            }
            else_result.as_ref().map_or(Some(Datum::Null), |result| of(result))
        }
        Expr::Trim { expr, trim_what: None, trim_characters: None, .. } => trimmed(&of(expr)?),
        Expr::Function(function) => call(function, values),
        _ => None,
    }
}

fn constant(value: &Value) -> Option<Datum> {
    match value {
        Value::Number(text, _) => {
            Some(text.parse().map_or_else(|_| Datum::Decimal(text.clone()), Datum::Integer))
        }
        Value::Boolean(value) => Some(Datum::Boolean(*value)),
        Value::Null => Some(Datum::Null),
        other => other.clone().into_string().map(Datum::Text),
    }
}

/// The elements of `ARRAY[…]`, whatever it is cast to.
fn elements(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => elements(inner),
        Expr::Array(array) => Some(&array.elem),
        Expr::Tuple(list) => Some(list),
        _ => None,
    }
}

/// Whether a value is true; NULL is neither, and counts as true where a row must not be refused.
fn is_true(value: &Datum) -> Option<bool> {
    match value {
        Datum::Boolean(value) => Some(*value),
        Datum::Integer(number) => Some(*number != 0),
        Datum::Text(text) => truth(text),
        _ => None,
    }
}

fn not(value: Datum) -> Option<Datum> {
    match value {
        Datum::Null => Some(Datum::Null),
        value => is_true(&value).map(|value| Datum::Boolean(!value)),
    }
}

/// AND and OR of three values, of which each may not be known: one that `decides` does so alone.
fn both(one: Option<Datum>, other: Option<Datum>, decides: bool) -> Option<Datum> {
    let is = |value: &Option<Datum>| value.as_ref().and_then(is_true);
    if is(&one) == Some(decides) || is(&other) == Some(decides) {
        return Some(Datum::Boolean(decides));
    }
    match (one?, other?) {
        (Datum::Null, _) | (_, Datum::Null) => Some(Datum::Null),
        _ => Some(Datum::Boolean(!decides)),
    }
}

fn any_of(mut results: impl Iterator<Item = Option<Datum>>) -> Option<Datum> {
    results.try_fold(Datum::Boolean(false), |found, result| both(Some(found), result, true))
}

fn distinct(one: &Datum, other: &Datum) -> Option<bool> {
    match (one, other) {
        (Datum::Null, Datum::Null) => Some(false),
        (Datum::Null, _) | (_, Datum::Null) => Some(true),
        _ => Some(!one.same(other)),
    }
}

fn binary(one: &Datum, op: &BinaryOperator, other: &Datum) -> Option<Datum> {
    if matches!(one, Datum::Null) || matches!(other, Datum::Null) {
        return Some(Datum::Null);
    }
    let ordered = |holds: fn(Ordering) -> bool| compare(one, other).map(|order| Datum::Boolean(holds(order)));
    match op {
        BinaryOperator::Eq => Some(Datum::Boolean(one.same(other))),
        BinaryOperator::NotEq => Some(Datum::Boolean(!one.same(other))),
        BinaryOperator::Lt => ordered(Ordering::is_lt),
        BinaryOperator::LtEq => ordered(Ordering::is_le),
        BinaryOperator::Gt => ordered(Ordering::is_gt),
        BinaryOperator::GtEq => ordered(Ordering::is_ge),
        BinaryOperator::PGLikeMatch => like(one, other),
        BinaryOperator::PGNotLikeMatch => like(one, other).and_then(not),
        BinaryOperator::StringConcat => match (one, other) {
            (Datum::Text(one), Datum::Text(other)) => Some(Datum::Text(format!("{one}{other}"))),
            _ => None,
        },
        _ => match (one, other) {
            (Datum::Integer(one), Datum::Integer(other)) => arithmetic(*one, op, *other).map(Datum::Integer),
            _ => None,
        },
    }
}

fn arithmetic(one: i128, op: &BinaryOperator, other: i128) -> Option<i128> {
    match op {
        BinaryOperator::Plus => one.checked_add(other),
        BinaryOperator::Minus => one.checked_sub(other),
        BinaryOperator::Multiply => one.checked_mul(other),
        BinaryOperator::Divide => one.checked_div(other),
        BinaryOperator::Modulo => one.checked_rem(other),
        BinaryOperator::BitwiseAnd => Some(one & other),
        BinaryOperator::BitwiseOr => Some(one | other),
        _ => None,
    }
}

/// The order of two values. Of texts that differ it depends on the collation, so it isn't known.
fn compare(one: &Datum, other: &Datum) -> Option<Ordering> {
    if one.same(other) {
        return Some(Ordering::Equal);
    }
    match (one, other) {
        (Datum::Integer(one), Datum::Integer(other)) => Some(one.cmp(other)),
        (Datum::Text(text), typed) if !matches!(typed, Datum::Text(_)) => {
            compare(typed, &Datum::Text(text.clone())).map(Ordering::reverse)
        }
        _ => match (as_number(one), as_number(other)) {
            (Some(one), Some(other)) => one.partial_cmp(&other),
            _ => match (as_moment(one), as_moment(other)) {
                (Some(one), Some(other)) => Some(one.cmp(&other)),
                _ => None,
            },
        },
    }
}

fn as_number(value: &Datum) -> Option<f64> {
    match value {
        Datum::Integer(_) | Datum::Decimal(_) => value.plain().parse().ok(),
        Datum::Real(number) => Some(*number),
        Datum::Boolean(value) => Some(f64::from(u8::from(*value))),
        Datum::Text(text) => number::Decimal::parse(text).and_then(|_| text.trim().parse().ok()),
        _ => None,
    }
}

fn as_moment(value: &Datum) -> Option<i64> {
    match value {
        Datum::Timestamp(micros) | Datum::Time(micros) => Some(*micros),
        Datum::TimestampTz(moment) => Some(moment.micros),
        Datum::Date(date) => Some(date * super::moment::DAY),
        Datum::Text(text) => match super::moment::parse_timestamp(text) {
            Some((micros, offset)) => Some(micros - i64::from(offset.unwrap_or(0)) * super::moment::SECOND),
            None => super::moment::parse_time(text),
        },
        _ => None,
    }
}

/// LIKE, where what differs in case alone is not known: the backends differ there.
fn like(value: &Datum, pattern: &Datum) -> Option<Datum> {
    let (Datum::Text(text), Datum::Text(pattern)) = (value, pattern) else {
        return matches!((value, pattern), (Datum::Null, _) | (_, Datum::Null)).then_some(Datum::Null);
    };
    let chars = |text: &str| text.chars().collect::<Vec<_>>();
    if matches(&chars(text), &chars(pattern)) {
        return Some(Datum::Boolean(true));
    }
    let folded = |text: &str| chars(&text.to_lowercase());
    (!matches(&folded(text), &folded(pattern))).then_some(Datum::Boolean(false))
}

fn matches(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|skip| matches(&text[skip..], rest)),
        Some(('_', rest)) => !text.is_empty() && matches(&text[1..], rest),
        Some((char, rest)) => text.first() == Some(char) && matches(&text[1..], rest),
    }
}

fn trimmed(value: &Datum) -> Option<Datum> {
    match value {
        Datum::Text(text) => Some(Datum::Text(text.trim_matches(' ').to_owned())),
        Datum::Null => Some(Datum::Null),
        _ => None,
    }
}

fn call(function: &Function, values: Values<'_>) -> Option<Datum> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let argument = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => evaluate(expr, values),
        _ => None,
    };
    let arguments: Vec<Option<Datum>> = list.args.iter().map(argument).collect();
    let name = function.name.to_string().to_lowercase();
    let count = |of: fn(&Datum) -> bool| {
        let known: Vec<Datum> = arguments.iter().cloned().collect::<Option<_>>()?;
        i128::try_from(known.iter().filter(|value| of(value)).count()).ok().map(Datum::Integer)
    };
    match (name.as_str(), arguments.as_slice()) {
        ("num_nulls", _) => count(|value| *value == Datum::Null),
        ("num_nonnulls", _) => count(|value| *value != Datum::Null),
        ("coalesce" | "ifnull", values) => {
            for value in values {
                if *value.as_ref()? != Datum::Null {
                    return value.clone();
                }
            }
            Some(Datum::Null)
        }
        ("nullif", [one, other]) => {
            let (one, other) = (one.clone()?, other.clone()?);
            Some(if one.same(&other) { Datum::Null } else { one })
        }
        (name, [Some(value)]) => of_one(name, value),
        _ => None,
    }
}

fn of_one(name: &str, value: &Datum) -> Option<Datum> {
    let count = |count: usize| i128::try_from(count).ok().map(Datum::Integer);
    match (name, value) {
        (_, Datum::Null) => Some(Datum::Null),
        ("length" | "char_length" | "character_length", Datum::Text(text)) => count(text.chars().count()),
        ("length" | "octet_length", Datum::Bytes(bytes)) => count(bytes.len()),
        ("octet_length", Datum::Text(text)) => count(text.len()),
        ("btrim" | "trim", _) => trimmed(value),
        ("lower", Datum::Text(text)) if text.is_ascii() => Some(Datum::Text(text.to_ascii_lowercase())),
        ("upper", Datum::Text(text)) if text.is_ascii() => Some(Datum::Text(text.to_ascii_uppercase())),
        ("abs", Datum::Integer(number)) => Some(Datum::Integer(number.abs())),
        ("cardinality", Datum::Array(elements)) => count(elements.len()),
        ("json_valid", Datum::Json(_)) => Some(Datum::Integer(1)),
        ("json_valid", Datum::Text(text)) => Some(Datum::Integer(json::normal(text).is_some().into())),
        ("jsonb_typeof" | "json_typeof" | "json_type", Datum::Json(text) | Datum::Text(text)) => {
            let kind = match json::normal(text)?.bytes().next()? {
                b'{' => "object",
                b'[' => "array",
                // The backends call the other kinds by different names.
                _ => return None,
            };
            Some(Datum::Text(kind.to_owned()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    fn refuses(condition: &str, backend: Backend) -> bool {
        let condition = Condition::parse(condition, backend).expect("it is understood");
        condition.refuses(&|name| match name {
            "n" => Some(Datum::Integer(5)),
            "t" => Some(Datum::Text("abc".to_owned())),
            "nothing" => Some(Datum::Null),
            "day" => Some(Datum::Date(0)),
            "doc" => Some(Datum::Json("{\"a\": 1}".to_owned())),
            _ => None,
        })
    }

    #[rstest]
    #[case("(n > 5)", true)]
    #[case("(n >= 5)", false)]
    #[case("((n >= 0) AND (n <= 4))", true)]
    #[case("(t = ANY (ARRAY['x'::text, 'y'::text]))", true)]
    #[case("(t = ANY (ARRAY['abc'::text, 'y'::text]))", false)]
    #[case("((t)::text = ANY ((ARRAY['x'::character varying])::text[]))", true)]
    #[case("(t <> ALL (ARRAY['abc'::text]))", true)]
    #[case("(nothing > 5)", false)]
    #[case("(nothing IS NOT NULL)", true)]
    #[case("((nothing IS NULL) = (n IS NULL))", true)]
    #[case("(num_nonnulls(n, t) = 1)", true)]
    #[case("(char_length(t) <= 2)", true)]
    #[case("(t ~ '^x'::text)", false)]
    #[case("((t ~~ 'x%'::text) OR (unknown > 1))", false)]
    #[case("(t ~~ 'x%'::text)", true)]
    #[case("(day > '2000-01-01'::date)", true)]
    #[case("(jsonb_typeof(doc) = 'array'::text)", true)]
    #[case("(btrim(t) <> ''::text)", false)]
    fn tells_what_a_check_refuses_on_postgres(#[case] condition: &str, #[case] refused: bool) {
        assert_eq!(refuses(condition, Backend::Postgres), refused);
    }

    #[rstest]
    #[case("n in (1, 2)", true)]
    #[case("n between 1 and 5", false)]
    #[case("length(t) = 3", false)]
    #[case("json_valid(doc)", false)]
    #[case("t like 'ABC'", false)]
    #[case("n in (0, 1) or nothing is null", false)]
    fn tells_what_a_check_refuses_on_sqlite(#[case] condition: &str, #[case] refused: bool) {
        assert_eq!(refuses(condition, Backend::Sqlite), refused);
    }
}
