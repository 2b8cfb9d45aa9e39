//! Indexes that only make queries fast; what unique ones promise is judged with the keys.

use super::form::{self, Answer, Form};
use super::keys::same_name;
use super::pair::{Left, Pair, Side, described, left_over};
use super::{Aspect, Found};
use crate::report::Severity;
use crate::schema::{Attribute, Kind, Object, ObjectId};
use crate::sql::{Token, lex};

/// One column or expression of an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Term {
    pub(super) form: Form,
    pub(super) descending: bool,
}

/// The terms of an index or key; nothing if one is not understood.
pub(super) fn terms(pair: &Pair<'_>, side: &Side<'_>, texts: &[String]) -> Option<Vec<Term>> {
    texts.iter().map(|text| term(pair, side, text)).collect()
}

fn term(pair: &Pair<'_>, side: &Side<'_>, text: &str) -> Option<Term> {
    let mut text = text.trim();
    let mut descending = false;
    // Where nulls stand differs by nature: they are the smallest values on SQLite and the largest
    // on PostgreSQL, and each reads its own order back (SQLite manual, "SELECT", 4; PostgreSQL
    // manual, "Indexes and ORDER BY"). SQLite's indexes take no word about it. So whoever departs
    // from the default on PostgreSQL, with NULLS FIRST or DESC NULLS LAST, says there what SQLite
    // has anyway: that brings the two together, and neither way is there anything to mend.
    for (ending, is_descending) in
        [(" nulls last", None), (" nulls first", None), (" desc", Some(true)), (" asc", Some(false))]
    {
        if let Some(rest) = text.strip_suffix(ending) {
            text = rest;
            descending = is_descending.unwrap_or(descending);
        }
    }
    let scope = pair.scope(side);
    let form = scope.read(text).or_else(|| {
        // PostgreSQL names an operator class at the end, which is about how it is searched.
        let end = last_word(text, side)?;
        scope.read(text[..end].trim_end())
    })?;
    Some(Term { form: pair.folded(side, form), descending })
}

/// Where the last word of a text begins, if it is not the only one.
fn last_word(text: &str, side: &Side<'_>) -> Option<usize> {
    let tokens: Vec<Token<'_>> = lex(text, side.backend).into_iter().filter(Token::is_significant).collect();
    let last = tokens.last()?;
    (tokens.len() > 1).then_some(last.offset)
}

/// A condition without what holds for every row: that a column which is NOT NULL is not null.
pub(super) fn without_certain(pair: &Pair<'_>, condition: Form) -> Form {
    let certain = |form: &Form| {
        let inner = form.arguments_of("not").and_then(|inner| inner[0].arguments_of("is null"));
        let Some([Form::Column(name, _)]) = inner else { return false };
        pair.column(name).is_some_and(|column| {
            column.postgres.1.has(Attribute::NotNull) && column.sqlite.1.has(Attribute::NotNull)
        })
    };
    form::and(condition.conjuncts().into_iter().filter(|one| !certain(one)).collect())
}

/// An index, or the terms of a constraint that serve as one.
#[derive(Clone)]
struct Index {
    id: ObjectId,
    text: String,
    terms: Option<Vec<Term>>,
    condition: Option<Form>,
    included: Vec<Term>,
    /// The access method, if it is one that only PostgreSQL has. A hash serves equality, as any
    /// index does.
    method: Option<String>,
}

impl Index {
    fn read(pair: &Pair<'_>, side: &Side<'_>, id: ObjectId, object: &Object) -> Self {
        let columns = object.list(Attribute::Columns);
        let condition = object.text(Attribute::Where);
        let method = object.text(Attribute::Method).filter(|method| *method != "hash");
        let using = method.map(|method| format!(" using {method}")).unwrap_or_default();
        let text = columns.join(", ") + &using;
        Self {
            id,
            text: condition.map_or(text.clone(), |condition| format!("{text} where {condition}")),
            terms: terms(pair, side, columns),
            condition: match condition {
                Some(condition) => {
                    pair.scope(side).condition(condition).map(|form| without_certain(pair, form))
                }
                None => Some(Form::Bool(true)),
            },
            included: terms(pair, side, object.list(Attribute::Include)).unwrap_or_default(),
            method: method.map(str::to_owned),
        }
    }

    /// Whether what this index makes fast, the other does, too.
    fn served_by(&self, other: &Self) -> bool {
        let (Some(own), Some(theirs)) = (&self.terms, &other.terms) else { return false };
        let whole = Some(Form::Bool(true));
        let rows = other.condition == whole || other.condition.is_some() && self.condition == other.condition;
        rows && other.method.is_none() && (theirs.starts_with(own) || theirs.starts_with(&reversed(own)))
    }

    fn lacks(&self, pair: &Pair<'_>) -> bool {
        let terms = self.terms.iter().flatten().map(|term| &term.form);
        terms.chain(&self.condition).any(|form| pair.lacks_any(form))
    }
}

fn reversed(terms: &[Term]) -> Vec<Term> {
    let turned = |term: &Term| Term { descending: !term.descending, ..term.clone() };
    terms.iter().map(turned).collect()
}

fn answer(one: &Index, other: &Index) -> Answer {
    if one.method != other.method {
        return Answer::Different;
    }
    let (Some(left), Some(right)) = (&one.terms, &other.terms) else { return Answer::Unclear };
    let terms = |terms: &[Term]| Form::call("terms", terms.iter().map(|term| term.form.clone()).collect());
    let covering = |index: &Index, terms: &[Term]| [terms, &index.included].concat();
    let same = left == right || covering(one, left) == covering(other, right);
    match (same, form::compare(one.condition.as_ref(), other.condition.as_ref())) {
        (true, answer) => answer,
        (false, _) => match terms(left).compared(&terms(right)) {
            Answer::Unclear => Answer::Unclear,
            _ => Answer::Different,
        },
    }
}

pub(super) fn compare(pair: &Pair<'_>, found: &mut Found<'_>) {
    let plain = |side: &Side<'_>| -> Vec<Index> {
        let indexes = side.parts_of(Kind::Index).filter(|(_, _, object)| !object.has(Attribute::UniqueIndex));
        let indexes = indexes.map(|(id, _, object)| Index::read(pair, side, id, object));
        indexes.filter(|index| !index.lacks(pair)).collect()
    };
    let (postgres, sqlite) = (plain(&pair.postgres), plain(&pair.sqlite));
    let [all_postgres, all_sqlite] = pair.sides().map(|side| everything(pair, side));
    let named = |one: &Index, other: &Index| same_name(&one.id, &other.id);
    let unread = |one: &Index, other: &Index| {
        one.method == other.method && (one.terms.is_none() || other.terms.is_none())
    };
    let Left { akin, postgres, sqlite } = left_over(&postgres, &sqlite, answer, &[&named, &unread]);
    for (one, other, answer) in akin {
        if answer == Answer::Unclear {
            found.unclear(one.id, &one.text, &other.text);
            continue;
        }
        let turned = one.terms.as_ref().map(|terms| reversed(terms)) == other.terms;
        // What PostgreSQL has another kind of index for, SQLite serves as well as it can.
        let alike = turned && one.condition == other.condition || one.method.is_some();
        let severity = if alike { Severity::Note } else { Severity::Warning };
        let message = format!(
            "{} is on ({}) on postgres and on ({}) on sqlite",
            described(&one.id),
            one.text,
            other.text
        );
        let help = match severity {
            Severity::Note if one.method.is_some() => {
                "sqlite has no such indexes; see that queries need no more of its own than it gives"
            }
            Severity::Note => "either is read in both directions; let both say the same if it is not meant",
            _ => "build the same index on both backends, or give the two different names",
        };
        found.push(Some(one.id), Some(other.id), Aspect::Meaning, severity, message, help.to_owned());
    }
    for one in postgres {
        if all_sqlite.iter().any(|other| one.served_by(other)) {
            continue;
        }
        match &one.method {
            // There is nothing to build on SQLite; it is worth knowing that nothing serves such
            // queries there.
            Some(method) => {
                let help = format!(
                    "sqlite has no {method} indexes; accept the difference if such queries are for postgres only"
                );
                found.one_sided(Some(one.id), None, Severity::Note, Some(help));
            }
            None => found.one_sided(Some(one.id), None, Severity::Warning, None),
        }
    }
    for other in sqlite {
        if !all_postgres.iter().any(|one| other.served_by(one)) {
            found.one_sided(None, Some(other.id), Severity::Warning, None);
        }
    }
}

/// All that queries can be served by: indexes and keys.
fn everything(pair: &Pair<'_>, side: &Side<'_>) -> Vec<Index> {
    let kinds = [Kind::Index, Kind::Unique, Kind::PrimaryKey];
    let parts = kinds.into_iter().flat_map(|kind| side.parts_of(kind));
    parts.map(|(id, _, object)| Index::read(pair, side, id, object)).collect()
}
