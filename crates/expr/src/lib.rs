//! DynamoDB's expression language: parsed, checked, and evaluated over items.
//!
//! It knows no JSON, no table and no request; legacy parameters become the same structures.

pub mod checked;
pub mod condition;
pub mod error;
pub mod key_condition;
pub mod limits;
pub mod parse;
pub mod path;
pub mod placeholders;
pub mod projection;
pub mod update;

mod reserved;
