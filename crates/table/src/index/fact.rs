//! How far an index has come, and its size: one fact on disk for each.
//!
//! It builds nothing. An index counts what lies up to its builder's cursor, so that its size is
//! exact at every moment of the build and after it.
//!
//! ```text
//!            items were changed unseen,
//!            or it is wanted no more              wanted
//! READY ─────────────────────────────► CLEARING ────────► BUILDING(cursor) ──► READY
//!                                          │ not wanted
//!                                          └────────► (no fact)
//! ```

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes};

use crate::tables::Damaged;

/// How far an index has come, and what it counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fact {
    pub(crate) phase: Phase,
    items: u64,
    bytes: u64,
    /// What items beyond the cursor have become since a page of the build began to be read: the
    /// sizes of those that the builder may not see.
    beyond: Option<BTreeMap<Bytes, Option<u64>>>,
}

/// How far an index has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Its entries are to be removed; then it is built, where it is wanted.
    ToClear,
    /// They are being removed: on disk it is the same.
    Clearing,
    /// Its entries are complete up to the item key, which has been passed.
    Building(Option<Bytes>),
    /// It is complete.
    Ready,
}

/// A number of items and their bytes, or a difference of such.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) items: i64,
    pub(crate) bytes: i64,
}

/// The version of a fact's bytes.
const FORMAT: u8 = 1;
const CLEARING: u8 = 0;
const BUILDING: u8 = 1;
const READY: u8 = 2;

impl Fact {
    /// Returns the fact of an index whose entries are to be removed.
    pub(crate) const fn to_clear() -> Self {
        Self::empty(Phase::ToClear)
    }

    /// Returns the fact of an index of no items.
    pub(crate) const fn of_nothing() -> Self {
        Self::empty(Phase::Ready)
    }

    /// Returns the fact of an index that is to be built from the first item on.
    pub(crate) const fn to_build() -> Self {
        Self::empty(Phase::Building(None))
    }

    const fn empty(phase: Phase) -> Self {
        Self {
            phase,
            items: 0,
            bytes: 0,
            beyond: None,
        }
    }

    pub(crate) const fn is_to_clear(&self) -> bool {
        matches!(self.phase, Phase::ToClear)
    }

    pub(crate) const fn is_ready(&self) -> bool {
        matches!(self.phase, Phase::Ready)
    }

    /// Returns how many items it counts, and their bytes.
    pub(crate) const fn size(&self) -> (u64, u64) {
        (self.items, self.bytes)
    }

    /// Counts a change of an item, given as its sizes before and after. Returns whether what is
    /// stored changes by that.
    pub(crate) fn count(&mut self, suffix: &[u8], old: Option<u64>, new: Option<u64>) -> bool {
        let is_passed = match &self.phase {
            Phase::ToClear | Phase::Clearing => false,
            Phase::Building(cursor) => cursor.as_ref().is_some_and(|cursor| suffix <= &cursor[..]),
            Phase::Ready => true,
        };
        if is_passed {
            self.add(Size::of(new).minus(Size::of(old)));
        } else if let Some(beyond) = &mut self.beyond {
            beyond.insert(Bytes::copy_from_slice(suffix), new);
        }
        is_passed
    }

    /// Begins to note changes beyond the cursor.
    pub(crate) fn begin_page(&mut self) {
        self.beyond = Some(BTreeMap::new());
    }

    /// Moves the cursor to the end of a page: `seen` are the keys that the builder looked at, and
    /// `size` is what it found; without a cursor it was the last page.
    pub(crate) fn end_page(&mut self, cursor: Option<Bytes>, seen: &[Bytes], size: Size) {
        self.add(size);
        for (suffix, new) in self.beyond.take().unwrap_or_default() {
            let is_passed = cursor.as_ref().is_none_or(|cursor| suffix <= *cursor);
            if is_passed && !seen.contains(&suffix) {
                self.add(Size::of(new));
            }
        }
        self.phase = match cursor {
            Some(cursor) => Phase::Building(Some(cursor)),
            None => Phase::Ready,
        };
    }

    fn add(&mut self, change: Size) {
        self.items = self.items.saturating_add_signed(change.items);
        self.bytes = self.bytes.saturating_add_signed(change.bytes);
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut buf = Vec::with_capacity(18);
        buf.put_u8(FORMAT);
        buf.put_u8(match self.phase {
            Phase::ToClear | Phase::Clearing => CLEARING,
            Phase::Building(_) => BUILDING,
            Phase::Ready => READY,
        });
        buf.put_u64(self.items);
        buf.put_u64(self.bytes);
        if let Phase::Building(Some(cursor)) = &self.phase {
            buf.put_slice(cursor);
        }
        buf
    }

    pub(crate) fn decode(mut bytes: Bytes) -> Result<Self, Damaged> {
        let damaged = Damaged("how far an index has come");
        if bytes.len() < 18 || bytes.get_u8() != FORMAT {
            return Err(damaged);
        }
        let phase = bytes.get_u8();
        let (items, size) = (bytes.get_u64(), bytes.get_u64());
        let phase = match phase {
            CLEARING => Phase::ToClear,
            BUILDING => Phase::Building((!bytes.is_empty()).then_some(bytes)),
            READY => Phase::Ready,
            _ => return Err(damaged),
        };
        Ok(Self {
            phase,
            items,
            bytes: size,
            beyond: None,
        })
    }
}

impl Size {
    /// Returns the size of one entry, or of none.
    pub(crate) fn of(bytes: Option<u64>) -> Self {
        match bytes {
            None => Self::default(),
            Some(bytes) => Self {
                items: 1,
                bytes: i64::try_from(bytes).unwrap_or(i64::MAX),
            },
        }
    }

    pub(crate) const fn plus(self, other: Self) -> Self {
        Self {
            items: self.items.saturating_add(other.items),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    const fn minus(self, other: Self) -> Self {
        Self {
            items: self.items.saturating_sub(other.items),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}
