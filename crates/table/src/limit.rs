//! Limits that callers hold their writes to: which of them it was that did not admit one.
//!
//! It measures nothing and words nothing: whoever decides over a write knows what a limit is.

use std::fmt;

/// A limit that does not admit a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Limit {
    /// What an item collection may take.
    CollectionSize,
    /// What a table, or an index of it, serves.
    Throughput(Throughput),
}

/// A throughput that is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throughput {
    /// The table's name.
    pub table: String,
    /// The index's, unless it is the table's own throughput.
    pub index: Option<String>,
    /// What would have been done.
    pub direction: Direction,
    /// What it is bounded by.
    pub bound: Bound,
}

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Direction {
    /// An item is read.
    Read,
    /// An item is written.
    Write,
}

/// What bounds a throughput.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// The units that are provisioned.
    Provisioned,
    /// The most that is served by use.
    OnDemand,
}

impl fmt::Display for Limit {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CollectionSize => out.write_str("the size of its collection"),
            Self::Throughput(used) => {
                let direction = match used.direction {
                    Direction::Read => "read",
                    Direction::Write => "write",
                };
                write!(out, "the {direction} throughput of {}", used.table)?;
                used.index
                    .iter()
                    .try_for_each(|name| write!(out, ", index {name}"))
            }
        }
    }
}
