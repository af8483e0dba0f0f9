//! Inquiries: what one region asks another about the items of a table, and what it is answered.
//!
//! They carry no log, and what they tell is kept nowhere: a region that compares itself with
//! another acts on its own items alone. They travel in the frames of links, on connections of
//! their own, so that no record ever waits behind one.
//!
//! ```text
//!   asks                                     answers
//!        ──── Groups, caught up to V ──────►        waits until it has applied V
//!        ◄──── Sums, as of W ───────────────        256 sums of 256 buckets
//!        ──── Buckets of some groups ──────►
//!        ◄──── Sums ────────────────────────
//!        ──── List of a bucket ────────────►
//!        ◄──── Entries ─────────────────────        each key with its version and hash
//! ```

pub mod compare;

use bytes::{BufMut, Bytes, BytesMut};

use base::name::TableId;
use clock::hlc::Version;

use crate::digest::Digest;
use crate::frame::{self, HEAD_BYTES};
use crate::limits::{ENTRIES_MAX, UNABLE_BYTES_MAX};
use crate::record::{KEY_BYTES_MAX, WireError};
use crate::vector::VersionVector;
use crate::wire;

/// How many buckets one group has, and how many groups a table.
pub const FANOUT: usize = 256;

/// What is asked, of one table, once all of a vector is applied there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The table.
    pub table: TableId,
    /// What the answering region is to have applied before it looks. It waits for that for a while,
    /// and answers then all the same.
    pub after: VersionVector,
    /// What of it.
    pub what: Asked,
}

/// What is asked of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// The sums of all groups of buckets.
    Groups,
    /// The sums of the buckets of each of some groups.
    Buckets(Vec<u8>),
    /// What one bucket holds.
    List {
        /// The bucket.
        bucket: u16,
        /// Entries behind this key; from the first without one.
        behind: Option<Bytes>,
        /// Entries up to this key; to the last without one.
        to: Option<Bytes>,
    },
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The sums that were asked for, in their order.
    Sums(Standing, Vec<Digest>),
    /// What a bucket holds.
    Listed(Standing, Listed),
    /// Nothing, since the table cannot be compared there.
    Unable(Unable),
}

/// How far a region's log of each origin is, around what it answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// What it had applied before it looked: all of that is in the answer.
    pub applied: VersionVector,
    /// What had been handed in after it had looked: nothing in the answer lies beyond.
    pub touched: VersionVector,
}

/// Entries of a bucket, by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether there may be more behind them.
    pub more: bool,
}

/// One item, or the mark of a deleted one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The encoded key.
    pub key: Bytes,
    /// What is there.
    pub held: Held,
}

/// What a region has of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Held {
    /// The version.
    pub version: Version,
    /// The item's part of the table's digest; `None` where it is deleted.
    pub sum: Option<Digest>,
}

/// Why a region cannot compare a table.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unable {
    /// It has no replica of it.
    #[error("it has no replica of the table")]
    NoReplica,
    /// Its replica is being filled, or something of it is still to come.
    #[error("its replica is still being filled")]
    Filling,
    /// It could not read it, or does not know what is asked.
    #[error("{0}")]
    Failed(String),
}

impl Question {
    /// Appends the question to `buf`.
    pub fn encode(&self, buf: &mut BytesMut) {
        put(buf, self.kind(), |buf| {
            buf.put_u64(self.table.0);
            wire::put_vector(buf, &self.after);
            match &self.what {
                Asked::Groups => {}
                Asked::Buckets(groups) => wire::put_bytes(buf, groups),
                Asked::List { bucket, behind, to } => {
                    buf.put_u16(*bucket);
                    put_key(buf, behind.as_ref());
                    put_key(buf, to.as_ref());
                }
            }
        });
    }

    /// Takes the next whole question off `buf`.
    ///
    /// Shape: `None` while it is not whole.
    /// Errors: [`WireError`]; the connection cannot go on then.
    pub fn take(buf: &mut BytesMut, bound: usize) -> Result<Option<Self>, WireError> {
        let Some((head, mut body)) = frame::split(buf, bound)? else {
            return Ok(None);
        };
        let buf = &mut body;
        let table = TableId(wire::u64(buf, "a table's number")?);
        let after = wire::vector(buf)?;
        let what = match head.kind {
            GROUPS => Asked::Groups,
            BUCKETS => Asked::Buckets(wire::bytes(buf, "groups of buckets", FANOUT)?.to_vec()),
            LIST => Asked::List {
                bucket: wire::u16(buf, "a bucket")?,
                behind: key(buf)?,
                to: key(buf)?,
            },
            found => {
                let what = "a question";
                return Err(WireError::Tag { what, found });
            }
        };
        let question = Self { table, after, what };
        ended(&body).map(|()| Some(question))
    }

    const fn kind(&self) -> u8 {
        match self.what {
            Asked::Groups => GROUPS,
            Asked::Buckets(_) => BUCKETS,
            Asked::List { .. } => LIST,
        }
    }
}

impl Answer {
    /// Appends the answer to `buf`.
    pub fn encode(&self, buf: &mut BytesMut) {
        put(buf, self.kind(), |buf| match self {
            Self::Sums(standing, sums) => {
                standing.encode(buf);
                put_count(buf, sums.len());
                for sum in sums {
                    buf.put_u128(sum.0);
                }
            }
            Self::Listed(standing, listed) => {
                standing.encode(buf);
                put_count(buf, listed.entries.len());
                for entry in &listed.entries {
                    wire::put_bytes(buf, &entry.key);
                    wire::put_version(buf, entry.held.version);
                    buf.put_u8(u8::from(entry.held.sum.is_some()));
                    if let Some(sum) = entry.held.sum {
                        buf.put_u128(sum.0);
                    }
                }
                buf.put_u8(u8::from(listed.more));
            }
            Self::Unable(Unable::NoReplica) => buf.put_u8(0),
            Self::Unable(Unable::Filling) => buf.put_u8(1),
            Self::Unable(Unable::Failed(why)) => {
                buf.put_u8(2);
                let end = why.floor_char_boundary(UNABLE_BYTES_MAX);
                let (text, _) = why.split_at(end);
                wire::put_bytes(buf, text.as_bytes());
            }
        });
    }

    /// Takes the next whole answer off `buf`.
    ///
    /// Shape: `None` while it is not whole.
    /// Errors: [`WireError`]; the connection cannot go on then.
    pub fn take(buf: &mut BytesMut, bound: usize) -> Result<Option<Self>, WireError> {
        let Some((head, mut body)) = frame::split(buf, bound)? else {
            return Ok(None);
        };
        let buf = &mut body;
        let answer = match head.kind {
            SUMS => {
                let standing = Standing::decode(buf)?;
                let count = wire::count(buf, "the sums", FANOUT * FANOUT)?;
                let sum = || Ok(Digest(u128::from_be_bytes(wire::array(buf, "a sum")?)));
                Self::Sums(standing, frame::all(count, sum)?)
            }
            LISTED => {
                let standing = Standing::decode(buf)?;
                let count = wire::count(buf, "the entries of a bucket", ENTRIES_MAX)?;
                let entries = frame::all(count, || Entry::decode(buf))?;
                let more = wire::flag(buf, "whether there is more")?;
                Self::Listed(standing, Listed { entries, more })
            }
            UNABLE => Self::Unable(match wire::u8(buf, "a reason")? {
                0 => Unable::NoReplica,
                1 => Unable::Filling,
                2 => {
                    let why = wire::bytes(buf, "a reason", UNABLE_BYTES_MAX)?;
                    Unable::Failed(String::from_utf8_lossy(&why).into_owned())
                }
                found => {
                    let what = "a reason";
                    return Err(WireError::Tag { what, found });
                }
            }),
            found => {
                let what = "an answer";
                return Err(WireError::Tag { what, found });
            }
        };
        ended(&body).map(|()| Some(answer))
    }

    const fn kind(&self) -> u8 {
        match self {
            Self::Sums(..) => SUMS,
            Self::Listed(..) => LISTED,
            Self::Unable(_) => UNABLE,
        }
    }
}

impl Standing {
    fn encode(&self, buf: &mut BytesMut) {
        wire::put_vector(buf, &self.applied);
        wire::put_vector(buf, &self.touched);
    }

    fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        Ok(Self {
            applied: wire::vector(buf)?,
            touched: wire::vector(buf)?,
        })
    }
}

impl Entry {
    fn decode(buf: &mut Bytes) -> Result<Self, WireError> {
        let key = wire::bytes(buf, "a key", KEY_BYTES_MAX)?;
        let version = wire::version(buf)?;
        let sum = wire::option(buf, "a hash", |buf| {
            Ok(Digest(u128::from_be_bytes(wire::array(buf, "a hash")?)))
        })?;
        let held = Held { version, sum };
        Ok(Self { key, held })
    }
}

/// Appends a frame.
fn put(buf: &mut BytesMut, kind: u8, body: impl FnOnce(&mut BytesMut)) {
    let mut whole = BytesMut::new();
    body(&mut whole);
    buf.reserve(HEAD_BYTES + whole.len());
    buf.put_u32(u32::try_from(whole.len()).expect("answers are bounded far below 4 GiB"));
    buf.put_u8(kind);
    buf.put_u8(0);
    buf.extend_from_slice(&whole);
}

fn ended(body: &Bytes) -> Result<(), WireError> {
    match body.len() {
        0 => Ok(()),
        left => Err(WireError::Trailing(left)),
    }
}

fn put_count(buf: &mut BytesMut, count: usize) {
    buf.put_u32(u32::try_from(count).expect("answers are bounded"));
}

fn key(buf: &mut Bytes) -> Result<Option<Bytes>, WireError> {
    wire::option(buf, "a key", |buf| wire::bytes(buf, "a key", KEY_BYTES_MAX))
}

fn put_key(buf: &mut BytesMut, key: Option<&Bytes>) {
    buf.put_u8(u8::from(key.is_some()));
    if let Some(key) = key {
        wire::put_bytes(buf, key);
    }
}

const GROUPS: u8 = 64;
const BUCKETS: u8 = 65;
const LIST: u8 = 66;
const SUMS: u8 = 80;
const LISTED: u8 = 81;
const UNABLE: u8 = 82;

#[cfg(test)]
mod tests;
