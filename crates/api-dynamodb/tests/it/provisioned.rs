//! What is provisioned over time and in sum.

use std::time::Duration;

use control::resource::Change;
use serde_json::{Value, json};

use crate::tables::describe;
use crate::world::{World, create};

fn units(read: u64, write: u64) -> Value {
    json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write })
}

/// A table and its index `by-x`, each with so many units to read and to write.
fn table(own: u64, index: u64) -> Value {
    json!({
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": units(own, own),
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "x", "AttributeType": "S" },
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-x",
            "KeySchema": [{ "AttributeName": "x", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
            "ProvisionedThroughput": units(index, index),
        }],
    })
}

fn of_table(name: &str, read: u64, write: u64) -> Value {
    json!({ "TableName": name, "ProvisionedThroughput": units(read, write) })
}

fn of_index(read: u64, write: u64) -> Value {
    let update = json!({ "IndexName": "by-x", "ProvisionedThroughput": units(read, write) });
    json!({ "TableName": "carts", "GlobalSecondaryIndexUpdates": [{ "Update": update }] })
}

async fn told(world: &World) -> (Value, Value) {
    let mut table = describe(world, "carts").await;
    let index = table["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"].take();
    (table["ProvisionedThroughput"].take(), index)
}

#[tokio::test]
async fn decreases_are_counted_by_table_and_index() {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", create("carts", &table(9, 9))).await;
    let (own, index) = told(&world).await;
    for told in [&own, &index] {
        assert_eq!(told["NumberOfDecreasesToday"], 0);
        assert_eq!(told.get("LastDecreaseDateTime"), None);
        assert_eq!(told.get("LastIncreaseDateTime"), None);
    }
    for read in [8, 7, 6, 5] {
        world.ok("UpdateTable", of_table("carts", read, 9)).await;
    }
    world.ok("UpdateTable", of_index(10, 8)).await;
    let (own, index) = told(&world).await;
    assert_eq!(own["NumberOfDecreasesToday"], 4);
    assert_eq!(index["NumberOfDecreasesToday"], 1);
    assert!(own["LastDecreaseDateTime"].is_number());
    assert_eq!(own.get("LastIncreaseDateTime"), None);
    assert!(index["LastDecreaseDateTime"].is_number() && index["LastIncreaseDateTime"].is_number());
    let (status, refused) = world.call("UpdateTable", of_table("carts", 4, 9)).await;
    assert_eq!(status, 400);
    let kind = refused["__type"].as_str().unwrap();
    assert!(kind.ends_with("#LimitExceededException"), "{kind}");
    let message = refused["message"].as_str().unwrap();
    assert!(
        message.contains("Number of decreases today: 4."),
        "{message}"
    );
    assert_eq!(told_units(&world).await, units(5, 9), "it is as it was");
    world.ok("UpdateTable", of_index(9, 8)).await;
    world.ok("UpdateTable", of_table("carts", 6, 9)).await;
    world.node.clock.advance(Duration::from_hours(1));
    world.ok("UpdateTable", of_table("carts", 4, 9)).await;
    let world = world.restart().await;
    let (own, index) = told(&world).await;
    assert_eq!(own["NumberOfDecreasesToday"], 5);
    assert_eq!(index["NumberOfDecreasesToday"], 2);
    world.node.clock.advance(Duration::from_hours(24));
    let (own, _) = told(&world).await;
    assert_eq!(own["NumberOfDecreasesToday"], 0);
    assert!(own["LastIncreaseDateTime"].is_number());
}

async fn told_units(world: &World) -> Value {
    let (own, _) = told(world).await;
    json!({
        "ReadCapacityUnits": own["ReadCapacityUnits"],
        "WriteCapacityUnits": own["WriteCapacityUnits"],
    })
}

#[tokio::test]
async fn all_tables_and_indexes_have_a_bound_in_sum() {
    let world = World::open("us-east-1").await;
    let limit = "LimitExceededException";
    let both = create("carts", &table(30_000, 10_001));
    let message = "The requested ReadCapacityUnits, 40001, is above the per table maximum for the \
                   account. Per table maximum: 40000. Refer to the Amazon DynamoDB Developer Guide \
                   for current limits and how to request higher limits.";
    world.refused("CreateTable", both, limit, message).await;
    world
        .ok("CreateTable", create("carts", &table(30_000, 10_000)))
        .await;
    world
        .ok("CreateTable", create("other", &table(30_000, 9_000)))
        .await;
    let message = "Subscriber limit exceeded: The requested ReadCapacityUnits take those of all \
                   tables and indexes to 80001, which is above the maximum for the account. \
                   Account maximum: 80000. Refer to the Amazon DynamoDB Developer Guide for \
                   current limits and how to request higher limits.";
    let too_many = of_table("carts", 31_001, 30_000);
    world.refused("UpdateTable", too_many, limit, message).await;
    world
        .refused("UpdateTable", of_index(11_001, 10_000), limit, message)
        .await;
    world.ok("UpdateTable", of_index(11_000, 9_000)).await;
    let (status, _) = world
        .call("CreateTable", create("third", &table(1, 1)))
        .await;
    assert_eq!(status, 400);
    let in_use = "Table already exists: carts";
    world
        .refused(
            "CreateTable",
            create("carts", &table(1, 1)),
            "ResourceInUseException",
            in_use,
        )
        .await;
    world
        .ok("DeleteTable", json!({ "TableName": "other" }))
        .await;
    world.ok("CreateTable", create("third", &table(1, 1))).await;
    assert_eq!(
        world.ok("DescribeLimits", json!({})).await["AccountMaxReadCapacityUnits"],
        80_000
    );
}

#[tokio::test]
async fn tables_that_are_made_at_once_have_the_same_bound() {
    let world = World::open("us-east-1").await;
    let store = world.node.store.clone();
    store.hold();
    let call = async |operation: &str, request: Value| {
        let (_, answer) = world.call(operation, request).await;
        let kind = answer["__type"].as_str().unwrap_or_default();
        kind.rsplit('#').next().map(str::to_owned)
    };
    let make = |name: &str| call("CreateTable", create(name, &table(20_000, 6_000)));
    let raise = |name: &str| call("UpdateTable", of_table(name, 22_000, 22_000));
    let all = async {
        let made = tokio::join!(make("one"), make("two"), make("three"), make("four"));
        let raised = tokio::join!(raise("one"), raise("two"));
        ([made.0, made.1, made.2, made.3], [raised.0, raised.1])
    };
    let step = async {
        loop {
            store.step(10);
            tokio::task::yield_now().await;
        }
    };
    let (mut made, mut raised) = tokio::select! {
        done = all => done,
        () = step => panic!("it never ends"),
    };
    made.sort();
    raised.sort();
    let codes = ["", "", "", "LimitExceededException"].map(|code| Some(code.to_owned()));
    assert_eq!(made, codes);
    assert_eq!(raised, codes[2..]);
}

#[tokio::test]
async fn what_an_older_build_cannot_read_of_an_index_stays() {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", create("carts", &table(9, 9))).await;
    let index = async || {
        let view = world.node.control.table_named("carts").unwrap();
        view.indexes.first().unwrap().clone()
    };
    let known = index().await;
    let mut newer = known.clone();
    newer.settings["invented"] = json!({ "later": 1 });
    newer.settings["warm"] = json!("in another form");
    let change = Change::replace(&known, &newer);
    world.node.control.change(vec![change]).await.unwrap();
    world.ok("UpdateTable", of_index(8, 8)).await;
    let settings = index().await.settings;
    assert_eq!(settings["invented"], json!({ "later": 1 }));
    assert_eq!(settings["warm"], "in another form");
    assert_eq!(settings["throughput"], json!([8, 8]));
}
