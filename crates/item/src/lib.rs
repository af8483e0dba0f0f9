//! Attribute values, exact numbers, sizes, keys and their byte order.
//!
//! It knows no JSON and no table.

pub mod codec;
pub mod key;
pub mod limits;
pub mod number;
pub mod size;
pub mod value;
pub mod view;
