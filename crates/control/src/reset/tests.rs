//! Tests of emptying a region: what goes, what stays, and when it is done.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::region::RegionName;
use item::key::Key;
use item::value::{AttributeValue, Item};
use serde_json::json;
use table::write::{Effect, Write};

use super::Emptied;
use crate::backups::Backup;
use crate::control::{PeerReach, Reach};
use crate::dns::LatencyEntry;
use crate::resource::Change;
use crate::tables::TableView;
use crate::testing::{self, Node, REGIONS};

async fn table(node: &Node, name: &str, settings: serde_json::Value) -> TableView {
    let schema = testing::schema("id");
    let made = node
        .control
        .create_table(name, &schema, settings, json!({"protected": true}));
    made.await.expect("made")
}

async fn put(node: &Node, view: &TableView, id: &str) {
    let mut item = Item::new();
    item.insert("id".to_owned(), AttributeValue::S(id.to_owned()));
    let table = node.control.tables().table(view.table.id());
    let write = Write {
        table: table.expect("known"),
        key: Key {
            partition: id.into(),
            sort: None,
        },
        decide: Box::new(move |_| Ok(Effect::Put(item))),
    };
    node.control.tables().write(write).await.expect("written");
}

fn region(name: &str) -> RegionName {
    RegionName::parse(name).expect("a region")
}

#[tokio::test]
async fn all_tables_of_the_region_go_with_what_they_leave() {
    let node = Node::open("us-east-1").await;
    let stream = json!({"stream": "NEW_IMAGE", "stream_label": "now"});
    let carts = table(&node, "carts", stream).await;
    let orders = table(&node, "orders", json!({})).await;
    let there = region("eu-west-1");
    let replica = node.control.create_replica(&carts, &there, json!({}));
    replica.await.expect("made");
    put(&node, &carts, "anna").await;
    node.control.settle().await.expect("settled");
    let asked = node.control.create_backup(&orders, "orders-1");
    asked.await.expect("asked for");
    let entry = json!([{"network": "198.51.100.0/24", "rtt_micros": {"us-east-1": 1000}}]);
    let entries: Vec<LatencyEntry> = serde_json::from_value(entry).expect("an entry");
    let kept = node
        .control
        .change(entries.iter().map(Change::put).collect());
    kept.await.expect("changed");

    assert!(!node.control.is_empty().await.expect("read"));
    let mut emptied = Emptied::default();
    node.control.empty(&mut emptied).await.expect("emptied");
    let names = ["carts", "orders"].map(str::to_owned);
    assert_eq!(emptied.tables, BTreeSet::from(names));
    assert_eq!((emptied.streams, emptied.backups), (1, 1));
    let left = node.control.table_views();
    let replicas = left.iter().flat_map(|view| view.replicas.values());
    let left: Vec<_> = replicas.map(|replica| &*replica.region).collect();
    assert_eq!(left, ["eu-west-1"], "another region's stays");
    // Its items go by and by.
    assert!(!node.control.is_empty().await.expect("read"));
    node.control.settle().await.expect("settled");
    assert!(node.control.is_empty().await.expect("read"));
    assert_eq!(node.control.all::<LatencyEntry>().len(), 1, "no table's");

    let again = table(&node, "carts", json!({})).await;
    assert_ne!(again.table.id, carts.table.id);
    let mut emptied = Emptied::default();
    node.control.empty(&mut emptied).await.expect("emptied");
    assert_eq!((emptied.tables.len(), emptied.streams), (1, 0));
}

#[tokio::test]
async fn regions_lack_a_change_until_they_are_known_to_have_applied_it() {
    let (node, other) = (Node::open(REGIONS[0]).await, Node::open(REGIONS[1]).await);
    table(&node, "carts", json!({})).await;
    let mut emptied = Emptied::default();
    node.control.empty(&mut emptied).await.expect("emptied");
    let last = emptied.last.expect("something was deleted");
    let lacking = || {
        let applied = other.control.tables().applied();
        let peer = PeerReach {
            live: true,
            applied,
            ..PeerReach::default()
        };
        let reach = Reach::from([(other.id(), peer)]);
        node.reach.send_replace(Arc::new(reach));
        node.control.lacking(last)
    };
    let [_, one, two] = REGIONS.map(region);
    assert_eq!(lacking(), [one, two.clone()]);
    testing::pull(&other, &node).await;
    assert_eq!(lacking(), [two]);
}

#[tokio::test]
async fn a_region_leaves_what_other_regions_have() {
    let [node, other] = [Node::open(REGIONS[0]).await, Node::open(REGIONS[1]).await];
    let carts = table(&other, "carts", json!({"stream": "NEW_IMAGE"})).await;
    let asked = other.control.create_backup(&carts, "carts-1");
    asked.await.expect("asked for");
    testing::pull(&node, &other).await;
    node.control.refresh().await.expect("refreshed");
    assert_eq!(node.control.table_views().len(), 1, "it knows of the table");

    let mut emptied = Emptied::default();
    node.control.empty(&mut emptied).await.expect("emptied");
    assert_eq!(emptied, Emptied::default());
    assert!(node.control.is_empty().await.expect("read"), "of its own");
    assert_eq!(node.control.table_views().len(), 1);
    assert_eq!(node.control.all::<Backup>().len(), 1);
    testing::pull(&other, &node).await;
    other.control.refresh().await.expect("refreshed");
    assert!(!other.control.is_empty().await.expect("read"));
}

#[tokio::test]
async fn what_somebody_works_on_goes_all_the_same() {
    let node = Node::open(REGIONS[0]).await;
    let carts = table(&node, "carts", json!({})).await;
    let asked = node.control.create_backup(&carts, "carts-1");
    asked.await.expect("asked for");
    let seen = node.control.all::<Backup>();
    let seen = seen.first().expect("the backup");
    let further = Backup {
        name: "changed meanwhile".to_owned(),
        ..seen.clone()
    };
    let changed = node.control.change(vec![Change::put(&further)]);
    changed.await.expect("changed");
    let removed = node.control.change(vec![super::gone(seen)]);
    removed.await.expect("removed");
    assert!(node.control.all::<Backup>().is_empty());
    let again = node.control.change(vec![super::gone(seen)]);
    again.await.expect("somebody else was faster");
}
