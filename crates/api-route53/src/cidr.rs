//! CIDR collections: made, listed, changed under their version, removed.
//!
//! Where a client lies is decided by [`dns_core::cidr`].
//! Source: Route 53 API reference, "Actions on CIDR collections".

use std::collections::{BTreeMap, BTreeSet};

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::xml::XmlWriter;
use control::dns::cidr::{self, CidrBlock, CidrCollection, Collections};
use control::dns::{RecordSet, Routing};
use control::resource::Change;
use store::port::Store;

use crate::change_id::ChangeId;
use crate::cidr_xml::{self, Action, BlockChange};
use crate::facade::{Call, Reply, Route53};
use crate::faults::{self, invalid_input};
use crate::limits::{
    BLOCKS_MAX, COLLECTION_CHARACTERS_MAX, COLLECTION_REFERENCE_CHARACTERS_MAX, COLLECTIONS_MAX,
    PAGE_MAX,
};
use crate::operation::arn;

impl<S: Store> Route53<S> {
    fn collections_of(&self, account: &str) -> Vec<CidrCollection> {
        let mut collections = cidr::all(&self.control);
        collections.retain(|collection| collection.account == account);
        collections
    }

    /// Returns those of an account's collections that record sets name, laid out for lookup.
    pub(crate) fn laid_out_of<'s>(
        &self,
        account: &str,
        sets: impl Iterator<Item = &'s RecordSet>,
    ) -> Collections {
        let named: BTreeSet<&str> = sets.filter_map(collection_of).collect();
        let ids = named.into_iter();
        let collections = ids.filter_map(|id| cidr::get(&self.control, id));
        let own = collections.filter(|collection| collection.account == account);
        cidr::lay_out(&self.control, own).0
    }

    /// Returns a collection that belongs to the caller.
    fn collection_of(&self, caller: &Caller, id: &str) -> Result<CidrCollection, Fault> {
        cidr::get(&self.control, id)
            .filter(|collection| collection.account == caller.account.to_string())
            .ok_or_else(|| faults::no_such_collection(id))
    }

    pub(crate) async fn create_collection(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let document = call.document("CreateCidrCollectionRequest")?;
        let name = document.text_of("Name").unwrap_or_default();
        if !cidr_xml::is_name(name, COLLECTION_CHARACTERS_MAX) {
            let message = "The name of a CIDR collection has 1 to 64 letters, digits, - and _.";
            return Err(invalid_input(message));
        }
        let reference = document.text_of("CallerReference").unwrap_or_default();
        let lengths = 1..=COLLECTION_REFERENCE_CHARACTERS_MAX;
        if !reference.is_ascii() || !lengths.contains(&reference.len()) {
            let message = "The caller reference must have 1 to 64 ASCII characters.";
            return Err(invalid_input(message));
        }
        let account = call.caller.account.to_string();
        let new = CidrCollection {
            id: cidr::collection_id(&account, name, reference),
            name: name.to_owned(),
            caller_reference: reference.to_owned(),
            version: 1,
            account,
        };
        let _turn = self.changing.lock().await;
        let own = self.collections_of(&new.account);
        let collection = match own.iter().find(|own| own.name == new.name) {
            // The same call again: the collection is there already.
            Some(old) if old.caller_reference == reference => old.clone(),
            Some(_) => {
                let message = "A CIDR collection with this name and a different caller reference \
                               already exists in this account.";
                return Err(Fault::caller(
                    "CidrCollectionAlreadyExistsException",
                    message,
                ));
            }
            None if COLLECTIONS_MAX <= own.len() => {
                let message = format!(
                    "The account already has the {COLLECTIONS_MAX} CIDR collections it may."
                );
                return Err(Fault::caller("LimitsExceeded", message));
            }
            None => {
                self.control
                    .change(vec![Change::create(&new)])
                    .await
                    .map_err(faults::collection_not_changed)?;
                new
            }
        };
        let reply = Reply::document("CreateCidrCollectionResponse", |xml| {
            xml.within("Collection", |xml| write_collection(&collection, xml));
        });
        Ok(reply.created(&format!("cidrcollection/{}", collection.id)))
    }

    pub(crate) fn list_collections(&self, call: &Call<'_>) -> Result<Reply, Fault> {
        let collections = self.collections_of(&call.caller.account.to_string());
        let collections = collections.into_iter();
        let all = collections.map(|collection| (collection.id.clone(), collection));
        let (page, next) = page(call, all.collect())?;
        Ok(Reply::document("ListCidrCollectionsResponse", |xml| {
            write_next(next.as_deref(), xml);
            xml.within("CidrCollections", |xml| {
                for collection in &page {
                    xml.within("member", |xml| write_collection(collection, xml));
                }
            });
        }))
    }

    pub(crate) fn list_locations(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        self.collection_of(call.caller, id)?;
        let blocks = cidr::blocks(&self.control, id).into_iter();
        let all = blocks.map(|block| (block.location.clone(), block.location));
        let (page, next) = page(call, all.collect())?;
        Ok(Reply::document("ListCidrLocationsResponse", |xml| {
            write_next(next.as_deref(), xml);
            xml.within("CidrLocations", |xml| {
                for location in &page {
                    xml.within("member", |xml| xml.leaf("LocationName", location));
                }
            });
        }))
    }

    pub(crate) fn list_blocks(&self, call: &Call<'_>, id: &str) -> Result<Reply, Fault> {
        self.collection_of(call.caller, id)?;
        let mut blocks = cidr::blocks(&self.control, id);
        if let Some(location) = call.parameters.first("location") {
            blocks.retain(|block| block.location == location);
            if blocks.is_empty() {
                return Err(faults::no_such_location(location));
            }
        }
        let key = |block: &CidrBlock| format!("{} {}", block.location, block.block);
        let all = blocks.into_iter().map(|block| (key(&block), block));
        let (page, next) = page(call, all.collect())?;
        Ok(Reply::document("ListCidrBlocksResponse", |xml| {
            write_next(next.as_deref(), xml);
            xml.within("CidrBlocks", |xml| {
                for block in &page {
                    xml.within("member", |xml| {
                        xml.leaf("CidrBlock", &block.block);
                        xml.leaf("LocationName", &block.location);
                    });
                }
            });
        }))
    }

    pub(crate) async fn change_collection(
        &self,
        call: &Call<'_>,
        id: &str,
    ) -> Result<Reply, Fault> {
        let document = call.document("ChangeCidrCollectionRequest")?;
        let batch = cidr_xml::read_changes(&document)?;
        let _turn = self.changing.lock().await;
        let old = self.collection_of(call.caller, id)?;
        if let Some(version) = document.text_of("CollectionVersion") {
            let expected = version.parse::<u64>().ok().filter(|version| 0 < *version);
            let expected = expected
                .ok_or_else(|| invalid_input(format!("{version:?} is no collection version.")))?;
            if expected != old.version {
                let message = format!("The CIDR collection is at version {}.", old.version);
                let code = "CidrCollectionVersionMismatchException";
                return Err(faults::conflict(code, message));
            }
        }
        let before: Blocks = cidr::blocks(&self.control, id)
            .into_iter()
            .map(|block| (block.block, block.location))
            .collect();
        let after = apply(&before, &batch)?;
        self.keeps_used_locations(id, &before, &after)?;
        let new = CidrCollection {
            version: old.version + 1,
            ..old.clone()
        };
        let mut changes = vec![Change::replace(&old, &new)];
        changes.extend(difference(id, &before, &after));
        let position = self
            .control
            .change(changes)
            .await
            .map_err(faults::collection_not_changed)?;
        let id = ChangeId {
            position,
            submitted: self.control.clock().wall(),
        };
        Ok(Reply::document("ChangeCidrCollectionResponse", |xml| {
            xml.leaf("Id", &id.as_text());
        }))
    }

    /// Errors: `CidrBlockInUseException` where the last block of a location goes that a record set
    /// names.
    fn keeps_used_locations(&self, id: &str, before: &Blocks, after: &Blocks) -> Result<(), Fault> {
        let kept: BTreeSet<&String> = after.values().collect();
        let gone = before.values().filter(|location| !kept.contains(location));
        let gone: BTreeSet<&str> = gone.map(String::as_str).collect();
        if gone.is_empty() {
            return Ok(());
        }
        match self.user_of(id, |location| gone.contains(location)) {
            None => Ok(()),
            Some((set, location)) => {
                let message = format!(
                    "The last CIDR block of location {location} is used by the record {} {}.",
                    set.name, set.record_type
                );
                Err(Fault::caller("CidrBlockInUseException", message))
            }
        }
    }

    /// Finds a record set that names a location of a collection.
    fn user_of(&self, id: &str, named: impl Fn(&str) -> bool) -> Option<(RecordSet, String)> {
        let sets = self.control.all::<RecordSet>().into_iter();
        let mut users = sets.filter_map(|set| {
            let Routing::Cidr {
                collection,
                location,
            } = &set.routing
            else {
                return None;
            };
            let used = collection == id && named(location);
            let location = location.clone();
            used.then_some((set, location))
        });
        users.next()
    }

    pub(crate) async fn delete_collection(
        &self,
        call: &Call<'_>,
        id: &str,
    ) -> Result<Reply, Fault> {
        let _turn = self.changing.lock().await;
        let collection = self.collection_of(call.caller, id)?;
        let in_use = |message: String| Err(Fault::caller("CidrCollectionInUseException", message));
        if !cidr::blocks(&self.control, id).is_empty() {
            return in_use(format!("The CIDR collection {id} is not empty."));
        }
        if let Some((set, _)) = self.user_of(id, |_| true) {
            return in_use(format!(
                "The CIDR collection {id} is used by the record {} {}.",
                set.name, set.record_type
            ));
        }
        self.control
            .change(vec![Change::remove(&collection)])
            .await
            .map_err(faults::collection_not_changed)?;
        Ok(Reply::document("DeleteCidrCollectionResponse", |_| ()))
    }
}

/// Returns the collection that a record set names.
fn collection_of(set: &RecordSet) -> Option<&str> {
    let Routing::Cidr { collection, .. } = &set.routing else {
        return None;
    };
    Some(collection)
}

/// The blocks of a collection and the location of each.
type Blocks = BTreeMap<String, String>;

/// Returns the blocks that a change leaves.
///
/// Shape: what it removes goes first, so that a block may move in one change, in either order.
/// Errors: `CidrBlockInUseException` for a block that lies in another location; `LimitsExceeded`.
fn apply(before: &Blocks, batch: &[BlockChange<'_>]) -> Result<Blocks, Fault> {
    let mut blocks = before.clone();
    let of = |action: Action| batch.iter().filter(move |change| change.action == action);
    for change in of(Action::Delete) {
        let block = change.block.to_string();
        if blocks.get(&block).is_some_and(|of| of == change.location) {
            blocks.remove(&block);
        }
    }
    for change in of(Action::Put) {
        let block = change.block.to_string();
        let location = blocks
            .entry(block)
            .or_insert_with(|| change.location.to_owned());
        if location != change.location {
            let message = format!(
                "The CIDR block {} is already in use by location {location}.",
                change.block
            );
            return Err(Fault::caller("CidrBlockInUseException", message));
        }
    }
    if BLOCKS_MAX < blocks.len() {
        let message = format!("A CIDR collection has at most {BLOCKS_MAX} CIDR blocks.");
        return Err(Fault::caller("LimitsExceeded", message));
    }
    Ok(blocks)
}

fn difference(id: &str, before: &Blocks, after: &Blocks) -> Vec<Change> {
    let block = |(block, location): (&String, &String)| CidrBlock {
        collection: id.to_owned(),
        block: block.clone(),
        location: location.clone(),
    };
    let gone = before.iter().filter(|(at, _)| !after.contains_key(*at));
    let mut changes: Vec<Change> = gone.map(|gone| Change::remove(&block(gone))).collect();
    for new in after {
        match before.get(new.0) {
            None => changes.push(Change::create(&block(new))),
            Some(old) if old != new.1 => {
                changes.push(Change::replace(&block((new.0, old)), &block(new)));
            }
            Some(_) => {}
        }
    }
    changes
}

/// Returns a page of a list, and the key that the next begins with.
fn page<T>(call: &Call<'_>, all: BTreeMap<String, T>) -> Result<(Vec<T>, Option<String>), Fault> {
    let given = |name: &str| {
        let text = call.parameters.first(name);
        text.filter(|text: &&str| !text.is_empty())
    };
    let most = match given("maxresults") {
        None => PAGE_MAX,
        Some(text) => match text.parse::<usize>() {
            Ok(wanted) if 0 < wanted => wanted.min(PAGE_MAX),
            Ok(_) | Err(_) => {
                let message = format!("MaxResults must be a number above 0, not {text:?}.");
                return Err(invalid_input(message));
            }
        },
    };
    let from = given("nexttoken").unwrap_or_default();
    let mut rest = all.into_iter().filter(|(key, _)| from <= key.as_str());
    let page = rest.by_ref().take(most).map(|(_, one)| one).collect();
    Ok((page, rest.next().map(|(key, _)| key)))
}

fn write_next(next: Option<&str>, xml: &mut XmlWriter) {
    if let Some(next) = next {
        xml.leaf("NextToken", next);
    }
}

fn write_collection(collection: &CidrCollection, xml: &mut XmlWriter) {
    xml.leaf("Arn", &arn("cidrcollection", &collection.id));
    xml.leaf("Id", &collection.id);
    xml.leaf("Name", &collection.name);
    xml.leaf("Version", &collection.version.to_string());
}
