//! Tests of resources in one region, and across two.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use base::region::{RegionId, RegionName};
use replica_core::link::copies::Fill;
use replica_core::vector::{Seq, VersionVector};

use super::{Control, ControlError, PeerReach};
use crate::resource::{Change, Resource};
use crate::system::SystemTable;
use crate::testing::{self, Node};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Note {
    about: String,
    text: String,
}

impl Resource for Note {
    const TABLE: SystemTable = SystemTable::Tags;

    fn partition(&self) -> String {
        "notes".to_owned()
    }

    fn sort(&self) -> String {
        self.about.clone()
    }
}

fn note(about: &str, text: &str) -> Note {
    Note {
        about: about.to_owned(),
        text: text.to_owned(),
    }
}

fn texts(control: &Control<store::memory::MemStore>, prefix: &str) -> Vec<String> {
    control
        .list::<Note>("notes", prefix)
        .into_iter()
        .map(|note| note.text)
        .collect()
}

#[tokio::test]
async fn what_is_changed_can_be_read_at_once_and_after_a_restart() {
    let node = Node::open("us-east-1").await;
    let control = &node.control;
    let position = control
        .change(vec![Change::create(&note("a/1", "one"))])
        .await
        .expect("made");
    assert_eq!(position.seq, 1);
    control
        .change(vec![Change::create(&note("a/2", "two"))])
        .await
        .expect("made");
    control
        .change(vec![Change::create(&note("b", "three"))])
        .await
        .expect("made");
    assert_eq!(texts(control, "a/"), ["one", "two"]);
    assert_eq!(texts(control, ""), ["one", "two", "three"]);
    assert_eq!(control.get::<Note>("notes", "b"), Some(note("b", "three")));
    control
        .change(vec![Change::remove(&note("b", "three"))])
        .await
        .expect("removed");

    let again = node.restart().await;
    assert_eq!(texts(&again.control, ""), ["one", "two"]);
}

#[tokio::test]
async fn a_change_that_is_not_as_expected_changes_nothing() {
    let node = Node::open("us-east-1").await;
    let control = &node.control;
    control
        .change(vec![Change::create(&note("a", "one"))])
        .await
        .expect("made");
    let twice = vec![
        Change::create(&note("b", "new")),
        Change::create(&note("a", "again")),
    ];
    let Err(ControlError::Unexpected(key)) = control.change(twice).await else {
        panic!("there is one");
    };
    assert_eq!(key.sort, "a");
    let stale = Change::replace(&note("a", "older"), &note("a", "newer"));
    assert!(matches!(
        control.change(vec![stale]).await,
        Err(ControlError::Unexpected(_))
    ));
    assert_eq!(texts(control, ""), ["one"]);
}

#[tokio::test]
async fn a_change_in_one_region_is_a_resource_of_the_other() {
    let (east, west) = (Node::open("us-east-1").await, Node::open("eu-west-1").await);
    let position = east
        .control
        .change(vec![Change::create(&note("a", "one"))])
        .await;
    let position = position.expect("made");
    let mut generation = west.control.generation();
    generation.mark_unchanged();
    testing::pull(&west, &east).await;
    west.control.refresh().await.expect("loaded");
    assert!(generation.has_changed().expect("open"));
    assert_eq!(texts(&west.control, ""), ["one"]);
    assert_eq!(
        west.control.tables().applied().at(east.id()),
        Seq(position.seq)
    );
    assert!(west.control.has_reached_all(position));
}

#[tokio::test]
async fn a_change_has_reached_all_once_those_that_live_have_it_and_some_do() {
    let east = Node::open("us-east-1").await;
    let made = east.control.change(vec![Change::create(&note("a", "one"))]);
    let position = made.await.expect("made");
    let peer = |region: u16, live, seq| {
        let applied = VersionVector::from_iter([(east.id(), Seq(seq))]);
        let copying = BTreeMap::new();
        let peer = PeerReach {
            live,
            applied,
            copying,
        };
        (RegionId(region), peer)
    };
    let reached = |peers: [(RegionId, PeerReach); 2]| {
        east.reach.send_replace(Arc::new(BTreeMap::from(peers)));
        east.control.has_reached_all(position)
    };
    let has = position.seq;
    assert!(
        east.control.has_reached_all(position),
        "there are no others"
    );
    assert!(reached([peer(8, true, has), peer(9, true, has)]));
    assert!(!reached([peer(8, true, has), peer(9, true, has - 1)]));
    assert!(reached([peer(8, true, has), peer(9, false, 0)]));
    assert!(
        !reached([peer(8, false, has), peer(9, false, 0)]),
        "it is cut off"
    );
}

#[tokio::test]
async fn a_global_table_is_one_table_with_replicas() {
    let (east, west) = (Node::open("us-east-1").await, Node::open("eu-west-1").await);
    let europe = RegionName::parse("eu-west-1").expect("a region");
    let schema = testing::schema("customer");
    let json = || serde_json::json!({});
    let made = east
        .control
        .create_table("carts", &schema, json(), json())
        .await
        .expect("made");
    let again = east
        .control
        .create_table("carts", &schema, json(), json())
        .await;
    assert!(matches!(again, Err(crate::tables::TableError::Exists(_))));
    east.control
        .create_replica(&made, &europe, json())
        .await
        .expect("made");
    testing::pull(&west, &east).await;
    west.control.refresh().await.expect("loaded");
    let id = made.table.id();
    west.control.settle().await.expect("settled");
    assert_eq!(west.control.fillings()[&id].sources, [east.id()]);
    assert!(west.control.tables().table(id).expect("known").filling);
    let fill = west.control.fillings()[&id].clone();
    let made = fill.made - 1;
    let earlier = Fill {
        made,
        ..fill.clone()
    };
    west.control.filled(id, &earlier).await.expect("no matter");
    assert!(
        !west.control.fillings().is_empty(),
        "another replica was filled"
    );
    west.control.filled(id, &fill).await.expect("noted");
    assert!(west.control.fillings().is_empty());
    assert!(!west.control.tables().table(id).expect("known").filling);
    assert_eq!(
        west.control
            .table_named("carts")
            .expect("there")
            .replicas
            .len(),
        2
    );

    let view = west.control.table_named("carts").expect("there");
    west.control
        .delete_replica(&view, &europe)
        .await
        .expect("removed");
    assert_eq!(west.control.table_named("carts"), None);
    testing::pull(&east, &west).await;
    east.control.refresh().await.expect("loaded");
    let view = east.control.table_named("carts").expect("still there");
    assert_eq!(view.replicas.len(), 1);
}

/// Puts an item into a system table that no build could have made a resource of.
async fn put_what_is_no_resource(node: &Node, sort: &str) {
    let table = SystemTable::Tags;
    let text = |text: &str| item::value::AttributeValue::S(text.to_owned());
    let mut item = item::value::Item::new();
    item.insert("partition".to_owned(), text("notes"));
    item.insert("sort".to_owned(), text(sort));
    let tables = node.control.tables();
    let write = table::write::Write {
        table: tables.table(table.id()).expect("defined"),
        key: item::key::Key {
            partition: "notes".into(),
            sort: Some(sort.into()),
        },
        decide: Box::new(move |_| Ok(table::write::Effect::Put(item))),
    };
    tables.write(write).await.expect("written");
}

#[tokio::test]
async fn an_item_that_cannot_be_read_holds_up_no_other() {
    let (east, west) = (Node::open("us-east-1").await, Node::open("eu-west-1").await);
    put_what_is_no_resource(&east, "a").await;
    let made = vec![Change::create(&note("b", "two"))];
    east.control.change(made).await.expect("made");
    testing::pull(&west, &east).await;
    west.control.refresh().await.expect("loaded");
    assert_eq!(texts(&west.control, ""), ["two"]);
    let again = west.restart().await;
    assert_eq!(texts(&again.control, ""), ["two"]);
}

#[tokio::test]
async fn who_gives_up_waiting_leaves_what_changed_to_the_next() {
    let (east, west) = (Node::open("us-east-1").await, Node::open("eu-west-1").await);
    let made = vec![Change::create(&note("a", "one"))];
    east.control.change(made).await.expect("made");
    testing::pull(&west, &east).await;
    let turn = west.control.inner.loading.lock().await;
    {
        let mut given_up = std::pin::pin!(west.control.refresh());
        tokio::select! {
            biased;
            _ = &mut given_up => panic!("somebody else loads"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(turn);
    west.control.refresh().await.expect("loaded");
    assert_eq!(texts(&west.control, ""), ["one"]);
}

#[tokio::test]
async fn what_is_in_force_is_known_once_its_loading_is_over() {
    let east = Node::open("us-east-1").await;
    let turn = east.control.inner.loading.lock().await;
    {
        let mut early = std::pin::pin!(east.control.in_force());
        tokio::select! {
            biased;
            () = &mut early => panic!("it is being loaded"),
            () = tokio::task::yield_now() => {}
        }
    }
    drop(turn);
    east.control.in_force().await;
}
