//! Functions run as real processes, spoken to as a gateway and the Lambda API do.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that they help"
)]

mod answers;
mod bootstrap;
mod changes;
mod failures;
mod logs;
mod public_client;
mod runtime_api;
