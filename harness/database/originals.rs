//! Databases from which others are copied, each made once in this process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// The originals by their keys.
#[derive(Debug)]
pub(crate) struct Originals<T>(Mutex<BTreeMap<String, Slot<T>>>);

/// Locked while the original is made, so that all who want it wait for the one who makes it.
type Slot<T> = Arc<tokio::sync::Mutex<Original<T>>>;

/// What others are copied from, once it is made.
#[derive(Debug)]
pub(crate) enum Original<T> {
    /// It lasts as long as the process, since something else removes it then.
    Lasting(Arc<T>),
    /// It goes with the last of its copies: nobody could remove it when the process ends, since a static is
    /// never dropped.
    Used(Weak<T>),
}

impl<T> Originals<T> {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    pub(crate) fn slot(&self, key: &str) -> Slot<T> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Arc::new(tokio::sync::Mutex::new(Original::Used(Weak::new())));
        Arc::clone(slots.entry(key.to_owned()).or_insert_with(new))
    }
}

impl<T> Original<T> {
    pub(crate) fn get(&self) -> Option<Arc<T>> {
        match self {
            Self::Lasting(made) => Some(Arc::clone(made)),
            Self::Used(made) => made.upgrade(),
        }
    }

    pub(crate) fn set(&mut self, made: T, lasts: bool) -> Arc<T> {
        let made = Arc::new(made);
        *self = if lasts { Self::Lasting(Arc::clone(&made)) } else { Self::Used(Arc::downgrade(&made)) };
        made
    }
}
