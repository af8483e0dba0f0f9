//! Answers a peer's inquiries, one after another, until it asks no more.
//!
//! What is answered is `table`'s to say.

use tokio::sync::Semaphore;
use tracing::debug;

use base::region::RegionName;
use store::port::Store;

use crate::asking::{self, Line, LineError};
use crate::connection::Connection;
use crate::links::Shared;

/// Answers on a connection that a peer made for inquiries; hangs up where too many are answered.
pub(crate) async fn run<S: Store>(
    shared: &Shared<S>,
    (peer, connection): (&RegionName, Connection),
    inquiries: &Semaphore,
) {
    let Ok(_permit) = inquiries.try_acquire() else {
        debug!(%peer, "an inquiry is hung up on: too many are answered");
        return;
    };
    let mut line = Line::new(connection);
    let Err(error) = answer(shared, peer, &mut line).await;
    debug!(%peer, %error, "an inquiry ends");
}

async fn answer<S: Store>(
    shared: &Shared<S>,
    peer: &RegionName,
    line: &mut Line,
) -> Result<std::convert::Infallible, LineError> {
    loop {
        let question = line.question().await?;
        asking::catch_up(&shared.tables, &question.after).await;
        let answer = shared
            .tables
            .inquire(peer.id(), question.table, &question.what);
        line.answer(&answer.await).await?;
    }
}
