//! What the cores of a link want done with tables, done: the shell `replica`'s glue once more.
//!
//! It decides nothing. The arrows keep shells out of the simulation, so these few lines are here
//! a second time; a difference between the two shows in the shell's own tests.

use base::region::RegionId;
use replica_core::link::Local;
use replica_core::link::receive::ApplyFault;
use replica_core::link::send::LogRead;
use replica_core::link::share::Part;
use replica_core::record::Record;
use replica_core::vector::Seq;
use store::port::Store;
use table::log::LogError;
use table::remote::ApplyError;
use table::tables::Tables;

/// Returns where this region stands. It promises that later writes are stamped above.
pub fn local<S: Store>(tables: &Tables<S>) -> Local {
    let (head, horizon) = tables.horizon();
    Local {
        stable: tables.stable(),
        durable: tables.durable(),
        applied: tables.applied(),
        head,
        horizon,
    }
}

/// Reads the part of a log that `peer` may have.
pub async fn read_log<S: Store>(
    tables: &Tables<S>,
    peer: RegionId,
    origin: RegionId,
    after: Seq,
    bytes_max: usize,
) -> LogRead {
    let replicates = |table| tables.is_replica(table, peer);
    match tables.read_log(origin, after, bytes_max).await {
        Ok(page) => {
            let part = Part {
                records: page.records,
                to: page.to,
            };
            LogRead::Part(if origin == tables.region() {
                part.of_own(replicates)
            } else {
                part.of_relayed(after, replicates)
            })
        }
        Err(LogError::Trimmed { first, .. }) => LogRead::Trimmed { first },
        Err(LogError::Read(_)) => LogRead::Failed,
    }
}

/// Applies records of another region exactly once.
///
/// Errors: [`ApplyFault`], as the receiver knows them.
pub async fn apply<S: Store>(
    tables: &Tables<S>,
    origin: RegionId,
    (after, to): (Seq, Seq),
    records: Vec<Record>,
) -> Result<(), ApplyFault> {
    let applied = tables.apply(origin, after, to, records).await;
    applied.map_err(|error| match error {
        ApplyError::Gap { .. } => ApplyFault::Gap,
        ApplyError::TooFarAhead(too_far) => ApplyFault::TooFarAhead(too_far.ahead),
        ApplyError::NoPeer(_) | ApplyError::Damaged(_) | ApplyError::Store(_) => ApplyFault::Store,
    })
}
