//! Tests of loads: who is told of their progress, and what is asked for twice.

use super::*;
use crate::testing::{self, Node};

fn load(id: u64, table: Table) -> Load {
    Load {
        id,
        region: "us-east-1".to_owned(),
        kind: LoadKind::Puts,
        status: LoadStatus::InProgress,
        failure: None,
        created: 1,
        ended: None,
        table,
        settings: serde_json::json!({ "token": "once" }),
    }
}

async fn table(node: &Node) -> Table {
    let (schema, none) = (testing::schema("customer"), serde_json::json!({}));
    let made = node
        .control
        .create_table("carts", &schema, none.clone(), none);
    made.await.expect("made").table
}

#[tokio::test]
async fn how_far_a_load_has_come_can_be_read_and_is_told_to_nobody() {
    let node = Node::open("us-east-1").await;
    let load = load(7, table(&node).await);
    let known = node.control.create_load(&load, |_| false).await;
    assert_eq!(known.expect("made"), None);
    let mut generation = node.control.generation();
    generation.mark_unchanged();
    let before = node.control.begin_load(&load).await.expect("begun");
    let further = Progress {
        written: 500,
        ..before.clone()
    };
    let (to, noted) = (further.clone(), Vec::new());
    let advanced = node.control.advance_load(&before, noted, move || to).await;
    advanced.expect("noted");
    assert_eq!(node.control.load_progress(&load), Some(further));
    assert!(!generation.has_changed().expect("it is open"));
    let ended = Load {
        status: LoadStatus::Completed,
        ..load.clone()
    };
    node.control.end_load(&load, &ended).await.expect("ended");
    assert!(generation.has_changed().expect("it is open"));
}

#[tokio::test]
async fn what_is_asked_for_twice_at_once_is_loaded_once() {
    let node = Node::open("us-east-1").await;
    let table = table(&node).await;
    let (one, two) = (load(7, table.clone()), load(8, table));
    let is_same = |known: &Load| known.settings["token"] == "once";
    let (first, second) = tokio::join!(
        node.control.create_load(&one, is_same),
        node.control.create_load(&two, is_same),
    );
    assert_eq!(first.expect("made"), None);
    assert_eq!(second.expect("known").map(|known| known.id), Some(7));
    assert_eq!(node.control.loads().len(), 1);
}
