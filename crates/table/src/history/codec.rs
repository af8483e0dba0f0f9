//! Events as bytes: the format on disk, version 1.
//!
//! It reads and writes bytes only.
//!
//! ```text
//! version 1 · cause 1 · flags 1 · stamp 8 · origin 2 · length 2 · item key
//!   · [length 4 · old image] · [new image]
//! ```

use bytes::{Buf, BufMut, Bytes};

use base::name::TableId;
use clock::hlc::Hlc;

use super::{Cause, Event, Place};
use crate::layout;
use crate::tables::Damaged;

impl Cause {
    const ALL: [Self; 5] = [
        Self::Write,
        Self::Applied,
        Self::Copied,
        Self::Expiry,
        Self::Removed,
    ];

    /// Returns the cause's number on disk.
    const fn code(self) -> u8 {
        match self {
            Self::Write => 0,
            Self::Applied => 1,
            Self::Copied => 2,
            Self::Expiry => 3,
            Self::Removed => 4,
        }
    }
}

impl Event {
    pub(super) fn encode(&self) -> Vec<u8> {
        let image = |image: &Option<Bytes>| image.as_ref().map_or(0, Bytes::len);
        let (old, new) = (image(&self.old), image(&self.new));
        let mut buf = Vec::with_capacity(19 + self.suffix.len() + old + new);
        buf.put_u8(FORMAT);
        buf.put_u8(self.cause.code());
        let flag = |set: bool, bit: u8| if set { bit } else { 0 };
        buf.put_u8(
            flag(self.is_told, TOLD)
                | flag(self.was, WAS)
                | flag(self.is, IS)
                | flag(self.old.is_some(), OLD)
                | flag(self.new.is_some(), NEW),
        );
        layout::put_version(&mut buf, self.version);
        buf.put_u16(u16::try_from(self.suffix.len()).expect("keys are below 64 KiB"));
        buf.put_slice(&self.suffix);
        if let Some(old) = &self.old {
            buf.put_u32(u32::try_from(old.len()).expect("items are below 4 GiB"));
            buf.put_slice(old);
        }
        if let Some(new) = &self.new {
            buf.put_slice(new);
        }
        buf
    }

    fn decode(place: Place, mut value: Bytes) -> Result<Self, Damaged> {
        if value.len() < 15 || value.get_u8() != FORMAT {
            return Err(DAMAGED);
        }
        let code = value.get_u8();
        let mut causes = Cause::ALL.into_iter();
        let cause = causes.find(|cause| cause.code() == code).ok_or(DAMAGED)?;
        let flags = value.get_u8();
        let version = layout::version(&mut value);
        let length = usize::from(value.get_u16());
        if value.len() < length {
            return Err(DAMAGED);
        }
        let suffix = value.split_to(length);
        let mut old = None;
        if flags & OLD != 0 {
            let length = value.try_get_u32().map_err(|_| DAMAGED)?;
            let length = usize::try_from(length).map_err(|_| DAMAGED)?;
            if value.len() < length {
                return Err(DAMAGED);
            }
            old = Some(value.split_to(length));
        }
        Ok(Self {
            place,
            cause,
            version,
            is_told: flags & TOLD != 0,
            was: flags & WAS != 0,
            is: flags & IS != 0,
            old,
            new: (flags & NEW != 0).then_some(value),
            suffix,
        })
    }
}

pub(super) fn event_key(table: TableId, place: Place) -> Vec<u8> {
    let mut key = Vec::with_capacity(20);
    key.put_u64(table.0);
    key.put_i64(place.at.0);
    key.put_u32(place.number);
    key
}

pub(super) fn place_of(key: &Bytes) -> Result<Place, Damaged> {
    if key.len() != 20 {
        return Err(DAMAGED);
    }
    let mut place = key.slice(8..);
    Ok(Place {
        at: Hlc(place.get_i64()),
        number: place.get_u32(),
    })
}

pub(super) fn decode(key: &Bytes, value: Bytes) -> Result<Event, Damaged> {
    Event::decode(place_of(key)?, value)
}

/// The version of an event's bytes.
const FORMAT: u8 = 1;

const TOLD: u8 = 1;
const WAS: u8 = 2;
const IS: u8 = 4;
const OLD: u8 = 8;
const NEW: u8 = 16;

pub(super) const DAMAGED: Damaged = Damaged("an event of a history");
