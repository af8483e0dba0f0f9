//! The service's model: what operations there are, and what their requests are made of.
//!
//! It holds facts and no decision on an item. Source: DynamoDB service model 2012-08-10.

pub mod check;

pub(crate) mod facts;

mod constraints;
mod echo;
mod quick;
mod raw;
mod scan;
mod service;
mod types;

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests;
