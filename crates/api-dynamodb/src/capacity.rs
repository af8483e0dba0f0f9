//! Consumed capacity: what a call would have cost on AWS, counted as AWS counts it.
//!
//! Nothing is throttled by it. Source: DynamoDB developer guide, "Read and write operations".

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

/// Writes the consumed capacity of one table.
pub(crate) fn write(
    out: &mut Vec<u8>,
    wanted: ReturnConsumedCapacity,
    table: &str,
    units: Units,
    side: Side,
) {
    let numbers = |object: &mut Object<'_>| {
        units.write(object.member("CapacityUnits"));
        match side {
            Side::Plain => {}
            Side::Read => units.write(object.member("ReadCapacityUnits")),
            Side::Write => units.write(object.member("WriteCapacityUnits")),
        }
    };
    let mut object = Object::start(out);
    render::string(object.member("TableName"), table);
    numbers(&mut object);
    match wanted {
        ReturnConsumedCapacity::Indexes => {
            let mut part = Object::start(object.member("Table"));
            numbers(&mut part);
            part.end();
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
