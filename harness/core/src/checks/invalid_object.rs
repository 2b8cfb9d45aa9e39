//! `invalid-object`: something at head exists in name only.

use super::{Check, Family, Judge, Judgement, Scope, counted, named, sql_identifier, sql_name, stops_short};
use crate::Backend;
use crate::evidence::{Recording, Walk};
use crate::report::{Finding, Severity};
use crate::schema::{Attribute, Group, Kind, Object, ObjectId, Schema};

pub(super) static CHECK: Check = Check {
    id: "invalid-object",
    family: Family::Schema,
    severity: Severity::Error,
    problem: "an object at head exists, but does not do what its declaration says",
    why: "An index that a failed concurrent build left invalid, a constraint that was added NOT VALID and never \
          validated, a foreign key whose table or column does not exist, a view that no longer reads, rows \
          without their parent. Judged at head only, since a later revision may validate what an earlier one \
          added, as it should on a large table.",
    example: "NOT VALID;",
    mend: "Validate the constraint, rebuild the index, or point the foreign key at what exists, in a new revision.",
    walks: &[Walk::Trunk, Walk::Probe],
    scope: Scope::History,
    judge: Judge::Alone(judge),
};

/// What is wrong with an object, and what to do about it.
struct Fault {
    what: String,
    severity: Severity,
    help: String,
}

impl Fault {
    fn new(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), severity: Severity::Error, help: help.into() }
    }
}

fn judge(recording: &Recording, judgement: &mut Judgement) {
    if stops_short(&CHECK, recording, judgement) {
        return;
    }
    let head = recording.head();
    for (id, object) in head.objects() {
        if let Some(fault) = fault(recording.backend, head, &id, object) {
            judgement.findings.push(finding(recording, &id, fault));
        }
    }
    for dangling in &recording.dangling_rows {
        let count = usize::try_from(dangling.rows).unwrap_or(usize::MAX);
        let rows = counted(count, "row", "rows");
        let verb = if count == 1 { "refers" } else { "refer" };
        let (table, parent) = (dangling.table.quoted(), dangling.parent.quoted());
        let message =
            format!("{rows} of table {table} {verb} to no row of table {parent} ({})", recording.backend);
        let help = "delete or repair such rows before the constraint is added, or keep the parents";
        // Made-up rows may be older than the foreign key, and no real row need be like them.
        let mut seeded = recording.seeded.iter().flat_map(|seeded| &seeded.rows);
        let is_made_up = seeded.any(|row| row.table == dangling.table);
        let severity = if is_made_up { Severity::Warning } else { CHECK.severity };
        let finding = Finding::new(CHECK.id, message).weighing(severity);
        judgement.findings.push(finding.about(&dangling.table).help(help));
    }
}

fn fault(backend: Backend, schema: &Schema, id: &ObjectId, object: &Object) -> Option<Fault> {
    if object.has(Attribute::NotValid) {
        let table = if id.group_kind == Kind::Type { "DOMAIN" } else { "TABLE" };
        let name = id.part.as_ref().map_or("…", |(_, name)| name);
        return Some(Fault::new(
            "was added NOT VALID and is not validated",
            format!(
                "ALTER {table} {} VALIDATE CONSTRAINT {} in a new revision, after repairing the rows that break it",
                sql_name(&id.group),
                sql_identifier(name)
            ),
        ));
    }
    match id.kind() {
        // What is marked there is that they were dropped, which is for a project to decide.
        Kind::Namespace | Kind::Extension => None,
        Kind::ForeignKey if !backend.resolves_references() => dangling(schema, object),
        _ => unusable(id, object),
    }
}

fn unusable(id: &ObjectId, object: &Object) -> Option<Fault> {
    let why = object.get(Attribute::Invalid)?.as_text();
    let what = match why {
        Some(why) => format!("is not usable: {why}"),
        None => "is not usable".to_owned(),
    };
    let fault = match id.kind() {
        Kind::Index => {
            Fault::new(what, format!("drop {} and build it again in a new revision", id.described()))
        }
        // Filling it may be left to a job on purpose; until then it cannot be read.
        Kind::MaterializedView => Fault {
            severity: Severity::Warning,
            ..Fault::new(
                what,
                format!(
                    "REFRESH MATERIALIZED VIEW {} in a revision, or accept this if a job does it",
                    sql_name(&id.group)
                ),
            )
        },
        _ => {
            Fault::new(what, format!("create {} again on what exists now, in a new revision", id.described()))
        }
    };
    Some(fault)
}

/// A foreign key that refers to a table or column which does not exist.
fn dangling(schema: &Schema, object: &Object) -> Option<Fault> {
    let references = object.text(Attribute::References)?;
    let (table, columns) = match references.split_once(" (") {
        Some((table, columns)) => (table, columns.trim_end_matches(')')),
        None => (references, ""),
    };
    let parent = find_table(schema, table);
    let Some(parent) = parent else {
        return Some(Fault::new(
            format!("refers to table \"{}\", which does not exist", unquoted(table)),
            "create the table, or point the foreign key at the one that is meant",
        ));
    };
    let columns = names(columns);
    let missing = columns.iter().find(|column| {
        let has = |name: &str| name.eq_ignore_ascii_case(column);
        !parent.parts_of(Kind::Column).any(|(name, _)| has(name))
    });
    missing.map(|column| {
        Fault::new(
            format!("refers to column \"{column}\" of table \"{}\", which does not exist", unquoted(table)),
            "point the foreign key at the columns of the parent's primary or unique key",
        )
    })
}

/// The names in a list as SQL writes it, without their quotes.
fn names(list: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_quoted = false;
    for piece in list.split(", ").filter(|piece| !piece.is_empty()) {
        match names.last_mut() {
            Some(name) if is_quoted => *name = format!("{name}, {piece}"),
            _ => names.push(piece.to_owned()),
        }
        is_quoted ^= piece.matches('"').count() % 2 == 1;
    }
    names.iter().map(|name| unquoted(name)).collect()
}

fn find_table<'a>(schema: &'a Schema, written: &str) -> Option<&'a Group> {
    let written = unquoted(written);
    schema
        .tables()
        .find(|(name, _)| name.local().eq_ignore_ascii_case(&written))
        .map(|(_, group)| group.as_ref())
}

fn unquoted(name: &str) -> String {
    match name.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(inside) => inside.replace("\"\"", "\""),
        None => name.to_owned(),
    }
}

/// The finding, with the revision that last made the object faulty.
fn finding(recording: &Recording, id: &ObjectId, fault: Fault) -> Finding {
    let is_faulty = |schema: &Schema| {
        schema.get(id).is_some_and(|object| self::fault(recording.backend, schema, id, object).is_some())
    };
    let revision = recording.latest_change(|before, after| !is_faulty(before) && is_faulty(after));
    let message = format!("{} {} ({})", named(id), fault.what, recording.backend);
    let mut finding = Finding::new(CHECK.id, message).about(id).help(fault.help);
    finding.severity = fault.severity;
    finding.revision = revision.cloned();
    finding
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, recording, schema};
    use crate::schema::{Attribute, Kind, Name, Object, ObjectId};

    #[test]
    fn finds_a_constraint_that_is_never_validated() {
        let mut head = schema(&["users"]);
        let id = ObjectId::part(Kind::Table, Name::new("users"), Kind::Check, "ck_age");
        head.insert(id, Object::new().with(Attribute::Expression, "age > 0").flag(Attribute::NotValid));
        check(&CHECK, recording().revisions(1).trunk([applied("1").seeing(&head)]))
            .finds(["check \"ck_age\" of table \"users\" was added NOT VALID and is not validated (sqlite)"]);
    }

    #[test]
    fn finds_foreign_keys_that_lead_nowhere() {
        let mut head = schema(&["users", "users.id", "posts"]);
        for (name, target) in
            [("fk_ok", "users (id)"), ("fk_table", "userz (id)"), ("fk_column", "users (uid)")]
        {
            let id = ObjectId::part(Kind::Table, Name::new("posts"), Kind::ForeignKey, name);
            head.insert(id, Object::new().with(Attribute::References, target));
        }
        check(&CHECK, recording().revisions(1).trunk([applied("1").seeing(&head)])).finds([
            "foreign key \"fk_column\" of table \"posts\" refers to column \"uid\" of table \"users\", which does not exist (sqlite)",
            "foreign key \"fk_table\" of table \"posts\" refers to table \"userz\", which does not exist (sqlite)",
        ]);
    }

    #[test]
    fn a_constraint_that_a_later_revision_validates_is_fine() {
        let mut middle = schema(&["users"]);
        let id = ObjectId::part(Kind::Table, Name::new("users"), Kind::Check, "ck_age");
        middle.insert(id.clone(), Object::new().flag(Attribute::NotValid));
        let mut head = middle.clone();
        head.insert(id, Object::new());
        let history =
            recording().revisions(2).trunk([applied("1").seeing(&middle), applied("2").seeing(&head)]);
        check(&CHECK, history).finds([]);
    }
}
