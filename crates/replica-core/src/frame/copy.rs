//! Frames that carry a table's items beside the log, to fill a replica.
//!
//! They are bulk: `link::send` lets every log frame pass them.

use bytes::{BufMut, Bytes, BytesMut};

use base::name::TableId;

use crate::frame::{all, put_count};
use crate::limits::{COPY_ITEMS_MAX, MERGED_BYTES_MAX};
use crate::merge::Stamp;
use crate::record::{IMAGE_BYTES_MAX, KEY_BYTES_MAX, WireError};
use crate::vector::Seq;
use crate::wire;

/// Asks for the pages of a table, of which a window's worth is under way at a time, or says how
/// far they are merged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyRequest {
    /// The table.
    pub table: TableId,
    /// Grows when the pages are to start again behind `after`.
    pub round: u32,
    /// The last key of the last page that is merged, none before the first.
    pub after: Option<Bytes>,
    /// Which items to send.
    pub items: CopyItems,
}

/// Which items of a table a receiver asks of one source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CopyItems {
    /// All of them: the source is the primary one.
    All,
    /// Those that the source itself wrote last.
    OwnOnly,
    /// Whatever it has, though its replica is not whole itself: no replica is.
    Rest,
}

impl CopyItems {
    /// Returns the number that it has on the wire and on disk.
    pub const fn code(self) -> u8 {
        match self {
            Self::All => 0,
            Self::OwnOnly => 1,
            Self::Rest => 2,
        }
    }

    /// Reads the number that [`CopyItems::code`] gave.
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::All),
            1 => Some(Self::OwnOnly),
            2 => Some(Self::Rest),
            _ => None,
        }
    }
}

/// A page of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyPage {
    /// The table.
    pub table: TableId,
    /// The request's round.
    pub round: u32,
    /// Where the page before ended, or the request's position.
    pub after: Option<Bytes>,
    /// The items, by key.
    pub items: Vec<CopyItem>,
    /// Where the next page starts, none after the last page.
    pub next: Option<Bytes>,
}

/// One item of a table's copy, or a tombstone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopyItem {
    /// The encoded key.
    pub key: Bytes,
    /// The version and the position of its record.
    pub stamp: Stamp,
    /// The encoded item; `None` for a tombstone.
    pub image: Option<Bytes>,
    /// What is merged of the item that its image does not say, see [`crate::merged::codec`].
    pub merged: Option<Bytes>,
}

impl CopyRequest {
    /// Returns how far the copy has come that asks for this page.
    ///
    /// Units: per cent of the key space, which hashing fills evenly.
    pub fn percent(&self) -> u8 {
        percent(self.after.as_deref())
    }

    pub(super) fn encode(&self, buf: &mut BytesMut) {
        buf.put_u64(self.table.0);
        buf.put_u32(self.round);
        put_key(buf, self.after.as_ref());
        buf.put_u8(self.items.code());
    }

    pub(super) fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        Ok(Self {
            table: TableId(wire::u64(buf, "a table's number")?),
            round: wire::u32(buf, "a round")?,
            after: key(buf)?,
            items: {
                let (what, found) = ("the items to copy", wire::u8(buf, "the items to copy")?);
                CopyItems::from_code(found).ok_or(WireError::Tag { what, found })?
            },
        })
    }
}

impl CopyPage {
    pub(super) fn encode(&self, buf: &mut BytesMut) {
        buf.put_u64(self.table.0);
        buf.put_u32(self.round);
        put_key(buf, self.after.as_ref());
        put_key(buf, self.next.as_ref());
        put_count(buf, self.items.len());
        for item in &self.items {
            wire::put_bytes(buf, &item.key);
            wire::put_version(buf, item.stamp.version);
            buf.put_u64(item.stamp.seq.0);
            let merged = if item.merged.is_some() { MERGED } else { 0 };
            buf.put_u8(u8::from(item.image.is_some()) | merged);
            for part in [&item.image, &item.merged].into_iter().flatten() {
                wire::put_bytes(buf, part);
            }
        }
    }

    pub(super) fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        let table = TableId(wire::u64(buf, "a table's number")?);
        let round = wire::u32(buf, "a round")?;
        let after = key(buf)?;
        let next = key(buf)?;
        let count = wire::count(buf, "a page's items", COPY_ITEMS_MAX)?;
        let items = all(count, || {
            let key = wire::bytes(buf, "a key", KEY_BYTES_MAX)?;
            let version = wire::version(buf)?;
            let seq = Seq(wire::u64(buf, "a position")?);
            let found = wire::u8(buf, "an image")?;
            let part = |buf: &mut Bytes, bit, bound| {
                let is_there = found & bit != 0;
                is_there
                    .then(|| wire::bytes(buf, "an image", bound))
                    .transpose()
            };
            let image = part(buf, IMAGE, IMAGE_BYTES_MAX)?;
            let merged = part(buf, MERGED, MERGED_BYTES_MAX)?;
            if found & !(IMAGE | MERGED) != 0 {
                return Err(WireError::Tag {
                    what: "an image",
                    found,
                });
            }
            Ok(CopyItem {
                key,
                stamp: Stamp { version, seq },
                image,
                merged,
            })
        })?;
        Ok(Self {
            table,
            round,
            after,
            items,
            next,
        })
    }
}

/// Returns how far a copy has come whose last key is this one.
///
/// Units: per cent of the key space: keys begin with two bytes of the partition key's hash.
pub(crate) fn percent(after: Option<&[u8]>) -> u8 {
    let hash = after.and_then(<[u8]>::first_chunk);
    let hash = hash.copied().map_or(0, u16::from_be_bytes);
    u8::try_from(u32::from(hash) * 100 / 0x1_0000).unwrap_or(99)
}

/// The bit that says that an image follows.
const IMAGE: u8 = 1;

/// The bit that says that what is merged by attribute follows.
const MERGED: u8 = 2;

fn key(buf: &mut Bytes) -> Result<Option<Bytes>, WireError> {
    wire::option(buf, "a key", |buf| wire::bytes(buf, "a key", KEY_BYTES_MAX))
}

fn put_key(buf: &mut BytesMut, key: Option<&Bytes>) {
    buf.put_u8(u8::from(key.is_some()));
    if let Some(key) = key {
        wire::put_bytes(buf, key);
    }
}
