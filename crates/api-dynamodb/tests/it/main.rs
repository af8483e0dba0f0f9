//! Requests and their answers, over tables in memory.

#![expect(
    clippy::unwrap_used,
    reason = "a test's own requests and answers fail the test by panicking"
)]

mod backups;
mod batches;
mod buckets;
mod bulk;
mod collections;
mod encryption;
mod expiry;
mod exports;
mod faults;
mod imports;
mod indexes;
mod items;
mod legacy;
mod partiql;
mod policies;
mod provisioned;
mod reads;
mod refusals;
mod streams;
mod tables;
mod throttle;
mod throughput;
mod transactions;
mod world;
