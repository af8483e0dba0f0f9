//! Collections against a naive sum: whatever is written before and after they are counted.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::name::TableId;
use base::region::RegionId;
use clock::port::{Clock, Entropy};
use clock::time::{Moment, WallTime};
use item::key::{Key, KeyAttribute, KeyKind, KeySchema, KeyValue};
use item::size::item_size;
use item::value::{AttributeValue, Item};
use store::memory::MemStore;
use store::port::Durability;

use crate::def::{HistoryDef, IndexDef, IndexId, TableDef};
use crate::tables::{Options, Tables};
use crate::write::{Effect, Write};

const HERE: RegionId = RegionId(1);
const TABLE: TableId = TableId(1 << 20);

struct Still;

impl Clock for Still {
    fn now(&self) -> Moment {
        Moment::from_micros(1)
    }

    fn wall(&self) -> WallTime {
        WallTime::from_micros(1)
    }
}

impl Entropy for Still {
    fn random(&self) -> u64 {
        7
    }
}

async fn open() -> Tables<MemStore> {
    let options = Options {
        region: HERE,
        members: BTreeSet::from([HERE]),
        clock: Arc::new(Still),
        entropy: Arc::new(Still),
        durability: Durability::Disk,
    };
    let tables = Tables::open(MemStore::new(), options).await.expect("open");
    let key = |name: &str| KeyAttribute {
        name: name.to_owned(),
        kind: KeyKind::S,
    };
    let schema = KeySchema {
        partition: key("p"),
        sort: Some(key("s")),
    };
    let index = |number: u64, names| {
        let id = IndexId(IndexId::FIRST + number);
        IndexDef::new(id, &schema, vec![key("p")], vec![key("other")], names)
    };
    tables.define(TableDef {
        id: TABLE,
        replicas: BTreeSet::from([HERE]),
        filling: false,
        resolver: crate::def::Resolver::Item,
        history: HistoryDef::default(),
        indexes: vec![
            index(0, None).local(),
            index(1, Some(BTreeSet::new())).local(),
            index(2, None),
        ],
        expiry: None,
        schema,
    });
    tables
}

fn item(partition: &str, sort: &str, other: Option<&str>, bytes: usize) -> Item {
    let mut item = Item::new();
    for (name, value) in [("p", Some(partition)), ("s", Some(sort)), ("other", other)] {
        if let Some(value) = value {
            item.insert(name.to_owned(), AttributeValue::from(value));
        }
    }
    item.insert("rest".to_owned(), AttributeValue::from("x".repeat(bytes)));
    item
}

/// Writes an item, or removes it.
async fn write(tables: &Tables<MemStore>, at: (&str, &str), item: Option<Item>) {
    let (partition, sort) = at;
    let write = Write {
        table: tables.table(TABLE).expect("known"),
        key: Key {
            partition: partition.into(),
            sort: Some(sort.into()),
        },
        decide: Box::new(|_| Ok(item.map_or(Effect::Delete, Effect::Put))),
    };
    tables.write(write).await.expect("written");
}

async fn size(tables: &Tables<MemStore>, partition: &str) -> u64 {
    known(tables, partition).await.expect("counted")
}

/// Returns the size of a collection, if it is counted or small.
async fn known(tables: &Tables<MemStore>, partition: &str) -> Option<u64> {
    let table = tables.table(TABLE).expect("known");
    let partition = KeyValue::from(partition);
    let size = tables.collection_size(&table, &partition).await;
    size.expect("read")
}

/// Returns what items take, each given with whether it is in the local indexes.
fn sum(items: &[&Item]) -> u64 {
    let one = |item: &Item| {
        let mut held = item.clone();
        held.remove("rest");
        let is_indexed = item.contains("other");
        let entries = if is_indexed {
            item_size(item) + item_size(&held)
        } else {
            0
        };
        item_size(item) + entries
    };
    let total: usize = items.iter().map(|item| one(item)).sum();
    u64::try_from(total).expect("small")
}

#[tokio::test]
async fn a_collection_is_its_items_and_their_entries_in_local_indexes() {
    let tables = open().await;
    assert_eq!(size(&tables, "a").await, 0);
    let (one, two) = (item("a", "1", Some("x"), 100), item("a", "2", None, 50));
    write(&tables, ("a", "1"), Some(one.clone())).await;
    write(&tables, ("a", "2"), Some(two.clone())).await;
    let other = item("b", "1", Some("y"), 70);
    write(&tables, ("b", "1"), Some(other.clone())).await;
    assert_eq!(size(&tables, "a").await, sum(&[&one, &two]), "as it grew");
    assert_eq!(size(&tables, "b").await, sum(&[&other]), "counted");
    let less = item("a", "1", None, 10);
    write(&tables, ("a", "1"), Some(less.clone())).await;
    write(&tables, ("a", "2"), None).await;
    assert_eq!(size(&tables, "a").await, sum(&[&less]));
    tables.lock().collections.forget(TABLE);
    assert_eq!(size(&tables, "a").await, sum(&[&less]), "counted anew");
}

#[tokio::test]
async fn a_large_collection_is_counted_by_whoever_drives_the_region() {
    let tables = open().await;
    let mut items = Vec::new();
    for number in 0..8 {
        let sort = format!("{number}");
        let item = item("a", &sort, Some("x"), 300_000);
        write(&tables, ("a", &sort), Some(item.clone())).await;
        items.push(item);
    }
    let whole = |items: &[Item]| sum(&items.iter().collect::<Vec<_>>());
    assert_eq!(known(&tables, "a").await, None);
    assert_eq!(known(&tables, "a").await, None, "it is asked for once");
    assert_eq!(tables.lock().collections.due.len(), 1);
    tables.collections_due().await;
    tables.count_collections().await.expect("counted");
    assert_eq!(size(&tables, "a").await, whole(&items));
    let more = item("a", "9", None, 10);
    write(&tables, ("a", "9"), Some(more.clone())).await;
    items.push(more);
    assert_eq!(size(&tables, "a").await, whole(&items), "as it grew");
}

#[tokio::test]
async fn the_collections_of_a_table_that_goes_are_forgotten() {
    let tables = open().await;
    write(&tables, ("small", "1"), Some(item("small", "1", None, 10))).await;
    size(&tables, "small").await;
    for number in 0..8 {
        let sort = format!("{number}");
        write(&tables, ("a", &sort), Some(item("a", &sort, None, 300_000))).await;
    }
    assert_eq!(known(&tables, "a").await, None);
    tables.forget(TABLE);
    let is_empty = |tables: &Tables<MemStore>| {
        let collections = &tables.lock().collections;
        collections.is_empty() && collections.due.is_empty()
    };
    assert!(is_empty(&tables));
    tables.count_collections().await.expect("counted");
    assert!(is_empty(&tables));
}
