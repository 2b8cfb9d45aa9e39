//! What to say of a downgrade that only makes sense together with others.

use std::ops::Range;

use crate::evidence::Recording;
use crate::history::RevisionId;

/// The groups that revisions of a recording seem to be in.
pub(super) struct Together<'a> {
    recording: &'a Recording,
    found: Vec<Range<usize>>,
}

impl<'a> Together<'a> {
    pub(super) fn of(recording: &'a Recording) -> Self {
        Self { recording, found: recording.back_together() }
    }

    /// The help, and how to write down the group of the revision if there is one.
    pub(super) fn or_group(&self, help: String, revision: &RevisionId) -> String {
        match self.group(revision) {
            Some(group) => format!("{help}; {group}"),
            None => help,
        }
    }

    fn group(&self, revision: &RevisionId) -> Option<String> {
        let history = &self.recording.history;
        let position = history.position(revision)?;
        let positions = self.found.iter().find(|positions| positions.contains(&position))?;
        let revisions = &history.revisions()[positions.clone()];
        let (first, last) = (revisions.first()?, revisions.last()?);
        let ids: Vec<&str> = revisions.iter().map(|revision| revision.id.as_str()).collect();
        Some(format!(
            "or, since {} to {} together do bring back what was before, and if they are only taken back so, write \
             [[history.group]] with a name and revisions = [{}]",
            first.name,
            last.name,
            listed(self.recording, &ids)
        ))
    }
}

/// The ids as the config takes them: by what they all begin with, if no other one does.
fn listed(recording: &Recording, ids: &[&str]) -> String {
    let quoted = |ids: &[&str]| ids.iter().map(|id| format!("\"{id}\"")).collect::<Vec<_>>().join(", ");
    let (Some(first), true) = (ids.first(), ids.len() > 3) else { return quoted(ids) };
    let begins =
        |length: &usize| first.get(..*length).is_some_and(|begin| ids.iter().all(|id| id.starts_with(begin)));
    let common = (1..first.len()).rev().find(begins).map_or("", |length| &first[..length]);
    let like = |revision: &&crate::history::Revision| {
        revision.id.as_str().starts_with(common) || revision.name.starts_with(common)
    };
    let alike = recording.history.revisions().iter().filter(like).count();
    if !common.is_empty() && alike == ids.len() { format!("\"{common}*\"") } else { quoted(ids) }
}

#[cfg(test)]
mod tests {
    use crate::checks::testing::{Hand, applied, check, failed, recording, schema};
    use crate::checks::{downgrade_fails, downgrade_leaves_trace};

    const GROUP: &str = "or, since 1_one to 2_two together do bring back what was before, and if they are only taken \
                         back so, write [[history.group]] with a name and revisions = [\"1\", \"2\"]";

    /// Two revisions that make a table each, of which the second one's downgrade does something odd.
    fn history() -> Hand {
        let (one, both) = (schema(&["a"]), schema(&["a", "b"]));
        recording()
            .downgrades([Some("DROP TABLE a; DROP TABLE IF EXISTS b;"), Some("DROP TABLE x;")])
            .trunk([applied("1").seeing(&one), applied("2").seeing(&both)])
    }

    #[test]
    fn a_failure_that_goes_away_further_down_may_be_that_of_a_group() {
        let fails = |hand: Hand| {
            hand.probe([
                applied("1"),
                failed("-1", "no such table: b"),
                applied("2"),
                applied("-2").seeing(&schema(&["b"])),
            ])
        };
        let back = applied("-1").seeing(&schema(&[]));
        let shifted = applied("-2").seeing(&schema(&["b"]));
        check(&downgrade_fails::CHECK, fails(history()).descent([shifted.clone(), back])).helps(&format!(
            "undo the upgrade's statements in the opposite order, and only what this revision made; {GROUP}"
        ));
        // Where together they do not hold either, there is no group.
        let left = applied("-1").seeing(&schema(&["b"]));
        check(&downgrade_fails::CHECK, fails(history()).descent([shifted.clone(), left]))
            .helps("undo the upgrade's statements in the opposite order, and only what this revision made");
        let again = failed("-1", "no such table: b");
        check(&downgrade_fails::CHECK, fails(history()).descent([shifted, again]))
            .helps("undo the upgrade's statements in the opposite order, and only what this revision made");
    }

    #[test]
    fn a_trace_that_an_earlier_downgrade_names_may_be_that_of_a_group() {
        let both = schema(&["a", "b"]);
        let left = |hand: Hand| {
            let hand = hand.probe([applied("2").seeing(&both), applied("-2").seeing(&both)]);
            hand.descent([applied("-2").seeing(&both), applied("-1").seeing(&schema(&[]))])
        };
        check(&downgrade_leaves_trace::CHECK, left(history()))
            .helps(&format!("drop table \"b\" in migrations/2_two.down.sql; {GROUP}"));
    }

    #[test]
    fn what_goes_with_its_table_makes_no_group() {
        let (one, both) = (schema(&["a"]), schema(&["a", "a.b"]));
        let history = recording()
            .revisions(2)
            .trunk([applied("1").seeing(&one), applied("2").seeing(&both)])
            .probe([applied("2").seeing(&both), applied("-2").seeing(&both)])
            .descent([applied("-2").seeing(&both), applied("-1").seeing(&schema(&[]))]);
        check(&downgrade_leaves_trace::CHECK, history)
            .helps("drop column \"b\" of table \"a\" in migrations/2_two.down.sql");
    }

    #[test]
    fn it_is_tried_around_what_does_not_come_back() {
        let (one, two) = (schema(&["a"]), schema(&["a", "b"]));
        let trunk = ["1", "2", "3", "4", "5", "6"].map(|id| {
            let seen = if id == "1" { &one } else { &two };
            applied(id).seeing(seen)
        });
        let probing = |unclean: &[&'static str]| {
            let steps: Vec<_> = unclean.iter().flat_map(|id| [applied(&id[1..]), failed(id, "no")]).collect();
            let hand = recording().revisions(6).trunk(trunk.clone()).probing(steps);
            hand.build().recordings().next().unwrap().descents()
        };
        for (unclean, tried) in [
            (vec!["-3"], vec![(1, 3)]),
            (vec!["-3", "-4"], vec![(1, 4)]),
            (vec!["-2", "-4"], vec![(0, 4)]),
            (vec!["-2", "-5"], vec![(0, 2), (3, 5)]),
            (vec!["-1"], Vec::new()),
        ] {
            let found: Vec<_> = probing(&unclean).into_iter().map(|one| (one.start, one.end)).collect();
            assert_eq!(found, tried, "{unclean:?}");
        }
    }
}
