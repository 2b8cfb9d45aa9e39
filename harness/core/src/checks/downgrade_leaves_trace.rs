//! `downgrade-leaves-trace`: the schema after a downgrade is not the schema before the upgrade.

use std::collections::BTreeSet;

use super::together::Together;
use super::trace::{self, Fate, Trace};
use super::{Check, Family, Judge, Judgement, Scope, counted, named, only_goes_up};
use crate::evidence::{Recording, Walk};
use crate::history::Downgrade;
use crate::report::{Finding, Location, Severity};
use crate::schema::{ObjectId, Schema};

pub(super) static CHECK: Check = Check {
    id: "downgrade-leaves-trace",
    family: Family::RoundTrip,
    severity: Severity::Error,
    problem: "a downgrade leaves something behind, or fails to restore something",
    why: "The schema after the downgrade is compared, object by object, with the schema that the state had \
          before the upgrade. Everything that a user can observe counts; the place of a column among the \
          others, and the spelling and white space of SQL, do not. What is left behind makes the next upgrade \
          fail, or changes what it does. What a downgrade leaves that holds nothing but a comment is one finding.",
    example: "DROP INDEX IF EXISTS ix_notes_title;",
    mend: "Undo in the downgrade everything that the upgrade did, and nothing else.",
    walks: &[Walk::Trunk, Walk::Probe, Walk::Descent],
    scope: Scope::Revision,
    judge: Judge::Alone(judge),
};

fn judge(recording: &Recording, judgement: &mut Judgement) {
    if only_goes_up(&CHECK, recording, judgement) {
        return;
    }
    let together = Together::of(recording);
    for trip in recording.round_trips() {
        let scripts = trip.revisions.iter().filter_map(|revision| match &revision.downgrade {
            Downgrade::Missing | Downgrade::Empty(_) => None,
            Downgrade::Explained(script, _) | Downgrade::Script(script) => Some((revision, script)),
        });
        // Of a group, the last of its downgrades that does something.
        let Some((revision, script)) = scripts.into_iter().next() else { continue };
        let failure = trip.agains().iter().find_map(|again| again.outcome.failure());
        let mut consequence =
            failure.map(|failure| format!("; as it is, the second upgrade fails: {}", failure.message));
        let traces = trace::of_round_trip(recording, &trip);
        let finding = |message: String| {
            let place = Location { file: script.path.clone(), line: script.line_of(0) };
            Finding::new(CHECK.id, message).at(&revision.id).located(Some(place))
        };
        // What a downgrade leaves that does nothing, for a reason that it gives, is one thing.
        let does_nothing = !trip.revisions.iter().any(|one| matches!(one.downgrade, Downgrade::Script(_)));
        if does_nothing && traces.len() > 1 {
            let message = format!(
                "downgrade of {} does nothing and leaves {} as the upgrade made them ({})",
                trip.name(),
                counted(traces.len(), "object", "objects"),
                recording.backend
            );
            let told: BTreeSet<&ObjectId> =
                traces.iter().flat_map(|found| found.diff.changes()).map(|(id, _)| id).collect();
            let diff = trip.down().and_then(|down| trace::difference(recording, down));
            let diff = diff.map(|diff| diff.filtered(|id, _| told.contains(id)).to_string());
            let mut help =
                format!("give back in {} the lines marked -, and take away those marked +", script.path);
            help.push_str(&consequence.unwrap_or_default());
            let help = together.or_group(help, &revision.id);
            judgement.findings.push(finding(message).showing(diff.unwrap_or_default()).help(help));
            continue;
        }
        let mut told = false;
        for found in traces {
            let message = format!(
                "downgrade of {} {} ({})",
                trip.name(),
                found.told("left", "did not"),
                recording.backend
            );
            // What all the traces of a downgrade lead to is said with the first.
            let with_upgrade = trip.up().and_then(|up| recording.expected(&up.state));
            let mut help = help(&found, &script.path, with_upgrade.map(|schema| &**schema));
            if !told {
                help.push_str(&consequence.take().unwrap_or_default());
                help = together.or_group(help, &revision.id);
            }
            told = true;
            let finding = finding(message).about(&found.object);
            judgement.findings.push(finding.showing(found.diff.to_string()).help(help));
        }
    }
}

/// `upgraded` is the schema that the downgrade started from.
fn help(found: &Trace, path: &str, upgraded: Option<&Schema>) -> String {
    let what = named(&found.object);
    let went_with_upgrade = |schema: &Schema| schema.get(&found.object).is_none();
    match &found.fate {
        Fate::Left => format!("drop {what} in {path}"),
        Fate::Gone if upgraded.is_some_and(went_with_upgrade) => {
            format!("create {what} again in {path}, as it was before the upgrade")
        }
        Fate::Gone => format!("do not drop {what} in {path}, or create it again as it was"),
        Fate::Changed => format!("give {what} back in {path} what the lines marked - show"),
        Fate::Renamed(from) if trace::is_unnamed(from) => format!("make {what} in {path} without a name"),
        Fate::Renamed(from) => format!("rename {what} back to {} in {path}", trace::own_name(from)),
    }
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{Judged, applied, check, failed, recording, schema};
    use crate::schema::{Attribute, Kind, Name, Object, ObjectId, Schema};

    /// What is said of a second revision that turns `before` into `after` and back into `found`.
    fn judged(before: &Schema, after: &Schema, found: &Schema) -> Judged {
        let history = recording()
            .revisions(2)
            .trunk([applied("1").seeing(before), applied("2").seeing(after)])
            .probe([applied("2").seeing(after), applied("-2").seeing(found), applied("2").seeing(after)]);
        check(&CHECK, history)
    }

    fn with<const N: usize>(mut schema: Schema, objects: [(ObjectId, Object); N]) -> Schema {
        for (id, object) in objects {
            schema.insert(id, object);
        }
        schema
    }

    fn key(name: &str, references: &str) -> (ObjectId, Object) {
        let id = ObjectId::part(Kind::Table, Name::new("posts"), Kind::ForeignKey, name);
        (id, Object::new().with(Attribute::References, references))
    }

    fn view(query: &str) -> (ObjectId, Object) {
        let id = ObjectId::whole(Kind::View, Name::new("live"));
        (id, Object::new().with(Attribute::Definition, query))
    }

    #[test]
    fn a_constraint_under_another_name_is_one_finding() {
        let posts = || schema(&["posts", "posts.id"]);
        let before = with(posts(), [key("fk_posts_author", "users (id)")]);
        let found = with(posts(), [key("posts_author_fkey", "users (id)")]);
        judged(&before, &posts(), &found)
            .finds(["downgrade of 2_two left foreign key \"fk_posts_author\" of table \"posts\" renamed to \
                 \"posts_author_fkey\" (sqlite)"])
            .helps(
                "rename foreign key \"posts_author_fkey\" of table \"posts\" back to \"fk_posts_author\" in \
                 migrations/2_two.down.sql",
            );
        let other = with(posts(), [key("posts_author_fkey", "people (id)")]);
        judged(&before, &posts(), &other).finds([
            "downgrade of 2_two did not restore foreign key \"fk_posts_author\" of table \"posts\" (sqlite)",
            "downgrade of 2_two left foreign key \"posts_author_fkey\" of table \"posts\" behind (sqlite)",
        ]);
    }

    #[test]
    fn a_constraint_that_has_got_or_lost_a_name_is_one_finding() {
        let posts = || schema(&["posts", "posts.id"]);
        let unnamed = with(posts(), [key("(author)", "users (id)")]);
        let named = with(posts(), [key("fk_posts_author", "users (id)")]);
        judged(&unnamed, &posts(), &named)
            .finds(["downgrade of 2_two left foreign key \"(author)\" of table \"posts\" with the name \
                 \"fk_posts_author\" (sqlite)"])
            .helps(
                "make foreign key \"fk_posts_author\" of table \"posts\" in migrations/2_two.down.sql without a name",
            );
        judged(&named, &posts(), &unnamed)
            .finds([
                "downgrade of 2_two left foreign key \"fk_posts_author\" of table \"posts\" without its name \
                 (sqlite)",
            ])
            .helps(
                "rename foreign key \"(author)\" of table \"posts\" back to \"fk_posts_author\" in \
                 migrations/2_two.down.sql",
            );
    }

    #[test]
    fn the_columns_of_a_view_go_with_its_query() {
        let column = ObjectId::part(Kind::View, Name::new("live"), Kind::Column, "email");
        let before = with(schema(&[]), [view("select id from users")]);
        let wider = view("select id, email from users");
        let found = with(schema(&[]), [wider, (column, Object::new())]);
        judged(&before, &schema(&[]), &found)
            .finds(["downgrade of 2_two left view \"live\" changed (sqlite)"])
            .shows(
                "  view live\n-     definition select id from users\n\
                 +     definition select id, email from users\n+   email\n",
            );
    }

    #[test]
    fn the_moment_that_a_view_was_made_at_is_no_trace() {
        let at = |moment| with(schema(&[]), [view(&format!("select '{moment}'::timestamp"))]);
        let (before, found) = (at("2025-11-21 12:06:48.271807"), at("2025-11-21 12:06:48.417463"));
        judged(&before, &schema(&[]), &found).finds([]);
    }

    #[test]
    fn a_view_of_columns_in_another_order_is_no_trace() {
        let of = |columns: [&str; 2], query: &str| {
            let (id, object) = view(query);
            let order = columns.map(str::to_owned).to_vec();
            with(schema(&[]), [(id, object.with(Attribute::ColumnOrder, order))])
        };
        let before = of(["id", "name"], "select id, name from users");
        let found = of(["name", "id"], "select name, id from users");
        judged(&before, &schema(&[]), &found).finds([]);
        let other = of(["name", "id"], "select name, id from people");
        judged(&before, &schema(&[]), &other)
            .finds(["downgrade of 2_two left view \"live\" changed (sqlite)"]);
    }

    #[test]
    fn the_help_knows_who_dropped_what_is_gone() {
        let (before, without) = (schema(&["users", "posts"]), schema(&["users"]));
        judged(&before, &without, &without)
            .helps("create table \"posts\" again in migrations/2_two.down.sql, as it was before the upgrade");
        judged(&before, &before, &without)
            .helps("do not drop table \"posts\" in migrations/2_two.down.sql, or create it again as it was");
    }

    #[test]
    fn names_what_is_left_behind() {
        let before = schema(&["users", "users.id"]);
        let after = schema(&["users", "users.id", "users.email"]);
        let history = recording()
            .revisions(2)
            .trunk([applied("1").seeing(&before), applied("2").seeing(&after)])
            .probe([applied("2").seeing(&after), applied("-2").seeing(&after), applied("2").seeing(&after)]);
        check(&CHECK, history)
            .finds(["downgrade of 2_two left column \"email\" of table \"users\" behind (sqlite)"]);
    }

    #[test]
    fn a_table_that_is_left_behind_is_one_finding() {
        let after = schema(&["users", "users.id", "users.email"]);
        let history = recording().revisions(1).trunk([applied("1").seeing(&after)]).probe([
            applied("1").seeing(&after),
            applied("-1").seeing(&after),
            applied("1").seeing(&after),
        ]);
        check(&CHECK, history).finds(["downgrade of 1_one left table \"users\" behind (sqlite)"]);
    }

    #[test]
    fn what_a_downgrade_leaves_that_does_nothing_is_one_finding() {
        let (before, after) = (schema(&["users", "logs"]), schema(&["users", "users.email", "posts"]));
        let judged = |downgrade| {
            let history = recording()
                .downgrades([Some("DROP TABLE x;"), Some(downgrade)])
                .trunk([applied("1").seeing(&before), applied("2").seeing(&after)])
                .probe([
                    applied("2").seeing(&after),
                    applied("-2").seeing(&after),
                    failed("2", "table posts already exists"),
                ]);
            check(&CHECK, history)
        };
        judged("-- kept: posts are precious")
            .finds(["downgrade of 2_two does nothing and leaves 3 objects as the upgrade made them (sqlite)"])
            .blames("2")
            .shows("- table logs\n+ table posts\n\n  table users\n+   email\n")
            .helps(
                "give back in migrations/2_two.down.sql the lines marked -, and take away those marked +; \
                 as it is, the second upgrade fails: table posts already exists",
            );
        judged("SELECT 1;").finds([
            "downgrade of 2_two did not restore table \"logs\" (sqlite)",
            "downgrade of 2_two left table \"posts\" behind (sqlite)",
            "downgrade of 2_two left column \"email\" of table \"users\" behind (sqlite)",
        ]);
    }

    #[test]
    fn a_clean_round_trip_is_silent() {
        let (before, after) = (schema(&[]), schema(&["users"]));
        let history = recording().revisions(1).trunk([applied("1").seeing(&after)]).probe([
            applied("1").seeing(&after),
            applied("-1").seeing(&before),
            applied("1").seeing(&after),
        ]);
        check(&CHECK, history).finds([]);
    }

    /// Two revisions that are only taken back together, where each takes back what the other made.
    fn of_group(found: &Schema) -> Judged {
        let (one, both, shifted) = (schema(&["a"]), schema(&["a", "b"]), schema(&["b"]));
        let history = recording()
            .revisions(2)
            .group("pair", 1, 2)
            .trunk([applied("1").seeing(&one), applied("2").seeing(&both)])
            .probe([
                applied("1").seeing(&one),
                applied("2"),
                applied("-2").seeing(&shifted),
                applied("-1").seeing(found),
                applied("1").seeing(&one),
                applied("2").seeing(&both),
            ]);
        check(&CHECK, history)
    }

    #[test]
    fn a_group_is_judged_as_a_whole() {
        of_group(&schema(&[])).finds([]);
        of_group(&schema(&["b"]))
            .finds(["downgrade of group \"pair\" left table \"b\" behind (sqlite)"])
            .blames("1");
    }
}
