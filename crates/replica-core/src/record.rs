//! Log records: what one write changed, as it is stored and shipped.
//!
//! It knows no table's schema: keys and images are bytes that `item` encoded.

use bytes::{BufMut, Bytes};

use base::limits::ITEM_BYTES_MAX;
use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, Version};

use crate::limits::{MERGED_BYTES_MAX, RECORD_BYTES_MAX, RECORD_CHANGES_MAX};
use crate::merge::Stamp;
use crate::vector::{Seq, VersionVector};
use crate::wire;

pub use crate::wire::WireError;

/// One write in the log of the region that accepted it: a single item's, or a transaction's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The region that accepted the write.
    pub origin: RegionId,
    /// Its position in that region's log.
    pub seq: Seq,
    /// The write's stamp; with `origin` it is the version of every item changed.
    pub hlc: Hlc,
    /// What that region had applied when it accepted the write, itself included.
    pub seen: VersionVector,
    /// The items changed, at least one, all or none of them.
    pub changes: Vec<Change>,
}

/// One item's change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The table.
    pub table: TableId,
    /// The item's key, encoded: partition hash, partition key, sort key.
    pub key: Bytes,
    /// The whole item after the write, encoded; `None` where it was deleted.
    pub image: Option<Bytes>,
    /// The version that the item gets, and the position that counts for it, where they are not the
    /// record's: an item that expires is deleted as of the write that it ends, so that no other
    /// write loses to that, and so that all regions that end it do the same.
    pub stamp: Option<Stamp>,
    /// Of an item that is merged by attribute: what the image of the change does not say of it, see
    /// [`crate::merged::codec`]. The image is then what the write changed, not the whole item.
    pub merged: Option<Bytes>,
}

/// Longest encoded key. Partition 2,048 and sort 1,024 bytes, escaped, with the hash before.
pub const KEY_BYTES_MAX: usize = 8 * 1024;

/// Longest encoded image: the largest item with room for the encoding's own bytes.
pub const IMAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

/// The format of records whose changes all have the write's stamp.
const FORMAT_PLAIN: u8 = 1;

/// The format in which changes may have stamps of their own, of the record's region and position.
const FORMAT_STAMPED: u8 = 2;

/// The format in which items may be merged by attribute.
const FORMAT_MERGED: u8 = 3;

/// The format in which a change's stamp has a region and a position of its own. Records are written
/// in the first format that has what they need, so that an older build reads them.
const FORMAT: u8 = 5;

impl Record {
    /// Returns the version of this write, which the items it changed have unless they got one of
    /// their own.
    pub const fn version(&self) -> Version {
        Version {
            hlc: self.hlc,
            origin: self.origin,
        }
    }

    /// Returns the version that this write gave to an item.
    pub fn version_of(&self, change: &Change) -> Version {
        self.stamp_of(change).version
    }

    /// Returns the version that this write gave to an item, with the position that counts for it.
    pub fn stamp_of(&self, change: &Change) -> Stamp {
        let (version, seq) = (self.version(), self.seq);
        change.stamp.unwrap_or(Stamp { version, seq })
    }

    /// Returns whether builds understand it that know no regions and positions of stamps.
    fn is_of_one_origin(&self) -> bool {
        let mut stamps = self.changes.iter().filter_map(|change| change.stamp);
        stamps.all(|stamp| stamp.version.origin == self.origin && stamp.seq == self.seq)
    }

    /// Makes of the record what such a build takes it for: it ends a write in the name of the
    /// region that recorded the end. Where another region wrote the item with the very stamp of
    /// that write, one of them may be without the item until the other's has expired, too.
    pub fn lower(&mut self) {
        for change in &mut self.changes {
            if let Some(stamp) = &mut change.stamp {
                (stamp.version.origin, stamp.seq) = (self.origin, self.seq);
            }
        }
    }

    /// Encodes the record.
    pub fn encode(&self) -> Vec<u8> {
        let images: usize = self.changes.iter().map(Change::bytes).sum();
        let mut buf = Vec::with_capacity(96 + images);
        let merges = self.changes.iter().any(|change| change.merged.is_some());
        let is_plain = self.changes.iter().all(|change| change.stamp.is_none());
        let format = match (merges, is_plain) {
            _ if !self.is_of_one_origin() => FORMAT,
            (true, _) => FORMAT_MERGED,
            (false, false) => FORMAT_STAMPED,
            (false, true) => FORMAT_PLAIN,
        };
        buf.put_u8(format);
        wire::put_version(&mut buf, self.version());
        buf.put_u64(self.seq.0);
        wire::put_vector(&mut buf, &self.seen);
        buf.put_u32(u32::try_from(self.changes.len()).expect("changes are bounded"));
        for change in &self.changes {
            buf.put_u64(change.table.0);
            wire::put_bytes(&mut buf, &change.key);
            let image = if change.image.is_some() { IMAGE } else { 0 };
            let stamp = if change.stamp.is_some() { STAMP } else { 0 };
            let merged = if change.merged.is_some() { MERGED } else { 0 };
            buf.put_u8(image | stamp | merged);
            if let Some(image) = &change.image {
                wire::put_bytes(&mut buf, image);
            }
            if let Some(stamp) = change.stamp {
                buf.put_i64(stamp.version.hlc.0);
                if format == FORMAT {
                    buf.put_u16(stamp.version.origin.0);
                    buf.put_u64(stamp.seq.0);
                }
            }
            if let Some(merged) = &change.merged {
                wire::put_bytes(&mut buf, merged);
            }
        }
        buf
    }

    /// Decodes a record; keys and images share the memory of `bytes`.
    ///
    /// Errors: [`WireError`] for anything that [`Record::encode`] cannot have written.
    pub fn decode(mut bytes: Bytes) -> Result<Self, WireError> {
        if bytes.len() > RECORD_BYTES_MAX.as_len() {
            let (found, bound) = (bytes.len(), RECORD_BYTES_MAX.as_len());
            return Err(WireError::TooLong {
                what: "a record",
                found,
                bound,
            });
        }
        let buf = &mut bytes;
        let format = wire::u8(buf, "a record")?;
        let kinds = match format {
            FORMAT_PLAIN => IMAGE,
            FORMAT_STAMPED => IMAGE | STAMP,
            FORMAT_MERGED | FORMAT => IMAGE | STAMP | MERGED,
            found => {
                return Err(WireError::Newer {
                    what: "a record",
                    found,
                    known: FORMAT,
                });
            }
        };
        let version = wire::version(buf)?;
        let seq = Seq(wire::u64(buf, "a position")?);
        let seen = wire::vector(buf)?;
        let count = wire::count(buf, "a record's changes", RECORD_CHANGES_MAX)?;
        let own = Stamp { version, seq };
        let changes = (0..count)
            .map(|_| Change::decode(buf, (format, kinds), own))
            .collect::<Result<Vec<Change>, _>>()?;
        if !bytes.is_empty() {
            return Err(WireError::Trailing(bytes.len()));
        }
        // Clocks follow the record's stamp: one above it would win over writes to come.
        let is_above =
            |change: &Change| change.stamp.is_some_and(|at| version.hlc < at.version.hlc);
        if changes.iter().any(is_above) {
            return Err(WireError::Shape("a change's stamp"));
        }
        Ok(Self {
            origin: version.origin,
            seq,
            hlc: version.hlc,
            seen,
            changes,
        })
    }
}

impl Change {
    /// Returns the bytes that the change takes in a record of an older build, or a few less than in
    /// ours: both sides of a link count the same, whichever format it speaks.
    pub fn bytes(&self) -> usize {
        let image = self.image.as_ref().map_or(0, |image| 4 + image.len());
        let merged = self.merged.as_ref().map_or(0, |merged| 4 + merged.len());
        17 + self.key.len() + image + self.stamp.map_or(0, |_| 8) + merged
    }

    fn decode(buf: &mut Bytes, (format, kinds): (u8, u8), own: Stamp) -> Result<Self, WireError> {
        let table = TableId(wire::u64(buf, "a table's number")?);
        let key = wire::bytes(buf, "a key", KEY_BYTES_MAX)?;
        let found = wire::u8(buf, "a change's kind")?;
        if found & !kinds != 0 {
            return Err(WireError::Tag {
                what: "a change's kind",
                found,
            });
        }
        let image = match found & IMAGE {
            0 => None,
            _ => Some(wire::bytes(buf, "an image", IMAGE_BYTES_MAX)?),
        };
        let stamp = match found & STAMP {
            0 => None,
            _ => Some(read_stamp(buf, format, own)?),
        };
        let merged = match found & MERGED {
            0 => None,
            _ => Some(wire::bytes(buf, "a merged item", MERGED_BYTES_MAX)?),
        };
        Ok(Self {
            table,
            key,
            image,
            stamp,
            merged,
        })
    }
}

/// Reads a change's stamp; formats before the last have only its time.
fn read_stamp(buf: &mut Bytes, format: u8, own: Stamp) -> Result<Stamp, WireError> {
    let mut stamp = own;
    stamp.version.hlc = Hlc(wire::i64(buf, "a change's stamp")?);
    if format == FORMAT {
        stamp.version.origin = RegionId(wire::u16(buf, "a stamp's region")?);
        stamp.seq = Seq(wire::u64(buf, "a stamp's position")?);
    }
    Ok(stamp)
}

/// The bit of a change's kind that says that an image follows.
const IMAGE: u8 = 1;

/// The bit of a change's kind that says that a stamp of its own follows.
const STAMP: u8 = 2;

/// The bit of a change's kind that says that what is merged by attribute follows.
const MERGED: u8 = 4;

const _: () = assert!(
    ITEM_BYTES_MAX.as_u64() * 4 < IMAGE_BYTES_MAX as u64,
    "the largest item must fit in an image"
);

#[cfg(test)]
mod tests;
