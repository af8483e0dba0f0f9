//! Items whose attributes are merged one by one: the resolvers `attributes` and `counters`.
//!
//! It knows no log and no store. A state is an element of a lattice: joining states in any order,
//! any number of times, comes to the same; what one write changed is a small state itself.
//! Source: Shapiro et al., "Conflict-free replicated data types" (2011), and Bieniusa et al.,
//! "An optimized conflict-free replicated set" (2012), for sets.
//!
//! ```text
//! write ──delta──► record ──► join ◄── item as stored
//!                              │
//!                              └─view──► item as it is read
//! ```

pub mod cell;

pub mod codec;

pub mod change;

pub mod race;

use std::collections::BTreeMap;

use base::region::RegionId;
use clock::hlc::Version;
use item::value::{AttributeValue, Item};

use crate::merge::Stamp;
use crate::vector::Seq;

use cell::Cell;

/// The state of an item, or what one write changed of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// The latest write of all that it is made of.
    pub stamp: Stamp,
    /// The key attributes, where they are known: they never change.
    pub key: BTreeMap<String, AttributeValue>,
    /// The latest write of the whole item; all attributes written before it are gone.
    pub reset: Stamp,
    /// Whether that write removed the item.
    pub ends: bool,
    /// The latest removal of the item: additions up to it count no more.
    pub removed: Version,
    /// The latest write after which the item existed, unless a removal is later.
    pub live: Version,
    /// The other attributes, those that are gone and still matter included.
    pub cells: BTreeMap<String, Cell>,
}

/// The stamp of what was never written.
pub const NEVER: Stamp = Stamp {
    version: Version {
        hlc: clock::hlc::Hlc(0),
        origin: RegionId(0),
    },
    seq: Seq(0),
};

impl Default for State {
    fn default() -> Self {
        Self {
            stamp: NEVER,
            key: BTreeMap::new(),
            reset: NEVER,
            ends: false,
            removed: NEVER.version,
            live: NEVER.version,
            cells: BTreeMap::new(),
        }
    }
}

impl State {
    /// Returns the state of an item that was written whole, or removed, and of which nothing else
    /// is known.
    pub fn plain(stamp: Stamp, item: Option<Item>) -> Self {
        let ends = item.is_none();
        let cell = |(name, value)| (name, Cell::set(stamp, Some(value)));
        Self {
            stamp,
            key: BTreeMap::new(),
            reset: stamp,
            ends,
            removed: if ends { stamp.version } else { NEVER.version },
            live: if ends { NEVER.version } else { stamp.version },
            cells: item.into_iter().flatten().map(cell).collect(),
        }
    }

    /// Takes in all that another state knows.
    pub fn join(&mut self, other: &Self) {
        self.stamp = later(self.stamp, other.stamp);
        for (name, value) in &other.key {
            self.key
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        if self.reset.version < other.reset.version {
            self.reset = other.reset;
            self.ends = other.ends;
        }
        self.removed = self.removed.max(other.removed);
        self.live = self.live.max(other.live);
        for (name, cell) in &other.cells {
            match self.cells.get_mut(name) {
                Some(own) => own.join(cell),
                None => drop(self.cells.insert(name.clone(), cell.clone())),
            }
        }
        self.settle();
    }

    /// Returns whether there is an item.
    pub fn exists(&self) -> bool {
        if self.ends {
            self.reset.version < self.live
        } else {
            NEVER.version < self.live
        }
    }

    /// Returns the item as it is read; `None` where there is none.
    pub fn view(&self) -> Option<Item> {
        if !self.exists() {
            return None;
        }
        let cells = self.cells.iter();
        let mut map: BTreeMap<String, AttributeValue> = cells
            .filter_map(|(name, cell)| Some((name.clone(), cell.value(self.removed)?)))
            .collect();
        map.extend(self.key.clone());
        Some(Item::from(map))
    }

    /// Forgets what later writes have made meaningless, so that equal knowledge is equal.
    fn settle(&mut self) {
        if self.live <= self.reset.version && self.ends {
            self.live = NEVER.version;
        }
        let (reset, removed, key) = (self.reset, self.removed, &self.key);
        self.cells.retain(|name, cell| {
            cell.settle(reset, removed);
            !cell.is_nothing(reset) && !key.contains_key(name)
        });
    }
}

pub(crate) fn later(one: Stamp, other: Stamp) -> Stamp {
    if one.version < other.version {
        other
    } else {
        one
    }
}

#[cfg(test)]
mod tests;
