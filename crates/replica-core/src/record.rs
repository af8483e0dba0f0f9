//! Log records: what one write changed, as it is stored and shipped.
//!
//! It knows no table's schema: keys and images are bytes that `item` encoded.

use bytes::{BufMut, Bytes};

use base::limits::ITEM_BYTES_MAX;
use base::name::TableId;
use base::region::RegionId;
use clock::hlc::{Hlc, Version};

use crate::limits::{RECORD_BYTES_MAX, RECORD_CHANGES_MAX};
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
}

/// Longest encoded key. Partition 2,048 and sort 1,024 bytes, escaped, with the hash before.
pub const KEY_BYTES_MAX: usize = 8 * 1024;

/// Longest encoded image: the largest item with room for the encoding's own bytes.
pub const IMAGE_BYTES_MAX: usize = 2 * 1024 * 1024;

const FORMAT: u8 = 1;

impl Record {
    /// Returns the version that this write gave to the items it changed.
    pub const fn version(&self) -> Version {
        Version {
            hlc: self.hlc,
            origin: self.origin,
        }
    }

    /// Encodes the record.
    pub fn encode(&self) -> Vec<u8> {
        let images: usize = self.changes.iter().map(Change::bytes).sum();
        let mut buf = Vec::with_capacity(96 + images);
        buf.put_u8(FORMAT);
        wire::put_version(&mut buf, self.version());
        buf.put_u64(self.seq.0);
        wire::put_vector(&mut buf, &self.seen);
        buf.put_u32(u32::try_from(self.changes.len()).expect("changes are bounded"));
        for change in &self.changes {
            buf.put_u64(change.table.0);
            wire::put_bytes(&mut buf, &change.key);
            match &change.image {
                None => buf.put_u8(0),
                Some(image) => {
                    buf.put_u8(1);
                    wire::put_bytes(&mut buf, image);
                }
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
        match wire::u8(buf, "a record")? {
            FORMAT => {}
            found => {
                return Err(WireError::Newer {
                    what: "a record",
                    found,
                    known: FORMAT,
                });
            }
        }
        let version = wire::version(buf)?;
        let seq = Seq(wire::u64(buf, "a position")?);
        let seen = wire::vector(buf)?;
        let count = wire::count(buf, "a record's changes", RECORD_CHANGES_MAX)?;
        let changes = (0..count)
            .map(|_| Change::decode(buf))
            .collect::<Result<_, _>>()?;
        if !bytes.is_empty() {
            return Err(WireError::Trailing(bytes.len()));
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
    /// Returns the bytes that the change takes in a record.
    pub fn bytes(&self) -> usize {
        17 + self.key.len() + self.image.as_ref().map_or(0, |image| 4 + image.len())
    }

    fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        let table = TableId(wire::u64(buf, "a table's number")?);
        let key = wire::bytes(buf, "a key", KEY_BYTES_MAX)?;
        let image = match wire::u8(buf, "a change's kind")? {
            0 => None,
            1 => Some(wire::bytes(buf, "an image", IMAGE_BYTES_MAX)?),
            found => {
                return Err(WireError::Tag {
                    what: "a change's kind",
                    found,
                });
            }
        };
        Ok(Self { table, key, image })
    }
}

const _: () = assert!(
    ITEM_BYTES_MAX.as_u64() * 4 < IMAGE_BYTES_MAX as u64,
    "the largest item must fit in an image"
);

#[cfg(test)]
mod tests;
