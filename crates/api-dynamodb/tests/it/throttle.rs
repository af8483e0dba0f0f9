//! Tables held to their throughput, by a clock that the tests move.
//!
//! The clock also moves by a microsecond with each reading, so that an empty bucket has a trace in
//! it at the next call: one more call is let in than there are units, and is paid for later.

use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{World, create as request, n, s};

const EXCEEDED: &str = "ProvisionedThroughputExceededException";
const TABLE: &str = "The level of configured provisioned throughput for the table was exceeded. \
                     Consider increasing your provisioning level with the UpdateTable API.";
const INDEX: &str = "The level of configured provisioned throughput for one or more global \
                     secondary indexes of the table was exceeded. Consider increasing your \
                     provisioning level for the under-provisioned global secondary indexes with \
                     the UpdateTable API";
const MOST: &str = "Throughput exceeds the maximum OnDemandThroughput configured on table or index";
const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/hash";

fn units(read: u64, write: u64) -> Value {
    json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write })
}

/// Makes the table `hash`, with its units and what else is given.
async fn create(world: &World, read: u64, write: u64, more: Value) {
    let mut request = request("hash", &more);
    request["BillingMode"] = "PROVISIONED".into();
    request["ProvisionedThroughput"] = units(read, write);
    world.ok("CreateTable", request).await;
}

/// Makes the table `hash` with an index by `other` of its own units.
async fn create_indexed(world: &World, (read, write): (u64, u64), index: Value) {
    let more = json!({
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "other", "AttributeType": "S" },
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-other",
            "KeySchema": [{ "AttributeName": "other", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "ALL" },
            "ProvisionedThroughput": index,
        }],
    });
    create(world, read, write, more).await;
}

fn pass(world: &World, secs: u64) {
    world.node.clock.advance(Duration::from_secs(secs));
}

fn put(pk: &str) -> Value {
    json!({ "TableName": "hash", "Item": { "pk": s(pk) } })
}

fn get(pk: &str, consistent: bool) -> Value {
    json!({ "TableName": "hash", "Key": { "pk": s(pk) }, "ConsistentRead": consistent })
}

/// Returns how often a call is answered before it is throttled, and how it then is.
async fn served(world: &World, operation: &str, request: Value) -> (usize, Value) {
    for count in 0..10_000 {
        let (status, body) = world.call(operation, request.clone()).await;
        if status != 200 {
            return (count, body);
        }
    }
    panic!("nothing throttles {operation}");
}

#[tokio::test]
async fn nothing_is_throttled_unless_that_is_wanted() {
    let world = World::open("us-east-1").await;
    create(&world, 1, 1, json!({})).await;
    for _ in 0..20 {
        world.ok("PutItem", put("a")).await;
        world.ok("GetItem", get("a", true)).await;
    }
}

#[tokio::test]
async fn a_table_serves_its_units_and_goes_on_once_they_come_in() {
    let world = World::throttled("us-east-1").await;
    create(&world, 4, 3, json!({})).await;
    let (count, refused) = served(&world, "PutItem", put("a")).await;
    assert_eq!(count, 3 + 1);
    assert_eq!(
        refused["__type"],
        format!("com.amazonaws.dynamodb.v20120810#{EXCEEDED}")
    );
    assert_eq!(refused["message"], TABLE);
    let reason = json!({ "reason": "TableWriteProvisionedThroughputExceeded", "resource": ARN });
    assert_eq!(refused["ThrottlingReasons"], json!([reason]));
    assert_eq!(served(&world, "GetItem", get("a", true)).await.0, 4 + 1);
    pass(&world, 2);
    assert_eq!(served(&world, "GetItem", get("a", false)).await.0, 15);
    assert_eq!(served(&world, "PutItem", put("a")).await.0, 6);
    pass(&world, 1000);
    let unused = served(&world, "PutItem", put("a")).await.0;
    assert_eq!(unused, 900 + 1, "five minutes are kept");
}

#[tokio::test]
async fn what_a_read_cost_is_paid_for_by_those_after_it() {
    let world = World::throttled("us-east-1").await;
    create(&world, 1, 1000, json!({})).await;
    let large = json!({ "pk": s("large"), "text": s(&"x".repeat(40_000)) });
    world
        .ok("PutItem", json!({ "TableName": "hash", "Item": large }))
        .await;
    let scan = json!({ "TableName": "hash", "ReturnConsumedCapacity": "TOTAL" });
    let answer = world.ok("Scan", scan.clone()).await;
    assert_eq!(answer["ConsumedCapacity"]["CapacityUnits"], 5.0);
    world.refused("Scan", scan.clone(), EXCEEDED, TABLE).await;
    pass(&world, 3);
    world.refused("Scan", scan.clone(), EXCEEDED, TABLE).await;
    pass(&world, 2);
    world.ok("Scan", scan).await;
    let query = json!({
        "TableName": "hash",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": s("none") },
    });
    world.refused("Query", query, EXCEEDED, TABLE).await;
    let select = json!({ "Statement": "SELECT * FROM hash" });
    world
        .refused("ExecuteStatement", select, EXCEEDED, TABLE)
        .await;
    let one = json!({ "Statement": "SELECT * FROM hash WHERE pk = 'a'" });
    world
        .refused("ExecuteStatement", one.clone(), EXCEEDED, TABLE)
        .await;
    let answer = world
        .ok("BatchExecuteStatement", json!({ "Statements": [one] }))
        .await;
    let error = &answer["Responses"][0]["Error"];
    assert_eq!(error["Code"], "ProvisionedThroughputExceeded");
}

#[tokio::test]
async fn a_condition_that_does_not_hold_costs_what_it_was_tested_on() {
    let world = World::throttled("us-east-1").await;
    create(&world, 1, 3, json!({})).await;
    let item = json!({ "pk": s("a"), "text": s(&"x".repeat(1500)) });
    world
        .ok("PutItem", json!({ "TableName": "hash", "Item": item }))
        .await;
    let delete = json!({
        "TableName": "hash", "Key": { "pk": s("a") }, "ConditionExpression": "attribute_exists(absent)",
    });
    let code = "ConditionalCheckFailedException";
    let failed = "The conditional request failed";
    world
        .refused("DeleteItem", delete.clone(), code, failed)
        .await;
    world.refused("DeleteItem", delete, EXCEEDED, TABLE).await;
}

#[tokio::test]
async fn an_index_without_capacity_holds_back_the_writes_that_change_it() {
    let world = World::throttled("us-east-1").await;
    create_indexed(&world, (100, 100), units(1, 2)).await;
    let item = |pk: &str| {
        let item = json!({ "pk": s(pk), "other": s("x") });
        json!({ "TableName": "hash", "Item": item })
    };
    world.ok("PutItem", item("a")).await;
    world.ok("PutItem", item("b")).await;
    world.ok("PutItem", item("c")).await;
    let refused = world.refused("PutItem", item("d"), EXCEEDED, INDEX).await;
    let resource = format!("{ARN}/index/by-other");
    let reason = "IndexWriteProvisionedThroughputExceeded";
    let reasons = json!([{ "reason": reason, "resource": resource }]);
    assert_eq!(refused["ThrottlingReasons"], reasons);
    world.ok("PutItem", put("not in the index")).await;
    world.ok("PutItem", item("a")).await;
    assert_eq!(world.get("d").await, Value::Null);
    let scan = json!({ "TableName": "hash", "IndexName": "by-other" });
    let (count, refused) = served(&world, "Scan", scan).await;
    assert_eq!(count, 2 + 1);
    assert_eq!(
        refused["ThrottlingReasons"][0]["reason"],
        "IndexReadProvisionedThroughputExceeded"
    );
    world.ok("Scan", json!({ "TableName": "hash" })).await;
    pass(&world, 1);
    world.ok("PutItem", item("d")).await;
}

#[tokio::test]
async fn what_an_index_holds_back_costs_its_table_nothing() {
    let world = World::throttled("us-east-1").await;
    create_indexed(&world, (100, 100), units(1, 1)).await;
    let item = |pk: &str| {
        let item = json!({ "pk": s(pk), "other": s("x") });
        json!({ "TableName": "hash", "Item": item })
    };
    world.ok("PutItem", item("a")).await;
    world.ok("PutItem", item("b")).await;
    for _ in 0..200 {
        world.refused("PutItem", item("c"), EXCEEDED, INDEX).await;
    }
    world.ok("PutItem", put("not in the index")).await;
}

#[tokio::test]
async fn a_table_billed_by_use_is_bounded_by_the_most_that_is_set() {
    let world = World::throttled("us-east-1").await;
    let request = json!({
        "TableName": "hash",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "OnDemandThroughput": { "MaxWriteRequestUnits": 2 },
    });
    world.ok("CreateTable", request).await;
    let (count, refused) = served(&world, "PutItem", put("a")).await;
    assert_eq!(count, 2 + 1);
    assert_eq!(refused["message"], MOST);
    let code = refused["__type"].as_str().unwrap();
    assert!(code.ends_with("#ThrottlingException"), "{code}");
    let reason = "TableWriteMaxOnDemandThroughputExceeded";
    let reasons = json!([{ "reason": reason, "resource": ARN }]);
    assert_eq!(refused["throttlingReasons"], reasons);
    for _ in 0..50 {
        world.ok("GetItem", get("a", true)).await;
    }
    let put = json!({ "Put": { "TableName": "hash", "Item": { "pk": s("b") } } });
    let request = json!({ "TransactItems": [put] });
    let (_, refused) = world.call("TransactWriteItems", request).await;
    let reasons = json!([{ "Code": "ThrottlingError", "Message": MOST }]);
    assert_eq!(refused["CancellationReasons"], reasons);
}

#[tokio::test]
async fn batches_give_back_what_there_is_no_capacity_for() {
    let world = World::throttled("us-east-1").await;
    create(&world, 2, 3, json!({})).await;
    let put = |at: i64| {
        let item = json!({ "pk": s(&at.to_string()), "at": n(at) });
        json!({ "PutRequest": { "Item": item } })
    };
    let delete = json!({ "DeleteRequest": { "Key": { "pk": s("9") } } });
    let mut asked: Vec<Value> = (0..4).map(put).collect();
    asked.push(delete);
    let request = json!({ "RequestItems": { "hash": asked }, "ReturnConsumedCapacity": "TOTAL" });
    let answer = world.ok("BatchWriteItem", request).await;
    let left = answer["UnprocessedItems"].clone();
    assert_eq!(left, json!({ "hash": asked[4..] }));
    assert_eq!(answer["ConsumedCapacity"][0]["CapacityUnits"], 4.0);
    let again = json!({ "RequestItems": left });
    world
        .refused("BatchWriteItem", again.clone(), EXCEEDED, TABLE)
        .await;
    pass(&world, 1);
    let answer = world.ok("BatchWriteItem", again).await;
    assert_eq!(answer["UnprocessedItems"], json!({}));
    let keys: Vec<Value> = (0..4)
        .map(|at| json!({ "pk": s(&at.to_string()) }))
        .collect();
    let of = json!({ "hash": { "Keys": keys, "ConsistentRead": true } });
    let answer = world
        .ok("BatchGetItem", json!({ "RequestItems": of }))
        .await;
    // A second has passed since the table was made, with nothing read.
    assert_eq!(answer["Responses"]["hash"].as_array().unwrap().len(), 4);
    pass(&world, 1);
    let answer = world
        .ok("BatchGetItem", json!({ "RequestItems": of }))
        .await;
    assert_eq!(answer["Responses"]["hash"].as_array().unwrap().len(), 3);
    let left = &answer["UnprocessedKeys"]["hash"];
    assert_eq!(left["Keys"], json!(keys[3..]));
    assert_eq!(left["ConsistentRead"], true);
    world
        .refused(
            "BatchGetItem",
            json!({ "RequestItems": of }),
            EXCEEDED,
            TABLE,
        )
        .await;
}

#[tokio::test]
async fn transactions_without_capacity_are_cancelled() {
    let world = World::throttled("us-east-1").await;
    create(&world, 4, 4, json!({})).await;
    let put = |pk: &str| json!({ "Put": { "TableName": "hash", "Item": { "pk": s(pk) } } });
    let four = json!({ "TransactItems": [put("a"), put("b"), put("c"), put("d")] });
    let (_, refused) = world.call("TransactWriteItems", four.clone()).await;
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [None, None, None, ProvisionedThroughputExceeded]";
    assert_eq!(refused["message"], message);
    let none = json!({ "Code": "None" });
    let exceeded = json!({ "Code": "ProvisionedThroughputExceeded", "Message": TABLE });
    assert_eq!(
        refused["CancellationReasons"],
        json!([none, none, none, exceeded])
    );
    assert_eq!(world.get("a").await, Value::Null);
    pass(&world, 2);
    world.ok("TransactWriteItems", four).await;
    let get = |pk: &str| json!({ "Get": { "TableName": "hash", "Key": { "pk": s(pk) } } });
    let request = json!({ "TransactItems": [get("a"), get("b")] });
    let (count, refused) = served(&world, "TransactGetItems", request).await;
    assert_eq!(count, 3);
    assert_eq!(refused["CancellationReasons"], json!([exceeded, exceeded]));
}

#[tokio::test]
async fn a_tag_says_for_its_table_whether_it_is_throttled() {
    let world = World::open("us-east-1").await;
    create(&world, 1, 1, json!({})).await;
    let tag = async |value: &str| {
        let tags = json!([{ "Key": "hither:throttling", "Value": value }]);
        let request = json!({ "ResourceArn": ARN, "Tags": tags });
        world.call("TagResource", request).await
    };
    assert_eq!(tag("on").await.0, 200);
    assert_eq!(served(&world, "PutItem", put("a")).await.0, 1 + 1);
    // Definitions of other tables change nothing of what is left.
    world.create("range", "S", Some("N")).await;
    world.refused("PutItem", put("a"), EXCEEDED, TABLE).await;
    let more = json!({ "TableName": "hash", "ProvisionedThroughput": units(1, 5) });
    world.ok("UpdateTable", more).await;
    pass(&world, 1);
    assert_eq!(served(&world, "PutItem", put("a")).await.0, 5);
    assert_eq!(tag("off").await.0, 200);
    world.ok("PutItem", put("a")).await;
    let (status, refused) = tag("maybe").await;
    assert_eq!(
        (status, &refused["message"]),
        (400, &json!("Tag hither:throttling is on or off"))
    );
}
