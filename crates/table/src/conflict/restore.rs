//! A lost write is written again: as any other write, after its loss was looked at.
//!
//! It rewrites no history: the restored item gets a version of its own, replicates, and can lose
//! a race in its turn.

use std::sync::Arc;

use bytes::Bytes;

use item::codec;
use store::port::{Batch, Space, Store};

use crate::conflict::{self, Conflict, RaceId};
use crate::def::TableDef;
use crate::layout;
use crate::notes::Noting;
use crate::tables::{Damaged, ReadError, Tables};
use crate::write::{Current, Effect, Refusal, Write, WriteError, Written};

/// Which item may be written over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// The winner's version of it.
    Winner,
    /// Whatever is there.
    Anything,
}

/// A lost write that was not written again.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// This region knows of no such race: it was forgotten, or another table's.
    #[error("restore the loser of race {0}: this region knows of no such race of the table")]
    NoRace(RaceId),
    /// The item was written since.
    #[error(
        "restore the loser of race {0}: the item is not the winner's any more, it was written since"
    )]
    Changed(RaceId),
    /// The winner was a delete, and is remembered no more.
    #[error(
        "restore the loser of race {0}: the delete that won is remembered no more, so that nobody \
         can tell whether the item was written since"
    )]
    Forgotten(RaceId),
    /// The write failed.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// What is stored cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// The mark of an entry whose loser was restored, which goes with the write that does it.
pub(crate) struct Mark {
    key: Vec<u8>,
    entry: Vec<u8>,
}

impl Mark {
    pub(crate) fn stage(self, batch: &mut Batch) {
        batch.put(Space::Conflicts, self.key, self.entry);
    }
}

impl<S: Store> Tables<S> {
    /// Writes the loser of a race again, or deletes the item again where the loser was a delete,
    /// and marks the race as restored, both or neither. Returns once it is on disk.
    ///
    /// Errors: [`RestoreError`]; nothing is written then, unless the store failed.
    pub async fn restore_loser(
        &self,
        table: Arc<TableDef>,
        id: RaceId,
        over: Over,
    ) -> Result<Written, RestoreError> {
        let race = self.conflict(table.id, id).await?;
        let race = race.ok_or(RestoreError::NoRace(id))?;
        let image = race.loser_image.as_deref().map(codec::decode).transpose();
        let lost = image.map_err(|_| ReadError::from(Damaged("a conflict")))?;
        let mark = Noting::Restored(self.mark(&table, &race));
        let key = race.key.clone();
        let (id_of_table, suffix) = (table.id, layout::item_suffix(&key));
        let decide = move |current: &Current| {
            if over == Over::Winner && current.version() != Some(race.winner) {
                return Err(Refusal::ConditionFailed);
            }
            Ok(lost.map_or(Effect::Delete, Effect::Put))
        };
        let decide = Box::new(decide);
        let write = Write { table, key, decide };
        match self.transact_with(vec![write], Some(mark)).await {
            Ok(mut written) => Ok(written.pop().expect("one write gives one result")),
            Err(WriteError::Refused(refused)) if is_condition(&refused) => {
                let found = self.stored(id_of_table, &suffix).await?;
                Err(match found {
                    Some(_) => RestoreError::Changed(id),
                    None => RestoreError::Forgotten(id),
                })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Returns whether an item is still as the winner of a race left it; `None` where that is not
    /// known any more: deletes are forgotten once all regions have them.
    ///
    /// Errors: those of the store.
    pub async fn is_winners(
        &self,
        table: &TableDef,
        race: &Conflict,
    ) -> Result<Option<bool>, ReadError> {
        let suffix = layout::item_suffix(&race.key);
        let stored = self.stored(table.id, &suffix).await?;
        Ok(stored.map(|stored| stored.stamp.version == race.winner))
    }

    fn mark(&self, table: &TableDef, race: &Conflict) -> Mark {
        let suffix = layout::item_suffix(&race.key);
        let images: [&Option<Bytes>; 2] = [&race.winner_image, &race.loser_image];
        Mark {
            key: conflict::entry_key(table.id, race.winner, race.loser, &suffix),
            entry: conflict::entry(images, Some(self.inner.clock.wall())),
        }
    }
}

fn is_condition(refused: &[Option<crate::write::Refused>]) -> bool {
    let mut refusals = refused.iter().flatten();
    refusals.any(|refused| refused.refusal == Refusal::ConditionFailed)
}
