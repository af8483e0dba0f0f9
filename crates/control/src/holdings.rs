//! Which replicas' items this region's store holds, and which of them are to be removed.
//!
//! It removes nothing: it is the list that [`crate::control::Control::settle`] works off.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use base::name::TableId;

/// Whose items are in the store, by table.
#[derive(Debug, Default)]
pub(crate) struct Holdings {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// When the replica was made whose items are in the store.
    held: BTreeMap<TableId, i64>,
    /// Tables whose items are, or may be, those of a replica that is no more.
    due: BTreeSet<TableId>,
}

impl Holdings {
    /// Makes the list of what the store was found to hold.
    pub(crate) fn new(held: BTreeMap<TableId, i64>) -> Self {
        let due = BTreeSet::new();
        Self {
            state: Mutex::new(State { held, due }),
            changed: Notify::new(),
        }
    }

    /// Takes over which replicas this region has, and when each was made. Returns the tables that
    /// it has lost.
    pub(crate) fn take_over(&self, replicas: BTreeMap<TableId, i64>) -> Vec<TableId> {
        let mut state = self.lock();
        let known: BTreeSet<TableId> = state.held.keys().chain(&state.due).copied().collect();
        let is_lost = |table: &TableId| !replicas.contains_key(table);
        let lost: Vec<TableId> = known.into_iter().filter(is_lost).collect();
        for table in &lost {
            state.held.remove(table);
            state.due.insert(*table);
        }
        for (table, made) in replicas {
            if state.held.get(&table) != Some(&made) {
                state.due.insert(table);
            }
        }
        if !state.due.is_empty() {
            self.changed.notify_one();
        }
        lost
    }

    /// Returns whether the store holds the items of the replica that was made at `made`, and
    /// nobody else's.
    pub(crate) fn has(&self, table: TableId, made: i64) -> bool {
        self.lock().held.get(&table) == Some(&made)
    }

    /// Returns a table whose items are to be removed; it counts as worked on.
    pub(crate) fn next(&self) -> Option<TableId> {
        self.lock().due.pop_first()
    }

    /// Returns all tables whose items are, or may be, to be removed.
    pub(crate) fn due(&self) -> BTreeSet<TableId> {
        self.lock().due.clone()
    }

    /// Notes that a table's items are still to be removed.
    pub(crate) fn again(&self, table: TableId) {
        self.lock().due.insert(table);
    }

    /// Notes whose items of a table are in the store from here on.
    pub(crate) fn settled(&self, table: TableId, made: i64) {
        let mut state = self.lock();
        state.held.insert(table, made);
        state.due.remove(&table);
    }

    /// Wakes whoever waits for something to remove.
    pub(crate) fn wake(&self) {
        self.changed.notify_one();
    }

    /// Waits until there may be something to remove.
    pub(crate) async fn changed(&self) {
        self.changed.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
