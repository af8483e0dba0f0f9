//! Replicas that were removed from here, as long as their regions are not known to have applied it.
//!
//! It is told, not waited for, and forgotten with the process. Source: DynamoDB API reference,
//! `ReplicaDescription`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base::name::TableId;
use base::region::RegionName;
use control::control::{Control, Position};
use store::port::Store;

use crate::limits::GOING_MAX;

/// The replicas that go, and since which change.
#[derive(Debug, Default)]
pub(crate) struct Going {
    since: Mutex<BTreeMap<(TableId, RegionName), Position>>,
}

impl Going {
    /// Notes that a change removed a table's replica in another region.
    pub(crate) fn note(&self, table: TableId, region: RegionName, position: Position) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.len() >= GOING_MAX {
            since.pop_first();
        }
        since.insert((table, region), position);
    }

    /// Returns the regions of a table that its replicas are still to go from; the others are
    /// forgotten.
    pub(crate) fn regions<S: Store>(
        &self,
        control: &Control<S>,
        table: TableId,
    ) -> Vec<RegionName> {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_empty() {
            return Vec::new();
        }
        since.retain(|(_, region), position| control.lacking(*position).contains(region));
        let of_table = since.keys().filter(|(id, _)| *id == table);
        of_table.map(|(_, region)| region.clone()).collect()
    }
}
