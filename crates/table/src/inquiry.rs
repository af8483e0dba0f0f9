//! Inquiries answered: the sums of a table's buckets, and what one bucket holds.
//!
//! It compares nothing, changes nothing and waits for nobody. A region asks itself in the same
//! way as it asks another.

use std::ops::Bound;

use bytes::Bytes;

use base::name::TableId;
use base::region::RegionId;
use replica_core::digest::Digest;
use replica_core::inquiry::{Answer, Asked, Entry, FANOUT, Held, Listed, Standing, Unable};
use replica_core::limits::ENTRIES_MAX;
use replica_core::link::Owed;
use store::port::{Order, Range, Space, Store, prefix_end};

use crate::layout::{self, Stored};
use crate::limits::LISTED_BYTES;
use crate::tables::{Damaged, ReadError, Tables};

impl<S: Store> Tables<S> {
    /// Answers what `peer`, or this region itself, asks of a table.
    pub async fn inquire(&self, peer: RegionId, table: TableId, what: &Asked) -> Answer {
        if let Err(unable) = self.comparable(table).await {
            return Answer::Unable(unable);
        }
        if !self.is_replica(table, peer) {
            let text = format!("it does not know that {peer} has a replica of the table");
            return Answer::Unable(Unable::Failed(text));
        }
        let applied = self.applied();
        let standing = |touched| Standing { applied, touched };
        match what {
            Asked::Groups => {
                let sums = (0..=u8::MAX).map(|group| self.bucket_sums(table, group));
                let sums = sums.map(|buckets| sum(&buckets)).collect();
                Answer::Sums(standing(self.touched()), sums)
            }
            Asked::Buckets(groups) => {
                let sums = groups.iter();
                let sums = sums.flat_map(|group| self.bucket_sums(table, *group));
                let sums = sums.collect();
                Answer::Sums(standing(self.touched()), sums)
            }
            Asked::List { bucket, behind, to } => {
                let range = (behind.as_ref(), to.as_ref());
                match self.list_bucket(table, *bucket, range).await {
                    Ok(listed) => Answer::Listed(standing(self.touched()), listed),
                    Err(error) => Answer::Unable(Unable::Failed(error.to_string())),
                }
            }
        }
    }

    /// Says whether this region holds all of a table, so that what it lacks is a difference.
    ///
    /// Errors: why it does not.
    pub async fn comparable(&self, table: TableId) -> Result<(), Unable> {
        let def = self.table(table);
        let def = def.filter(|def| def.replicas.contains(&self.region()));
        let def = def.ok_or(Unable::NoReplica)?;
        let is_owed = |owed: &Owed| owed.contains_key(&table);
        if def.filling || self.owed().values().any(is_owed) {
            return Err(Unable::Filling);
        }
        match self.is_coming(&def).await {
            Ok(false) => Ok(()),
            Ok(true) => Err(Unable::Filling),
            Err(error) => Err(Unable::Failed(error.to_string())),
        }
    }

    /// Returns the sums of a group's buckets. Each group is read by itself, so that no write waits
    /// for a whole table's.
    fn bucket_sums(&self, table: TableId, group: u8) -> Vec<Digest> {
        let mut sums = vec![Digest::default(); FANOUT];
        let [first, last] = [0, u8::MAX].map(|low| (table, u16::from_be_bytes([group, low])));
        let state = self.lock();
        for ((_, bucket), digest) in state.digests.range(first..=last) {
            let [_, low] = bucket.to_be_bytes();
            if let Some(sum) = sums.get_mut(usize::from(low)) {
                *sum = *digest;
            }
        }
        sums
    }

    async fn list_bucket(
        &self,
        table: TableId,
        bucket: u16,
        (behind, to): (Option<&Bytes>, Option<&Bytes>),
    ) -> Result<Listed, ReadError> {
        let bounds = [behind, to].into_iter().flatten();
        if bounds.into_iter().any(|key| layout::bucket(key) != bucket) {
            return Err(Damaged("the range of a bucket").into());
        }
        let prefix = layout::item_key(table, &bucket.to_be_bytes());
        let key = |key: &Bytes| layout::item_key(table, key);
        let range = Range {
            space: Space::Items,
            from: match behind {
                Some(behind) => Bound::Excluded(key(behind)),
                None => Bound::Included(prefix.clone()),
            },
            to: match to {
                Some(to) => Bound::Included(key(to)),
                None => prefix_end(&prefix),
            },
            order: Order::Ascending,
            rows_max: ENTRIES_MAX,
            bytes_max: LISTED_BYTES,
        };
        let rows = self.inner.store.range(range).await?;
        let entry = |(key, value): (Bytes, Bytes)| {
            let key = key.slice(8..);
            let stored = Stored::decode(value)?;
            let held = held(&key, &stored);
            Ok(Entry { key, held })
        };
        let entries = rows.rows.into_iter().map(entry);
        Ok(Listed {
            entries: entries.collect::<Result<_, Damaged>>()?,
            more: rows.more,
        })
    }
}

fn held(key: &[u8], stored: &Stored) -> Held {
    let version = stored.stamp.version;
    let image = stored.image.as_ref();
    Held {
        version,
        sum: image.map(|image| Digest::of(key, version, image)),
    }
}

fn sum(buckets: &[Digest]) -> Digest {
    let mut sum = Digest::default();
    for bucket in buckets {
        sum.merge(*bucket);
    }
    sum
}

#[cfg(test)]
mod tests;
