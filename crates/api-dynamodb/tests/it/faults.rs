//! Faults on purpose, by the tags of a table.

use std::collections::BTreeMap;
use std::time::Duration;

use api_dynamodb::facade::DynamoDb;
use api_dynamodb::faults::set::Faults;
use serde_json::{Value, json};

use crate::world::{World, n, s};

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/hash";

async fn tag(world: &World, name: &str, value: &str) {
    let tag = json!({ "Key": format!("hither:fault:{name}"), "Value": value });
    let request = json!({ "ResourceArn": ARN, "Tags": [tag] });
    let (status, answer) = world.call("TagResource", request).await;
    assert_eq!(status, 200, "{answer}");
}

#[tokio::test]
async fn a_throttled_table_refuses_until_its_tag_goes() {
    let world = World::with_tables().await;
    world.put(json!({ "pk": s("a") })).await;
    tag(&world, "throttle", "1").await;
    let code = "ProvisionedThroughputExceededException";
    let message = "The level of configured provisioned throughput for the table was exceeded. \
                   Consider increasing your provisioning level with the UpdateTable API.";
    let get = json!({ "TableName": "hash", "Key": { "pk": s("a") } });
    world.refused("GetItem", get.clone(), code, message).await;
    let select = json!({ "Statement": "SELECT * FROM hash" });
    world
        .refused("ExecuteStatement", select, code, message)
        .await;
    world.ok("Scan", json!({ "TableName": "range" })).await;
    world
        .ok("DescribeTable", json!({ "TableName": "hash" }))
        .await;
    let untag = json!({ "ResourceArn": ARN, "TagKeys": ["hither:fault:throttle"] });
    world.call("UntagResource", untag).await;
    assert_eq!(
        world.ok("GetItem", get).await["Item"],
        json!({ "pk": s("a") })
    );
}

#[tokio::test]
async fn faults_that_are_set_anew_begin_anew() {
    let world = World::with_tables().await;
    let get = json!({ "TableName": "hash", "Key": { "pk": s("a") } });
    let mut hits = Vec::new();
    for _ in 0..2 {
        tag(&world, "throttle", "0.5").await;
        let mut hit = Vec::new();
        for _ in 0..20 {
            hit.push(world.call("GetItem", get.clone()).await.0);
        }
        hits.push(hit);
        let untag = json!({ "ResourceArn": ARN, "TagKeys": ["hither:fault:throttle"] });
        world.call("UntagResource", untag).await;
        world.ok("GetItem", get.clone()).await;
    }
    assert!(hits[0].contains(&200) && hits[0].contains(&400));
    assert_eq!(hits[0], hits[1], "the same calls, the same faults");
}

#[tokio::test]
async fn batches_leave_items_unprocessed_and_still_come_to_an_end() {
    let world = World::with_tables().await;
    tag(&world, "unprocessed", "1").await;
    let put =
        |pk: i64| json!({ "PutRequest": { "Item": { "pk": s(&pk.to_string()), "v": n(pk) } } });
    let mut left = json!({ "hash": (0..5).map(put).collect::<Vec<_>>() });
    let mut calls = 0;
    while left.as_object().is_some_and(|left| !left.is_empty()) {
        let answer = world
            .ok("BatchWriteItem", json!({ "RequestItems": left }))
            .await;
        left = answer["UnprocessedItems"].clone();
        calls += 1;
        assert!(calls < 10, "{left}");
    }
    assert_eq!(calls, 5, "one item is done a call");
    let keys: Vec<Value> = (0..5)
        .map(|pk: i64| json!({ "pk": s(&pk.to_string()) }))
        .collect();
    let request = json!({ "RequestItems": { "hash": { "Keys": keys, "ConsistentRead": true } } });
    let answer = world.ok("BatchGetItem", request).await;
    assert_eq!(answer["Responses"]["hash"].as_array().unwrap().len(), 1);
    let rest = &answer["UnprocessedKeys"]["hash"];
    assert_eq!(rest["Keys"].as_array().unwrap().len(), 4);
    assert_eq!(rest["ConsistentRead"], true);
}

#[tokio::test]
async fn transactions_conflict_and_write_nothing() {
    let world = World::with_tables().await;
    tag(&world, "transaction-conflict", "1").await;
    let put = |table: &str, item: Value| json!({ "Put": { "TableName": table, "Item": item } });
    let request = json!({ "TransactItems": [
        put("range", json!({ "pk": s("a"), "sk": n(1) })),
        put("hash", json!({ "pk": s("a") })),
    ] });
    let code = "TransactionCanceledException";
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [None, TransactionConflict]";
    let answer = world
        .refused("TransactWriteItems", request, code, message)
        .await;
    assert_eq!(answer["CancellationReasons"][0], json!({ "Code": "None" }));
    assert_eq!(world.get("a").await, Value::Null);
    let put = json!({ "TableName": "hash", "Item": { "pk": s("a") } });
    let code = "TransactionConflictException";
    let message = "Transaction is ongoing for the item";
    world.refused("PutItem", put, code, message).await;
}

#[tokio::test]
async fn what_cannot_be_had_is_refused_when_it_is_tagged() {
    let world = World::with_tables().await;
    for (name, value, message) in [
        (
            "index-lag",
            "1s",
            "the tag hither:fault:index-lag takes milliseconds up to a minute, such as 50ms",
        ),
        (
            "throttle",
            "2",
            "the tag hither:fault:throttle takes a number from 0 to 1, such as 0.1",
        ),
    ] {
        let tag = json!({ "Key": format!("hither:fault:{name}"), "Value": value });
        let request = json!({ "ResourceArn": ARN, "Tags": [tag] });
        world.invalid("TagResource", request, message).await;
    }
}

#[tokio::test]
async fn faults_that_are_set_are_tags_and_replace_those_before() {
    let world = World::with_tables().await;
    let tagged = || async {
        let tags = world.ok("ListTagsOfResource", json!({ "ResourceArn": ARN }));
        tags.await["Tags"].clone()
    };
    let team = json!([{ "Key": "team", "Value": "blue" }]);
    let request = json!({ "ResourceArn": ARN, "Tags": team });
    assert_eq!(world.call("TagResource", request).await.0, 200);
    tag(&world, "latency", "1ms").await;
    let throttle = BTreeMap::from([("throttle".to_owned(), "1".to_owned())]);
    let set = world.facade.set_faults("hash", &throttle).await;
    set.expect("faults");
    let of = |table: &str| world.facade.faults()[table].clone();
    assert_eq!((of("hash"), of("range")), (throttle, BTreeMap::new()));
    let throttle = json!({ "Key": "hither:fault:throttle", "Value": "1" });
    assert_eq!(tagged().await, json!([throttle, team[0]]));
    let get = json!({ "TableName": "hash", "Key": { "pk": s("a") } });
    assert_eq!(world.call("GetItem", get.clone()).await.0, 400);

    let wrong = BTreeMap::from([("throttle".to_owned(), "2".to_owned())]);
    let refused = world.facade.set_faults("hash", &wrong).await;
    assert_eq!(refused.expect_err("no chance").code, "ValidationException");
    let missing = world.facade.set_faults("none", &wrong).await;
    let missing = missing.expect_err("no table");
    assert_eq!(missing.code, "ResourceNotFoundException");
    assert_eq!(tagged().await, json!([throttle, team[0]]), "unchanged");

    let cleared = world.facade.set_faults("hash", &BTreeMap::new()).await;
    cleared.expect("no faults");
    assert_eq!(tagged().await, team);
    world.ok("GetItem", get).await;
}

#[tokio::test]
async fn where_faults_do_not_act_their_tags_are_just_tags() {
    let mut world = World::with_tables().await;
    tag(&world, "throttle", "1").await;
    let facade = DynamoDb::new(world.node.control.clone());
    world.facade = facade.with_faults(Faults::Ignored);
    let get = json!({ "TableName": "hash", "Key": { "pk": s("a") } });
    world.ok("GetItem", get).await;
    assert_eq!(world.facade.faults()["hash"]["throttle"], "1");
}

#[tokio::test]
async fn a_late_index_answers_as_of_a_moment_ago() {
    let world = World::open("us-east-1").await;
    let keys = |sort: &str| {
        json!([
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": sort, "KeyType": "RANGE" },
        ])
    };
    let projection = json!({ "ProjectionType": "ALL" });
    let by_x = json!({
        "IndexName": "by-x",
        "KeySchema": [{ "AttributeName": "x", "KeyType": "HASH" }],
        "Projection": projection,
    });
    let local = json!({ "IndexName": "local", "KeySchema": keys("x"), "Projection": projection });
    let definition = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    let table = json!({
        "TableName": "hash",
        "KeySchema": keys("sk"),
        "AttributeDefinitions": [definition("pk"), definition("sk"), definition("x")],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [by_x],
        "LocalSecondaryIndexes": [local],
    });
    world.ok("CreateTable", table).await;
    let put = async |pk: &str| {
        world
            .put(json!({ "pk": s(pk), "sk": s("1"), "x": s("x") }))
            .await;
    };
    put("before").await;
    tag(&world, "index-lag", "1000ms").await;
    put("after").await;
    let count = async |request: Value| world.ok("Scan", request).await["Count"].clone();
    let scan = |index: &str| json!({ "TableName": "hash", "IndexName": index });
    let query = json!({
        "TableName": "hash",
        "IndexName": "by-x",
        "KeyConditionExpression": "x = :x",
        "ExpressionAttributeValues": { ":x": s("x") },
    });
    let select = json!({ "Statement": "SELECT * FROM hash.\"by-x\" WHERE x = 'x'" });
    let all = async || {
        let queried = world.ok("Query", query.clone()).await["Count"].clone();
        let selected = world.ok("ExecuteStatement", select.clone()).await;
        let selected = selected["Items"].as_array().unwrap().len();
        (count(scan("by-x")).await, queried, selected)
    };
    assert_eq!(all().await, (json!(1), json!(1), 1));
    assert_eq!(count(scan("local")).await, 2);
    assert_eq!(count(json!({ "TableName": "hash" })).await, 2);
    // What was there half a lag later is seen a whole lag after that, and what came since is not.
    world.node.clock.advance(Duration::from_millis(500));
    assert_eq!(world.facade.keep_past(), Some(Duration::from_millis(100)));
    put("later").await;
    world.node.clock.advance(Duration::from_millis(999));
    assert_eq!(count(scan("by-x")).await, 1);
    world.node.clock.advance(Duration::from_millis(1));
    assert_eq!(all().await, (json!(2), json!(2), 2));
    let untag = json!({ "ResourceArn": ARN, "TagKeys": ["hither:fault:index-lag"] });
    world.call("UntagResource", untag).await;
    assert_eq!(count(scan("by-x")).await, 3);
    assert_eq!(world.facade.keep_past(), None);
}

#[tokio::test]
async fn a_late_index_tells_nothing_from_before_it_was_late() {
    let world = World::open("us-east-1").await;
    let by_x = json!({
        "IndexName": "by-x",
        "KeySchema": [{ "AttributeName": "x", "KeyType": "HASH" }],
        "Projection": { "ProjectionType": "ALL" },
    });
    let definition = |name: &str| json!({ "AttributeName": name, "AttributeType": "S" });
    for name in ["first", "second"] {
        let table = json!({
            "TableName": name,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [definition("pk"), definition("x")],
            "BillingMode": "PAY_PER_REQUEST",
            "GlobalSecondaryIndexes": [by_x],
        });
        world.ok("CreateTable", table).await;
    }
    let late = async |table: &str| {
        let lag = BTreeMap::from([("index-lag".to_owned(), "60000ms".to_owned())]);
        let set = world.facade.set_faults(table, &lag).await;
        set.expect("a fault");
        world.node.clock.advance(Duration::from_secs(1));
    };
    let put = async |pk: &str| {
        let item = json!({ "pk": s(pk), "x": s("x") });
        let put = json!({ "TableName": "second", "Item": item });
        world.ok("PutItem", put).await;
        world.node.clock.advance(Duration::from_secs(1));
    };
    let count = async || {
        let scan = json!({ "TableName": "second", "IndexName": "by-x" });
        world.ok("Scan", scan).await["Count"].clone()
    };
    // What was there before the item is kept for the first table.
    late("first").await;
    put("before").await;
    assert_eq!(count().await, 1);
    late("second").await;
    assert_eq!(count().await, 1);
    put("after").await;
    assert_eq!(count().await, 1);
    world.node.clock.advance(Duration::from_mins(1));
    world.facade.keep_past();
    world.node.clock.advance(Duration::from_mins(1));
    assert_eq!(count().await, 2);
}

#[tokio::test]
async fn statements_of_a_batch_are_throttled_one_by_one() {
    let world = World::with_tables().await;
    world.put(json!({ "pk": s("a") })).await;
    let of_range = json!({ "pk": s("a"), "sk": n(1) });
    let put = json!({ "TableName": "range", "Item": of_range });
    world.ok("PutItem", put).await;
    tag(&world, "throttle", "1").await;
    let get = |what: &str| json!({ "Statement": format!("SELECT * FROM {what}") });
    let (hash, other) = (get("hash WHERE pk = 'a'"), get("hash WHERE pk = 'b'"));
    let range = get("range WHERE pk = 'a' AND sk = 1");
    let message = "The level of configured provisioned throughput for the table was exceeded. \
                   Consider increasing your provisioning level with the UpdateTable API.";
    let error = json!({ "Code": "ProvisionedThroughputExceeded", "Message": message });
    let refused = json!({ "Error": error, "TableName": "hash" });
    let served = json!({ "Item": of_range, "TableName": "range" });
    let batch = async |statements: Value| {
        let request = json!({ "Statements": statements });
        world.ok("BatchExecuteStatement", request).await["Responses"].take()
    };
    assert_eq!(
        batch(json!([hash, range, other])).await,
        json!([refused, served, refused])
    );
    assert_eq!(batch(json!([hash])).await, json!([refused]));
    assert_eq!(batch(json!([range])).await, json!([served]));
    // All of them are looked at together all the same.
    let insert = json!({ "Statement": "INSERT INTO range VALUE {'pk': 'b', 'sk': 1}" });
    let mixed = "Read and write requests together in the same batch is not supported.";
    let twice = "Provided list of item keys contains duplicates";
    for (statements, message) in [(json!([hash, insert]), mixed), (json!([hash, hash]), twice)] {
        let request = json!({ "Statements": statements });
        world
            .invalid("BatchExecuteStatement", request, message)
            .await;
    }
    // A statement that is wrong is never throttled, and what was used is told even if nothing was.
    let request = json!({
        "Statements": [hash, get("hash")],
        "ReturnConsumedCapacity": "TOTAL",
    });
    let answer = world.ok("BatchExecuteStatement", request).await;
    assert_eq!(answer["ConsumedCapacity"], json!([]));
    assert_eq!(answer["Responses"][0], refused);
    assert_eq!(answer["Responses"][1]["Error"]["Code"], "ValidationError");
}
