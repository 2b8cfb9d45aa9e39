//! Whole situations, judged by all checks at once: one defect is one finding, and what is no defect
//! is none.

use super::testing::{applied, check, failed, recording, schema, situation};
use crate::evidence::AttemptResult::{Changed, NoEffect, NotTried, Refused};
use crate::schema::{Attribute, Kind, Name, Object, ObjectId, Schema};

fn with(mut schema: Schema, id: ObjectId, object: Object) -> Schema {
    schema.insert(id, object);
    schema
}

fn part(table: &str, kind: Kind, name: &str) -> ObjectId {
    ObjectId::part(Kind::Table, Name::new(table), kind, name)
}

fn whole(kind: Kind, name: &str) -> ObjectId {
    ObjectId::whole(kind, Name::new(name))
}

#[test]
fn an_empty_history_is_neither_judged_nor_left_out() {
    situation(recording().up_only(0))
        .amounts_to([])
        .leaves_out("metadata-drift", "the project declares no metadata for this backend");
}

#[test]
fn a_history_that_only_goes_up_is_said_once_for_each_check() {
    let users = schema(&["users"]);
    let history =
        recording().up_only(1).trunk([applied("1").seeing(&users)]).probe([applied("1").seeing(&users)]);
    let mut judged = situation(history).amounts_to([]);
    for check in [
        "downgrade-fails",
        "downgrade-leaves-trace",
        "upgrade-not-repeatable",
        "base-not-empty",
        "missing-downgrade",
    ] {
        judged = judged.leaves_out(check, "no revision has a downgrade");
    }
}

#[test]
fn a_history_of_empty_downgrades_only_goes_up_as_well() {
    let users = schema(&["users"]);
    let history = recording()
        .downgrades([Some(""), Some("")])
        .trunk([applied("1").seeing(&users), applied("2").seeing(&users)])
        .probe([
            applied("1").seeing(&users),
            applied("-1").seeing(&users),
            failed("1", "table users already exists"),
        ]);
    let reason = "no revision has a downgrade that is not empty";
    situation(history)
        .amounts_to([])
        .leaves_out("missing-downgrade", reason)
        .leaves_out("downgrade-leaves-trace", reason)
        .leaves_out("base-not-empty", reason);
}

#[test]
fn one_empty_downgrade_among_others_is_one_finding() {
    let (one, two) = (schema(&["users"]), schema(&["users", "posts"]));
    let history = recording()
        .downgrades([Some("DROP TABLE users;"), Some("")])
        .trunk([applied("1").seeing(&one), applied("2").seeing(&two)])
        .probe([
            applied("1").seeing(&one),
            applied("-1").seeing(&schema(&[])),
            applied("1").seeing(&one),
            applied("2").seeing(&two),
            applied("-2").seeing(&two),
            failed("2", "table posts already exists"),
        ]);
    situation(history)
        .amounts_to([
            "missing-downgrade: 2_two has an empty downgrade: it leaves table \"posts\" as the upgrade made it (sqlite)",
        ])
        .leaves_out(
            "base-not-empty",
            "there is no way down to base: 2_two has an empty downgrade",
        );
}

#[test]
fn a_trace_and_the_second_upgrade_that_fails_on_it_are_one_finding() {
    let users = schema(&["users"]);
    let history = recording().revisions(1).trunk([applied("1").seeing(&users)]).probe([
        applied("1").seeing(&users),
        applied("-1").seeing(&users),
        failed("1", "table users already exists"),
    ]);
    situation(history)
        .amounts_to(["downgrade-leaves-trace: downgrade of 1_one left table \"users\" behind (sqlite)"])
        .helps(
            "drop table \"users\" in migrations/1_one.down.sql; as it is, the second upgrade fails: \
             table users already exists",
        )
        .leaves_out("base-not-empty", "there is no clean way down to base: the upgrade of 1_one fails");
}

#[test]
fn an_explained_downgrade_that_keeps_data_is_fine() {
    let users = schema(&["users"]);
    let history = recording()
        .downgrades([Some("DROP TABLE users;"), Some("-- kept: the backfill does no harm")])
        .trunk([applied("1").seeing(&users), applied("2").seeing(&users)])
        .probe([applied("2").seeing(&users), applied("-2").seeing(&users), applied("2").seeing(&users)]);
    situation(history).amounts_to([]);
}

#[test]
fn an_explained_downgrade_that_keeps_a_column_is_a_finding() {
    let (before, after) = (schema(&["users"]), schema(&["users", "users.age"]));
    let history = recording()
        .downgrades([Some("DROP TABLE users;"), Some("-- kept: ages are precious")])
        .trunk([applied("1").seeing(&before), applied("2").seeing(&after)])
        .probe([
            applied("2").seeing(&after),
            applied("-2").seeing(&after),
            failed("2", "duplicate column name: age"),
        ]);
    situation(history).amounts_to([
        "downgrade-leaves-trace: downgrade of 2_two left column \"age\" of table \"users\" behind (sqlite)",
    ]);
}

#[test]
fn a_trunk_that_fails_at_once_leaves_the_rest_unjudged() {
    let history = recording()
        .revisions(2)
        .trunk([failed("1", "syntax error")])
        .declaring(&schema(&["users"]))
        .attempt("events", "DELETE", Changed);
    let reason = "the history did not reach head";
    situation(history)
        .amounts_to(["upgrade-fails: upgrade of 1_one failed (sqlite): syntax error"])
        .leaves_out("metadata-drift", reason)
        .leaves_out("invalid-object", reason)
        .leaves_out("append-only-hole", reason)
        .leaves_out("base-not-empty", reason);
}

#[test]
fn a_probe_that_fails_is_found_also_when_the_trunk_fails_later() {
    let users = schema(&["users"]);
    let history = recording()
        .revisions(2)
        .trunk([applied("1").seeing(&users), failed("2", "no such table: user")])
        .probe([failed("1", "NOT NULL constraint failed").carrying("users", &["1"], &["1"])]);
    situation(history).amounts_to([
        "upgrade-fails: upgrade of 1_one failed on a database that carries rows (sqlite): NOT NULL constraint failed",
        "upgrade-fails: upgrade of 2_two failed (sqlite): no such table: user",
    ]);
}

#[test]
fn rows_are_not_blamed_where_there_are_none() {
    let users = schema(&["users"]);
    let history = recording()
        .revisions(1)
        .trunk([applied("1").seeing(&users)])
        .probe([failed("1", "UNIQUE constraint failed")]);
    situation(history).amounts_to([
        "upgrade-fails: upgrade of 1_one failed where earlier revisions were taken back and applied again (sqlite): \
         UNIQUE constraint failed",
    ]);
}

#[test]
fn a_sequence_that_stays_with_its_table_is_one_finding() {
    let sequence = Object::new().with(Attribute::OwnedBy, "\"Users\".id");
    let users = with(schema(&["Users", "Users.id"]), whole(Kind::Sequence, "Users_id_seq"), sequence);
    let history = recording().revisions(1).trunk([applied("1").seeing(&users)]).probe([
        applied("1").seeing(&users),
        applied("-1").seeing(&users),
        failed("1", "relation exists"),
    ]);
    situation(history)
        .amounts_to(["downgrade-leaves-trace: downgrade of 1_one left table \"Users\" behind (sqlite)"])
        .shows("+ sequence Users_id_seq: owned by \"Users\".id\n\n+ table Users\n+   id\n");
}

#[test]
fn a_table_that_is_not_renamed_back_is_one_finding() {
    let key = |target: &str| Object::new().with(Attribute::References, format!("{target} (id)"));
    let named = |table: &str| {
        let tables = schema(&[table, &format!("{table}.id"), "pages", "pages.id"]);
        let own = part(table, Kind::ForeignKey, "fk_parent");
        let other = part("pages", Kind::ForeignKey, "fk_note");
        with(with(tables, own, key(table)), other, key(table))
    };
    let (notes, memos) = (named("notes"), named("memos"));
    let history =
        recording().revisions(2).trunk([applied("1").seeing(&notes), applied("2").seeing(&memos)]).probe([
            applied("2").seeing(&memos),
            applied("-2").seeing(&memos),
            failed("2", "no such table: notes"),
        ]);
    situation(history)
        .amounts_to([
            "downgrade-leaves-trace: downgrade of 2_two left table \"notes\" renamed to \"memos\" (sqlite)",
        ])
        .helps(
            "rename table \"memos\" back to \"notes\" in migrations/2_two.down.sql; as it is, the second upgrade \
             fails: no such table: notes",
        );
}

#[test]
fn a_renamed_table_takes_its_rows_along() {
    let (notes, memos) = (schema(&["notes", "notes.id"]), schema(&["memos", "memos.id"]));
    let seen = applied("2").seeing(&memos).carrying("notes", &["1"], &["1"]);
    let history = recording()
        .revisions(2)
        .trunk([applied("1").seeing(&notes), applied("2").seeing(&memos)])
        .probe([seen.leaving("notes")]);
    situation(history).amounts_to([]);
}

#[test]
fn metadata_that_differs_in_every_way() {
    let column = |of_type: &str| Object::new().with(Attribute::Type, of_type);
    let id = |name: &str| part("users", Kind::Column, name);
    let head = with(schema(&["users", "users.extra", "logs"]), id("name"), column("text"));
    let declared = with(schema(&["users", "users.email"]), id("name"), column("varchar(20)"));
    let history = recording().up_only(1).trunk([applied("1").seeing(&head)]).declaring(&declared);
    situation(history).amounts_to([
        "metadata-drift: table \"logs\" is migrated but not declared (sqlite)",
        "metadata-drift: column \"extra\" of table \"users\" is migrated but not declared (sqlite)",
        "metadata-drift: column \"name\" of table \"users\" is migrated otherwise than declared (sqlite)",
        "metadata-drift: column \"email\" of table \"users\" is declared but not migrated (sqlite)",
    ]);
}

#[test]
fn metadata_with_another_name_for_a_table_is_one_finding() {
    let history = recording()
        .up_only(1)
        .trunk([applied("1").seeing(&schema(&["memos", "memos.id"]))])
        .declaring(&schema(&["notes", "notes.id"]));
    situation(history)
        .amounts_to(["metadata-drift: table \"notes\" is migrated under the name \"memos\" (sqlite)"])
        .shows("- declared\n+ migrated\n+ table memos\n+   id\n\n- table notes\n-   id\n");
}

#[test]
fn a_constraint_is_judged_only_once_its_validation_had_its_turn() {
    let check = part("users", Kind::Check, "ck_age");
    let middle = with(schema(&["users"]), check.clone(), Object::new().flag(Attribute::NotValid));
    let head = with(schema(&["users"]), check, Object::new());
    let trunk = recording().up_only(2);
    situation(trunk.clone().trunk([applied("1").seeing(&middle), applied("2").seeing(&head)])).amounts_to([]);
    situation(trunk.trunk([applied("1").seeing(&middle), failed("2", "timeout")]))
        .amounts_to(["upgrade-fails: upgrade of 2_two failed (sqlite): timeout"])
        .leaves_out("invalid-object", "the history did not reach head");
}

#[test]
fn what_exists_in_name_only() {
    let invalid = |why: &str| Object::new().with(Attribute::Invalid, why);
    let head = [
        (whole(Kind::Namespace, "public"), invalid("dropped")),
        (part("users", Kind::Index, "ix_users_email"), invalid("not valid")),
        (whole(Kind::View, "broken"), invalid("no such table: main.nowhere")),
        (whole(Kind::MaterializedView, "totals"), invalid("not populated")),
    ]
    .into_iter()
    .fold(schema(&["users", "posts"]), |schema, (id, object)| with(schema, id, object));
    let history = recording().up_only(1).trunk([applied("1").seeing(&head)]).dangling("posts", "users", 1);
    situation(history)
        .amounts_to([
            "invalid-object: index \"ix_users_email\" is not usable: not valid (sqlite)",
            "invalid-object: view \"broken\" is not usable: no such table: main.nowhere (sqlite)",
            "invalid-object: materialized view \"totals\" is not usable: not populated (sqlite)",
            "invalid-object: 1 row of table \"posts\" refers to no row of table \"users\" (sqlite)",
        ])
        .helps("drop index \"ix_users_email\" and build it again in a new revision");
}

#[test]
fn foreign_keys_to_quoted_names_lead_somewhere() {
    let key = |target: &str| Object::new().with(Attribute::References, target);
    let head = with(
        schema(&["Odd Table", "Odd Table.a, b", "Odd Table.c", "posts"]),
        part("posts", Kind::ForeignKey, "fk"),
        key("\"Odd Table\" (\"a, b\", c)"),
    );
    situation(recording().up_only(1).trunk([applied("1").seeing(&head)])).amounts_to([]);
}

#[test]
fn what_the_way_to_base_leaves_is_found_once() {
    let (one, both) = (schema(&["users"]), schema(&["users", "logs"]));
    let clean = |step| applied(step).seeing(&one);
    let history = recording()
        .revisions(2)
        .trunk([applied("1").seeing(&one), applied("2").seeing(&both)])
        .probe([
            clean("1"),
            applied("-1").seeing(&schema(&[])),
            clean("1"),
            applied("2").seeing(&both),
            clean("-2"),
            applied("2").seeing(&both),
        ])
        .back([
            applied("-2"),
            applied("-1").seeing(&schema(&["logs"])),
            failed("1", "table logs already exists"),
        ]);
    situation(history).amounts_to([
        "base-not-empty: the downgrades from head to base leave table \"logs\" behind (sqlite)",
    ]);
}

#[test]
fn the_way_to_base_does_not_repeat_what_one_downgrade_left() {
    let (one, both) = (schema(&["users"]), schema(&["users", "users.age"]));
    let history = recording()
        .revisions(2)
        .trunk([applied("1").seeing(&one), applied("2").seeing(&both)])
        .probe([applied("2").seeing(&both), applied("-2").seeing(&both)])
        .back([applied("-2"), applied("-1").seeing(&one)]);
    situation(history).amounts_to([
        "downgrade-leaves-trace: downgrade of 2_two left column \"age\" of table \"users\" behind (sqlite)",
    ]);
}

#[test]
fn rows_that_only_the_downgrade_loses_are_laid_at_its_door() {
    let posts = schema(&["posts"]);
    let history = recording().revisions(1).trunk([applied("1").seeing(&posts)]).probe([
        applied("1").carrying("posts", &["1", "2"], &["1", "2"]),
        applied("-1").carrying("posts", &["1", "2"], &["2"]),
        applied("1").carrying("posts", &["2"], &["2"]),
    ]);
    situation(history)
        .amounts_to(["rows-lost: downgrade of 1_one lost 1 row of table \"posts\" (sqlite)"])
        .shows("- posts (1)\n");
}

#[test]
fn rows_that_the_upgrade_brings_may_go_with_its_downgrade() {
    let history = recording().revisions(1).trunk([applied("1")]).probe([
        applied("1").carrying("posts", &["1"], &["1", "7"]),
        applied("-1").carrying("posts", &["1", "7"], &["1"]),
        applied("1").carrying("posts", &["1"], &["1", "7"]),
    ]);
    situation(history).amounts_to([]);
}

#[test]
fn rows_of_a_table_that_the_upgrade_drops_do_not_come_back() {
    let history = recording().revisions(1).trunk([applied("1")]).probe([
        applied("1").carrying("posts", &["1"], &[]).leaving("posts"),
        applied("-1").carrying("posts", &["1"], &[]),
        applied("1").carrying("posts", &[], &[]).leaving("posts"),
    ]);
    situation(history).amounts_to([]);
}

#[test]
fn new_rows_do_not_hide_lost_ones() {
    let history = recording().revisions(1).trunk([applied("1")]).probe([applied("1").carrying(
        "posts",
        &["1", "2", "3"],
        &["3", "9"],
    )]);
    situation(history)
        .amounts_to(["rows-lost: upgrade of 1_one lost 2 rows of table \"posts\" (sqlite)"])
        .shows("- posts (1)\n- posts (2)\n");
}

#[test]
fn an_append_only_table_without_rows_is_left_out_once() {
    let history = ["UPDATE", "DELETE", "INSERT OR REPLACE"]
        .into_iter()
        .fold(recording().up_only(1).trunk([applied("1").seeing(&schema(&["events"]))]), |history, way| {
            history.attempt("events", way, NotTried("the table has no rows".to_owned()))
        });
    situation(history).amounts_to([]).leaves_out(
        "append-only-hole",
        "UPDATE, DELETE, INSERT OR REPLACE on table \"events\" were not tried: the table has no rows",
    );
}

#[test]
fn each_way_into_an_append_only_table_has_a_guard_of_its_own() {
    for (way, guard) in [
        (
            "UPDATE of payload",
            "add a trigger BEFORE UPDATE on \"events\", FOR EACH ROW, that raises an error",
        ),
        ("DELETE", "add a trigger BEFORE DELETE on \"events\", FOR EACH ROW, that raises an error"),
        ("TRUNCATE", "add a trigger BEFORE TRUNCATE on \"events\", FOR EACH STATEMENT, that raises an error"),
        (
            "INSERT OR REPLACE",
            "add a trigger BEFORE INSERT on \"events\" that raises an error when the key is there already",
        ),
        (
            "INSERT … ON CONFLICT DO UPDATE",
            "add a trigger BEFORE UPDATE on \"events\", FOR EACH ROW, that raises an error",
        ),
    ] {
        let history = recording()
            .up_only(1)
            .trunk([applied("1").seeing(&schema(&["events"]))])
            .attempt("events", "INSERT", Changed)
            .attempt("events", way, Changed);
        check(&super::append_only_hole::CHECK, history).helps(guard);
    }
}

#[test]
fn an_append_only_table_that_swallows_new_rows_is_found() {
    let history = recording()
        .up_only(1)
        .trunk([applied("1").seeing(&schema(&["events"]))])
        .attempt("events", "INSERT", NoEffect)
        .attempt("events", "DELETE", Refused("append-only".to_owned()));
    situation(history).amounts_to([
        "append-only-hole: table \"events\" does not take new rows: INSERT is ignored without an error (sqlite)",
    ]);
}
