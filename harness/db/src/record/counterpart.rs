//! What the other backend's trunk has found, for rows that must fit on both.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use switchback_core::Backend;
use switchback_core::history::{History, RevisionId};
use switchback_core::schema::Schema;
use tokio::sync::watch;

/// One side of two recordings that go on at the same time. Each tells the other the schemas of its
/// trunk, and waits for those that it needs.
#[derive(Clone, Debug)]
pub struct Counterpart {
    own: Arc<watch::Sender<Told>>,
    other: Arc<watch::Sender<Told>>,
    backend: Backend,
    shared: Arc<BTreeSet<RevisionId>>,
}

/// The schemas told so far; the one at base has no revision.
#[derive(Debug, Default)]
struct Told {
    schemas: BTreeMap<Option<RevisionId>, Arc<Schema>>,
    ended: bool,
}

impl Counterpart {
    /// The two sides of two histories, in this order. Nothing if they have no revision in common, or
    /// not in the same order: then one would wait for what comes only after what the other waits for.
    pub fn pair(one: (Backend, &History), other: (Backend, &History)) -> Option<(Self, Self)> {
        let ids = |history: &History| -> Vec<RevisionId> {
            history.revisions().iter().map(|revision| revision.id.clone()).collect()
        };
        let (of_one, of_other) = (ids(one.1), ids(other.1));
        let shared: BTreeSet<RevisionId> =
            of_one.iter().filter(|id| of_other.contains(id)).cloned().collect();
        let in_order = |ids: &[RevisionId]| -> Vec<RevisionId> {
            ids.iter().filter(|id| shared.contains(*id)).cloned().collect()
        };
        if shared.is_empty() || in_order(&of_one) != in_order(&of_other) {
            return None;
        }
        let board = || Arc::new(watch::Sender::new(Told::default()));
        let (first, second, shared) = (board(), board(), Arc::new(shared));
        let side = |own: &Arc<_>, other: &Arc<_>, backend| Self {
            own: Arc::clone(own),
            other: Arc::clone(other),
            backend,
            shared: Arc::clone(&shared),
        };
        Some((side(&first, &second, other.0), side(&second, &first, one.0)))
    }

    /// The other backend.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Tells what the own trunk found after a revision, or at base.
    pub(super) fn tell(&self, after: Option<&RevisionId>, schema: &Arc<Schema>) {
        self.own.send_modify(|told| {
            told.schemas.insert(after.cloned(), Arc::clone(schema));
        });
    }

    /// Tells that nothing more comes, however the recording ended.
    pub fn end(&self) {
        self.own.send_modify(|told| told.ended = true);
    }

    /// The other side's schema at the last revision among `applied` that both have, once it is known;
    /// nothing if the other side never comes there.
    pub(super) async fn schema<'a>(
        &self,
        applied: impl DoubleEndedIterator<Item = &'a RevisionId>,
    ) -> Option<Arc<Schema>> {
        let wanted = applied.rev().find(|id| self.shared.contains(*id)).cloned();
        let mut told = self.other.subscribe();
        let known = told.wait_for(|told| told.ended || told.schemas.contains_key(&wanted)).await.ok()?;
        known.schemas.get(&wanted).cloned()
    }
}

#[cfg(test)]
mod tests {
    use switchback_core::layout::{self, Entry, Layout as _, SourceTree};

    use super::*;

    fn history(ids: &[&str]) -> History {
        let files = ids.iter().map(|id| (format!("{id}_x.sql"), Entry::from_bytes(b"SELECT 1;".to_vec())));
        let folder = SourceTree::new("migrations", files);
        layout::sqlx::Layout.read(&folder, Backend::Sqlite).unwrap()
    }

    #[tokio::test]
    async fn each_waits_for_the_last_revision_that_both_have() {
        let (long, short) = (history(&["1", "2", "3"]), history(&["1", "3"]));
        let pair = Counterpart::pair((Backend::Postgres, &long), (Backend::Sqlite, &short));
        let (one, other) = pair.unwrap();
        let schema = Arc::new(Schema::new());
        let applied = [RevisionId::new("1"), RevisionId::new("2")];
        let waiting = one.schema(applied.iter());
        let telling = async { other.tell(Some(&RevisionId::new("1")), &schema) };
        let (found, ()) = tokio::join!(waiting, telling);
        assert!(Arc::ptr_eq(&found.unwrap(), &schema));
        other.end();
        assert_eq!(one.schema([RevisionId::new("3")].iter()).await, None);
    }

    #[test]
    fn histories_in_another_order_go_alone() {
        let (one, other) = (history(&["1"]), history(&["2"]));
        assert!(Counterpart::pair((Backend::Postgres, &one), (Backend::Sqlite, &other)).is_none());
    }
}
