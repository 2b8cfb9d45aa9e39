//! Views by their columns and, where the queries are understood, by what they select.

use std::collections::BTreeMap;

use sqlparser::ast::{
    GroupByExpr, Join, JoinConstraint, JoinOperator, Query, Select, SelectItem, SetExpr, SetQuantifier,
    TableFactor, TableWithJoins,
};

use super::form::{self, Answer, Form};
use super::pair::{Side, identifiers};
use super::read::{Relation, Scope};
use super::{Aspect, Found};
use crate::Backend;
use crate::family::{ColumnType, Family};
use crate::report::Severity;
use crate::schema::{Attribute, Group, Kind, Name, ObjectId, Schema};
use crate::sql;

type View<'a> = (Kind, &'a Name, &'a Group);

pub(super) fn compare(postgres: &Schema, sqlite: &Schema, found: &mut Found<'_>) {
    let mut others: Vec<View<'_>> = views(sqlite).collect();
    for (kind, name, group) in views(postgres) {
        let same = |other: &View<'_>| other.1.local().eq_ignore_ascii_case(name.local());
        let id = ObjectId::whole(kind, name.clone());
        match others.iter().position(same) {
            Some(place) => {
                let other = others.remove(place);
                both(postgres, sqlite, (kind, name, group), other, found);
            }
            // Where there are no materialized views, a table may be kept in the place of one.
            None if sqlite.tables().any(|(table, _)| table.local().eq_ignore_ascii_case(name.local())) => {}
            None => found.one_sided(Some(id), None, Severity::Error, None),
        }
    }
    for (kind, name, _) in others {
        found.one_sided(None, Some(ObjectId::whole(kind, name.clone())), Severity::Error, None);
    }
}

fn views(schema: &Schema) -> impl Iterator<Item = View<'_>> {
    let views = schema.groups().filter(|(kind, ..)| matches!(kind, Kind::View | Kind::MaterializedView));
    views.map(|(kind, name, group)| (kind, name, group.as_ref()))
}

fn both(postgres: &Schema, sqlite: &Schema, left: View<'_>, right: View<'_>, found: &mut Found<'_>) {
    let ids = [left, right].map(|(kind, name, _)| ObjectId::whole(kind, name.clone()));
    let columns = |(_, _, group): View<'_>| -> Vec<String> {
        let mut names: Vec<String> = group.columns().iter().map(|(name, _)| name.to_lowercase()).collect();
        names.sort();
        names
    };
    let [one, other] = [left, right].map(columns);
    let what = ids[0].described();
    let mut push = |message: String, help: &str| {
        let [one, other] = ids.clone();
        found.push(Some(one), Some(other), Aspect::Meaning, Severity::Error, message, help.to_owned());
    };
    if one != other {
        let message = format!(
            "{what} has the columns {} on postgres and {} on sqlite",
            one.join(", "),
            other.join(", ")
        );
        push(message, "let the view give the same columns on both backends");
        return;
    }
    let text =
        |(_, _, group): View<'_>| group.object().text(Attribute::Definition).unwrap_or_default().to_owned();
    let texts = [left, right].map(text);
    let families = families(postgres, sqlite);
    let read = |backend, schema, view: View<'_>| {
        let query = sql::query(&text(view), backend)?;
        let names: Vec<String> = view.2.columns().iter().map(|(name, _)| name.to_lowercase()).collect();
        Reader { backend, schema, families: &families }.query(&query, &names)
    };
    let forms = [read(Backend::Postgres, postgres, left), read(Backend::Sqlite, sqlite, right)];
    match form::compare(forms[0].as_ref(), forms[1].as_ref()) {
        Answer::Same => {}
        Answer::Different => push(
            format!("{what} does not select the same on postgres and on sqlite"),
            "let the view select the same rows and values on both backends",
        ),
        Answer::Unclear => found.unclear(ids[0].clone(), &texts[0], &texts[1]),
    }
}

/// What the columns of all tables hold, by `table.column`.
fn families(postgres: &Schema, sqlite: &Schema) -> BTreeMap<String, Family> {
    let mut all = BTreeMap::new();
    for (backend, schema) in [(Backend::Sqlite, sqlite), (Backend::Postgres, postgres)] {
        for (name, group) in schema.tables() {
            for (column, object) in group.parts_of(Kind::Column) {
                let key = format!("{}.{}", name.local().to_lowercase(), column.to_lowercase());
                all.insert(key, ColumnType::of(backend, schema, object).family);
            }
        }
    }
    all
}

struct Reader<'a> {
    backend: Backend,
    schema: &'a Schema,
    families: &'a BTreeMap<String, Family>,
}

impl Reader<'_> {
    /// The form of a query whose columns have these names; nothing if it is not understood. The
    /// order of its columns does not count, nor, without a limit, that of its rows.
    fn query(&self, query: &Query, names: &[String]) -> Option<Form> {
        if query.with.is_some() || query.limit_clause.is_some() || query.fetch.is_some() {
            return None;
        }
        self.body(&query.body, names)
    }

    fn body(&self, body: &SetExpr, names: &[String]) -> Option<Form> {
        match body {
            SetExpr::Select(select) => self.select(select, names),
            SetExpr::Query(query) => self.query(query, names),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let all = matches!(set_quantifier, SetQuantifier::All);
                let name = format!("{op}{}", if all { " all" } else { "" }).to_lowercase();
                Some(Form::call(&name, vec![self.body(left, names)?, self.body(right, names)?]))
            }
            _ => None,
        }
    }

    fn select(&self, select: &Select, names: &[String]) -> Option<Form> {
        let GroupByExpr::Expressions(groups, modifiers) = &select.group_by else { return None };
        let is_plain = select.top.is_none()
            && select.named_window.is_empty()
            && select.qualify.is_none()
            && modifiers.is_empty()
            && !matches!(select.distinct, Some(sqlparser::ast::Distinct::On(_)));
        let (mut factors, mut all_joins) = (Vec::new(), Vec::new());
        for from in &select.from {
            spread(from, &mut factors, &mut all_joins)?;
        }
        let relations = self.relations(&factors)?;
        let scope = Scope {
            backend: self.backend,
            schema: self.schema,
            columns: self.families,
            relations: &relations,
        };
        let mut values = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                    values.push(scope.form(expr)?);
                }
                SelectItem::Wildcard(_) => {
                    for relation in &relations {
                        values.extend(relation.columns.iter().map(|column| scope.of(relation, column)));
                    }
                }
                _ => return None,
            }
        }
        if !is_plain || values.len() != names.len() {
            return None;
        }
        let mut columns: Vec<Form> = names
            .iter()
            .zip(values)
            .map(|(name, value)| Form::call(&format!("as {name}"), vec![value]))
            .collect();
        columns.sort();
        let mut conditions = Vec::new();
        let mut joins = Vec::new();
        for join in all_joins {
            let (constraint, outer) = match &join.join_operator {
                JoinOperator::Join(constraint) | JoinOperator::Inner(constraint) => (constraint, None),
                JoinOperator::CrossJoin(constraint) => (constraint, None),
                JoinOperator::Left(constraint) | JoinOperator::LeftOuter(constraint) => {
                    (constraint, Some("left join"))
                }
                _ => return None,
            };
            let on = match constraint {
                JoinConstraint::On(expr) => scope.form(expr)?,
                JoinConstraint::None => Form::Bool(true),
                _ => return None,
            };
            match outer {
                Some(name) => {
                    let table = Form::Text(self.relation(&join.relation)?.table);
                    joins.push(Form::call(name, vec![table, on]));
                }
                None => conditions.push(on),
            }
        }
        if let Some(selection) = &select.selection {
            conditions.push(scope.form(selection)?);
        }
        let mut tables: Vec<Form> = relations.iter().map(|one| Form::Text(one.table.clone())).collect();
        tables.sort();
        let mut groups = groups.iter().map(|one| scope.form(one)).collect::<Option<Vec<_>>>()?;
        groups.sort();
        let having = match &select.having {
            Some(having) => scope.form(having)?,
            None => Form::Bool(true),
        };
        Some(Form::call(
            if select.distinct.is_some() { "select distinct" } else { "select" },
            vec![
                Form::call("columns", columns),
                Form::call("from", tables),
                Form::call("joins", joins),
                form::and(conditions),
                Form::call("group", groups),
                having,
            ],
        ))
    }

    fn relations(&self, factors: &[&TableFactor]) -> Option<Vec<Relation>> {
        let mut all: Vec<Relation> =
            factors.iter().map(|factor| self.relation(factor)).collect::<Option<_>>()?;
        // A table that is there twice is told apart by what it is called.
        let tables: Vec<String> = all.iter().map(|one| one.table.clone()).collect();
        for relation in &mut all {
            if tables.iter().filter(|table| **table == relation.table).count() > 1 {
                relation.name = relation.alias.clone();
            }
        }
        Some(all)
    }

    fn relation(&self, factor: &TableFactor) -> Option<Relation> {
        let TableFactor::Table { name, alias, args: None, .. } = factor else { return None };
        let table = identifiers(&name.to_string(), self.backend).pop()?;
        let alias = alias.as_ref().map_or(table.clone(), |alias| alias.name.value.to_lowercase());
        let known = |kind: Kind| matches!(kind, Kind::Table | Kind::View | Kind::MaterializedView);
        let mut groups = self.schema.groups().filter(|(kind, ..)| known(*kind));
        let (_, name, group) = groups.find(|(_, name, _)| name.local().to_lowercase() == table)?;
        let side = Side { backend: self.backend, schema: self.schema, name, group };
        let columns = side.group.columns().iter().map(|(name, _)| name.to_lowercase()).collect();
        Some(Relation { alias, name: table.clone(), table, columns })
    }
}

/// The tables and joins of a FROM, without the parentheses that PostgreSQL puts around joins; nothing
/// if there are others.
fn spread<'q>(
    from: &'q TableWithJoins,
    factors: &mut Vec<&'q TableFactor>,
    joins: &mut Vec<&'q Join>,
) -> Option<()> {
    match &from.relation {
        TableFactor::NestedJoin { table_with_joins, alias: None } => {
            spread(table_with_joins, factors, joins)?
        }
        other => factors.push(other),
    }
    for join in &from.joins {
        factors.push(&join.relation);
        joins.push(join);
    }
    Some(())
}
