//! What the cores of a link want done with tables, done.
//!
//! It decides nothing; the simulation does the same through it.

use bytes::Bytes;
use tracing::error;

use base::name::TableId;
use base::region::RegionId;
use replica_core::frame::copy::{CopyItem, CopyItems};
use replica_core::link::Local;
use replica_core::link::receive::ApplyFault;
use replica_core::link::send::{CopyRead, LogRead};
use replica_core::link::share::Part;
use replica_core::record::Record;
use replica_core::vector::Seq;
use store::port::Store;
use table::copy::CopiedItem;
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
        Err(LogError::Read(error)) => {
            error!(%origin, %after, %error, "cannot read a log");
            LogRead::Failed
        }
    }
}

/// Reads a page of a table for `peer`, once its changes go into the peer's frames.
pub async fn read_copy<S: Store>(
    tables: &Tables<S>,
    peer: RegionId,
    table: TableId,
    after: Option<Bytes>,
    items: CopyItems,
    bytes_max: usize,
) -> CopyRead {
    let ready = tables.table(table).is_some_and(|def| {
        let whole = items == CopyItems::OwnOnly || !def.filling;
        whole && def.replicas.contains(&peer)
    });
    if !ready {
        return CopyRead::Later;
    }
    let only = match items {
        CopyItems::All => None,
        CopyItems::OwnOnly => Some(tables.region()),
    };
    let page = tables.copy_page(table, after.as_deref(), bytes_max, only);
    match page.await {
        Ok(page) => CopyRead::Page {
            items: page.items.into_iter().map(given).collect(),
            next: page.next,
        },
        Err(error) => {
            error!(%table, %error, "cannot read a table to copy it");
            CopyRead::Later
        }
    }
}

/// Applies records of another region exactly once.
pub async fn apply<S: Store>(
    tables: &Tables<S>,
    origin: RegionId,
    after: Seq,
    to: Seq,
    records: Vec<Record>,
) -> Result<(), ApplyFault> {
    let applied = tables.apply(origin, after, to, records).await;
    applied.map_err(|error| match error {
        ApplyError::Gap { .. } => ApplyFault::Gap,
        ApplyError::TooFarAhead(too_far) => ApplyFault::TooFarAhead(too_far.ahead),
        ApplyError::NoPeer(_) | ApplyError::Damaged(_) | ApplyError::Store(_) => {
            error!(%origin, %after, %to, %error, "cannot apply records");
            ApplyFault::Store
        }
    })
}

/// Merges a page of a table. Returns whether it is on disk.
pub async fn merge<S: Store>(tables: &Tables<S>, table: TableId, items: Vec<CopyItem>) -> bool {
    let items = items.into_iter().map(taken).collect();
    match tables.merge_copy(table, items).await {
        Ok(()) => true,
        Err(error) => {
            error!(%table, %error, "cannot merge a copied page");
            false
        }
    }
}

fn given(item: CopiedItem) -> CopyItem {
    let CopiedItem { key, stamp, image } = item;
    CopyItem { key, stamp, image }
}

fn taken(item: CopyItem) -> CopiedItem {
    let CopyItem { key, stamp, image } = item;
    CopiedItem { key, stamp, image }
}
