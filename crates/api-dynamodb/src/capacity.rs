//! Consumed capacity: what a call would have cost on AWS, counted as AWS counts it.
//!
//! It holds nothing back: that is `throttle`'s.
//! Source: DynamoDB developer guide, "Read and write operations".

use std::collections::BTreeMap;

use control::tables::indexes::Index;

use crate::choices::ReturnConsumedCapacity;
use crate::wire::render::{self, Object};

/// Capacity in halves of a unit, so that it stays exact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Units(u64);

/// How a read is consistent, which is what it costs by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Eventually.
    Eventual,
    /// Strongly.
    Strong,
    /// In a transaction.
    Transactional,
}

impl Units {
    /// Returns what it costs to read so many bytes.
    pub(crate) fn of_read(bytes: usize, reading: Reading) -> Self {
        let blocks = blocks(bytes, READ_BLOCK_BYTES);
        Self(match reading {
            Reading::Eventual => blocks,
            Reading::Strong => 2 * blocks,
            Reading::Transactional => 4 * blocks,
        })
    }

    /// Returns what it costs to replace an item of one size by an item of another.
    pub(crate) fn of_write(old_bytes: usize, new_bytes: usize) -> Self {
        Self(2 * blocks(old_bytes.max(new_bytes), WRITE_BLOCK_BYTES))
    }

    /// Returns the cost in a transaction: written twice.
    pub(crate) const fn doubled(self) -> Self {
        Self(self.0 * 2)
    }

    /// Returns both costs together.
    pub(crate) const fn plus(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }

    /// Returns this cost without another, nothing where that is larger.
    pub(crate) const fn minus(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// Returns the cost in halves of a unit.
    pub(crate) const fn halves(self) -> u64 {
        self.0
    }

    fn write(self, out: &mut Vec<u8>) {
        let half = if self.0.is_multiple_of(2) { "0" } else { "5" };
        out.extend_from_slice(format!("{}.{half}", self.0 / 2).as_bytes());
    }
}

/// Whether a transaction read or wrote, which its answer tells apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Not a transaction.
    Plain,
    /// `TransactGetItems`.
    Read,
    /// `TransactWriteItems`.
    Write,
}

/// What a call has cost: the table's own part, and those of its indexes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Consumed {
    table: Units,
    local: BTreeMap<String, Units>,
    global: BTreeMap<String, Units>,
}

impl Consumed {
    /// Returns a cost that is the table's own.
    pub(crate) const fn of_table(units: Units) -> Self {
        Self {
            table: units,
            local: BTreeMap::new(),
            global: BTreeMap::new(),
        }
    }

    /// Adds what an index has cost.
    pub(crate) fn add(&mut self, index: &Index, units: Units) {
        let part = if index.is_local {
            &mut self.local
        } else {
            &mut self.global
        };
        let known = part.entry(index.name.clone()).or_default();
        *known = known.plus(units);
    }

    /// Adds another cost of the same table.
    pub(crate) fn plus(&mut self, other: Self) {
        self.table = self.table.plus(other.table);
        for (part, added) in [
            (&mut self.local, other.local),
            (&mut self.global, other.global),
        ] {
            for (name, units) in added {
                let known = part.entry(name).or_default();
                *known = known.plus(units);
            }
        }
    }

    /// Returns the cost in a transaction: written twice.
    fn doubled(self) -> Self {
        let double = |part: BTreeMap<String, Units>| {
            let doubled = part.into_iter();
            doubled
                .map(|(name, units)| (name, units.doubled()))
                .collect()
        };
        Self {
            table: self.table.doubled(),
            local: double(self.local),
            global: double(self.global),
        }
    }

    /// Returns the cost as it is on a side: a transaction writes twice.
    pub(crate) fn of(self, side: Side) -> Self {
        match side {
            Side::Write => self.doubled(),
            Side::Plain | Side::Read => self,
        }
    }

    /// Returns the cost of the table and all its indexes together.
    pub(crate) fn total(&self) -> Units {
        let global = self.global.values();
        global.fold(self.of_partitions(), |sum, units| sum.plus(*units))
    }

    /// Returns the cost of what stands in the table's own partitions: the items, and the local
    /// indexes.
    pub(crate) fn of_partitions(&self) -> Units {
        let local = self.local.values();
        local.fold(self.table, |sum, units| sum.plus(*units))
    }

    /// Returns the costs of the global indexes, by name.
    pub(crate) const fn global(&self) -> &BTreeMap<String, Units> {
        &self.global
    }
}

/// Writes the consumed capacity of one table.
pub(crate) fn write(
    out: &mut Vec<u8>,
    wanted: ReturnConsumedCapacity,
    table: &str,
    units: Units,
    side: Side,
) {
    write_parts(out, wanted, table, &Consumed::of_table(units), side);
}

/// Writes the consumed capacity of one table, and what part of it its indexes have.
pub(crate) fn write_parts(
    out: &mut Vec<u8>,
    wanted: ReturnConsumedCapacity,
    table: &str,
    consumed: &Consumed,
    side: Side,
) {
    let numbers = |object: &mut Object<'_>, units: Units| {
        units.write(object.member("CapacityUnits"));
        match side {
            Side::Plain => {}
            Side::Read => units.write(object.member("ReadCapacityUnits")),
            Side::Write => units.write(object.member("WriteCapacityUnits")),
        }
    };
    let mut object = Object::start(out);
    render::string(object.member("TableName"), table);
    numbers(&mut object, consumed.total());
    match wanted {
        ReturnConsumedCapacity::Indexes => {
            let mut part = Object::start(object.member("Table"));
            numbers(&mut part, consumed.table);
            part.end();
            for (name, indexes) in [
                ("LocalSecondaryIndexes", &consumed.local),
                ("GlobalSecondaryIndexes", &consumed.global),
            ] {
                if indexes.is_empty() {
                    continue;
                }
                let mut parts = Object::start(object.member(name));
                for (index, units) in indexes {
                    let mut part = Object::start(parts.member(index));
                    numbers(&mut part, *units);
                    part.end();
                }
                parts.end();
            }
        }
        ReturnConsumedCapacity::Total | ReturnConsumedCapacity::None => {}
    }
    object.end();
}

/// Returns how many blocks so many bytes fill, one at least.
fn blocks(bytes: usize, block: usize) -> u64 {
    u64::try_from(bytes.div_ceil(block).max(1)).unwrap_or(u64::MAX)
}

/// What one strongly consistent read unit reads. 4 KiB.
const READ_BLOCK_BYTES: usize = 4096;

/// What one write unit writes. 1 KiB.
const WRITE_BLOCK_BYTES: usize = 1024;
