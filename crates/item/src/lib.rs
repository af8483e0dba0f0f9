//! Attribute values, exact numbers, sizes, keys and their byte order.
//!
//! It knows no JSON and no table.
