use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::layout::sqlx::Sqlx;

fn revision(id: &str, parents: &[&str]) -> Revision {
    Revision {
        id: id.into(),
        name: format!("{id}_name"),
        parents: parents.iter().map(|parent| RevisionId::from(*parent)).collect(),
        upgrade: Script::new(format!("{id}_name.sql"), "SELECT 1;"),
        downgrade: Downgrade::Missing,
        upgrade_in_transaction: true,
        downgrade_in_transaction: true,
    }
}

/// A history from a text such as `a, left<a, right<a, merge<left+right`.
fn history(graph: &str) -> Result<History, HistoryError> {
    let revisions = graph.split(", ").filter(|text| !text.is_empty()).map(|text| {
        let (id, parents) = text.split_once('<').unwrap_or((text, ""));
        let parents: Vec<_> = parents.split('+').filter(|parent| !parent.is_empty()).collect();
        revision(id, &parents)
    });
    History::new(Arc::new(Sqlx::default()), revisions.collect())
}

fn joined<'a>(ids: impl IntoIterator<Item = &'a RevisionId>) -> String {
    let ids: Vec<_> = ids.into_iter().map(RevisionId::as_str).collect();
    ids.join(" ")
}

#[rstest]
#[case::nothing("", "", "", "")]
#[case::a_line_given_backwards("c<b, b<a, a", "a b c", "a", "c")]
#[case::branches_and_a_merge("a, right<a, left<a, merge<left+right", "a right left merge", "a", "merge")]
#[case::two_lines("a, x, b<a, y<x", "a x b y", "a x", "b y")]
fn revisions_come_after_their_parents(
    #[case] graph: &str,
    #[case] order: &str,
    #[case] bases: &str,
    #[case] heads: &str,
) {
    let history = history(graph).unwrap();
    assert_eq!(joined(history.revisions().iter().map(|revision| &revision.id)), order);
    assert_eq!(joined(history.bases()), bases);
    assert_eq!(joined(history.heads()), heads);
}

#[rstest]
#[case::same_id("a, a", r#"revisions "a_name" and "a_name" have the same id "a""#)]
#[case::no_parent("b<a", r#"revision "b_name" follows "a", which is not in the history"#)]
#[case::circle("a, b<c, c<b", r#"revisions follow each other in a circle: "b", "c""#)]
#[case::itself("a<a", r#"revisions follow each other in a circle: "a""#)]
fn what_is_no_history_says_why(#[case] graph: &str, #[case] message: &str) {
    assert_eq!(history(graph).unwrap_err().to_string(), message);
}

#[test]
fn a_line_has_a_state_after_each_revision() {
    let revisions = ["1", "2", "3"].map(|id| revision(id, &[])).into();
    let history = History::line(Arc::new(Sqlx::default()), revisions).unwrap();

    assert_eq!(history.state_before(0), history.base_state());
    assert_eq!(history.state_after(0).with(1), history.state_after(1));
    assert_eq!(history.state_after(2), history.head_state());
    assert_eq!(history.position(&"2".into()), Some(1));
    assert_eq!(history.get(&"4".into()), None);
    assert!(history.is_up_only());
}

#[test]
fn an_empty_downgrade_is_a_downgrade() {
    let mut only = revision("1", &[]);
    only.downgrade = Downgrade::Empty(Script::new("1.down.sql", ""));
    let history = History::new(Arc::new(Sqlx::default()), vec![only]).unwrap();
    assert!(!history.is_up_only());
}

proptest! {
    /// Parents drawn from earlier numbers make a graph without circles, whatever order it is given in.
    #[test]
    fn any_graph_is_put_in_order(
        parents in proptest::collection::vec(proptest::collection::vec(any::<prop::sample::Index>(), 0..3), 0..30),
        shuffle in any::<u64>(),
    ) {
        let mut revisions: Vec<_> = parents.iter().enumerate().map(|(at, parents)| {
            let mut parents: Vec<_> = parents.iter().filter(|_| at > 0).map(|index| index.index(at).to_string()).collect();
            parents.sort();
            parents.dedup();
            let parents: Vec<_> = parents.iter().map(String::as_str).collect();
            revision(&at.to_string(), &parents)
        }).collect();
        revisions.sort_by_key(|revision| shuffle.wrapping_mul(31 + revision.id.as_str().parse::<u64>().unwrap()));

        let history = History::new(Arc::new(Sqlx::default()), revisions).unwrap();
        prop_assert_eq!(history.len(), parents.len());
        for (position, revision) in history.revisions().iter().enumerate() {
            prop_assert_eq!(history.position(&revision.id), Some(position));
            for parent in &revision.parents {
                prop_assert!(history.position(parent).unwrap() < position);
            }
        }
    }
}
