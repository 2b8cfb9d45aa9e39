//! `metadata-drift`: the schema at head is not what the application declares.

use super::remedy::defined_by_application;
use super::trace::{self, Fate, Trace};
use super::{Check, Family, Judge, Judgement, Scope, named, stops_short};
use crate::evidence::{Recording, Walk};
use crate::report::{Finding, Location, NotRun, Severity};
use crate::schema::{Kind, ObjectId, Schema};

pub(super) static CHECK: Check = Check {
    id: "metadata-drift",
    family: Family::Schema,
    severity: Severity::Error,
    problem: "the migrated schema is not the one that the application declares",
    why: "The declaration is built in an empty database of the same backend, and what introspection finds \
          there is compared with what it finds at head, name by name and attribute by attribute. The order \
          of columns does not count. Models (Alembic's target_metadata) mostly have no words for triggers, \
          routines and views: a kind of object of which they declare none is one note. What env.py leaves \
          out for Alembic (include_name, include_object) is left out here. Without a declaration nothing is judged.",
    example: "CREATE INDEX ix_notes_title ON notes (title);",
    mend: "Write a revision that builds what the declaration says, or correct the declaration.",
    walks: &[Walk::Trunk, Walk::Metadata],
    scope: Scope::History,
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    let Some(declared) = &recording.metadata else {
        // The recorder may know better why there is none.
        if !recording.not_run.iter().any(|told| told.check == Some(CHECK.id)) {
            let reason = "the project declares no metadata for this backend";
            judgement.not_run.push(NotRun::check(CHECK.id, recording.backend, reason));
        }
        return;
    };
    if stops_short(&CHECK, recording, judgement) {
        return;
    }
    let schema = match &declared.schema {
        Ok(schema) => schema,
        Err(failure) => {
            let message =
                format!("the declared schema cannot be built ({}): {}", recording.backend, failure.message);
            judgement.findings.push(
                Finding::new(CHECK.id, message)
                    .located(failure.location.clone().or_else(|| {
                        Some(Location {
                            file: declared.file.clone(),
                            line: 1,
                        })
                    }))
                    .quoting(failure.excerpt())
                    .help(defined_by_application(failure).unwrap_or_else(|| {
                        "correct the statement; the file is run on an empty database after the project's setup"
                            .to_owned()
                    })),
            );
            return;
        }
    };
    let head = recording.head();
    let mut wordless: Vec<ObjectId> = Vec::new();
    let mut found = trace::traces(&schema.diff(head));
    let left_out = |id: &ObjectId| {
        let table = ObjectId::whole(id.group_kind, id.group.clone());
        declared.left_out.contains(id) || declared.left_out.contains(&table)
    };
    found.retain(|trace| !left_out(&trace.object));
    if declared.by_models {
        take_any_name(&mut found, schema, head);
    }
    for found in found {
        if declared.by_models && matches!(found.fate, Fate::Left) && has_no_word_for(schema, &found.object) {
            wordless.push(found.object);
        } else {
            judgement.findings.push(finding(recording, &declared.file, schema, found));
        }
    }
    if !wordless.is_empty() {
        judgement.findings.push(undeclared(recording, &declared.file, &wordless));
    }
}

/// A constraint to which models give no name may have any: one that the database has made up is no
/// part of the declaration.
fn take_any_name(found: &mut Vec<Trace>, declared: &Schema, head: &Schema) {
    let unnamed: Vec<ObjectId> = found
        .iter()
        .filter(|trace| matches!(trace.fate, Fate::Gone) && trace::is_unnamed(&trace.object))
        .map(|trace| trace.object.clone())
        .collect();
    for id in unnamed {
        let is_it = |trace: &Trace| {
            let other = &trace.object;
            matches!(trace.fate, Fate::Left)
                && (other.kind(), &other.group) == (id.kind(), &id.group)
                && head.get(other) == declared.get(&id)
        };
        if let Some(place) = found.iter().position(is_it) {
            found.remove(place);
            found.retain(|trace| trace.object != id);
        }
    }
    found.retain(|trace| match &trace.fate {
        Fate::Renamed(from) => !is_named_by_postgres(from) && !trace::is_unnamed(from),
        _ => true,
    });
}

/// Whether a constraint has the name that PostgreSQL makes up for one without (manual, "CREATE TABLE",
/// `CONSTRAINT`; the form is `ChooseConstraintName`'s in its sources).
fn is_named_by_postgres(object: &ObjectId) -> bool {
    let ends = ["_pkey", "_key", "_fkey", "_check", "_excl"];
    object.part.as_ref().is_some_and(|(_, name)| {
        let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
        name.starts_with(object.group.local()) && ends.iter().any(|end| stem.ends_with(end))
    })
}

/// Whether an object is of a kind that models mostly cannot declare, and these do not.
fn has_no_word_for(declared: &Schema, object: &ObjectId) -> bool {
    const WORDLESS: [Kind; 8] = [
        Kind::Extension,
        Kind::Routine,
        Kind::View,
        Kind::MaterializedView,
        Kind::Trigger,
        Kind::Rule,
        Kind::Policy,
        Kind::Publication,
    ];
    // The columns of a view are its own affair.
    let kind = |id: &ObjectId| match id.group_kind {
        view @ (Kind::View | Kind::MaterializedView) => view,
        _ => id.kind(),
    };
    let sought = kind(object);
    WORDLESS.contains(&sought) && !declared.objects().any(|(id, _)| kind(&id) == sought)
}

/// One note for all objects that models have no words for.
fn undeclared(recording: &Recording, file: &str, objects: &[ObjectId]) -> Finding {
    let count = objects.len();
    let (objects_are, list) = (
        if count == 1 { "object is" } else { "objects are" },
        objects.iter().map(|object| format!("{}\n", named(object))).collect::<String>(),
    );
    let message =
        format!("{count} {objects_are} migrated that the models have no words for ({})", recording.backend);
    Finding::new(CHECK.id, message).weighing(Severity::Note).quoting(Some(list)).help(format!(
        "models can declare them as DDL that runs after their table is made; {file} then compares them, too"
    ))
}

fn finding(recording: &Recording, file: &str, declared: &Schema, found: Trace) -> Finding {
    let (what, backend) = (named(&found.object), recording.backend);
    let (message, help) = match &found.fate {
        Fate::Left => (
            format!("{what} is migrated but not declared ({backend})"),
            format!("declare it in {file}, or drop it in a new revision"),
        ),
        Fate::Gone => (
            format!("{what} is declared but not migrated ({backend})"),
            format!("create it in a new revision, or take it out of {file}"),
        ),
        Fate::Changed => (
            format!("{what} is migrated otherwise than declared ({backend})"),
            format!("bring it in a new revision to what {file} declares, or correct the declaration"),
        ),
        Fate::Renamed(from) if trace::is_unnamed(&found.object) => (
            format!("{} is migrated without its name ({backend})", named(from)),
            format!("name it in a new revision, or leave the name out in {file}"),
        ),
        Fate::Renamed(from) => (
            format!(
                "{} is migrated under the name {} ({backend})",
                named(from),
                trace::own_name(&found.object)
            ),
            format!("rename it in a new revision, or in {file}"),
        ),
    };
    let touched = recording
        .latest_change(|before, after| before.diff(after).observable().any(|(id, _)| *id == found.object));
    let mut finding = Finding::new(CHECK.id, message)
        .about(&found.object)
        .located(declared.get(&found.object).map(|_| Location { file: file.to_owned(), line: 1 }))
        .showing(format!("- declared\n+ migrated\n{}", found.diff))
        .help(help);
    finding.revision = touched.cloned();
    finding
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, recording, schema};
    use crate::schema::{Kind, Name, ObjectId};

    #[test]
    fn names_what_differs_on_either_side() {
        let head = schema(&["users", "users.id", "users.extra"]);
        let history = recording().revisions(1).trunk([applied("1").seeing(&head)]).declaring(&schema(&[
            "users",
            "users.id",
            "users.email",
        ]));
        check(&CHECK, history).finds([
            "column \"email\" of table \"users\" is declared but not migrated (sqlite)",
            "column \"extra\" of table \"users\" is migrated but not declared (sqlite)",
        ]);
    }

    #[test]
    fn what_the_project_leaves_out_is_left_out() {
        let head = schema(&["users", "users.id", "users.extra", "spatial", "spatial.id"]);
        let table = |name: &str| ObjectId::whole(Kind::Table, Name::new(name));
        let history = recording()
            .revisions(1)
            .trunk([applied("1").seeing(&head)])
            .declaring(&schema(&["users", "users.id"]))
            .leaving_out(table("spatial"));
        check(&CHECK, history)
            .finds(["column \"extra\" of table \"users\" is migrated but not declared (sqlite)"]);
    }

    #[test]
    fn is_silent_when_they_agree() {
        let head = schema(&["users", "users.id"]);
        let history = recording().revisions(1).trunk([applied("1").seeing(&head)]).declaring(&head);
        check(&CHECK, history).finds([]);
    }

    #[test]
    fn what_models_have_no_words_for_is_one_note() {
        let head = schema(&["users", "users.id", "users!tr_a", "users!tr_b"]);
        let history = || recording().revisions(1).trunk([applied("1").seeing(&head)]);
        let models = schema(&["users", "users.id"]);
        check(&CHECK, history().with_models(&models))
            .finds(["2 objects are migrated that the models have no words for (sqlite)"]);
        let some = schema(&["users", "users.id", "users!tr_a"]);
        check(&CHECK, history().with_models(&some))
            .finds(["trigger \"tr_b\" of table \"users\" is migrated but not declared (sqlite)"]);
    }

    #[test]
    fn a_constraint_without_a_name_may_have_any() {
        let declared = schema(&["users", "users.id", "users#(id)"]);
        let head = schema(&["users", "users.id", "users#uq_users"]);
        let history = || recording().revisions(1).trunk([applied("1").seeing(&head)]);
        check(&CHECK, history().with_models(&declared)).finds([]);
        let by_postgres = schema(&["users", "users.id", "users#users_id_key"]);
        check(&CHECK, history().with_models(&by_postgres)).finds([]);
        let named = schema(&["users", "users.id", "users#one"]);
        check(&CHECK, history().with_models(&named))
            .finds(["unique \"one\" of table \"users\" is migrated under the name \"uq_users\" (sqlite)"]);
        // What a file of SQL declares is meant as it is.
        check(&CHECK, history().declaring(&declared))
            .finds(["unique \"(id)\" of table \"users\" is migrated under the name \"uq_users\" (sqlite)"]);
        let unnamed = recording().revisions(1).trunk([applied("1").seeing(&declared)]).declaring(&head);
        check(&CHECK, unnamed)
            .finds(["unique \"uq_users\" of table \"users\" is migrated without its name (sqlite)"])
            .helps("name it in a new revision, or leave the name out in schema.sql");
    }

    #[test]
    fn is_not_run_without_a_declaration() {
        check(&CHECK, recording().revisions(1).trunk([applied("1")]))
            .finds([])
            .not_run("the project declares no metadata for this backend");
    }
}
