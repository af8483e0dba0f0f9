//! Notes: facts of a caller's own that reach the disk with one transaction, or not at all.
//!
//! What they mean is not known here, and none is forgotten by itself. They belong to this store:
//! no other region gets them, and a directory that takes a lost one's place has none.

use bytes::Bytes;

use store::port::{Batch, Durability, Space, Store, StoreError};

use crate::conflict::restore::Mark;
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

/// Returns the names of notes that are forgotten with a transaction. It is asked when nothing more
/// is handed in ahead of that: a note of such a name that comes later stays. It writes nothing.
pub type Forgotten = Box<dyn FnOnce() -> Vec<Vec<u8>> + Send>;

/// What goes into a transaction's batch beside its items.
pub(crate) enum Noting {
    /// A note, and those that go when it comes.
    Fact(Note, Forgotten),
    /// A race's loser is written again.
    Restored(Mark),
}

impl<S: Store> Tables<S> {
    /// Writes several items and a note, and forgets others, all of it or nothing. Returns once they
    /// are on disk.
    ///
    /// Where the items stay as they are the note is written all the same. Where nothing is written
    /// it is not asked what is forgotten.
    ///
    /// Errors: [`WriteError`]; nothing is written then, unless the store failed.
    pub async fn transact_noted(
        &self,
        writes: Vec<Write>,
        note: Note,
        forgotten: Forgotten,
    ) -> Result<Vec<Written>, WriteError> {
        let noting = Noting::Fact(note, forgotten);
        self.transact_with(writes, Some(noting)).await
    }

    /// Forgets a note. Returns once that is on disk.
    ///
    /// Errors: those of the store.
    pub async fn forget_note(&self, name: &[u8]) -> Result<(), StoreError> {
        let mut batch = Batch::default();
        batch.delete(Space::Meta, meta::note(name));
        self.commit(batch, Durability::Disk).await
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
}

impl Noting {
    /// Adds it to a batch that nothing is handed in ahead of.
    pub(crate) fn stage(self, batch: &mut Batch) {
        match self {
            Self::Fact(note, forgotten) => {
                for name in forgotten() {
                    batch.delete(Space::Meta, meta::note(&name));
                }
                batch.put(Space::Meta, meta::note(&note.name), note.fact);
            }
            Self::Restored(mark) => mark.stage(batch),
        }
    }
}
