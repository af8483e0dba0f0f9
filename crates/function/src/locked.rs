//! A value behind a lock that is never held across a wait.
//!
//! It survives a panic of another holder: the values behind it are whole between calls.

use std::sync::{Mutex, PoisonError};

/// A value that threads share, one at a time.
#[derive(Debug, Default)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(Mutex::new(value))
    }

    /// Runs `look` on the value while no other thread can.
    pub(crate) fn with<R>(&self, look: impl FnOnce(&mut T) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
