//! Zones, record sets, routing policies and the answer to one query.
//!
//! It opens no socket and reads no clock. Reading order: a query ([`query`]) is answered
//! ([`answer`]) from a view ([`view`]) of zones ([`zones`], [`zone`]), of what is up ([`health`])
//! and of distances ([`latency`]), and the answer has its reasons ([`because`]).

pub mod answer;
pub mod because;
pub mod cidr;
pub mod health;
pub mod internal;
pub mod latency;
pub mod limits;
pub mod name;
mod policy;
mod prefix;
pub mod query;
pub mod rdata;
pub mod record_type;
pub mod reply;
pub mod response;
pub mod view;
pub mod zone;
pub mod zones;
