//! Tests of replicas that come, go, and come again.

use std::sync::Arc;
use std::time::Duration;

use base::name::TableId;
use base::region::RegionName;
use item::key::Key;
use item::value::{AttributeValue, Item};
use replica_core::frame::copy::CopyItems;
use replica_core::link::Owed;
use replica_core::link::send::CopyRead;
use store::memory::MemStore;
use table::write::{Effect, Write};

use super::{Fills, Holders, Replica, ReplicaStatus, Table, TableError, TableView};
use crate::control::Control;
use crate::resource::Change;
use crate::system::SystemTable;
use crate::testing::{self, Node};

const EUROPE: &str = "eu-west-1";

fn europe() -> RegionName {
    RegionName::parse(EUROPE).expect("a region")
}

fn json() -> serde_json::Value {
    serde_json::json!({})
}

/// Makes a table in America with a whole replica in Europe, and one item in both.
async fn carts(east: &Node, west: &Node) -> TableView {
    let schema = testing::schema("customer");
    let made = east.control.create_table("carts", &schema, json(), json());
    let made = made.await.expect("made");
    east.control
        .create_replica(&made, &europe(), json())
        .await
        .expect("made");
    learn(west, east).await;
    west.control.settle().await.expect("settled");
    let fill = west.control.fillings()[&made.table.id()].clone();
    let noted = west.control.filled(made.table.id(), &fill).await;
    noted.expect("noted");
    learn(east, west).await;
    put(east, made.table.id()).await;
    learn(west, east).await;
    assert_eq!(rows(west, made.table.id()).await, 1);
    made
}

async fn learn(to: &Node, from: &Node) {
    testing::pull(to, from).await;
    to.control.refresh().await.expect("loaded");
}

async fn put(node: &Node, table: TableId) {
    let mut item = Item::new();
    let ann = AttributeValue::S("ann".to_owned());
    item.insert("customer".to_owned(), ann);
    let table = node.control.tables().table(table).expect("known");
    let write = Write {
        table: Arc::clone(&table),
        key: Key {
            partition: "ann".into(),
            sort: None,
        },
        decide: Box::new(move |_| Ok(Effect::Put(item))),
    };
    node.control.tables().write(write).await.expect("written");
}

async fn rows(node: &Node, table: TableId) -> usize {
    let page = node.control.tables().copy_page(table, None, 1 << 20, None);
    page.await.expect("read").items.len()
}

fn status(control: &Control<MemStore>) -> ReplicaStatus {
    let view = control.table_named("carts").expect("there");
    view.replicas[EUROPE].status
}

#[tokio::test]
async fn a_replica_that_is_removed_and_made_anew_at_once_starts_empty() {
    let (east, west) = (Node::open("us-east-1").await, Node::open(EUROPE).await);
    let made = carts(&east, &west).await;
    let id = made.table.id();
    // Europe is away, and learns of both changes at once.
    let removed = east.control.delete_replica(&made, &europe()).await;
    removed.expect("removed");
    let again = east.control.create_replica(&made, &europe(), json()).await;
    again.expect("made");
    learn(&west, &east).await;
    assert!(
        west.control.fillings().is_empty(),
        "what the one before held is still there"
    );
    let rest = async || {
        let part = (CopyItems::Rest, 1 << 20);
        let copy = west.control.tables().copy_for(east.id(), id, None, part);
        copy.await.expect("read")
    };
    assert!(matches!(rest().await, CopyRead::Later), "that is nobody's");
    west.control.settle().await.expect("settled");
    assert!(matches!(rest().await, CopyRead::Page { .. }));
    assert_eq!(rows(&west, id).await, 0);
    assert_eq!(west.control.fillings()[&id].sources, [east.id()]);
    assert_eq!(status(&west.control), ReplicaStatus::Creating);
}

#[tokio::test]
async fn a_table_that_is_gone_gets_no_replica() {
    let (east, west) = (Node::open("us-east-1").await, Node::open(EUROPE).await);
    let made = carts(&east, &west).await;
    let own = east.control.project().region.clone();
    let removed = east.control.delete_replica(&made, &own).await;
    removed.expect("removed");
    let far = RegionName::parse("ap-northeast-1").expect("a region");
    let is_missing =
        |error: &TableError| matches!(error, TableError::NotFound(name) if name == "carts");
    // Of a table that lives on elsewhere it was asked for by who has it no more.
    let late = east.control.create_replica(&made, &far, json()).await;
    assert!(is_missing(&late.expect_err("not here")));
    let last = east.control.delete_replica(&made, &europe()).await;
    last.expect("removed");
    let late = east.control.create_replica(&made, &far, json()).await;
    assert!(is_missing(&late.expect_err("gone")));
    let again = east.control.delete_replica(&made, &europe()).await;
    assert!(is_missing(&again.expect_err("gone")));
    assert_eq!(east.control.all::<Table>(), []);
    assert_eq!(east.control.all::<Replica>(), [], "nobody's");
}

#[tokio::test]
async fn a_table_that_is_deleted_in_two_regions_at_once_leaves_nothing() {
    let (east, west) = (Node::open("us-east-1").await, Node::open(EUROPE).await);
    let made = carts(&east, &west).await;
    for node in [&east, &west] {
        let own = node.control.project().region.clone();
        let removed = node.control.delete_replica(&made, &own).await;
        removed.expect("removed");
        node.control.settle().await.expect("settled");
    }
    // One of them is restarted before it hears of the other's.
    let east = east.restart().await;
    learn(&west, &east).await;
    learn(&east, &west).await;
    let removed = east.control.remove_left_behind().await;
    removed.expect("removed");
    assert_eq!(east.control.all::<Table>(), []);
    learn(&west, &east).await;
    let removed = west.control.remove_left_behind().await;
    removed.expect("removed");
    for node in [&east, &west] {
        assert_eq!(node.control.all::<Table>(), []);
        let notes = node.control.tables().notes(b"departed/").await;
        assert_eq!(notes.expect("read"), [], "they are forgotten with it");
    }
}

#[tokio::test]
async fn a_definition_whose_replicas_have_not_come_stays() {
    let (east, west) = (Node::open("us-east-1").await, Node::open(EUROPE).await);
    let made = carts(&east, &west).await;
    // A page of a copy ends between the definition and its replicas.
    let far = Node::open("ap-northeast-1").await;
    let id = SystemTable::Tables.id();
    let page = east.control.tables().copy_page(id, None, usize::MAX, None);
    let mut items = page.await.expect("read").items;
    let is_definition = |key: &[u8]| key.windows(10).any(|part| part == b"definition");
    items.retain(|item| is_definition(&item.key));
    assert_eq!(items.len(), 1);
    let merged = far.control.tables().merge_copy(id, items).await;
    merged.expect("merged");
    far.control.refresh().await.expect("loaded");
    let removed = far.control.remove_left_behind().await;
    removed.expect("nothing");
    assert_eq!(
        far.control.all::<Table>(),
        std::slice::from_ref(&made.table)
    );
    // Nor does a region that removed a replica take a table away from those that have one.
    let removed = west.control.delete_replica(&made, &europe()).await;
    removed.expect("removed");
    let removed = west.control.remove_left_behind().await;
    removed.expect("nothing");
    assert_eq!(west.control.all::<Table>(), [made.table]);
}

#[tokio::test]
async fn what_a_crash_left_of_a_removed_replica_is_removed_after_the_restart() {
    let (east, west) = (Node::open("us-east-1").await, Node::open(EUROPE).await);
    let made = carts(&east, &west).await;
    let removed = west.control.delete_replica(&made, &europe()).await;
    removed.expect("removed");
    assert_eq!(west.control.table_named("carts"), None);
    let again = west.restart().await;
    assert_eq!(rows(&again, made.table.id()).await, 1);
    again.control.settle().await.expect("settled");
    assert_eq!(rows(&again, made.table.id()).await, 0);
    let claimed = again.control.tables().claimed().await.expect("read");
    assert!(claimed.is_empty());
}

#[tokio::test]
async fn a_region_without_a_replica_knows_who_has_one() {
    let (east, west) = (Node::open("us-east-1").await, Node::open(EUROPE).await);
    let made = carts(&east, &west).await;
    let removed = west.control.delete_replica(&made, &europe()).await;
    removed.expect("removed");
    west.control.settle().await.expect("settled");
    let tables = west.control.tables();
    assert!(
        tables.is_replica(made.table.id(), east.id()),
        "else it would vouch for records whose changes it was never sent"
    );
    assert!(!tables.is_replica(made.table.id(), west.id()));
}

#[tokio::test]
async fn a_replica_whose_directory_is_lost_is_filled_again() {
    let (east, west) = (Node::open("us-east-1").await, Node::open(EUROPE).await);
    let made = carts(&east, &west).await;
    let id = made.table.id();
    let again = Node::open(EUROPE).await;
    again.clock.advance(Duration::from_mins(1));
    let had = east.control.tables().applied().at(west.id());
    let begun = again.control.tables().begin_log_above(had).await;
    begun.expect("begun");
    for table in SystemTable::ALL {
        let page = east.control.tables();
        let page = page.copy_page(table.id(), None, usize::MAX, None).await;
        let items = page.expect("read").items;
        let merged = again.control.tables().merge_copy(table.id(), items).await;
        merged.expect("merged");
    }
    again.control.refresh().await.expect("loaded");
    assert!(again.control.tables().table(id).expect("known").filling);
    again.control.settle().await.expect("settled");
    assert_eq!(status(&again.control), ReplicaStatus::Creating);
    let none = Fills::new();
    assert_eq!(again.control.fillings(), none, "others may not be known");
    let to = east.control.tables().applied().at(east.id());
    let skipped = again.control.tables().skip(east.id(), to, Owed::new());
    skipped.await.expect("noted");
    let fill = &again.control.fillings()[&id];
    assert_eq!(fill.sources, [east.id()]);
    again.control.filled(id, fill).await.expect("noted");
    assert_eq!(status(&again.control), ReplicaStatus::Active);
    assert!(!again.control.tables().table(id).expect("known").filling);
}

#[tokio::test]
async fn replicas_of_which_none_is_whole_give_each_other_what_they_have() {
    let (east, west) = (Node::open("us-east-1").await, Node::open(EUROPE).await);
    let schema = testing::schema("customer");
    let made = east.control.create_table("carts", &schema, json(), json());
    let made = made.await.expect("made");
    let id = made.table.id();
    let replica = east.control.create_replica(&made, &europe(), json()).await;
    replica.expect("made");
    learn(&west, &east).await;
    west.control.settle().await.expect("settled");
    let fill = west.control.fillings()[&id].clone();
    assert_eq!(fill.holders, Holders::Primary, "america is whole");
    // America loses its directory before Europe is filled, and says so when it is back.
    let replica = east.control.own_replica(id).expect("there");
    let lost = Replica {
        status: ReplicaStatus::Creating,
        ..replica.clone()
    };
    let noted = east.control.change(vec![Change::replace(&replica, &lost)]);
    noted.await.expect("noted");
    learn(&west, &east).await;
    for node in [&east, &west] {
        let fill = node.control.fillings()[&id].clone();
        assert_eq!(fill.holders, Holders::Parts);
        let other = if node.id() == east.id() {
            west.id()
        } else {
            east.id()
        };
        let portion = fill.portion_of(other).expect("it gives something");
        let whole = CopyItems::All;
        let copy = |items| {
            node.control
                .tables()
                .copy_for(other, id, None, (items, 1 << 20))
        };
        let later = copy(whole).await.expect("read");
        assert!(
            matches!(later, CopyRead::Later),
            "nothing passes for the whole"
        );
        let page = copy(portion.items).await.expect("read");
        assert!(matches!(page, CopyRead::Page { .. }));
    }
    // What it was given as long as America passed for whole is not what there is.
    let early = west.control.filled(id, &fill).await;
    early.expect("no matter");
    assert_eq!(status(&west.control), ReplicaStatus::Creating);
    let parts = west.control.fillings()[&id].clone();
    west.control.filled(id, &parts).await.expect("noted");
    let replica = west.control.own_replica(id).expect("there");
    assert_eq!(replica.status, ReplicaStatus::Active);
    assert!(replica.salvaged.is_some(), "it is told");
    learn(&east, &west).await;
    let fill = east.control.fillings()[&id].clone();
    assert_eq!(
        (fill.holders, fill.sources),
        (Holders::Primary, vec![west.id()])
    );
}
