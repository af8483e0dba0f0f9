//! Notes: facts of a caller's own that reach the disk with one transaction, or not at all.
//!
//! What they mean is not known here, and none is forgotten by itself. They belong to this store:
//! no other region gets them, and a directory that takes a lost one's place has none.

use bytes::Bytes;

use store::port::{Batch, Space, Store, StoreError};

use crate::layout::meta;
use crate::tables::{self, Tables};
use crate::write::{Write, WriteError, Written};

/// A fact under a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// What it is found by; it takes the place of one of the same name.
    pub name: Vec<u8>,
    /// What is noted.
    pub fact: Bytes,
}

impl<S: Store> Tables<S> {
    /// Writes several items and a note, all of it or nothing. Returns once they are on disk.
    ///
    /// Where the items stay as they are the note is written all the same.
    ///
    /// Errors: [`WriteError`]; nothing is written then, unless the store failed.
    pub async fn transact_noted(
        &self,
        writes: Vec<Write>,
        note: Note,
    ) -> Result<Vec<Written>, WriteError> {
        self.transact_with(writes, Some(note)).await
    }

    /// Returns all notes whose names begin with `prefix`.
    ///
    /// Errors: those of the store.
    pub async fn notes(&self, prefix: &[u8]) -> Result<Vec<Note>, StoreError> {
        let facts = tables::read_meta(&self.inner.store, &meta::note(prefix)).await?;
        let note = |(rest, fact): (Bytes, Bytes)| Note {
            name: [prefix, &rest[..]].concat(),
            fact,
        };
        Ok(facts.into_iter().map(note).collect())
    }

    /// Forgets notes: no later note of their names is lost by that, and a crash may bring them
    /// back.
    pub fn forget_notes<'n>(&self, names: impl IntoIterator<Item = &'n [u8]>) {
        let mut batch = Batch::default();
        for name in names {
            batch.delete(Space::Meta, meta::note(name));
        }
        if !batch.ops.is_empty() {
            self.hand_in_unwatched(batch);
        }
    }
}

impl Note {
    /// Adds it to a batch.
    pub(crate) fn stage(self, batch: &mut Batch) {
        batch.put(Space::Meta, meta::note(&self.name), self.fact);
    }
}
