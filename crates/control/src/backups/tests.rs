//! Tests of backups and restored tables: what a crash leaves, and what is gone on with.

use std::sync::Arc;

use base::name::TableId;
use item::key::Key;
use item::value::{AttributeValue, Item};
use table::read::Scan;
use table::write::{Effect, Write};
use tokio::task::JoinSet;

use super::{Backup, BackupStatus, Restore};
use crate::tables::{ReplicaStatus, TableDraft, TableView};
use crate::testing::{self, Node};

fn json() -> serde_json::Value {
    serde_json::json!({})
}

async fn carts(node: &Node) -> TableView {
    let schema = testing::schema("customer");
    let made = node.control.create_table("carts", &schema, json(), json());
    made.await.expect("made")
}

async fn put(node: &Node, table: TableId, customer: &str) {
    let mut item = Item::new();
    let name = AttributeValue::S(customer.to_owned());
    item.insert("customer".to_owned(), name);
    let table = node.control.tables().table(table).expect("known");
    let write = Write {
        table: Arc::clone(&table),
        key: Key {
            partition: customer.into(),
            sort: None,
        },
        decide: Box::new(move |_| Ok(Effect::Put(item))),
    };
    node.control.tables().write(write).await.expect("written");
}

async fn rows(node: &Node, table: TableId) -> usize {
    let scan = Scan {
        table: node.control.tables().table(table).expect("known"),
        segment: (0, 1),
        after: None,
        limit: None,
    };
    node.control
        .tables()
        .scan(&scan)
        .await
        .expect("read")
        .rows
        .len()
}

async fn restore(node: &Node, backup: &Backup) -> TableView {
    let from = Restore {
        table: backup.table.id,
        table_name: backup.table.name.clone(),
        backup: Some(backup.id),
        backup_arn: None,
        at: backup.at.unwrap_or_default(),
        done: false,
    };
    let draft = TableDraft {
        name: "again".to_owned(),
        schema: backup.table.schema().expect("known"),
        indexes: Vec::new(),
        settings: json(),
        replica_settings: json(),
    };
    let turn = node.control.turn().await;
    let made = node.control.restore_table(&turn, draft, from);
    made.await.expect("made")
}

#[tokio::test]
async fn a_backup_asked_for_before_a_crash_is_made_after_it_as_of_then() {
    let node = Node::open("us-east-1").await;
    let made = carts(&node).await;
    let id = made.table.id();
    put(&node, id, "ann").await;
    let asked = node.control.create_backup(&made, "nightly").await;
    let asked = asked.expect("asked");
    assert!(asked.at.is_some());
    put(&node, id, "bob").await;
    let node = node.restart().await;
    put(&node, id, "cem").await;
    assert_eq!(node.control.backups(), [asked]);
    node.control.work_on_copies().await.expect("worked");
    let backup = node.control.backups().pop().expect("it is there");
    assert_eq!((backup.status, backup.items), (BackupStatus::Available, 1));
    assert_eq!(
        node.control.tables().unbroken(id),
        None,
        "no history is needed any more"
    );
    // A table restored from it survives a crash in the middle too.
    let again = restore(&node, &backup).await;
    let node = node.restart().await;
    assert_eq!(node.control.restoring().len(), 1);
    assert!(
        node.control.fillings().is_empty(),
        "no other region fills it"
    );
    node.control.work_on_copies().await.expect("worked");
    assert_eq!(rows(&node, again.table.id()).await, 1);
    let view = node.control.table_named("again").expect("there");
    assert_eq!(view.replicas["us-east-1"].status, ReplicaStatus::Active);
    assert_eq!(rows(&node, id).await, 3);
}

#[tokio::test]
async fn a_place_that_is_being_cleared_is_not_filled_yet() {
    let node = Node::open("us-east-1").await;
    let made = carts(&node).await;
    put(&node, made.table.id(), "ann").await;
    let asked = node.control.create_backup(&made, "nightly").await;
    asked.expect("asked");
    node.control.work_on_copies().await.expect("worked");
    let backup = node.control.backups().pop().expect("it is there");
    node.control.settle().await.expect("settled");
    let again = restore(&node, &backup).await;
    // As if another replica had left an item in its place.
    let id = again.table.id();
    put(&node, id, "bob").await;
    let forerunner = node.control.tables().adopt(id, 1);
    forerunner.await.expect("noted");
    let node = node.restart().await;
    let own = node.control.restoring().pop().expect("it is asked for");
    node.store.hold();
    let mut both = JoinSet::new();
    let control = node.control.clone();
    both.spawn(async move { control.settle().await });
    while node.store.waiting() == 0 {
        tokio::task::yield_now().await;
    }
    // The list of what is to be removed is empty by now, and the work on it is not done.
    let control = node.control.clone();
    both.spawn(async move { control.clear(&own).await });
    for _ in 0..8 {
        tokio::task::yield_now().await;
    }
    assert!(
        both.try_join_next().is_none(),
        "it would be filled and then cleared"
    );
    while !both.is_empty() {
        node.store.step(usize::MAX);
        if let Some(done) = both.try_join_next() {
            done.expect("ended").expect("cleared");
        }
        tokio::task::yield_now().await;
    }
    assert_eq!(rows(&node, id).await, 0);
}

#[tokio::test]
async fn a_backup_outlives_its_table_and_its_bytes_go_with_it() {
    let node = Node::open("us-east-1").await;
    let made = carts(&node).await;
    put(&node, made.table.id(), "ann").await;
    let asked = node.control.create_backup(&made, "last").await;
    asked.expect("asked");
    node.control.work_on_copies().await.expect("worked");
    let region = node.control.project().region.clone();
    let deleted = node.control.delete_replica(&made, &region).await;
    deleted.expect("deleted");
    node.control.settle().await.expect("settled");
    node.control.work_on_copies().await.expect("worked");
    let backup = node.control.backups().pop().expect("it is there");
    let again = restore(&node, &backup).await;
    node.control.work_on_copies().await.expect("worked");
    assert_eq!(rows(&node, again.table.id()).await, 1);
    node.control.delete_backup(&backup).await.expect("deleted");
    node.control.work_on_copies().await.expect("worked");
    let held = node.control.tables().backups().await.expect("read");
    assert_eq!(held, []);
}

#[tokio::test]
async fn a_backup_whose_table_went_before_it_was_whole_is_none() {
    let node = Node::open("us-east-1").await;
    let made = carts(&node).await;
    put(&node, made.table.id(), "ann").await;
    let asked = node.control.create_backup(&made, "late").await;
    asked.expect("asked");
    let region = node.control.project().region.clone();
    let deleted = node.control.delete_replica(&made, &region).await;
    deleted.expect("deleted");
    node.control.work_on_copies().await.expect("worked");
    assert_eq!(node.control.backups(), []);
    let held = node.control.tables().backups().await.expect("read");
    assert_eq!(held, []);
}
