//! Keys and values of the store: the format on disk, version 1.
//!
//! It reads and writes bytes only. Integers are big-endian, so bytes sort as numbers.
//!
//! ```text
//! items       table 8 · partition hash 2 · partition key · sort key → value header · image
//! log         origin 2 · seq 8                                      → record
//! digests     table 8 · bucket 2                                    → sum 16
//! tombstones  record's stamp 8 · origin 2 · table 8 · item key               → (nothing)
//! conflicts   table 8 · stamp 8 · origin 2 · loser stamp 8 · loser origin 2 · item key → entry
//! history     table 8 · stamp 8 · number 4                          → event
//! backups     backup 8 · item key                                   → image
//! indexes     table 8 · index 8 · partition hash 2 · partition · sort · item key → entry
//!             table 8 · index 8 · expiry seconds 8 · item key       → (nothing)
//! meta        name                                                  → fact
//!
//! value header  version=1 · kind 1 · stamp 8 · origin 2 · position 8
//!               kind 3, merged: length 4 · what is merged
//!               kind 4, its tombstone: record's stamp 8 · length 4 · what is merged
//! ```

use bytes::{Buf, BufMut, Bytes};

use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, Version};
use item::key::{Key, KeyValue, encode_partition, partition_hash};
use replica_core::merge::Stamp;
use replica_core::vector::Seq;

use crate::def::IndexId;
use crate::tables::Damaged;

/// The version of the value header.
const VALUE_FORMAT: u8 = 1;
const LIVE: u8 = 0;
const TOMBSTONE: u8 = 1;
/// A tombstone whose record has another stamp than its version: the record's stamp follows.
const DATED_TOMBSTONE: u8 = 2;
/// An item that is merged by attribute: what its image does not say stands before it.
const MERGED: u8 = 3;
/// A tombstone of such an item: the record's stamp, then what is known of it.
const MERGED_TOMBSTONE: u8 = 4;
const HEADER_BYTES: usize = 20;

/// An item as stored: its version, and its image unless it was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The version and where its record stands.
    pub(crate) stamp: Stamp,
    /// The encoded item; `None` is a tombstone.
    pub(crate) image: Option<Bytes>,
    /// Of an item that is merged by attribute: what the image does not say.
    pub(crate) merged: Option<Bytes>,
    /// Of a tombstone: the stamp of its record, by which it is collected.
    pub(crate) recorded: Hlc,
}

impl Stored {
    pub(crate) fn encode(&self) -> Bytes {
        let image = self.image.as_deref().unwrap_or_default();
        let merged = self.merged.as_deref().unwrap_or_default();
        let mut buf = Vec::with_capacity(HEADER_BYTES + merged.len() + image.len());
        buf.put_u8(VALUE_FORMAT);
        let is_merged = self.merged.is_some();
        buf.put_u8(match self.image {
            Some(_) if is_merged => MERGED,
            Some(_) => LIVE,
            None if is_merged => MERGED_TOMBSTONE,
            None if self.is_dated() => DATED_TOMBSTONE,
            None => TOMBSTONE,
        });
        put_version(&mut buf, self.stamp.version);
        buf.put_u64(self.stamp.seq.0);
        if is_merged {
            if self.image.is_none() {
                buf.put_i64(self.recorded.0);
            }
            buf.put_u32(u32::try_from(merged.len()).expect("what is merged is below 4 GiB"));
            buf.put_slice(merged);
        }
        buf.put_slice(image);
        if self.is_dated() && !is_merged {
            buf.put_i64(self.recorded.0);
        }
        buf.into()
    }

    pub(crate) fn decode(mut bytes: Bytes) -> Result<Self, Damaged> {
        let damaged = Damaged("an item");
        if bytes.len() < HEADER_BYTES || bytes.get_u8() != VALUE_FORMAT {
            return Err(damaged);
        }
        let kind = bytes.get_u8();
        let version = version(&mut bytes);
        let seq = Seq(bytes.get_u64());
        let mut recorded = version.hlc;
        let mut merged = None;
        if kind == MERGED || kind == MERGED_TOMBSTONE {
            if kind == MERGED_TOMBSTONE {
                recorded = Hlc(bytes.try_get_i64().map_err(|_| damaged)?);
            }
            let length = bytes.try_get_u32().map_err(|_| damaged)?;
            let length = usize::try_from(length).map_err(|_| damaged)?;
            if bytes.len() < length {
                return Err(damaged);
            }
            merged = Some(bytes.split_to(length));
        }
        let image = match kind {
            LIVE | MERGED => Some(bytes),
            TOMBSTONE | MERGED_TOMBSTONE => None,
            DATED_TOMBSTONE => {
                recorded = Hlc(bytes.try_get_i64().map_err(|_| damaged)?);
                None
            }
            _ => return Err(damaged),
        };
        Ok(Self {
            stamp: Stamp { version, seq },
            image,
            merged,
            recorded,
        })
    }

    /// Returns whether it is the tombstone of an item that has expired: nobody deleted it.
    pub(crate) const fn is_expiry(&self) -> bool {
        self.image.is_none() && self.stamp.version.hlc.is_end()
    }

    /// Returns whether it is a tombstone whose record has another stamp than its version.
    fn is_dated(&self) -> bool {
        self.image.is_none() && self.recorded != self.stamp.version.hlc
    }

    /// Returns what its place among tombstones begins with.
    pub(crate) fn collected(&self) -> Version {
        Version {
            hlc: self.recorded,
            origin: self.stamp.version.origin,
        }
    }
}

pub(crate) fn put_version(buf: &mut Vec<u8>, version: Version) {
    buf.put_i64(version.hlc.0);
    buf.put_u16(version.origin.0);
}

/// Reads ten bytes, which the caller has counted.
pub(crate) fn version(bytes: &mut Bytes) -> Version {
    let hlc = Hlc(bytes.get_i64());
    Version {
        hlc,
        origin: RegionId(bytes.get_u16()),
    }
}

/// Returns a record's key of an item: partition hash, partition key, sort key.
pub(crate) fn item_suffix(key: &Key) -> Bytes {
    let mut buf = partition_suffix(&key.partition);
    if let Some(sort) = &key.sort {
        buf.extend_from_slice(&item::key::encode_sort(sort));
    }
    buf.into()
}

/// Returns what all items of a partition begin with, after the table's number.
pub(crate) fn partition_suffix(partition: &KeyValue) -> Vec<u8> {
    let encoded = encode_partition(partition);
    let mut buf = Vec::with_capacity(2 + encoded.len() + 32);
    buf.put_u16(partition_hash(&encoded));
    buf.extend_from_slice(&encoded);
    buf
}

/// Reads the key out of a record's key of an item.
pub(crate) fn decode_suffix(suffix: &[u8]) -> Result<Key, Damaged> {
    let key = suffix.get(2..).ok_or(Damaged("a key"))?;
    Key::decode(key).map_err(|_| Damaged("a key"))
}

/// Returns the store's key of an item.
pub(crate) fn item_key(table: TableId, suffix: &[u8]) -> Vec<u8> {
    let mut buf = Vec::with_capacity(8 + suffix.len());
    buf.put_u64(table.0);
    buf.put_slice(suffix);
    buf
}

/// Returns what the store's keys of an index's entries begin with.
pub(crate) fn index_prefix(table: TableId, index: IndexId) -> Vec<u8> {
    let mut buf = Vec::with_capacity(INDEX_PREFIX_BYTES + 64);
    buf.put_u64(table.0);
    buf.put_u64(index.0);
    buf
}

/// How long [`index_prefix`] is.
pub(crate) const INDEX_PREFIX_BYTES: usize = 16;

pub(crate) fn log_key(origin: RegionId, seq: Seq) -> Vec<u8> {
    let mut buf = Vec::with_capacity(10);
    buf.put_u16(origin.0);
    buf.put_u64(seq.0);
    buf
}

/// Returns the digest bucket of an item: its partition's hash.
pub(crate) fn bucket(suffix: &[u8]) -> u16 {
    suffix
        .first_chunk::<2>()
        .map_or(0, |hash| u16::from_be_bytes(*hash))
}

pub(crate) fn digest_key(table: TableId, bucket: u16) -> Vec<u8> {
    let mut buf = Vec::with_capacity(10);
    buf.put_u64(table.0);
    buf.put_u16(bucket);
    buf
}

pub(crate) fn tombstone_key(version: Version, table: TableId, suffix: &[u8]) -> Vec<u8> {
    let mut buf = Vec::with_capacity(18 + suffix.len());
    put_version(&mut buf, version);
    buf.put_u64(table.0);
    buf.put_slice(suffix);
    buf
}

/// Reads a tombstone's key: version, table, item key.
pub(crate) fn decode_tombstone(mut key: Bytes) -> Result<(Version, TableId, Bytes), Damaged> {
    if key.len() < 18 {
        return Err(Damaged("a tombstone"));
    }
    let version = version(&mut key);
    Ok((version, TableId(key.get_u64()), key))
}

/// The names of facts in `meta`.
pub(crate) mod meta {
    use bytes::BufMut;

    use base::name::TableId;
    use base::region::RegionId;

    use crate::def::IndexId;

    /// A random number made with the store.
    pub(crate) const INCARNATION: &[u8] = b"incarnation";
    /// The number of the region whose store this is.
    pub(crate) const REGION: &[u8] = b"region";
    /// The stamp that all later writes of this region are above: 8.
    pub(crate) const PROMISE: &[u8] = b"promise";

    /// Where our log begins, and when that was decided: seq 8 · micros 8.
    pub(crate) const BEGINS: &[u8] = b"begins";
    /// The peers that have taken our log from this store: region 2, of each; empty for all.
    pub(crate) const WELCOMED: &[u8] = b"welcomed";
    /// Why nothing may be written to this directory any more: text.
    pub(crate) const STOPPED: &[u8] = b"stopped";
    /// When this region gave no stamps: after 8 · until 8, each.
    pub(crate) const PAUSES: &[u8] = b"pauses";
    /// The stamp that all later entries of histories are at or above: 8.
    pub(crate) const PASSED: &[u8] = b"passed";

    /// What the names begin with of when histories began that have no gap since.
    pub(crate) const UNBROKEN: &[u8] = b"unbroken/";

    /// Returns the name of since when the history of `table` has no gap: stamp 8.
    pub(crate) fn unbroken(table: TableId) -> Vec<u8> {
        let mut key = UNBROKEN.to_vec();
        key.put_u64(table.0);
        key
    }

    /// Returns the name of a caller's note.
    pub(crate) fn note(name: &[u8]) -> Vec<u8> {
        [b"note/", name].concat()
    }

    /// What the names of replicas' identities begin with.
    pub(crate) const REPLICA: &[u8] = b"replica/";

    /// Returns the name of when the replica was made whose items of `table` are here: micros 8.
    pub(crate) fn replica(table: TableId) -> Vec<u8> {
        let mut key = REPLICA.to_vec();
        key.put_u64(table.0);
        key
    }

    /// What the names of how far indexes have come begin with.
    pub(crate) const INDEX: &[u8] = b"index/";

    /// Returns the name of how far an index has come, and of its size.
    pub(crate) fn index(table: TableId, index: IndexId) -> Vec<u8> {
        let mut key = INDEX.to_vec();
        key.put_u64(table.0);
        key.put_u64(index.0);
        key
    }

    /// What the names of tables begin with whose items were changed while it was not known which
    /// indexes they have.
    pub(crate) const UNINDEXED: &[u8] = b"unindexed/";

    /// Returns the name of that mark of a table.
    pub(crate) fn unindexed(table: TableId) -> Vec<u8> {
        let mut key = UNINDEXED.to_vec();
        key.put_u64(table.0);
        key
    }

    /// Returns the name of how far `origin` was applied: seq 8 · stamp 8.
    pub(crate) fn applied(origin: RegionId) -> Vec<u8> {
        named(b"applied/", origin)
    }

    /// Returns the name of how far `origin`'s log was trimmed: seq 8.
    pub(crate) fn trimmed(origin: RegionId) -> Vec<u8> {
        named(b"trimmed/", origin)
    }

    /// Returns the name of the number of `peer`'s data directory: 8.
    pub(crate) fn met(peer: RegionId) -> Vec<u8> {
        named(b"met/", peer)
    }

    /// Returns the name of up to where `origin`'s log came in copies: seq 8.
    pub(crate) fn skipped(origin: RegionId) -> Vec<u8> {
        named(b"skipped/", origin)
    }

    pub(crate) fn owed(origin: RegionId) -> Vec<u8> {
        named(b"owed/", origin)
    }

    /// How far replicas are filled: see [`filled`].
    pub(crate) const FILLED: &[u8] = b"filled/";

    /// Returns the name of how far a replica is filled from a source: made 8 · items 1 · the last
    /// key; without one, all has come.
    pub(crate) fn filled(table: TableId, source: RegionId) -> Vec<u8> {
        let mut key = FILLED.to_vec();
        key.put_u64(table.0);
        key.put_u16(source.0);
        key
    }

    /// Returns the name of up to where `origin`'s log is here whole, where some is owed: seq 8.
    pub(crate) fn unpaid(origin: RegionId) -> Vec<u8> {
        named(b"unpaid/", origin)
    }

    fn named(name: &[u8], origin: RegionId) -> Vec<u8> {
        let mut key = name.to_vec();
        key.put_u16(origin.0);
        key
    }
}
