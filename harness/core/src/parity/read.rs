//! Reads SQL expressions into their common form.

use std::collections::BTreeMap;

use sqlparser::ast::{
    BinaryOperator, CaseWhen, CeilFloorKind, DataType, DateTimeField, Expr, Ident, TrimWhereField,
    UnaryOperator, Value,
};

use super::form::{self, Form};
use super::functions;
use crate::Backend;
use crate::family::{ColumnType, Family};
use crate::schema::Schema;
use crate::sql;

/// What the names in an expression stand for.
pub(super) struct Scope<'a> {
    pub(super) backend: Backend,
    pub(super) schema: &'a Schema,
    /// What the columns hold, by their names in lower case; on both backends what PostgreSQL says,
    /// whose types say more.
    pub(super) columns: &'a BTreeMap<String, Family>,
    /// In a query, what it reads from; there columns are known by `table.column`.
    pub(super) relations: &'a [Relation],
}

/// A table or view that a query reads from.
pub(super) struct Relation {
    /// What the query calls it.
    pub(super) alias: String,
    /// What its columns are known by.
    pub(super) name: String,
    pub(super) table: String,
    pub(super) columns: Vec<String>,
}

impl Scope<'_> {
    /// A column of one of the relations.
    pub(super) fn of(&self, relation: &Relation, column: &str) -> Form {
        let family = self.columns.get(&format!("{}.{column}", relation.table)).copied();
        Form::Column(format!("{}.{column}", relation.name), family)
    }

    /// The form of an expression; nothing if it is not understood.
    pub(super) fn read(&self, text: &str) -> Option<Form> {
        self.form(&sql::expression(text, self.backend)?)
    }

    /// The form of a condition that chooses rows, where what is unknown is as good as false.
    pub(super) fn condition(&self, text: &str) -> Option<Form> {
        Some(chosen(self.read(text)?))
    }

    pub(super) fn form(&self, expr: &Expr) -> Option<Form> {
        Some(match expr {
            Expr::Identifier(name) => self.column(name),
            Expr::CompoundIdentifier(parts) => self.compound(parts)?,
            Expr::Nested(inner) => self.form(inner)?,
            Expr::Value(value) => constant(&value.value)?,
            Expr::TypedString(typed) => {
                let text = constant(&typed.value.value)?;
                self.cast(text, &typed.data_type)
            }
            Expr::Cast { expr, data_type, .. } => self.cast(self.form(expr)?, data_type),
            Expr::UnaryOp { op, expr } => self.unary(*op, expr)?,
            Expr::BinaryOp { left, op, right } => self.binary(left, op, right)?,
            Expr::IsNull(inner) => Form::call("is null", vec![self.form(inner)?]),
            Expr::IsNotNull(inner) => form::not(Form::call("is null", vec![self.form(inner)?])),
            Expr::IsTrue(inner) => Form::call("is true", vec![self.form(inner)?]),
            Expr::IsNotTrue(inner) => form::not(Form::call("is true", vec![self.form(inner)?])),
            Expr::IsFalse(inner) => Form::call("is true", vec![form::not(self.form(inner)?)]),
            Expr::IsNotFalse(inner) => form::not(Form::call("is true", vec![form::not(self.form(inner)?)])),
            Expr::IsUnknown(inner) => Form::call("is null", vec![self.form(inner)?]),
            Expr::IsNotUnknown(inner) => form::not(Form::call("is null", vec![self.form(inner)?])),
            Expr::IsDistinctFrom(left, right) => self.distinct(left, right)?,
            Expr::IsNotDistinctFrom(left, right) => form::not(self.distinct(left, right)?),
            Expr::InList { expr, list, negated } => {
                negate(*negated, form::within(self.form(expr)?, self.all(list)?))
            }
            Expr::AnyOp { left, compare_op: BinaryOperator::Eq, right, .. } => {
                form::within(self.form(left)?, self.list(right)?)
            }
            Expr::AllOp { left, compare_op: BinaryOperator::NotEq, right } => {
                form::not(form::within(self.form(left)?, self.list(right)?))
            }
            Expr::Between { expr, negated, low, high } => {
                let (value, low, high) = (self.form(expr)?, self.form(low)?, self.form(high)?);
                let from = form::less(vec![low, value.clone()], true);
                negate(*negated, form::and(vec![from, form::less(vec![value, high], true)]))
            }
            Expr::Like { negated, any: false, expr, pattern, escape_char: None } => {
                negate(*negated, self.like(expr, pattern)?)
            }
            Expr::ILike { negated, any: false, expr, pattern, escape_char: None } => {
                negate(*negated, self.like(expr, pattern)?)
            }
            Expr::Collate { expr, collation } => {
                let name = collation.to_string().trim_matches('"').to_lowercase();
                match name.as_str() {
                    // The order of bytes, which is what SQLite has without a word.
                    "binary" | "c" | "posix" | "default" | "pg_catalog.\"default" => self.form(expr)?,
                    "nocase" => Form::call("lower", vec![self.form(expr)?]),
                    _ => Form::call(&format!("collate {name}"), vec![self.form(expr)?]),
                }
            }
            Expr::AtTimeZone { timestamp, time_zone } => {
                functions::call(self.backend, "timezone", vec![self.form(time_zone)?, self.form(timestamp)?])
            }
            Expr::Extract { field, expr, .. } => match field {
                DateTimeField::Epoch => Form::call("epoch", vec![self.form(expr)?]),
                other => Form::call(
                    &format!("extract {}", other.to_string().to_lowercase()),
                    vec![self.form(expr)?],
                ),
            },
            Expr::Ceil { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                functions::call(self.backend, "ceil", vec![self.form(expr)?])
            }
            Expr::Floor { expr, field: CeilFloorKind::DateTimeField(DateTimeField::NoDateTime) } => {
                functions::call(self.backend, "floor", vec![self.form(expr)?])
            }
            Expr::Position { expr, r#in } => Form::call("instr", vec![self.form(r#in)?, self.form(expr)?]),
            Expr::Substring { expr, substring_from, substring_for, .. } => {
                let from =
                    substring_from.as_ref().map_or(Some(Form::Number("1".to_owned())), |one| self.form(one));
                let mut arguments = vec![self.form(expr)?, from?];
                if let Some(length) = substring_for {
                    arguments.push(self.form(length)?);
                }
                Form::call("substr", arguments)
            }
            Expr::Trim { trim_where, trim_what, expr, trim_characters: None } => {
                let name = match trim_where {
                    None | Some(TrimWhereField::Both) => "trim",
                    Some(TrimWhereField::Leading) => "ltrim",
                    Some(TrimWhereField::Trailing) => "rtrim",
                };
                let mut arguments = vec![self.form(expr)?];
                if let Some(what) = trim_what {
                    arguments.push(self.form(what)?);
                }
                functions::call(self.backend, name, arguments)
            }
            Expr::Case { operand, conditions, else_result, .. } => {
                self.case(operand.as_deref(), conditions, else_result.as_deref())?
            }
            Expr::Array(array) => Form::call("array", self.all(&array.elem)?),
            Expr::Tuple(items) => Form::call("row", self.all(items)?),
            Expr::Function(function) => self.function(function)?,
            Expr::Interval(interval) => {
                let unit = interval.leading_field.as_ref().map(|unit| format!(" {unit}").to_lowercase());
                match self.form(&interval.value)? {
                    Form::Text(text) => span(&(text + &unit.unwrap_or_default())),
                    _ => return None,
                }
            }
            _ => return None,
        })
    }

    fn all(&self, list: &[Expr]) -> Option<Vec<Form>> {
        list.iter().map(|one| self.form(one)).collect()
    }

    fn column(&self, name: &Ident) -> Form {
        let lower = name.value.to_lowercase();
        if let Some(relation) = self.relations.iter().find(|one| one.columns.contains(&lower)) {
            return self.of(relation, &lower);
        }
        if let Some(family) = self.columns.get(&lower) {
            return Form::Column(lower, Some(*family));
        }
        match (name.quote_style, lower.as_str()) {
            (None, "current_timestamp" | "localtimestamp") => Form::call("now", Vec::new()),
            (None, "current_date") => Form::call("today", Vec::new()),
            (None, "current_time" | "localtime") => Form::call("time of day", Vec::new()),
            // In SQLite, what is no column is a string (SQLite manual, "Quirks", 8).
            (Some('"'), _) if !self.columns.is_empty() && self.backend == Backend::Sqlite => {
                Form::Text(name.value.clone())
            }
            _ => Form::Column(lower, None),
        }
    }

    /// `new.email` and `old.email` stay apart; any other qualifier is the table's.
    fn compound(&self, parts: &[Ident]) -> Option<Form> {
        let qualifier = parts[parts.len().checked_sub(2)?].value.to_lowercase();
        if let Some(relation) = self.relations.iter().find(|one| one.alias == qualifier) {
            return Some(self.of(relation, &parts.last()?.value.to_lowercase()));
        }
        let column = self.column(parts.last()?);
        match (qualifier.as_str(), column) {
            (row @ ("new" | "old"), Form::Column(name, family)) => {
                Some(Form::Column(format!("{row}.{name}"), family))
            }
            (_, column) => Some(column),
        }
    }

    fn unary(&self, op: UnaryOperator, expr: &Expr) -> Option<Form> {
        let inner = self.form(expr)?;
        match (op, inner) {
            (UnaryOperator::Not, inner) => Some(form::not(inner)),
            (UnaryOperator::Plus, inner) => Some(inner),
            (UnaryOperator::Minus, Form::Number(digits)) => form::number(&match digits.strip_prefix('-') {
                Some(digits) => digits.to_owned(),
                None => format!("-{digits}"),
            })
            .map(Form::Number),
            (UnaryOperator::Minus, inner) => Some(Form::call("negative", vec![inner])),
            _ => None,
        }
    }

    fn binary(&self, left: &Expr, op: &BinaryOperator, right: &Expr) -> Option<Form> {
        use BinaryOperator as Op;
        if let (Op::NotEq, Expr::AllOp { .. }) | (Op::Eq, Expr::AnyOp { .. }) = (op, right) {
            return None;
        }
        let (l, r) = (self.form(left)?, self.form(right)?);
        Some(match op {
            Op::And => form::and(vec![l, r]),
            Op::Or => form::or(vec![l, r]),
            Op::Eq => form::equal(l, r),
            Op::NotEq => form::not(form::equal(l, r)),
            Op::Lt => form::less(vec![l, r], false),
            Op::LtEq => form::less(vec![l, r], true),
            Op::Gt => form::less(vec![r, l], false),
            Op::GtEq => form::less(vec![r, l], true),
            Op::PGLikeMatch | Op::PGILikeMatch => like(l, r),
            Op::PGNotLikeMatch | Op::PGNotILikeMatch => form::not(like(l, r)),
            Op::Arrow | Op::LongArrow => functions::json_step(l, &r)?,
            Op::HashArrow | Op::HashLongArrow => functions::json_path(l, &r)?,
            Op::Plus | Op::Minus if is_time(&l) || matches!(&r, Form::Call(name, _) if name == "span") => {
                functions::later(l, r, *op == Op::Minus)
            }
            Op::Plus => commutative("+", l, r),
            Op::Multiply => commutative("*", l, r),
            Op::StringConcat => {
                let mut parts = match l {
                    Form::Call(name, parts) if name == "||" => parts,
                    other => vec![other],
                };
                match r {
                    Form::Call(name, more) if name == "||" => parts.extend(more),
                    other => parts.push(other),
                }
                Form::Call("||".to_owned(), parts)
            }
            Op::Minus => Form::call("-", vec![l, r]),
            Op::Divide => Form::call("/", vec![l, r]),
            Op::Modulo => Form::call("%", vec![l, r]),
            Op::BitwiseAnd => commutative("&", l, r),
            Op::BitwiseOr => commutative("|", l, r),
            // Only one backend has each; what a pattern means cannot be told from the other's.
            other => Form::call(&format!("{}operator {other}", form::UNKNOWN), vec![l, r]),
        })
    }

    fn distinct(&self, left: &Expr, right: &Expr) -> Option<Form> {
        let mut both = vec![self.form(left)?, self.form(right)?];
        both.sort();
        Some(match both.as_slice() {
            [Form::Null, other] => form::not(Form::call("is null", vec![other.clone()])),
            _ => Form::call("is distinct", both),
        })
    }

    /// The members of `ARRAY[…]` and of `'{…}'`.
    fn list(&self, expr: &Expr) -> Option<Vec<Form>> {
        match self.form(expr)? {
            Form::Call(name, items) if name == "array" => Some(items),
            Form::Text(text) => {
                let inside = text.strip_prefix('{')?.strip_suffix('}')?;
                let plain = !inside.contains(['"', '\\', '{']);
                plain.then(|| inside.split(',').map(|item| Form::Text(item.to_owned())).collect())
            }
            _ => None,
        }
    }

    fn like(&self, expr: &Expr, pattern: &Expr) -> Option<Form> {
        Some(like(self.form(expr)?, self.form(pattern)?))
    }

    fn case(&self, operand: Option<&Expr>, whens: &[CaseWhen], last: Option<&Expr>) -> Option<Form> {
        let operand = operand.map(|one| self.form(one));
        let (mut conditions, mut results) = (Vec::new(), Vec::new());
        for when in whens {
            let condition = self.form(&when.condition)?;
            conditions.push(match &operand {
                Some(operand) => form::equal(operand.clone()?, condition),
                None => condition,
            });
            results.push(self.form(&when.result)?);
        }
        results.push(last.map_or(Some(Form::Null), |one| self.form(one))?);
        // What is a condition in one place is one in all, also where it is written as 1.
        let family = results.iter().filter(|one| !one.is_literal()).find_map(Form::family);
        let results = results.into_iter().map(|one| form::coerced(one, family));
        Some(Form::call("case", conditions.into_iter().chain(results).collect()))
    }

    fn function(&self, function: &sqlparser::ast::Function) -> Option<Form> {
        use sqlparser::ast::{FunctionArg, FunctionArgExpr, FunctionArguments};
        if function.over.is_some() || function.filter.is_some() || !function.within_group.is_empty() {
            return None;
        }
        let arguments = match &function.args {
            FunctionArguments::None => Vec::new(),
            FunctionArguments::Subquery(_) => return None,
            FunctionArguments::List(list) if list.clauses.is_empty() => {
                let arguments = list.args.iter().map(|argument| match argument {
                    FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => self.form(expr),
                    FunctionArg::Unnamed(FunctionArgExpr::Wildcard) => Some(Form::call("all", Vec::new())),
                    _ => None,
                });
                let mut arguments: Vec<Form> = arguments.collect::<Option<_>>()?;
                if list.duplicate_treatment.is_some() {
                    arguments.push(Form::call("distinct", Vec::new()));
                }
                arguments
            }
            FunctionArguments::List(_) => return None,
        };
        let name = function.name.to_string().to_lowercase().replace('"', "");
        let name = name.strip_prefix("pg_catalog.").unwrap_or(&name);
        Some(functions::call(self.backend, name, arguments))
    }

    fn cast(&self, inner: Form, data_type: &DataType) -> Form {
        let spelled = data_type.to_string().to_lowercase();
        let target = ColumnType::named(self.backend, self.schema, &spelled);
        cast(inner, target.family)
    }
}

fn cast(inner: Form, target: Family) -> Form {
    match (&inner, target) {
        (Form::Text(text), Family::Boolean) => match text.as_str() {
            "t" | "true" => Form::Bool(true),
            "f" | "false" => Form::Bool(false),
            _ => inner,
        },
        (Form::Text(text), Family::Interval) => span(text),
        (Form::Text(text), Family::Bytes) => match text.strip_prefix("\\x") {
            Some(digits) => Form::call("bytes", vec![Form::Text(digits.to_lowercase())]),
            None => inner,
        },
        (Form::Text(_) | Form::Number(_) | Form::Bool(_), _) => form::coerced(inner, Some(target)),
        (Form::Null, _) => inner,
        // Calls that a cast only gives the type which SQLite's own call has already.
        (Form::Call(name, _), _)
            if matches!(
                name.as_str(),
                "array" | "json" | "epoch" | "uuid" | "now" | "local now" | "span" | "bytes" | "coalesce"
            ) && !(name == "now" && target == Family::Date) =>
        {
            inner
        }
        (Form::Call(name, _), Family::Date) if name == "now" => Form::call("today", Vec::new()),
        (_, Family::Date) if inner.family() != Some(Family::Date) => Form::call("date", vec![inner]),
        _ if inner.family().is_some_and(|family| keeps_value(family, target)) => inner,
        _ => Form::call(&format!("cast {}", target.name()), vec![inner]),
    }
}

/// Whether a cast leaves the value what it was, as far as comparing it goes.
fn keeps_value(from: Family, to: Family) -> bool {
    use Family::{Boolean, Decimal, Enum, Integer, Json, Other, Real, Text, Timestamp, TimestampTz, Uuid};
    from == to
        || matches!(
            (from, to),
            (Integer, Decimal | Real)
                | (Decimal, Real)
                | (Real, Decimal)
                | (Boolean, Integer)
                | (Text | Enum | Uuid | Json | Other, Text)
                | (Text, Enum | Uuid | Json | Other)
                | (Timestamp, TimestampTz)
                | (TimestampTz, Timestamp)
        )
}

fn constant(value: &Value) -> Option<Form> {
    Some(match value {
        Value::Null => Form::Null,
        Value::Boolean(value) => Form::Bool(*value),
        Value::Number(digits, _) => Form::Number(form::number(digits)?),
        Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) => Form::Text(text.clone()),
        Value::HexStringLiteral(digits) => Form::call("bytes", vec![Form::Text(digits.to_lowercase())]),
        _ => return None,
    })
}

fn negate(negated: bool, inner: Form) -> Form {
    if negated { form::not(inner) } else { inner }
}

/// PostgreSQL's LIKE tells letters of either case apart and SQLite's does not. People write the one
/// for the other, and trying them out says more than their spelling, so they count as the same here.
fn like(value: Form, pattern: Form) -> Form {
    Form::call("like", vec![value, pattern])
}

fn commutative(name: &str, left: Form, right: Form) -> Form {
    let mut parts = Vec::new();
    for side in [left, right] {
        match side {
            Form::Call(own, inner) if own == name => parts.extend(inner),
            other => parts.push(other),
        }
    }
    parts.sort();
    Form::call(name, parts)
}

fn is_time(form: &Form) -> bool {
    ["now", "today", "local now", "later"].iter().any(|name| form.is_call(name))
}

/// A span of time in one spelling: `+7 days`, `'7 day'::interval`.
pub(super) fn span(text: &str) -> Form {
    let words: Vec<&str> = text.trim().trim_start_matches('+').split_whitespace().collect();
    let words: Vec<&str> = words.iter().map(|word| word.trim_end_matches('s')).collect();
    Form::call("span", vec![Form::Text(words.join(" ").to_lowercase())])
}

/// A condition that chooses rows, without what only tells unknown from false.
fn chosen(form: Form) -> Form {
    match form {
        Form::Call(name, mut inner) => match name.as_str() {
            "is true" => chosen(inner.remove(0)),
            "and" => form::and(inner.into_iter().map(chosen).collect()),
            "or" => form::or(inner.into_iter().map(chosen).collect()),
            _ => Form::Call(name, inner),
        },
        other => other,
    }
}
