//! A table on both backends, side by side.

use std::collections::{BTreeMap, BTreeSet};

use super::form::{Answer, Form};
use super::read::Scope;
use crate::Backend;
use crate::family::{ColumnType, Family};
use crate::schema::{Attribute, Group, Kind, Name, Object, ObjectId, Schema};
use crate::sql::{Lexer, TokenKind};

/// A table on one backend.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) backend: Backend,
    pub(super) schema: &'a Schema,
    pub(super) name: &'a Name,
    pub(super) group: &'a Group,
}

impl<'a> Side<'a> {
    pub(super) fn part(&self, kind: Kind, name: &str) -> ObjectId {
        ObjectId::part(Kind::Table, self.name.clone(), kind, name)
    }

    pub(super) fn column_type(&self, column: &Object) -> ColumnType {
        ColumnType::of(self.backend, self.schema, column)
    }

    /// The columns of the primary key, in lower case.
    pub(super) fn primary_key(&self) -> Vec<String> {
        let key = self.group.parts_of(Kind::PrimaryKey).next();
        key.map(|(_, key)| self.names(key.list(Attribute::Columns))).unwrap_or_default()
    }

    /// The column that is SQLite's own row number (SQLite manual, "CREATE TABLE", 5).
    pub(super) fn rowid_alias(&self) -> Option<String> {
        let (_, key) = self.group.parts_of(Kind::PrimaryKey).next()?;
        let [term] = key.list(Attribute::Columns) else { return None };
        let names = identifiers(term, self.backend);
        let [name] = names.as_slice() else { return None };
        let mut columns = self.group.parts_of(Kind::Column);
        let (name, column) = columns.find(|(one, _)| one.eq_ignore_ascii_case(name))?;
        let declared = column.text(Attribute::Type)?.trim();
        let is_alias =
            declared.eq_ignore_ascii_case("INTEGER") && !self.group.object().has(Attribute::WithoutRowid);
        is_alias.then(|| name.to_lowercase())
    }

    /// The first name in each of these terms, in lower case.
    pub(super) fn names(&self, terms: &[String]) -> Vec<String> {
        let first = |term: &String| identifiers(term, self.backend).into_iter().next();
        terms.iter().filter_map(first).collect()
    }

    /// The parts of one kind.
    pub(super) fn parts_of(&self, kind: Kind) -> impl Iterator<Item = (ObjectId, &'a str, &'a Object)> {
        let (side, group) = (*self, self.group);
        group.parts_of(kind).map(move |(name, object)| (side.part(kind, name), name, object))
    }
}

/// Whether a table is one that can have a counterpart: a partition is part of its parent, and a
/// virtual table is something that only SQLite has.
pub(super) fn is_comparable(group: &Group) -> bool {
    let object = group.object();
    !object.has(Attribute::PartitionOf) && object.text(Attribute::Variety) != Some("virtual")
}

/// The names of all tables, in lower case and without their namespaces.
pub(super) fn table_names(schema: &Schema) -> BTreeSet<String> {
    schema.tables().map(|(name, _)| name.local().to_lowercase()).collect()
}

/// A table on both backends.
pub(super) struct Pair<'a> {
    pub(super) postgres: Side<'a>,
    pub(super) sqlite: Side<'a>,
    /// The columns that both have, with what each says of them.
    pub(super) columns: Vec<Column<'a>>,
    /// What the columns hold, by their names in lower case.
    families: BTreeMap<String, Family>,
    /// The columns in which case does not count, on either side.
    folding: [BTreeSet<String>; 2],
}

/// A column on both backends.
pub(super) struct Column<'a> {
    pub(super) name: String,
    pub(super) postgres: (&'a str, &'a Object, ColumnType),
    pub(super) sqlite: (&'a str, &'a Object, ColumnType),
}

impl<'a> Pair<'a> {
    pub(super) fn new(postgres: Side<'a>, sqlite: Side<'a>) -> Self {
        let mut columns = Vec::new();
        let mut families = BTreeMap::new();
        let mut folding = [BTreeSet::new(), BTreeSet::new()];
        for (name, column) in sqlite.group.columns() {
            let column_type = sqlite.column_type(column);
            if column.text(Attribute::Collation) == Some("NOCASE") {
                folding[1].insert(name.to_lowercase());
            }
            families.insert(name.to_lowercase(), column_type.family);
        }
        for (name, column) in postgres.group.columns() {
            let column_type = postgres.column_type(column);
            let lower = name.to_lowercase();
            families.insert(lower.clone(), column_type.family);
            if column_type.folds_case {
                folding[0].insert(lower.clone());
            }
            let mut others = sqlite.group.parts_of(Kind::Column);
            if let Some((other, object)) = others.find(|(other, _)| other.to_lowercase() == lower) {
                columns.push(Column {
                    name: lower,
                    postgres: (name, column, column_type),
                    sqlite: (other, object, sqlite.column_type(object)),
                });
            }
        }
        Self { postgres, sqlite, columns, families, folding }
    }

    pub(super) fn sides(&self) -> [&Side<'a>; 2] {
        [&self.postgres, &self.sqlite]
    }

    pub(super) fn column(&self, name: &str) -> Option<&Column<'a>> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether only one side has a column of that name: then that is what is wrong, and not
    /// everything else that speaks of it.
    pub(super) fn lacks(&self, name: &str) -> bool {
        let has =
            |side: &Side<'_>| side.group.parts_of(Kind::Column).any(|(one, _)| one.to_lowercase() == name);
        has(&self.postgres) != has(&self.sqlite)
    }

    /// The same for any of the columns of a form.
    pub(super) fn lacks_any(&self, form: &Form) -> bool {
        form.columns().iter().any(|name| self.lacks(bare(name)))
    }

    pub(super) fn scope<'s>(&'s self, side: &Side<'s>) -> Scope<'s> {
        Scope { backend: side.backend, schema: side.schema, columns: &self.families, relations: &[] }
    }

    pub(super) fn folds(&self, side: &Side<'_>, name: &str) -> bool {
        self.folding[usize::from(side.backend == self.sqlite.backend)].contains(name)
    }

    /// A form in which columns whose case does not count stand in lower case.
    pub(super) fn folded(&self, side: &Side<'_>, form: Form) -> Form {
        let folds = |form: &Form| matches!(form, Form::Column(name, _) if self.folds(side, name));
        let lower = |form| Form::call("lower", vec![form]);
        form.map(&|form| match form {
            Form::Call(name, mut inner) if name == "lower" && inner.len() == 1 => {
                // What is in lower case already stays as it is.
                match inner.remove(0) {
                    Form::Call(inner, arguments) if inner == "lower" => Form::Call(inner, arguments),
                    other => lower(other),
                }
            }
            other if folds(&other) => lower(other),
            other => other,
        })
    }
}

/// The column's own name without the row that it is of.
pub(super) fn bare(name: &str) -> &str {
    name.strip_prefix("new.").or_else(|| name.strip_prefix("old.")).unwrap_or(name)
}

/// The names in a text, in lower case.
pub(super) fn identifiers(text: &str, backend: Backend) -> Vec<String> {
    let tokens = Lexer::new(text, backend);
    let names = tokens.filter_map(|token| match token.kind {
        TokenKind::Word => Some(token.text.to_lowercase()),
        TokenKind::QuotedIdentifier => {
            Some(token.text.trim_matches(['"', '`', '[', ']']).replace("\"\"", "\"").to_lowercase())
        }
        _ => None,
    });
    names.collect()
}

/// An object as messages call it.
pub(super) fn described(id: &ObjectId) -> String {
    let Some((kind, name)) = &id.part else { return id.described() };
    let table = ObjectId::whole(id.group_kind, id.group.clone()).described();
    match kind {
        Kind::Index | Kind::Trigger => id.described(),
        // A constraint without a name is called after its columns.
        _ if name.starts_with('(') => format!("{kind} {name} of {table}"),
        _ => format!("{} of {table}", id.described()),
    }
}

/// Whether two that are not the same seem to be meant for each other.
pub(super) type Likeness<'a, T> = &'a dyn Fn(&T, &T) -> bool;

/// What is left of two lists once all that has its like on the other side is gone.
pub(super) struct Left<T> {
    /// Those that seem to be meant for each other, and what comes of comparing them.
    pub(super) akin: Vec<(T, T, Answer)>,
    pub(super) postgres: Vec<T>,
    pub(super) sqlite: Vec<T>,
}

pub(super) fn left_over<T: Clone>(
    postgres: &[T],
    sqlite: &[T],
    compare: impl Fn(&T, &T) -> Answer,
    akin: &[Likeness<'_, T>],
) -> Left<T> {
    let same = |one: &T, other: &T| compare(one, other) == Answer::Same;
    let alone = |one: &&T| !sqlite.iter().any(|other| same(one, other));
    let mut left: Vec<T> = postgres.iter().filter(alone).cloned().collect();
    let alone = |other: &&T| !postgres.iter().any(|one| same(one, other));
    let mut right: Vec<T> = sqlite.iter().filter(alone).cloned().collect();
    let mut pairs = Vec::new();
    for akin in akin {
        let mut rest = Vec::new();
        for one in left {
            match right.iter().position(|other| akin(&one, other)) {
                Some(place) => {
                    let other = right.remove(place);
                    let answer = compare(&one, &other);
                    pairs.push((one, other, answer));
                }
                None => rest.push(one),
            }
        }
        left = rest;
    }
    Left { akin: pairs, postgres: left, sqlite: right }
}
