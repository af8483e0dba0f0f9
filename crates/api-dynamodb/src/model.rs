//! The service's model: what operations there are, and what their requests are made of.
//!
//! It holds facts and no decision on an item. Source: DynamoDB service model 2012-08-10.

pub(crate) mod facts;

#[cfg(test)]
mod tests;
