//! Names, units and limits that every crate shares.
//!
//! It holds no behaviour, no I/O and no clock. A test keeps it under 1,000 lines.

pub mod arn;
pub mod limits;
pub mod name;
pub mod region;
pub mod units;
