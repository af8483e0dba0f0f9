//! Tests of emptying a project: what goes, what stays, and when it is done.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::region::RegionName;
use item::key::Key;
use item::value::{AttributeValue, Item};
use serde_json::json;
use table::write::{Effect, Write};

use super::Emptied;
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
async fn all_tables_of_all_regions_go_with_what_they_leave() {
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
    assert_eq!((emptied.streams, emptied.backups), (2, 1));
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
