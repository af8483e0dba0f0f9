//! How far replicas are filled from each source, as it is kept with the pages.
//!
//! It merges nothing. What is kept of a replica that was made before another one counts for nobody.

use std::collections::BTreeMap;

use bytes::{Buf, BufMut, Bytes};

use base::name::TableId;
use base::region::RegionId;
use replica_core::frame::copy::CopyItems;
use replica_core::link::copies::{Kept, Portion};
use store::port::{Batch, Space, Store};

use crate::layout::meta;
use crate::tables::{self, Damaged, ReadError};

/// Adds how far a table is filled from a source to the batch of a page.
pub(super) fn stage(batch: &mut Batch, (table, source): (TableId, RegionId), kept: &Kept) {
    let Kept { portion, after } = kept;
    let mut fact = Vec::with_capacity(9 + after.as_ref().map_or(0, Bytes::len));
    fact.put_i64(portion.made);
    fact.put_u8(portion.items.code());
    if let Some(after) = after {
        fact.put_slice(after);
    }
    batch.put(Space::Meta, meta::filled(table, source), fact);
}

/// Reads how far tables are filled from a source.
pub(super) async fn kept<S: Store>(
    store: &S,
    source: RegionId,
) -> Result<BTreeMap<TableId, Kept>, ReadError> {
    let unreadable = Damaged("how far a replica is filled");
    let damaged = |_| unreadable;
    let mut found = BTreeMap::new();
    for (mut name, mut fact) in tables::read_meta(store, meta::FILLED).await? {
        let table = TableId(name.try_get_u64().map_err(damaged)?);
        let of = RegionId(name.try_get_u16().map_err(damaged)?);
        let made = fact.try_get_i64().map_err(damaged)?;
        let items = CopyItems::from_code(fact.try_get_u8().map_err(damaged)?);
        let items = items.ok_or(unreadable)?;
        if of == source {
            let portion = Portion { made, items };
            let after = (!fact.is_empty()).then_some(fact);
            found.insert(table, Kept { portion, after });
        }
    }
    Ok(found)
}
