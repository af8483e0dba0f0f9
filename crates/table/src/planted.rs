//! Known mistakes that a simulation can put in, to prove that it would find them.
//!
//! No release can carry one: only the feature `planted` offers a way to set it.

/// A mistake to put into a region's tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Planted {
    /// No mistake.
    #[default]
    Nothing,
    /// Stamps a write with the wall clock alone, whatever version it replaces.
    WallClockOrder,
    /// Drops a tombstone once every region has it on disk.
    TombstonesDroppedOnAcknowledgement,
    /// Logs no race.
    RacesForgotten,
    /// Stamps the delete of an item that has expired with the time of the delete.
    TtlStampedNow,
    /// Trims a record although this region lacks something that its write had seen.
    TrimmedTooSoon,
    /// What has come back of a lost directory's writes counts as all of it.
    PartForWhole,
}

#[cfg(feature = "planted")]
mod acknowledged {
    use std::ops::Bound;

    use replica_core::vector::VersionVector;
    use store::port::{Order, Range, Space, Store};

    use super::Planted;
    use crate::layout;
    use crate::limits::{STEP_BYTES, STEP_ROWS};
    use crate::tables::{ReadError, Tables};

    impl<S: Store> Tables<S> {
        /// Puts a known mistake in.
        pub fn plant(&self, mistake: Planted) {
            self.lock().planted = mistake;
        }

        /// Where that mistake is planted: removes tombstones up to `floor`, which every region
        /// has on disk.
        ///
        /// Errors: those of the store.
        pub async fn collect_acknowledged(&self, floor: &VersionVector) -> Result<(), ReadError> {
            if self.lock().planted != Planted::TombstonesDroppedOnAcknowledgement {
                return Ok(());
            }
            let range = Range {
                space: Space::Tombstones,
                from: Bound::Unbounded,
                to: Bound::Unbounded,
                order: Order::Ascending,
                rows_max: STEP_ROWS,
                bytes_max: STEP_BYTES,
            };
            for (key, _) in self.inner.store.range(range).await?.rows {
                let (version, table, suffix) = layout::decode_tombstone(key.clone())?;
                let stored = self.stored(table, &suffix).await?;
                let acknowledged = stored.is_some_and(|stored| {
                    stored.collected() == version && stored.stamp.seq <= floor.at(version.origin)
                });
                if acknowledged {
                    self.collect(key).await?;
                }
            }
            Ok(())
        }
    }
}
