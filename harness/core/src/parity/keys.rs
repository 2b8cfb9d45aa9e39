//! Foreign keys, and the promise that rows are unique, whichever object makes it.

use std::collections::BTreeSet;

use super::checks;
use super::form::{self, Answer, Form};
use super::indexes;
use super::pair::{Left, Pair, Side, described, identifiers, left_over};
use super::{Aspect, Found};
use crate::report::Severity;
use crate::schema::{Attribute, Kind, Object, ObjectId};

pub(super) fn compare(pair: &Pair<'_>, found: &mut Found<'_>) {
    unique(pair, found);
    foreign(pair, found);
    exclusions(pair, found);
}

/// The promise that no two rows have the same values.
#[derive(Clone)]
struct Promise {
    id: ObjectId,
    text: String,
    /// What must not be the same; nothing if that is not understood.
    terms: Option<BTreeSet<Form>>,
    /// For which rows.
    condition: Option<Form>,
    /// Whether nulls count as equal.
    nulls: bool,
    waits: Waits,
}

/// When a key is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Waits {
    /// With each row.
    Never,
    /// At the end of a statement, and later if somebody asks.
    ForTheStatement,
    /// At the end of the transaction.
    ForTheTransaction,
}

impl Waits {
    fn read(object: &Object) -> Self {
        match object.text(Attribute::Deferrable) {
            None => Self::Never,
            Some("deferrable initially deferred") => Self::ForTheTransaction,
            Some(_) => Self::ForTheStatement,
        }
    }
}

impl Promise {
    /// Whether keeping this promise keeps the other.
    fn implies(&self, other: &Self) -> bool {
        let (Some(own), Some(theirs)) = (&self.terms, &other.terms) else { return false };
        own.is_subset(theirs)
            && (self.condition == Some(Form::Bool(true))
                || self.condition.is_some() && self.condition == other.condition)
            && (self.nulls || !other.nulls)
    }
}

fn promises(pair: &Pair<'_>, side: &Side<'_>) -> Vec<Promise> {
    let mut all = Vec::new();
    for kind in [Kind::PrimaryKey, Kind::Unique, Kind::Index] {
        for (id, _, object) in side.parts_of(kind) {
            if kind == Kind::Index && !object.has(Attribute::UniqueIndex) || object.has(Attribute::Invalid) {
                continue;
            }
            let terms = indexes::terms(pair, side, object.list(Attribute::Columns));
            let text = object.list(Attribute::Columns).join(", ");
            let condition = object.text(Attribute::Where);
            all.push(Promise {
                id,
                text: condition.map_or(text.clone(), |condition| format!("{text} where {condition}")),
                terms: terms.map(|terms| terms.into_iter().map(|term| term.form).collect()),
                condition: match condition {
                    Some(condition) => {
                        let scope = pair.scope(side);
                        scope.condition(condition).map(|form| indexes::without_certain(pair, form))
                    }
                    None => Some(Form::Bool(true)),
                },
                nulls: object.has(Attribute::NullsNotDistinct) && may_be_null(pair, side, object),
                waits: Waits::read(object),
            });
        }
    }
    // With whole columns unique by themselves, saying so again of more columns promises nothing.
    let weaker = |one: &Promise| {
        all.iter().any(|other| other.id != one.id && other.terms != one.terms && other.implies(one))
    };
    let kept: Vec<Promise> = all.iter().filter(|one| !weaker(one)).cloned().collect();
    kept
}

fn may_be_null(pair: &Pair<'_>, side: &Side<'_>, object: &Object) -> bool {
    side.names(object.list(Attribute::Columns))
        .iter()
        .any(|name| pair.column(name).is_none_or(|column| !column.postgres.1.has(Attribute::NotNull)))
}

fn unique(pair: &Pair<'_>, found: &mut Found<'_>) {
    let lacking =
        |one: &Promise| one.terms.iter().flatten().chain(&one.condition).any(|form| pair.lacks_any(form));
    let [(postgres, lost_on_sqlite), (sqlite, lost_on_postgres)] = pair.sides().map(|side| {
        let (lost, judged): (Vec<_>, Vec<_>) = promises(pair, side).into_iter().partition(lacking);
        (judged, lost)
    });
    let compare = |one: &Promise, other: &Promise| {
        if one.implies(other) && other.implies(one) {
            return Answer::Same;
        }
        let terms = |terms: &BTreeSet<Form>| Form::call("terms", terms.iter().cloned().collect());
        match (&one.terms, &other.terms, &one.condition, &other.condition) {
            (Some(own), Some(theirs), ..) if terms(own).compared(&terms(theirs)) == Answer::Unclear => {
                Answer::Unclear
            }
            (Some(_), Some(_), Some(left), Some(right)) if left != right => left.compared(right),
            (Some(_), Some(_), Some(_), Some(_)) => Answer::Different,
            _ => Answer::Unclear,
        }
    };
    let named = |one: &Promise, other: &Promise| same_name(&one.id, &other.id);
    let alike = |one: &Promise, other: &Promise| one.terms.is_some() && one.terms == other.terms;
    let unread = |one: &Promise, other: &Promise| one.terms.is_none() || other.terms.is_none();
    let left = left_over(&postgres, &sqlite, compare, &[&named, &alike, &unread]);
    for (one, other, answer) in left.akin {
        match answer {
            Answer::Unclear => found.unclear(one.id, &one.text, &other.text),
            _ => {
                let message = format!(
                    "{} keeps ({}) unique on postgres and ({}) on sqlite",
                    described(&one.id),
                    one.text,
                    other.text
                );
                let help = "make the same values unique on both backends in a new revision";
                found.push(
                    Some(one.id),
                    Some(other.id),
                    Aspect::Meaning,
                    Severity::Error,
                    message,
                    help.to_owned(),
                );
            }
        }
    }
    for one in &postgres {
        if let Some(other) = sqlite.iter().find(|other| compare(one, other) == Answer::Same) {
            waiting(one, other, found);
        }
    }
    // What stands against a promise about a column that is missing is told with that column.
    let told = |one: &Promise, lost: &[Promise]| {
        let counterpart = |other: &Promise| {
            same_name(&one.id, &other.id)
                || one.id.kind() == Kind::PrimaryKey && other.id.kind() == Kind::PrimaryKey
        };
        lost.iter().any(counterpart)
    };
    for one in left.postgres {
        if !sqlite.iter().any(|other| other.implies(&one)) && !told(&one, &lost_on_postgres) {
            found.one_sided(Some(one.id), None, Severity::Error, None);
        }
    }
    for one in left.sqlite {
        if !postgres.iter().any(|other| other.implies(&one)) && !told(&one, &lost_on_sqlite) {
            found.one_sided(None, Some(one.id), Severity::Error, None);
        }
    }
}

/// Says where PostgreSQL lets equal rows pass that are equal for a while. SQLite has no such keys: it
/// looks at each row as it is written (SQLite manual, "ON CONFLICT"), so two rows cannot swap their
/// values there, and there is nothing to declare that would let them. What is only deferrable is still
/// looked at with each statement, which matters to few statements: a note.
fn waiting(one: &Promise, other: &Promise, found: &mut Found<'_>) {
    let (when, severity) = match one.waits {
        Waits::Never => return,
        Waits::ForTheStatement => ("with each statement", Severity::Note),
        Waits::ForTheTransaction => ("at the end of the transaction", Severity::Warning),
    };
    let message = format!("{} is checked {when} on postgres and with each row on sqlite", described(&one.id));
    let help = "sqlite has no deferrable keys: write so that no two rows are equal on the way, and leave out \
                DEFERRABLE on postgres, or accept the difference";
    found.push(
        Some(one.id.clone()),
        Some(other.id.clone()),
        Aspect::Meaning,
        severity,
        message,
        help.to_owned(),
    );
}

/// Whether two parts were given the same name.
pub(super) fn same_name(one: &ObjectId, other: &ObjectId) -> bool {
    match (&one.part, &other.part) {
        (Some((_, one)), Some((_, other))) => one.eq_ignore_ascii_case(other),
        _ => false,
    }
}

/// A foreign key as what it does.
#[derive(Clone)]
struct ForeignKey {
    id: ObjectId,
    /// Each column with the one that it refers to.
    columns: BTreeSet<(String, String)>,
    own: BTreeSet<String>,
    table: String,
    on_delete: String,
    on_update: String,
    /// Whether it is checked only at the end of the transaction.
    deferred: bool,
    /// Whether it refuses a key that is null in part, where a key can be.
    whole: bool,
}

impl ForeignKey {
    fn read(side: &Side<'_>, id: ObjectId, object: &Object) -> Self {
        let references = object.text(Attribute::References).unwrap_or_default();
        let (table, columns) = references.rsplit_once(" (").unwrap_or((references, ""));
        let own = side.names(object.list(Attribute::Columns));
        let others = identifiers(columns, side.backend);
        let deferrable = object.text(Attribute::Deferrable);
        let action = |attribute| object.text(attribute).unwrap_or(NO_ACTION).to_owned();
        Self {
            id,
            columns: own.iter().cloned().zip(others).collect(),
            own: own.into_iter().collect(),
            table: identifiers(table, side.backend).pop().unwrap_or_default(),
            on_delete: action(Attribute::OnDelete),
            on_update: action(Attribute::OnUpdate),
            // What may be deferred is not until somebody asks; on SQLite a pragma asks for all keys.
            deferred: deferrable == Some("deferrable initially deferred"),
            whole: false,
        }
    }

    /// The same on PostgreSQL, where MATCH FULL is heeded. SQLite takes the word and passes it over
    /// (SQLite manual, "SQLite Foreign Key Support", 6): there a check may say what it says.
    fn matched(self, pair: &Pair<'_>, object: &Object) -> Self {
        let demands = demanded_by_match(pair, &self.own, object);
        let stated = checks::stated_on_sqlite(pair);
        let kept = demands.iter().all(|ways| ways.iter().any(|way| stated.contains(way)));
        Self { whole: !kept, ..self }
    }

    fn does(&self) -> String {
        let columns = |names: Vec<&str>| names.join(", ");
        let mut text = format!(
            "({}) references {} ({}), on delete {}, on update {}",
            columns(self.columns.iter().map(|(own, _)| own.as_str()).collect()),
            self.table,
            columns(self.columns.iter().map(|(_, other)| other.as_str()).collect()),
            self.on_delete,
            self.on_update
        );
        if self.deferred {
            text.push_str(", initially deferred");
        }
        if self.whole {
            text.push_str(", match full");
        }
        text
    }
}

const NO_ACTION: &str = "no action";

/// Whether two actions do the same. NO ACTION looks again at the end of the statement, where RESTRICT
/// does not; no statement of an application tells them apart.
fn same_action(one: &str, other: &str) -> bool {
    let stays = |action: &str| action == NO_ACTION || action == "restrict";
    one == other || stays(one) && stays(other)
}

/// What MATCH FULL demands of the columns of a key: that all are null or none is. Each demand stands in
/// the ways in which a check may say it. Nothing where no column or only one can be null, so that
/// either is what every key demands.
fn demanded_by_match(pair: &Pair<'_>, own: &BTreeSet<String>, object: &Object) -> Vec<Vec<Form>> {
    let nullable = |name: &String| {
        let column = pair.column(name);
        column.is_some_and(|column| {
            [column.postgres.1, column.sqlite.1].iter().all(|one| !one.has(Attribute::NotNull))
        })
    };
    if object.text(Attribute::Match) != Some("full") || own.len() < 2 || !own.iter().any(nullable) {
        return Vec::new();
    }
    let names: Vec<&String> = own.iter().collect();
    let pairs = names.windows(2).map(|two| {
        let null = |name: &str| {
            let family = pair.column(name).map(|column| column.postgres.2.family);
            Form::call("is null", vec![Form::Column(name.to_owned(), family)])
        };
        let (one, other) = (null(two[0]), null(two[1]));
        let both = form::and(vec![one.clone(), other.clone()]);
        let none = form::and(vec![form::not(one.clone()), form::not(other.clone())]);
        vec![form::equal(one, other), form::or(vec![both, none])]
    });
    pairs.collect()
}

/// What the foreign keys of PostgreSQL demand of their columns, as checks would say it.
pub(super) fn demanded_by_keys(pair: &Pair<'_>) -> Vec<Form> {
    let keys = pair.postgres.parts_of(Kind::ForeignKey);
    let demands = keys.flat_map(|(_, _, key)| {
        let own = pair.postgres.names(key.list(Attribute::Columns)).into_iter().collect();
        demanded_by_match(pair, &own, key)
    });
    demands.flatten().collect()
}

fn foreign(pair: &Pair<'_>, found: &mut Found<'_>) {
    let missing = |table: &str| {
        let has = |schema: &crate::schema::Schema| {
            schema.tables().any(|(name, _)| name.local().eq_ignore_ascii_case(table))
        };
        has(pair.postgres.schema) != has(pair.sqlite.schema)
    };
    let [postgres, sqlite] = pair.sides().map(|side| {
        let keys = side.parts_of(Kind::ForeignKey).filter(|(_, _, key)| !key.has(Attribute::NotEnforced));
        let keys = keys.map(|(id, _, key)| {
            let read = ForeignKey::read(side, id, key);
            if side.backend == pair.postgres.backend { read.matched(pair, key) } else { read }
        });
        keys.filter(|key| !missing(&key.table) && !key.own.iter().any(|name| pair.lacks(name)))
            .collect::<Vec<_>>()
    });
    let compare = |one: &ForeignKey, other: &ForeignKey| {
        let same = one.columns == other.columns
            && one.table == other.table
            && same_action(&one.on_delete, &other.on_delete)
            && same_action(&one.on_update, &other.on_update)
            && one.deferred == other.deferred
            && one.whole == other.whole;
        if same { Answer::Same } else { Answer::Different }
    };
    let target =
        |one: &ForeignKey, other: &ForeignKey| one.columns == other.columns && one.table == other.table;
    let own = |one: &ForeignKey, other: &ForeignKey| one.own == other.own;
    let Left { akin, postgres, sqlite } = left_over(&postgres, &sqlite, compare, &[&target, &own]);
    for (one, other, _) in akin {
        let what = described(&one.id);
        let (left, right) = difference(&one, &other);
        let message = format!("{what} is {left} on postgres and {right} on sqlite");
        let help = if left == "match full" {
            let names: Vec<&String> = one.own.iter().collect();
            let same = names.windows(2).map(|two| format!("({} IS NULL) = ({} IS NULL)", two[0], two[1]));
            let check = same.collect::<Vec<_>>().join(" AND ");
            format!("sqlite passes over MATCH; let a check say the same there: CHECK ({check})")
        } else {
            "let it do the same on both backends; on sqlite that takes a rebuild of the table".to_owned()
        };
        found.push(Some(one.id), Some(other.id), Aspect::Meaning, Severity::Error, message, help);
    }
    for one in postgres {
        found.one_sided(Some(one.id), None, Severity::Error, None);
    }
    for other in sqlite {
        found.one_sided(None, Some(other.id), Severity::Error, None);
    }
}

/// What each side of two keys says that the other does not.
fn difference(one: &ForeignKey, other: &ForeignKey) -> (String, String) {
    if one.columns != other.columns || one.table != other.table {
        return (one.does(), other.does());
    }
    let say = |key: &ForeignKey| {
        let mut parts = Vec::new();
        if !same_action(&one.on_delete, &other.on_delete) {
            parts.push(format!("on delete {}", key.on_delete));
        }
        if !same_action(&one.on_update, &other.on_update) {
            parts.push(format!("on update {}", key.on_update));
        }
        if one.deferred != other.deferred {
            parts.push(if key.deferred { "initially deferred" } else { "checked at once" }.to_owned());
        }
        if one.whole != other.whole {
            parts.push(if key.whole { "match full" } else { "match simple" }.to_owned());
        }
        parts.join(", ")
    };
    (say(one), say(other))
}

/// SQLite has no exclusion constraints; a trigger that refuses new rows may keep the promise.
fn exclusions(pair: &Pair<'_>, found: &mut Found<'_>) {
    let refuses = pair.sqlite.parts_of(Kind::Trigger).any(|(_, _, trigger)| {
        trigger.text(Attribute::Definition).is_some_and(|body| body.contains("raise("))
            && trigger.list(Attribute::Events).iter().any(|event| event == "insert")
    });
    for (id, ..) in pair.postgres.parts_of(Kind::Exclusion) {
        if !refuses {
            let help = "refuse such rows on sqlite by a trigger BEFORE INSERT and BEFORE UPDATE, or accept the difference";
            found.one_sided(Some(id), None, Severity::Warning, Some(help.to_owned()));
        }
    }
}
