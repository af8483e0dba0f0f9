//! Secondary indexes and expiry of users' tables: resources of their own beside the definition.
//!
//! Each is an item of its own, so that two regions that add two indexes at once keep both. How
//! far an index has come is no resource: each region builds its own.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use item::key::{KeyAttribute, KeySchema};
use store::port::Store;
use table::def::{ExpiryDef, IndexDef, IndexId};

use super::{Attribute, TableError, TableView, partition};
use crate::control::Control;
use crate::resource::{Change, Resource};
use crate::system::SystemTable;

/// A secondary index of a table, shared by its replicas.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Index {
    /// The table's number.
    pub table: u64,
    /// Its number.
    pub index: u64,
    /// Its name.
    pub name: String,
    /// Whether it has the table's partition key and was made with the table.
    pub is_local: bool,
    /// Whether it was made with the table.
    pub with_table: bool,
    /// The attributes of its partition key.
    pub partition_key: Vec<Attribute>,
    /// The attributes of its sort key.
    pub sort_key: Vec<Attribute>,
    /// What its entries hold beside the keys.
    pub projection: Projection,
    /// When it was made, in microseconds since 1970; those made with one table are in order.
    pub created: i64,
    /// What its facade keeps with it: throughput.
    pub settings: serde_json::Value,
}

/// What entries of an index hold beside the index's and the table's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Projection {
    /// All attributes.
    All,
    /// Nothing.
    KeysOnly,
    /// These attributes.
    Include(BTreeSet<String>),
}

/// Which attribute tells when a table's items expire, shared by its replicas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expiry {
    /// The table's number.
    pub table: u64,
    /// The number of the index that finds what has expired; another one each time it is enabled.
    pub expiry_index: u64,
    /// The attribute.
    pub attribute: String,
    /// Whether items expire.
    pub enabled: bool,
    /// When it was last enabled or disabled, in microseconds since 1970.
    pub changed: i64,
}

impl Resource for Index {
    const TABLE: SystemTable = SystemTable::Tables;

    fn partition(&self) -> String {
        partition(self.table)
    }

    fn sort(&self) -> String {
        format!("{INDEX}{}", self.name)
    }
}

impl Resource for Expiry {
    const TABLE: SystemTable = SystemTable::Tables;

    fn partition(&self) -> String {
        partition(self.table)
    }

    fn sort(&self) -> String {
        EXPIRY.to_owned()
    }
}

const INDEX: &str = "index/";
const EXPIRY: &str = "expiry";

impl Index {
    /// Returns the index's number.
    pub fn id(&self) -> IndexId {
        IndexId(self.index)
    }

    /// Returns what the data plane must know of it; `None` where a newer build gave it a key type
    /// that is unknown here.
    pub(super) fn def(&self, schema: &KeySchema) -> Option<IndexDef> {
        let keys = |keys: &[Attribute]| -> Option<Vec<KeyAttribute>> {
            keys.iter().map(|key| key.key().ok()).collect()
        };
        let names = match &self.projection {
            Projection::All => None,
            Projection::KeysOnly => Some(BTreeSet::new()),
            Projection::Include(names) => Some(names.clone()),
        };
        let (partition, sort) = (keys(&self.partition_key)?, keys(&self.sort_key)?);
        let index = IndexDef::new(self.id(), schema, partition, sort, names);
        Some(if self.is_local { index.local() } else { index })
    }
}

impl Expiry {
    pub(super) fn def(&self) -> Option<ExpiryDef> {
        self.enabled.then(|| ExpiryDef {
            id: IndexId(self.expiry_index),
            attribute: self.attribute.clone(),
        })
    }
}

impl<S: Store> Control<S> {
    /// Returns a number for another index.
    pub fn index_number(&self) -> u64 {
        self.entropy().random().max(IndexId::FIRST)
    }

    /// Says whether and by which attribute a table's items expire, if nobody else does so.
    ///
    /// Errors: those of the change.
    pub async fn set_expiry(&self, view: &TableView, expiry: &Expiry) -> Result<(), TableError> {
        let change = match &view.expiry {
            Some(known) => Change::replace(known, expiry),
            None => Change::create(expiry),
        };
        self.change(vec![change]).await?;
        Ok(())
    }
}
