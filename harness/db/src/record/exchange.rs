//! What the recorders of the two backends tell each other when both are at head.

use std::sync::Arc;

use tokio::sync::watch;

/// One recorder's end: it tells one thing, and hears what the other tells.
#[derive(Debug)]
pub(super) struct Exchange<T> {
    own: Arc<watch::Sender<Told<T>>>,
    other: Arc<watch::Sender<Told<T>>>,
}

/// Nothing so far, what was told, or that nothing will be.
#[derive(Debug)]
enum Told<T> {
    Nothing,
    This(Arc<T>),
    Never,
}

impl<T> Clone for Exchange<T> {
    fn clone(&self) -> Self {
        Self { own: Arc::clone(&self.own), other: Arc::clone(&self.other) }
    }
}

impl<T> Exchange<T> {
    /// The two ends.
    pub(super) fn pair() -> (Self, Self) {
        let board = || Arc::new(watch::Sender::new(Told::Nothing));
        let (one, other) = (board(), board());
        let end = |own: &Arc<_>, other: &Arc<_>| Self { own: Arc::clone(own), other: Arc::clone(other) };
        (end(&one, &other), end(&other, &one))
    }

    /// Tells it.
    pub(super) fn tell(&self, what: Arc<T>) {
        self.own.send_replace(Told::This(what));
    }

    /// Lets nobody wait for what was not told.
    pub(super) fn end(&self) {
        self.own.send_if_modified(|told| {
            let waits = matches!(told, Told::Nothing);
            if waits {
                *told = Told::Never;
            }
            waits
        });
    }

    /// What the other tells, once it does; nothing if it ends without. It is heard once.
    pub(super) async fn hear(&self) -> Option<Arc<T>> {
        let mut other = self.other.subscribe();
        other.wait_for(|told| !matches!(told, Told::Nothing)).await.ok()?;
        // It may be large, and nobody asks for it again.
        match self.other.send_replace(Told::Never) {
            Told::This(what) => Some(what),
            Told::Nothing | Told::Never => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Exchange;

    #[tokio::test]
    async fn each_hears_the_other() {
        let (one, other) = Exchange::pair();
        let first = async {
            one.tell("a".into());
            one.hear().await
        };
        let second = async {
            assert_eq!(other.hear().await.as_deref(), Some(&"a"));
            other.tell("x".into());
        };
        let (heard, ()) = tokio::join!(first, second);
        assert_eq!(heard.as_deref(), Some(&"x"));
    }

    #[tokio::test]
    async fn nobody_waits_for_one_who_has_ended() {
        let (one, other) = Exchange::<u8>::pair();
        other.end();
        assert_eq!(one.hear().await, None);
        one.tell(1.into());
        one.end();
        assert_eq!(other.hear().await.as_deref(), Some(&1), "what was told stays told");
    }
}
