//! Definitions that two regions left behind which removed the last two replicas at once: each saw
//! the other's, so that neither took the definition away.
//!
//! It removes no replica. Whoever removes one that is not the last notes so with the removal, on
//! its own disk alone, and later removes a definition of which nobody has a replica any more.
//! Nobody else may: where a directory is filled, a definition may come before the replicas do.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use base::name::TableId;
use store::port::Store;
use table::notes::Note;
use table::tables::ReadError;

use super::indexes::{Expiry, Index};
use super::{DEFINITION, REPLICA, Replica, Table, partition};
use crate::control::{Control, ControlError};
use crate::resource::Change;

/// What the names of the notes begin with; the table's number follows.
const PREFIX: &[u8] = b"departed/";

/// The tables of which this region has removed a replica that was not the last one.
#[derive(Debug, Default)]
pub(crate) struct Departed(Mutex<BTreeSet<TableId>>);

impl Departed {
    /// Makes the list of what is noted on disk.
    pub(crate) fn new(notes: &[Note]) -> Self {
        let tables = notes.iter().filter_map(table_of);
        Self(Mutex::new(tables.collect()))
    }

    pub(super) fn insert(&self, table: TableId) {
        self.lock().insert(table);
    }

    fn remove(&self, table: TableId) {
        self.lock().remove(&table);
    }

    fn all(&self) -> BTreeSet<TableId> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<TableId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the prefix of all notes.
pub(crate) const fn prefix() -> &'static [u8] {
    PREFIX
}

/// Returns the note that a replica of a table was removed by this region.
pub(super) fn note_of(table: TableId) -> Note {
    Note {
        name: name_of(table),
        fact: Bytes::new(),
    }
}

fn name_of(table: TableId) -> Vec<u8> {
    [PREFIX, &table.0.to_be_bytes()].concat()
}

fn table_of(note: &Note) -> Option<TableId> {
    let number = note.name.strip_prefix(PREFIX)?.first_chunk::<8>()?;
    Some(TableId(u64::from_be_bytes(*number)))
}

impl<S: Store> Control<S> {
    /// Returns the noted tables whose definition is gone, or is nobody's.
    pub(super) fn left_behind(&self) -> BTreeSet<TableId> {
        let mut noted = self.departed().all();
        noted.retain(|table| !self.is_anyones(*table) || self.definition(*table).is_none());
        noted
    }

    /// Removes definitions that this region had a part in leaving to nobody, and forgets those that
    /// are gone.
    ///
    /// Errors: those of the store; calling it again goes on where it stopped.
    pub(super) async fn remove_left_behind(&self) -> Result<(), ControlError> {
        let left = self.left_behind();
        if left.is_empty() {
            return Ok(());
        }
        // Nobody here makes a replica of one of them meanwhile.
        let _turn = self.turn().await;
        for table in left {
            if self.is_anyones(table) && self.definition(table).is_some() {
                continue;
            }
            match self.remove_definition(table).await {
                // Somebody else changes it right now: what comes of that is looked at then.
                Err(ControlError::Unexpected(_)) => {}
                removed => {
                    removed?;
                    let forgotten = self.tables().forget_note(&name_of(table)).await;
                    forgotten.map_err(ReadError::from)?;
                    self.departed().remove(table);
                }
            }
        }
        Ok(())
    }

    async fn remove_definition(&self, table: TableId) -> Result<(), ControlError> {
        let Some(definition) = self.definition(table) else {
            return Ok(());
        };
        tracing::info!(%table, name = definition.name, "a table's last replicas went at once");
        let mut changes = vec![Change::remove(&definition)];
        let indexes = self.all::<Index>().into_iter();
        let indexes = indexes.filter(|index| index.table == table.0);
        changes.extend(indexes.map(|index| Change::remove(&index)));
        let expiry = self.all::<Expiry>().into_iter();
        let expiry = expiry.filter(|expiry| expiry.table == table.0);
        changes.extend(expiry.map(|expiry| Change::remove(&expiry)));
        self.change(changes).await.map(drop)
    }

    fn definition(&self, table: TableId) -> Option<Table> {
        self.get(&partition(table.0), DEFINITION)
    }

    fn is_anyones(&self, table: TableId) -> bool {
        let replicas = self.list::<Replica>(&partition(table.0), REPLICA);
        !replicas.is_empty()
    }
}
