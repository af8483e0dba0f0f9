//! What is kept beside an item's image so that its state can be read back, on disk and in records.
//!
//! It has nothing of what the image says: an attribute that is not named here was written with the
//! whole item and is as the image has it, so an item that nobody contends for takes few bytes.
//!
//! ```text
//! beside    version=1  flags  reset:stamp  live:version  removed:version
//!           keys  (name)…  cells  (name  cell)…
//! cell      set:stamp  value  observed  (born:version  last:stamp  sum)…  counts  (as observed)…
//!           seen  (region 2  hlc 8)…  elements  (element  added  (as seen)…  removed  (as seen)…)…
//! stamp     0 never | 1 the item's own | 2 the reset's | 3 version position 8
//! version   0 never | 1 the item's own | 2 the reset's | 3 hlc 8 region 2
//! value     0 none | 1 as in the image | 2 item with the one attribute
//! ```

use std::collections::BTreeMap;

use base::region::RegionId;
use bytes::{BufMut, Bytes};
use clock::hlc::{Hlc, Version};
use item::number::Number;
use item::value::{AttributeValue, Item};

use crate::limits::{MERGED_ENTRIES_MAX, MERGED_NAME_BYTES_MAX};
use crate::merge::Stamp;
use crate::merged::cell::{Cell, Count, Counts, Dots, Element, Marks, elements_of};
use crate::merged::{NEVER, State};
use crate::record::IMAGE_BYTES_MAX;
use crate::vector::Seq;
use crate::wire::{self, WireError};

const FORMAT: u8 = 1;
const ENDS: u8 = 1;

const ABSENT: u8 = 0;
const OWN: u8 = 1;
const RESET: u8 = 2;
const SAID: u8 = 3;

/// Reads the state of an item back.
///
/// Errors: [`WireError`] for anything that [`State::beside`] does not write.
pub fn decode(
    stamp: Stamp,
    image: Option<Item>,
    beside: Option<Bytes>,
) -> Result<State, WireError> {
    let Some(mut beside) = beside else {
        return Ok(State::plain(stamp, image));
    };
    let buf = &mut beside;
    let found = wire::u8(buf, "a merged item")?;
    if found != FORMAT {
        return Err(WireError::Newer {
            what: "a merged item",
            found,
            known: FORMAT,
        });
    }
    let flags = wire::u8(buf, "a merged item's flags")?;
    if flags & !ENDS != 0 {
        return Err(WireError::Tag {
            what: "a merged item's flags",
            found: flags,
        });
    }
    let mut image = image.unwrap_or_default();
    let mut reader = Reader {
        buf,
        stamp,
        reset: NEVER,
    };
    reader.reset = reader.stamp()?;
    let mut state = State {
        stamp,
        reset: reader.reset,
        ends: flags & ENDS != 0,
        live: reader.version()?,
        removed: reader.version()?,
        ..State::default()
    };
    for _ in 0..reader.count()? {
        let name = reader.name()?;
        let value = image.remove(&name);
        let value = value.ok_or(WireError::Shape("a merged item's key"))?;
        state.key.insert(name, value);
    }
    for _ in 0..reader.count()? {
        let name = reader.name()?;
        let cell = reader.cell(image.remove(&name))?;
        state.cells.insert(name, cell);
    }
    if !beside.is_empty() {
        return Err(WireError::Trailing(beside.len()));
    }
    for (name, value) in image {
        let cell = Cell::set(state.reset, Some(value));
        state.cells.insert(name, cell);
    }
    Ok(state)
}

impl State {
    /// Returns what is to be kept beside the item's image, which is its view; `None` where the
    /// image and the stamp say all. That an item is gone always says more: an item that is put in
    /// its place must know of additions that are hidden.
    pub fn beside(&self, image: Option<&Item>) -> Option<Bytes> {
        let is_plain = |(_, cell): (&String, &Cell)| {
            cell.set == self.reset && cell.value.is_some() && cell.is_single()
        };
        let is_whole = self.reset == self.stamp
            && !self.ends
            && self.live == self.stamp.version
            && self.removed == NEVER.version
            && self.cells.iter().all(is_plain);
        if is_whole {
            return None;
        }
        let mut out = Writer {
            buf: vec![FORMAT, if self.ends { ENDS } else { 0 }],
            stamp: self.stamp,
            reset: NEVER,
        };
        out.stamp(self.reset);
        out.reset = self.reset;
        out.version(self.live);
        out.version(self.removed);
        let keys = || self.key.keys().filter(|_| image.is_some());
        out.count(keys().count());
        keys().for_each(|name| wire::put_bytes(&mut out.buf, name.as_bytes()));
        let cells = self.cells.iter();
        let said: Vec<(&String, &Cell, Option<&AttributeValue>)> = cells
            .map(|(name, cell)| (name, cell, image.and_then(|image| image.get(name))))
            .filter(|(name, cell, shown)| {
                !is_plain((*name, *cell)) || cell.value.as_ref() != *shown
            })
            .collect();
        out.count(said.len());
        for (name, cell, shown) in said {
            wire::put_bytes(&mut out.buf, name.as_bytes());
            out.cell(cell, shown);
        }
        Some(out.buf.into())
    }
}

struct Writer {
    buf: Vec<u8>,
    stamp: Stamp,
    reset: Stamp,
}

impl Writer {
    fn count(&mut self, count: usize) {
        self.buf
            .put_u32(u32::try_from(count).expect("an item has far fewer parts"));
    }

    fn stamp(&mut self, stamp: Stamp) {
        self.version(stamp.version);
        if self.is_said(stamp.version) {
            self.buf.put_u64(stamp.seq.0);
        }
    }

    fn version(&mut self, version: Version) {
        if version == NEVER.version {
            self.buf.put_u8(ABSENT);
        } else if version == self.stamp.version {
            self.buf.put_u8(OWN);
        } else if version == self.reset.version {
            self.buf.put_u8(RESET);
        } else {
            self.buf.put_u8(SAID);
            wire::put_version(&mut self.buf, version);
        }
    }

    fn is_said(&self, version: Version) -> bool {
        version != NEVER.version && version != self.stamp.version && version != self.reset.version
    }

    fn cell(&mut self, cell: &Cell, shown: Option<&AttributeValue>) {
        self.stamp(cell.set);
        match &cell.value {
            None => self.buf.put_u8(0),
            Some(value) if Some(value) == shown => self.buf.put_u8(1),
            Some(value) => {
                self.buf.put_u8(2);
                self.value(value.clone());
            }
        }
        for counts in [&cell.observed, &cell.counts] {
            self.count(counts.len());
            for (born, count) in counts {
                self.version(*born);
                self.stamp(count.last);
                let mut sum = Vec::new();
                count.sum.encode_into(&mut sum);
                wire::put_bytes(&mut self.buf, &sum);
            }
        }
        self.marks(&cell.seen);
        self.count(cell.elements.len());
        for (element, dots) in &cell.elements {
            self.value(match element {
                Element::S(text) => AttributeValue::Ss([text.clone()].into()),
                Element::N(number) => AttributeValue::Ns([*number].into()),
                Element::B(bytes) => AttributeValue::Bs([bytes.clone()].into()),
            });
            self.marks(&dots.added);
            self.marks(&dots.removed);
        }
    }

    fn value(&mut self, value: AttributeValue) {
        let item: Item = [(String::new(), value)].into_iter().collect();
        wire::put_bytes(&mut self.buf, &item::codec::encode(&item));
    }

    fn marks(&mut self, marks: &Marks) {
        self.count(marks.len());
        for (origin, hlc) in marks {
            self.buf.put_u16(origin.0);
            self.buf.put_i64(hlc.0);
        }
    }
}

struct Reader<'b> {
    buf: &'b mut Bytes,
    stamp: Stamp,
    reset: Stamp,
}

impl Reader<'_> {
    /// Reads a count of parts, each of which takes a byte at least.
    fn count(&mut self) -> Result<usize, WireError> {
        let bound = MERGED_ENTRIES_MAX.min(self.buf.len());
        wire::count(self.buf, "a merged item's parts", bound)
    }

    fn name(&mut self) -> Result<String, WireError> {
        let name = wire::bytes(self.buf, "an attribute's name", MERGED_NAME_BYTES_MAX)?;
        let name = std::str::from_utf8(&name);
        name.map(str::to_owned)
            .map_err(|_| WireError::Shape("an attribute's name"))
    }

    fn stamp(&mut self) -> Result<Stamp, WireError> {
        let (version, found) = self.tagged()?;
        Ok(match found {
            ABSENT => NEVER,
            OWN => self.stamp,
            RESET => self.reset,
            _ => Stamp {
                version,
                seq: Seq(wire::u64(self.buf, "a position")?),
            },
        })
    }

    fn version(&mut self) -> Result<Version, WireError> {
        Ok(self.tagged()?.0)
    }

    fn tagged(&mut self) -> Result<(Version, u8), WireError> {
        let found = wire::u8(self.buf, "a merged item's stamp")?;
        let version = match found {
            ABSENT => NEVER.version,
            OWN => self.stamp.version,
            RESET => self.reset.version,
            SAID => wire::version(self.buf)?,
            _ => {
                return Err(WireError::Tag {
                    what: "a merged item's stamp",
                    found,
                });
            }
        };
        Ok((version, found))
    }

    fn cell(&mut self, shown: Option<AttributeValue>) -> Result<Cell, WireError> {
        let set = self.stamp()?;
        let value = match wire::u8(self.buf, "a merged value")? {
            0 => None,
            1 => Some(shown.ok_or(WireError::Shape("a merged value"))?),
            2 => Some(self.value()?),
            found => {
                return Err(WireError::Tag {
                    what: "a merged value",
                    found,
                });
            }
        };
        let (observed, counts) = (self.counts()?, self.counts()?);
        let seen = self.marks()?;
        let mut elements = BTreeMap::new();
        for _ in 0..self.count()? {
            let element = self.value()?;
            let element = elements_of(&element).and_then(|mut one| one.pop_first());
            let element = element.ok_or(WireError::Shape("a merged element"))?;
            let (added, removed) = (self.marks()?, self.marks()?);
            elements.insert(element, Dots { added, removed });
        }
        Ok(Cell {
            set,
            value,
            observed,
            counts,
            elements,
            seen,
        })
    }

    fn counts(&mut self) -> Result<Counts, WireError> {
        let mut counts = Counts::new();
        for _ in 0..self.count()? {
            let (born, last) = (self.version()?, self.stamp()?);
            let sum = wire::bytes(self.buf, "a count", COUNT_BYTES_MAX)?;
            let Ok((sum, [])) = Number::decode(&sum) else {
                return Err(WireError::Shape("a count"));
            };
            counts.insert(born, Count { last, sum });
        }
        Ok(counts)
    }

    fn marks(&mut self) -> Result<Marks, WireError> {
        let mut marks = Marks::new();
        for _ in 0..self.count()? {
            let origin = RegionId(wire::u16(self.buf, "a region's number")?);
            marks.insert(origin, Hlc(wire::i64(self.buf, "a stamp")?));
        }
        Ok(marks)
    }

    fn value(&mut self) -> Result<AttributeValue, WireError> {
        let damaged = WireError::Shape("a merged value");
        let bytes = wire::bytes(self.buf, "a merged value", IMAGE_BYTES_MAX)?;
        let item = item::codec::decode(&bytes).map_err(|_| damaged.clone())?;
        let value = item.into_map().remove("");
        value.ok_or(damaged)
    }
}

/// Longest encoding of a number.
const COUNT_BYTES_MAX: usize = 32;
