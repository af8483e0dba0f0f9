//! CIDR collections: blocks of clients' addresses with the location of each.
//!
//! A block is an item of its own, keyed by its text: regions that change different blocks at the
//! same time both keep their change, and no block can come to lie in two locations.
//! Source: Route 53 API reference, data type `CidrCollection`.

use std::collections::BTreeMap;
use std::sync::Arc;

use dns_core::cidr::{Block, Collection};
use serde::{Deserialize, Serialize};
use store::port::Store;

use super::build::{Problem, problem};
use crate::control::Control;
use crate::resource::Resource;
use crate::system::SystemTable;

/// A CIDR collection, without its blocks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CidrCollection {
    /// Its id.
    pub id: String,
    /// The account that made it.
    pub account: String,
    /// Its name, which no other of its account has.
    pub name: String,
    /// What made the call that created it unique.
    pub caller_reference: String,
    /// Rises with each change of its blocks.
    pub version: u64,
}

/// A block of a CIDR collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CidrBlock {
    /// The id of its collection.
    pub collection: String,
    /// The block, as in `192.0.2.0/24`.
    pub block: String,
    /// The location that it lies in.
    pub location: String,
}

/// The partition of all collections. No collection has it as its id.
const COLLECTIONS: &str = "collections";

impl Resource for CidrCollection {
    const TABLE: SystemTable = SystemTable::CidrCollections;

    fn partition(&self) -> String {
        COLLECTIONS.to_owned()
    }

    fn sort(&self) -> String {
        self.id.clone()
    }
}

impl Resource for CidrBlock {
    const TABLE: SystemTable = SystemTable::CidrCollections;

    fn partition(&self) -> String {
        self.collection.clone()
    }

    fn sort(&self) -> String {
        self.block.clone()
    }
}

/// Returns every collection.
pub fn all<S: Store>(control: &Control<S>) -> Vec<CidrCollection> {
    control.list(COLLECTIONS, "")
}

/// Returns the collection with this id.
pub fn get<S: Store>(control: &Control<S>, id: &str) -> Option<CidrCollection> {
    control.get(COLLECTIONS, id)
}

/// Returns the blocks of a collection, ordered by their text.
pub fn blocks<S: Store>(control: &Control<S>, id: &str) -> Vec<CidrBlock> {
    control.list(id, "")
}

/// Returns the id of the collection that this call creates: the same for the same call, in
/// whatever region it lands.
///
/// Shape: a UUID of version 8.
pub fn collection_id(account: &str, name: &str, caller_reference: &str) -> String {
    let call = format!("{name}\0{caller_reference}");
    super::uuid(&super::hash("cidrcollection", account, &call))
}

/// Collections laid out for lookup, by id.
pub type Collections = BTreeMap<String, Arc<Collection>>;

/// Lays out collections with the blocks that a region has of them, and tells what is left out.
pub fn lay_out<S: Store>(
    control: &Control<S>,
    chosen: impl IntoIterator<Item = CidrCollection>,
) -> (Collections, Vec<Problem>) {
    let mut problems = Vec::new();
    let mut collections = Collections::new();
    for collection in chosen {
        let id = collection.id;
        let mut laid_out = Vec::new();
        for block in blocks(control, &id) {
            match block.block.parse::<Block>() {
                Ok(parsed) => laid_out.push((parsed, block.location)),
                Err(error) => problems.push(problem(&format!("{id} {}", block.block), &error)),
            }
        }
        let laid_out = Collection::new(id.clone(), laid_out);
        collections.insert(id, Arc::new(laid_out));
    }
    (collections, problems)
}

/// Returns a collection; one that is gone has no block, so that only the default is answered.
///
/// Another region may remove a collection while this one gives it a record set.
pub(super) fn laid_out(id: &str, collections: &Collections) -> Arc<Collection> {
    let empty = || Arc::new(Collection::new(id.to_owned(), Vec::new()));
    collections.get(id).map_or_else(empty, Arc::clone)
}
