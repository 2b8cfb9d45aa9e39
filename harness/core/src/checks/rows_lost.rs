//! `rows-lost`: rows that were there before a revision are not there after it.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::meant::Meant;
use super::{Check, Family, Judge, Judgement, Scope, counted, script_of};
use crate::evidence::{Observation, Recording, Rows, TableRows, Walk};
use crate::report::{Finding, NotRun, Severity};
use crate::rows::shown;
use crate::schema::Name;

pub(super) static CHECK: Check = Check {
    id: "rows-lost",
    family: Family::Rows,
    severity: Severity::Error,
    problem: "rows that were there before a revision are not there after it",
    why: "Rows, made up or given by the project, ride along from the revision in which their table first appears. \
          After each upgrade and downgrade the tables that were there before and still are must hold at least \
          as many rows. Rows of a table that a revision drops go with it, and so do rows that the upgrade wrote \
          and its downgrade takes back. Rows that a revision deletes in so many words are a note, and so are \
          those that the WHERE of a rebuild leaves out, and those of a table that it drops and fills from other \
          tables alone. The usual \
          culprit is a table rebuild on SQLite with foreign keys on: DROP TABLE deletes the rows first, and \
          that cascades into the children. Of a table with some thousand rows all are counted, and only the \
          made-up ones or those at both ends of its key are looked for one by one.",
    example: "DROP TABLE authors;",
    mend: "Turn foreign keys off outside the transaction while the table is rebuilt, or rebuild the children, too.",
    walks: &[Walk::Probe],
    scope: Scope::Revision,
    judge: Judge::Alone(judge),
};

const NO_ROWS: &str =
    "no rows are carried along: name a file of rows in [rows] fixtures, or let per_table be more than 0";
const NONE_MET: &str = "no revision comes after those that make the tables, so none met their rows";

/// Whether any step met rows.
pub(crate) fn carries(recording: &Recording) -> bool {
    let carried = |rows: &Option<_>| rows.as_ref().is_some_and(|rows: &Arc<Rows>| !rows.tables.is_empty());
    recording.walk(Walk::Probe).iter().any(|seen| carried(&seen.rows_before))
}

/// Whether it says that no step met rows.
pub(crate) fn says_none_is_carried(not_run: &NotRun) -> bool {
    not_run.check == Some(CHECK.id) && [NO_ROWS, NONE_MET].contains(&not_run.reason.as_str())
}

fn judge(recording: &Recording, judgement: &mut Judgement) {
    if !recording.history.is_empty() && !carries(recording) {
        let none = recording.seeded.iter().all(|seeded| seeded.rows.is_empty());
        let reason = if none { NO_ROWS } else { NONE_MET };
        judgement.not_run.push(NotRun::check(CHECK.id, recording.backend, reason));
        return;
    }
    for trip in recording.round_trips() {
        // Rows that the upgrade itself wrote may go with its downgrade, so each step is held against
        // the rows that were there before the revision.
        let (Some(first), Some(last)) = (trip.ups().first(), trip.up()) else { continue };
        let (Some(at_first), Some(after)) = (&first.rows_before, &last.rows_after) else {
            continue;
        };
        let mut told: Vec<&Name> = Vec::new();
        let ups = trip.ups().iter().filter_map(|up| Some((up.rows_before.as_ref()?, up, vec![up])));
        // What has happened since any of the steps back may have meant, of a group that are several.
        let downs: Vec<&Observation> = trip.downs().iter().collect();
        let agains: Vec<&Observation> = downs.iter().copied().chain(trip.agains()).collect();
        let back = [(trip.down(), downs), (trip.again(), agains)].into_iter();
        let back = back.filter_map(|(seen, since)| Some((at_first, seen?, since)));
        for (before, seen, since) in ups.chain(back) {
            for (table, lost) in losses(before, seen) {
                // The rows of a table that the upgrade dropped went with it, also where the downgrade
                // makes the table again; and what one step lost, the next one still misses.
                if !after.tables.contains_key(table) || told.contains(&table) {
                    continue;
                }
                told.push(table);
                let finding = finding(recording, seen, table, &lost);
                judgement.findings.extend(mildest(recording, finding, table, &since));
            }
        }
    }
}

/// The finding by what that one of some steps says of the table's rows which explains it best.
fn mildest(recording: &Recording, finding: Finding, table: &Name, steps: &[&Observation]) -> Option<Finding> {
    let mut mildest: Option<Finding> = None;
    for step in steps {
        let one = weighed(finding.clone(), table, Meant::by(recording, step).as_ref())?;
        if mildest.as_ref().is_none_or(|mildest| one.severity < mildest.severity) {
            mildest = Some(one);
        }
    }
    mildest.or(Some(finding))
}

/// The finding by what the revision says of the table's rows; none if they go with others that it
/// deletes.
fn weighed(finding: Finding, table: &Name, meant: Option<&Meant<'_>>) -> Option<Finding> {
    let Some(meant) = meant else { return Some(finding) };
    let deleted = meant.deleted();
    if deleted.contains(table) {
        let help = "the revision says so itself; keep a copy if these rows may be wanted again";
        return Some(finding.weighing(Severity::Note).help(help));
    }
    if meant.made_anew().contains(table) {
        let help = "the revision makes the table anew from others; keep what does not follow from those";
        return Some(finding.weighing(Severity::Note).help(help));
    }
    if meant.kept_in_part().contains(table) {
        let help =
            "the revision says itself which rows it keeps; keep a copy if the others may be wanted again";
        return Some(finding.weighing(Severity::Note).help(help));
    }
    if meant.made_empty().contains(table) {
        let help = "the revision drops the table and makes it again without its rows: copy them over before, or \
                    accept it with the reason why they may go";
        return Some(finding.help(help));
    }
    (!meant.with_what_goes_along(deleted).contains(table)).then_some(finding)
}

/// How many keys that are gone a finding names of a large table.
const SHOWN: usize = 20;

/// What a table lost: how many rows, of how many if only some are known, and the keys that are known
/// to be gone.
struct Loss {
    rows: usize,
    of: Option<usize>,
    keys: Vec<String>,
}

fn losses<'a>(before: &'a Rows, seen: &'a Observation) -> Vec<(&'a Name, Loss)> {
    let Some(after) = &seen.rows_after else {
        return Vec::new();
    };
    if !seen.outcome.is_applied() {
        return Vec::new();
    }
    let changed = before.tables.differences(&after.tables);
    changed.filter_map(|(name, before, after)| Some((name, loss(before?, after?)?))).collect()
}

fn loss(before: &TableRows, after: &TableRows) -> Option<Loss> {
    let fewer = before.count().saturating_sub(after.count());
    let keys = gone(before, after).unwrap_or_default();
    // Keys that all changed are a rewritten key; otherwise new rows may hide how many were lost.
    let rows =
        if keys.len() < before.rows.len() || after.rows.is_empty() { fewer.max(keys.len()) } else { fewer };
    let of = before.digest.as_ref().map(|digest| digest.rows);
    (fewer > 0).then_some(Loss { rows, of, keys })
}

/// The primary keys that are no longer there, where both sides have the same key columns.
fn gone(before: &TableRows, after: &TableRows) -> Option<Vec<String>> {
    let old = before.keys()?;
    let new: BTreeSet<_> = after.project(&before.key)?.into_iter().collect();
    let gone = old.iter().filter(|key| !new.contains(*key));
    let text = |key: &Vec<Option<&str>>| {
        key.iter().map(|cell| shown(cell.unwrap_or("NULL"))).collect::<Vec<_>>().join(", ")
    };
    Some(gone.map(text).collect())
}

fn finding(recording: &Recording, seen: &Observation, table: &Name, loss: &Loss) -> Finding {
    let revision = &seen.step.revision;
    let rows = match loss.of {
        None => counted(loss.rows, "row", "rows"),
        Some(of) => format!("{} of {}", loss.rows, counted(of, "row", "rows")),
    };
    let message = format!(
        "{} of {} lost {rows} of table {} ({})",
        seen.step.direction,
        recording.name(revision),
        table.quoted(),
        recording.backend
    );
    let shown = loss.of.map_or(loss.keys.len(), |_| SHOWN.min(loss.keys.len()));
    let mut keys: String = loss.keys[..shown].iter().map(|key| format!("- {table} ({key})\n")).collect();
    if shown < loss.keys.len() {
        keys.push_str(&format!("- and {} more of those that were looked for\n", loss.keys.len() - shown));
    }
    Finding::new(CHECK.id, message)
        .at(revision)
        .about(table)
        .located(script_of(recording, &seen.step))
        .showing(keys)
        .help(
            "copy every row into the rebuilt table; on SQLite, dropping a table deletes its rows and so cascades \
             into tables that refer to it, unless foreign keys are off",
        )
}

#[cfg(test)]
mod tests {
    use super::CHECK;
    use crate::checks::testing::{applied, check, recording};

    #[test]
    fn names_the_table_and_the_keys() {
        let history = recording().revisions(2).probe([
            applied("1"),
            applied("-1"),
            applied("1"),
            applied("2").carrying("posts", &["1", "2"], &["2"]),
        ]);
        check(&CHECK, history)
            .finds(["upgrade of 2_two lost 1 row of table \"posts\" (sqlite)"])
            .shows("- posts (1)\n");
    }

    #[test]
    fn counts_the_rows_of_a_large_table() {
        let up = applied("1").carrying("posts", &["1", "2"], &["2"]).among(20_000, 19_000);
        check(&CHECK, recording().revisions(1).probe([up]))
            .finds(["upgrade of 1_one lost 1000 of 20000 rows of table \"posts\" (sqlite)"])
            .shows("- posts (1)\n");
    }

    #[test]
    fn rows_of_a_large_table_that_are_not_looked_at_any_more_are_not_lost() {
        let up = applied("1").carrying("posts", &["1", "2"], &["2", "3"]).among(20_000, 20_000);
        check(&CHECK, recording().revisions(1).probe([up])).finds([]);
    }

    #[test]
    fn rows_that_stay_are_silent_and_new_ones_are_welcome() {
        let history = recording().revisions(1).probe([applied("1").carrying("posts", &["1"], &["1", "7"])]);
        check(&CHECK, history).finds([]);
    }

    #[test]
    fn is_not_run_without_rows() {
        check(&CHECK, recording().revisions(1).probe([applied("1")]))
            .finds([])
            .not_run(
                "no rows are carried along: name a file of rows in [rows] fixtures, or let per_table be more than 0",
            );
    }

    #[test]
    fn a_group_must_give_back_what_was_there_before_it() {
        let steps = |after: &'static [&'static str]| {
            let carrying = |step, before, after| applied(step).carrying("users", before, after);
            recording().revisions(2).group("pair", 1, 2).trunk([applied("1"), applied("2")]).probe([
                carrying("1", &["1", "2"], &["1", "2"]),
                carrying("2", &["1", "2"], &["1", "2"]),
                // In between, they may lie elsewhere.
                carrying("-2", &["1", "2"], &[]),
                carrying("-1", &[], after),
                carrying("1", after, after),
                carrying("2", after, after),
            ])
        };
        check(&CHECK, steps(&["1", "2"])).finds([]);
        check(&CHECK, steps(&["1"])).finds(["downgrade of 1_one lost 1 row of table \"users\" (sqlite)"]);
    }
}
