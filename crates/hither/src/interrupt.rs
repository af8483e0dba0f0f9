//! What ends a command that runs until somebody wants it to end.
//!
//! It ends nothing itself.

use anyhow::Context;
use tokio::signal::unix::{SignalKind, signal};

/// Waits for Ctrl-C (SIGINT) or for SIGTERM, as `kill` and service managers send it.
///
/// Errors: when signals cannot be waited for.
pub(crate) async fn wait() -> anyhow::Result<()> {
    let mut interrupt = signal(SignalKind::interrupt()).context("wait for Ctrl-C")?;
    let mut terminate = signal(SignalKind::terminate()).context("wait for SIGTERM")?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
