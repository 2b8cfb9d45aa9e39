//! Columns: type, nullability, default, counting, generation and collation.

use super::form::{self, Answer, Form};
use super::pair::{Column, Pair, Side, described};
use super::types::{self, Obstacle};
use super::{Aspect, Found};
use crate::family::{ColumnType, Family};
use crate::report::Severity;
use crate::schema::{Attribute, Kind, Object, ObjectId};

pub(super) fn compare(pair: &Pair<'_>, found: &mut Found<'_>) {
    one_sided(pair, found);
    for column in &pair.columns {
        let ids = Ids::of(pair, column);
        if different_type(column, &ids, found) {
            continue;
        }
        if counting(pair, column, &ids, found) {
            continue;
        }
        let optional = nullability(pair, column, &ids, found);
        values(pair, column, optional, &ids, found);
        collation(pair, column, &ids, found);
    }
    nullable_key(pair, found);
}

struct Ids {
    postgres: ObjectId,
    sqlite: ObjectId,
    what: String,
}

impl Ids {
    fn of(pair: &Pair<'_>, column: &Column<'_>) -> Self {
        let postgres = pair.postgres.part(Kind::Column, column.postgres.0);
        let sqlite = pair.sqlite.part(Kind::Column, column.sqlite.0);
        Self { what: described(&postgres), postgres, sqlite }
    }

    fn push(&self, found: &mut Found<'_>, aspect: Aspect, severity: Severity, message: String, help: String) {
        found.push(Some(self.postgres.clone()), Some(self.sqlite.clone()), aspect, severity, message, help);
    }
}

fn one_sided(pair: &Pair<'_>, found: &mut Found<'_>) {
    for (at, side) in pair.sides().into_iter().enumerate() {
        for (name, object) in side.group.columns() {
            if pair.column(&name.to_lowercase()).is_some() || object.has(Attribute::Hidden) {
                continue;
            }
            // What only serves to find rows is kept in each backend's own way: PostgreSQL has its
            // `tsvector`, SQLite a generated column under an index or a virtual table.
            let of_search = side.column_type(object).spelled == "tsvector";
            let severity = match () {
                () if of_search => Severity::Note,
                () if object.has(Attribute::Generated) => Severity::Warning,
                () => Severity::Error,
            };
            let id = Some(side.part(Kind::Column, name));
            let (postgres, sqlite) = if at == 0 { (id, None) } else { (None, id) };
            let lacks = pair.sides()[1 - at].backend;
            let help =
                format!("add the column in a new revision on {lacks}, or drop it in one on {}", side.backend);
            found.one_sided(postgres, sqlite, severity, Some(help));
        }
    }
}

fn different_type(column: &Column<'_>, ids: &Ids, found: &mut Found<'_>) -> bool {
    let (postgres, sqlite) = (&column.postgres.2, &column.sqlite.2);
    let Some(obstacle) = types::obstacle(postgres, sqlite) else { return false };
    let message =
        format!("{} is {} on postgres and {} on sqlite", ids.what, postgres.spelled, sqlite.spelled);
    let (severity, help) = match obstacle {
        Obstacle::Family => (Severity::Error, meant(postgres)),
        Obstacle::Exactness => (
            Severity::Warning,
            "declare it NUMERIC on sqlite to say what is meant, or TEXT to keep every digit".to_owned(),
        ),
        Obstacle::Affinity => (
            Severity::Error,
            format!(
                "declare it TEXT on sqlite; a column of type {} keeps the text '007' as the number 7",
                sqlite.spelled
            ),
        ),
    };
    ids.push(found, Aspect::Type, severity, message, help);
    true
}

/// What SQLite may declare for a type of PostgreSQL.
fn meant(postgres: &ColumnType) -> String {
    let row = types::COMPATIBLE.iter().find(|row| row.postgres.contains(&postgres.family));
    let declared = row.map_or("TEXT", |row| row.declared);
    format!("let both hold the same kind of value; for {} sqlite may declare {declared}", postgres.spelled)
}

/// Whether an insert that leaves the column out gets the next number.
fn counts(side: &Side<'_>, name: &str, column: &Object) -> bool {
    column.has(Attribute::Identity)
        || column.text(Attribute::Default).is_some_and(|default| default.starts_with("nextval("))
        || side.rowid_alias().as_deref() == Some(name)
}

/// Says where only one side counts; then nothing else is said of the column.
fn counting(pair: &Pair<'_>, column: &Column<'_>, ids: &Ids, found: &mut Found<'_>) -> bool {
    let postgres = column.postgres.1;
    let counted = postgres.has(Attribute::Identity)
        || postgres.text(Attribute::Default).is_some_and(|default| default.starts_with("nextval("));
    let alias = counts(&pair.sqlite, &column.name, &Object::new());
    let key = pair.sqlite.primary_key() == [column.name.clone()];
    match (counted, alias) {
        (true, false) => {
            let declared = &column.sqlite.2.spelled;
            let message = format!("{} counts up on postgres but not on sqlite", ids.what);
            let help = if key {
                format!(
                    "declare it INTEGER PRIMARY KEY on sqlite; a primary key of type {declared} is not the row number there, so an insert without it fails or stores NULL"
                )
            } else {
                "give it its value in every insert on both backends, or make it the INTEGER PRIMARY KEY on sqlite: no other column counts up there".to_owned()
            };
            ids.push(found, Aspect::Counting, Severity::Error, message, help);
            true
        }
        (false, true) => {
            let refers = pair
                .sqlite
                .parts_of(Kind::ForeignKey)
                .any(|(_, _, key)| pair.sqlite.names(key.list(Attribute::Columns)) == [column.name.clone()]);
            let own = [Attribute::Default, Attribute::Generated].iter().any(|one| postgres.has(*one));
            let wanted = column.sqlite.1.has(Attribute::Autoincrement);
            if !refers && !own {
                let severity = if wanted { Severity::Error } else { Severity::Note };
                let message = format!("{} counts up on sqlite but not on postgres", ids.what);
                let help = "declare it GENERATED BY DEFAULT AS IDENTITY on postgres, or give it its value in every insert";
                ids.push(found, Aspect::Counting, severity, message, help.to_owned());
            }
            true
        }
        (both, _) => both,
    }
}

/// Says where only one side may be null, and whether it did.
fn nullability(pair: &Pair<'_>, column: &Column<'_>, ids: &Ids, found: &mut Found<'_>) -> bool {
    let required = |object: &Object| object.has(Attribute::NotNull);
    let (postgres, sqlite) = (required(column.postgres.1), required(column.sqlite.1));
    let in_key = |side: &Side<'_>| side.primary_key().contains(&column.name);
    if postgres == sqlite || in_key(&pair.sqlite) && in_key(&pair.postgres) {
        return false;
    }
    let (refuses, accepts) = if postgres { ("postgres", "sqlite") } else { ("sqlite", "postgres") };
    let message = format!("{} is NOT NULL on {refuses} but may be null on {accepts}", ids.what);
    let help = format!("make it NOT NULL in a new revision on {accepts}, or let it be null on {refuses}");
    ids.push(found, Aspect::Nullability, Severity::Error, message, help);
    true
}

/// SQLite lets the columns of a primary key be null unless it is told otherwise (SQLite manual,
/// "CREATE TABLE", 3.5), which is one oversight however many columns the key has.
fn nullable_key(pair: &Pair<'_>, found: &mut Found<'_>) {
    let alias = pair.sqlite.rowid_alias();
    let key = pair.postgres.primary_key();
    let nullable: Vec<&Column<'_>> = pair
        .columns
        .iter()
        .filter(|column| {
            key.contains(&column.name)
                && pair.sqlite.primary_key().contains(&column.name)
                && !column.sqlite.1.has(Attribute::NotNull)
                && alias.as_ref() != Some(&column.name)
        })
        .collect();
    let Some(first) = nullable.first() else { return };
    // A key that ought to count and does not is told already.
    if counts(&pair.postgres, &first.name, first.postgres.1) {
        return;
    }
    let ids = Ids::of(pair, first);
    let names: Vec<String> = nullable.iter().map(|column| format!("\"{}\"", column.sqlite.0)).collect();
    let message = format!(
        "the primary key of table \"{}\" accepts NULL in {} on sqlite but not on postgres",
        pair.sqlite.name.local(),
        names.join(", ")
    );
    let help = "declare the columns NOT NULL on sqlite, where a primary key alone does not imply it";
    ids.push(found, Aspect::Nullability, Severity::Note, message, help.to_owned());
}

/// What a column holds when nothing is said: its default or the expression that generates it.
///
/// A default on one side only goes with NOT NULL on one side only, if that is told already.
fn values(pair: &Pair<'_>, column: &Column<'_>, optional: bool, ids: &Ids, found: &mut Found<'_>) {
    for (attribute, aspect, what) in [
        (Attribute::Generated, Aspect::Generated, "generated expression"),
        (Attribute::Default, Aspect::Default, "default"),
    ] {
        let texts = [column.postgres.1.text(attribute), column.sqlite.1.text(attribute)];
        let family = column.postgres.2.family;
        let read = |side: &Side<'_>, text: &str| {
            let text = match attribute {
                Attribute::Generated => text.rsplit_once(' ').map_or(text, |(expression, _)| expression),
                _ => as_number(text, family),
            };
            pair.scope(side).read(text).map(|form| form::coerced(form, Some(family)))
        };
        let [postgres, sqlite] = [(&pair.postgres, texts[0]), (&pair.sqlite, texts[1])]
            .map(|(side, text)| text.map(|text| (text, read(side, text))));
        // DEFAULT NULL is no default.
        let present = |one: Option<(&str, Option<Form>)>| {
            one.filter(|(_, form)| *form != Some(Form::Null)).map(|(text, form)| (text.to_owned(), form))
        };
        match (present(postgres), present(sqlite)) {
            (None, None) => {}
            (Some((one, left)), Some((other, right))) => {
                if attribute == Attribute::Default && same_by_nature(left.as_ref(), right.as_ref(), family) {
                    continue;
                }
                match form::compare(left.as_ref(), right.as_ref()) {
                    Answer::Same => {}
                    Answer::Unclear => found.unclear(ids.postgres.clone(), &one, &other),
                    Answer::Different => {
                        let message =
                            format!("the {what} of {} is {one} on postgres and {other} on sqlite", ids.what);
                        let help = format!("give it the same {what} on both backends in a new revision");
                        ids.push(found, aspect, Severity::Error, message, help);
                    }
                }
            }
            _ if optional => {}
            (left, right) => {
                let (has, lacks, text) = match (left, right) {
                    (Some((text, _)), _) => ("postgres", "sqlite", text),
                    (None, Some((text, _))) => ("sqlite", "postgres", text),
                    (None, None) => continue,
                };
                // A default on SQLite alone is often what `ADD COLUMN … NOT NULL` asked for there.
                let severity = match has {
                    "sqlite" if attribute == Attribute::Default => Severity::Warning,
                    _ => Severity::Error,
                };
                let article = if what.starts_with('g') { "is generated as" } else { "has the default" };
                let not = if what.starts_with('g') { "is not generated" } else { "none" };
                let message = format!("{} {article} {text} on {has} and {not} on {lacks}", ids.what);
                let help =
                    format!("give it the same {what} on {lacks} in a new revision, or drop it on {has}");
                ids.push(found, aspect, severity, message, help);
            }
        }
    }
}

/// A number that is written as a text is kept as a number where the column is one (SQLite manual,
/// "Datatypes In SQLite", 3; PostgreSQL takes it for one right away).
fn as_number(text: &str, family: Family) -> &str {
    let numeric = matches!(family, Family::Integer | Family::Boolean | Family::Decimal | Family::Real);
    let inner = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
    inner.filter(|inner| numeric && inner.parse::<f64>().is_ok()).unwrap_or(text)
}

/// Whether both defaults are the present moment or both a new random value, in whichever words.
///
/// Without a time zone PostgreSQL keeps the local time of the session, so SQLite may as well.
fn same_by_nature(left: Option<&Form>, right: Option<&Form>, family: Family) -> bool {
    let (Some(left), Some(right)) = (left, right) else { return false };
    let mentions =
        |form: &Form, names: &[&str]| form.any(&mut |one| names.iter().any(|name| one.is_call(name)));
    let other: &[&str] = if family == Family::Timestamp { &["later"] } else { &["local now", "later"] };
    let clock = |form: &Form| mentions(form, &["now"]) && !mentions(form, other);
    let chance = |form: &Form| mentions(form, &["uuid", "chance"]);
    clock(left) && clock(right) || chance(left) && chance(right)
}

fn collation(pair: &Pair<'_>, column: &Column<'_>, ids: &Ids, found: &mut Found<'_>) {
    if !matches!(column.postgres.2.family, Family::Text | Family::Enum | Family::Other) {
        return;
    }
    let folds = |side: &Side<'_>| pair.folds(side, &column.name);
    let (postgres, sqlite) = (folds(&pair.postgres), folds(&pair.sqlite));
    // A collation of PostgreSQL's own making may ignore case as well; which does is not known here.
    let named = column.postgres.1.text(Attribute::Collation).is_some_and(|name| !name.contains("C\""));
    if postgres == sqlite || named {
        return;
    }
    // An index on lower(…) keeps the same promise where it matters.
    let other = if postgres { &pair.sqlite } else { &pair.postgres };
    let kept = other.parts_of(Kind::Index).any(|(_, _, index)| {
        let folded = |term: &String| {
            let term = term.to_lowercase();
            term.contains(&column.name) && (term.contains("lower(") || term.contains("nocase"))
        };
        index.list(Attribute::Columns).iter().any(folded)
    });
    if kept {
        return;
    }
    let (ignores, tells) = if postgres { ("postgres", "sqlite") } else { ("sqlite", "postgres") };
    let message = format!("{} ignores case on {ignores} but not on {tells}", ids.what);
    let help = if postgres {
        "declare it COLLATE NOCASE on sqlite, or keep it in lower case on both backends"
    } else {
        "declare it citext on postgres or index lower(…) there, or leave out COLLATE NOCASE on sqlite"
    };
    ids.push(found, Aspect::Collation, Severity::Error, message, help.to_owned());
}
