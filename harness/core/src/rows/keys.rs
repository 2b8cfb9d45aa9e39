//! Keys: which columns refer to which, which are unique, and in which order tables take rows.

use std::collections::{BTreeMap, BTreeSet};

use crate::Backend;
use crate::schema::{Attribute, Group, Kind, Name, Object, Schema};
use crate::sql::{TokenKind, lex};

/// A foreign key as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey {
    /// The constraint's name.
    pub name: String,
    /// The columns that refer.
    pub columns: Vec<String>,
    /// The table that they refer to.
    pub parent: Name,
    /// The columns that they refer to, in the same order.
    pub parent_columns: Vec<String>,
}

/// The foreign keys of a table.
pub fn foreign_keys(schema: &Schema, table: &Group) -> Vec<ForeignKey> {
    let keys = table.parts_of(Kind::ForeignKey);
    keys.filter_map(|(name, key)| foreign_key(schema, name, key)).collect()
}

fn foreign_key(schema: &Schema, name: &str, key: &Object) -> Option<ForeignKey> {
    let (parent, columns) = target(key.text(Attribute::References)?);
    let (parent, group) = find(schema, &parent)?;
    let own = names(key.list(Attribute::Columns));
    let parent_columns = if columns.is_empty() { primary_key(group) } else { columns };
    let spelled = |column: String| spelling(group, &column).unwrap_or(column);
    let parent_columns: Vec<String> = parent_columns.into_iter().map(spelled).collect();
    let complete = !own.is_empty() && own.len() == parent_columns.len();
    complete.then(|| ForeignKey { name: name.to_owned(), columns: own, parent, parent_columns })
}

/// The keys that names tell of where no constraint does, or not yet: `user_id` is the `id` of a table
/// `user` or `users`.
pub(super) fn likely_keys(schema: &Schema, table: &Group) -> Vec<ForeignKey> {
    let said: BTreeSet<String> =
        foreign_keys(schema, table).into_iter().flat_map(|key| key.columns).collect();
    let key = |(column, object): (&str, &Object)| {
        let (stem, parent_column) = column.rsplit_once('_')?;
        let stem = stem.to_lowercase();
        let plurals = [stem.clone(), format!("{stem}s"), format!("{stem}es"), format!("{stem}_")];
        let ies = stem.strip_suffix('y').map(|stem| format!("{stem}ies"));
        let named = |local: &str| plurals.iter().chain(&ies).any(|plural| local.eq_ignore_ascii_case(plural));
        let (parent, group) = schema.tables().find(|(name, _)| named(name.local()))?;
        let parent_column = spelling(group, parent_column)?;
        let target = group.part(Kind::Column, &parent_column)?;
        let alike = target.text(Attribute::Type)? == object.text(Attribute::Type)?;
        let is_key = unique_keys(group).iter().any(|key| *key == [parent_column.clone()]);
        (alike && is_key && !said.contains(column)).then(|| ForeignKey {
            name: format!("likely {column}"),
            columns: vec![column.to_owned()],
            parent: parent.clone(),
            parent_columns: vec![parent_column],
        })
    };
    table.parts_of(Kind::Column).filter_map(key).collect()
}

/// The table of that name. SQLite's names match in any case.
fn find<'a>(schema: &'a Schema, name: &Name) -> Option<(Name, &'a Group)> {
    if let Some(group) = schema.table(name) {
        return Some((name.clone(), group));
    }
    let same = |one: &str, other: &str| one.eq_ignore_ascii_case(other);
    let named = |one: &Name| same(one.local(), name.local()) && same(&one.to_string(), &name.to_string());
    let (name, group) = schema.tables().find(|(one, _)| named(one))?;
    Some((name.clone(), group))
}

fn spelling(group: &Group, column: &str) -> Option<String> {
    let mut columns = group.parts_of(Kind::Column).map(|(name, _)| name);
    columns.find(|name| name.eq_ignore_ascii_case(column)).map(str::to_owned)
}

/// `audit."Log" (a, b)` as a name and columns.
fn target(references: &str) -> (Name, Vec<String>) {
    let mut parts: Vec<String> = Vec::new();
    let mut columns = Vec::new();
    let mut inside = false;
    for token in lex(references, Backend::Postgres) {
        match token.kind {
            TokenKind::Word | TokenKind::QuotedIdentifier if inside => columns.push(bare(token.text)),
            TokenKind::Word | TokenKind::QuotedIdentifier => parts.push(bare(token.text)),
            TokenKind::Punctuation if token.text == "(" => inside = true,
            // A name such as `a-b` stands there without quotes.
            _ if !inside && token.text != "." && token.is_significant() => match parts.last_mut() {
                Some(last) => last.push_str(token.text),
                None => parts.push(token.text.to_owned()),
            },
            _ => {}
        }
    }
    let local = parts.pop().unwrap_or_default();
    let name =
        parts.pop().map_or_else(|| Name::new(local.clone()), |space| Name::within(space, local.clone()));
    (name, columns)
}

/// A name without its quotes.
pub(super) fn bare(written: &str) -> String {
    match written.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inner) => inner.replace("\"\"", "\""),
        None => written.to_owned(),
    }
}

/// The columns of key terms; of an expression, nothing.
fn names(terms: &[String]) -> Vec<String> {
    let name = |term: &String| {
        let tokens = lex(term, Backend::Postgres);
        let first = tokens.iter().find(|token| token.is_significant())?;
        let rest = tokens.iter().filter(|token| token.is_significant()).nth(1);
        let is_name = matches!(first.kind, TokenKind::Word | TokenKind::QuotedIdentifier);
        let alone =
            rest.is_none_or(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier));
        (is_name && alone).then(|| bare(first.text))
    };
    terms.iter().filter_map(name).collect()
}

/// The columns of key terms, if all are columns.
pub(crate) fn only_names(terms: &[String]) -> Option<Vec<String>> {
    Some(names(terms)).filter(|names| names.len() == terms.len())
}

/// The columns of the primary key; none where there is no key.
pub(crate) fn primary_key(group: &Group) -> Vec<String> {
    let key = group.parts_of(Kind::PrimaryKey).next();
    key.map(|(_, key)| names(key.list(Attribute::Columns))).unwrap_or_default()
}

/// The sets of columns of which no two rows may be equal, whatever says so, the primary key first.
/// Columns inside an expression count, too.
pub fn unique_keys(table: &Group) -> Vec<Vec<String>> {
    let constraints = [Kind::PrimaryKey, Kind::Unique, Kind::Exclusion].into_iter();
    let constraints = constraints.flat_map(|kind| table.parts_of(kind)).map(|(_, key)| key);
    let indexes = table.parts_of(Kind::Index).map(|(_, index)| index);
    let keys = constraints.chain(indexes.filter(|index| index.has(Attribute::UniqueIndex)));
    keys.map(|key| mentioned(table, key.list(Attribute::Columns)))
        .filter(|columns| !columns.is_empty())
        .collect()
}

/// The columns that some texts mention.
pub(crate) fn mentioned(table: &Group, texts: &[String]) -> Vec<String> {
    let mut found = Vec::new();
    for text in texts {
        for token in lex(text, Backend::Postgres) {
            if matches!(token.kind, TokenKind::Word | TokenKind::QuotedIdentifier)
                && let Some(column) = spelling(table, &bare(token.text))
                && !found.contains(&column)
            {
                found.push(column);
            }
        }
    }
    found
}

/// The tables, parents before children. Where tables refer to each other, a key that may be left
/// empty waits.
pub fn order(schema: &Schema) -> Vec<&Name> {
    let needs = needs(schema, true);
    let wishes = needs_all(schema);
    let mut left: Vec<&Name> = schema.tables().map(|(name, _)| name).collect();
    let mut ordered = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let free = |edges: &BTreeMap<&Name, BTreeSet<Name>>| {
            let waits =
                |name: &&Name| edges.get(name).is_some_and(|of| left.iter().any(|one| of.contains(one)));
            left.iter().position(|name| !waits(name))
        };
        let next = free(&wishes).or_else(|| free(&needs)).unwrap_or(0);
        ordered.push(left.remove(next));
    }
    ordered
}

/// The groups of tables of which each needs a row of another one to have a row itself.
pub fn cycles(schema: &Schema) -> Vec<BTreeSet<Name>> {
    let needs = needs(schema, true);
    let reach = |from: &Name| {
        let mut seen = BTreeSet::new();
        let mut next: Vec<&Name> = needs.get(from).into_iter().flatten().collect();
        while let Some(name) = next.pop() {
            if seen.insert(name.clone()) {
                next.extend(needs.get(name).into_iter().flatten());
            }
        }
        seen
    };
    let mut cycles: Vec<BTreeSet<Name>> = Vec::new();
    for name in needs.keys() {
        let reached = reach(name);
        if reached.contains(*name) && !cycles.iter().any(|cycle| cycle.contains(*name)) {
            let back = |other: &&Name| reach(other).contains(*name);
            cycles.push(reached.iter().filter(back).cloned().collect());
        }
    }
    cycles
}

fn needs_all(schema: &Schema) -> BTreeMap<&Name, BTreeSet<Name>> {
    needs(schema, false)
}

/// Which other tables the rows of each table need, or may refer to.
fn needs(schema: &Schema, only_needed: bool) -> BTreeMap<&Name, BTreeSet<Name>> {
    let mut needs = BTreeMap::new();
    for (name, group) in schema.tables() {
        let likely = if only_needed { Vec::new() } else { likely_keys(schema, group) };
        let keys = foreign_keys(schema, group).into_iter().chain(likely);
        let keys = keys.filter(|key| !only_needed || !key.columns.iter().any(|one| may_be_null(group, one)));
        let parents: BTreeSet<Name> = keys.map(|key| key.parent).filter(|parent| parent != name).collect();
        if !parents.is_empty() {
            needs.insert(name, parents);
        }
    }
    needs
}

/// Whether a column may be NULL, as far as it says itself.
pub(super) fn may_be_null(group: &Group, column: &str) -> bool {
    let not_null = group.part(Kind::Column, column).is_some_and(|object| object.has(Attribute::NotNull));
    !not_null && !primary_key(group).iter().any(|key| key.eq_ignore_ascii_case(column))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::ObjectId;

    fn table(schema: &mut Schema, name: &str, keys: &[(&str, bool, &str)]) {
        let part = |kind, part: &str| ObjectId::part(Kind::Table, Name::new(name), kind, part);
        schema.insert(ObjectId::whole(Kind::Table, Name::new(name)), Object::new());
        for (column, needed, parent) in keys {
            let object = if *needed { Object::new().flag(Attribute::NotNull) } else { Object::new() };
            schema.insert(part(Kind::Column, column), object);
            let key = Object::new().with(Attribute::Columns, vec![(*column).to_owned()]);
            let key = key.with(Attribute::References, format!("{parent} (id)"));
            schema.insert(part(Kind::ForeignKey, &format!("fk_{column}")), key);
        }
    }

    #[test]
    fn parents_come_first_and_cycles_are_known() {
        let mut schema = Schema::new();
        table(&mut schema, "a", &[("b_id", true, "b")]);
        table(&mut schema, "b", &[("c_id", false, "c")]);
        table(&mut schema, "c", &[("b_id", true, "b")]);
        table(&mut schema, "x", &[("y_id", true, "y")]);
        table(&mut schema, "y", &[("x_id", true, "x"), ("b_id", true, "b")]);
        let ordered: Vec<String> = order(&schema).iter().map(ToString::to_string).collect();
        let place = |name: &str| ordered.iter().position(|one| one == name).unwrap();
        assert!(place("b") < place("a") && place("b") < place("c") && place("b") < place("y"), "{ordered:?}");
        assert_eq!(cycles(&schema), [BTreeSet::from([Name::new("x"), Name::new("y")])]);
    }

    #[test]
    fn targets_are_taken_apart() {
        let columns = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        assert_eq!(target("audit.\"Log\" (a, \"B\")"), (Name::within("audit", "Log"), columns(&["a", "B"])));
        assert_eq!(target("users (id)"), (Name::new("users"), columns(&["id"])));
    }
}
