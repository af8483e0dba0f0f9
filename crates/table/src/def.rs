//! Definitions of tables: what the data plane must know of them.
//!
//! Names, billing and tags are control's; here a table is a number and a key schema.

use std::collections::BTreeSet;

use base::name::TableId;
use base::region::RegionId;
use item::key::{KeyAttribute, KeyKind, KeySchema};

/// A table as the data plane sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDef {
    /// Its number, the same in every region.
    pub id: TableId,
    /// Its key attributes.
    pub schema: KeySchema,
    /// The regions that hold a replica, this one included where it does.
    pub replicas: BTreeSet<RegionId>,
    /// Whether this region's replica is being filled from others.
    pub filling: bool,
    /// What of its changes is kept here.
    pub history: HistoryDef,
}

/// What of a table's changes is kept, beside the change log: nothing, by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HistoryDef {
    /// The images that records of its stream have, while it has a stream.
    pub stream: Option<Images>,
    /// Whether it can be taken back in time: then what was before each change is kept.
    pub rewinds: bool,
}

/// Which images of an item are kept with a change of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Images {
    /// The item before.
    pub old: bool,
    /// The item after.
    pub new: bool,
}

impl TableDef {
    /// Returns the definition of a system table: text keys, a replica in every region.
    pub fn system(id: TableId, members: impl IntoIterator<Item = RegionId>) -> Self {
        debug_assert!(
            id.is_system(),
            "system tables have the numbers below 65,536"
        );
        let text = |name: &str| KeyAttribute {
            name: name.to_owned(),
            kind: KeyKind::S,
        };
        Self {
            id,
            schema: KeySchema {
                partition: text("partition"),
                sort: Some(text("sort")),
            },
            replicas: members.into_iter().collect(),
            filling: false,
            history: HistoryDef::default(),
        }
    }

    /// Returns whether writes go into the change log: there is another replica to tell.
    pub fn is_logged(&self) -> bool {
        self.replicas.len() > 1
    }
}
