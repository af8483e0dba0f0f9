//! Calls answered over a region in memory, by way of a runner that notes what it is asked.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that they help"
)]

mod deploy;
mod desk;
mod invoke;
mod policy;
mod refusals;
mod settings;
