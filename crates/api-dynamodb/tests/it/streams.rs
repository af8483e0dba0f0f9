//! Streams: views, shards, iterators, and what becomes of them in time.

use std::time::Duration;

use control::testing;
use serde_json::{Value, json};

use crate::world::{World, n, s};

const HOUR: Duration = Duration::from_hours(1);

/// Makes the table `told` with a stream; returns its ARN.
async fn told(world: &World, view: &str, roll: &str) -> String {
    let request = json!({
        "TableName": "told",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": view },
        "Tags": [{ "Key": "hither:stream-roll", "Value": roll }],
    });
    let made = world.ok("CreateTable", request).await;
    let arn = made["TableDescription"]["LatestStreamArn"].as_str();
    arn.unwrap().to_owned()
}

async fn put(world: &World, pk: &str, value: i64) {
    let item = json!({ "pk": s(pk), "value": n(value) });
    let request = json!({ "TableName": "told", "Item": item });
    world.ok("PutItem", request).await;
}

async fn delete(world: &World, pk: &str) {
    let request = json!({ "TableName": "told", "Key": { "pk": s(pk) } });
    world.ok("DeleteItem", request).await;
}

async fn ok(world: &World, operation: &str, request: Value) -> Value {
    let (status, body) = world.call_streams(operation, request).await;
    assert_eq!(status, 200, "{operation}: {body}");
    body
}

async fn refused(world: &World, operation: &str, request: Value, code: &str) -> String {
    let (status, body) = world.call_streams(operation, request).await;
    assert_eq!(status, 400, "{operation}: {body}");
    let kind = body["__type"].as_str().unwrap();
    assert_eq!(
        kind.rsplit('#').next().unwrap(),
        code,
        "{operation}: {body}"
    );
    body["message"].as_str().unwrap_or_default().to_owned()
}

async fn describe(world: &World, arn: &str) -> Value {
    let request = json!({ "StreamArn": arn });
    ok(world, "DescribeStream", request).await["StreamDescription"].take()
}

/// Checks that there is no such stream.
async fn gone(world: &World, arn: &str) {
    let request = json!({ "StreamArn": arn });
    let code = "ResourceNotFoundException";
    refused(world, "DescribeStream", request, code).await;
}

async fn iterator(world: &World, arn: &str, shard: &Value, more: Value) -> String {
    let mut request = json!({ "StreamArn": arn, "ShardId": shard["ShardId"] });
    let members = more.as_object().unwrap().clone();
    request.as_object_mut().unwrap().extend(members);
    let answer = ok(world, "GetShardIterator", request).await;
    answer["ShardIterator"].as_str().unwrap().to_owned()
}

/// Reads from an iterator to the end of what is there; returns the records, and whether the shard
/// has ended.
async fn read(world: &World, mut iterator: String) -> (Vec<Value>, bool) {
    let mut records = Vec::new();
    loop {
        let request = json!({ "ShardIterator": iterator, "Limit": 2 });
        let answer = ok(world, "GetRecords", request).await;
        let page = answer["Records"].as_array().unwrap();
        records.extend(page.iter().cloned());
        match answer["NextShardIterator"].as_str() {
            None => return (records, true),
            Some(_) if page.is_empty() => return (records, false),
            Some(next) => next.clone_into(&mut iterator),
        }
    }
}

/// Reads all shards, parents first, as consumers do.
async fn follow(world: &World, arn: &str) -> Vec<Value> {
    let mut records = Vec::new();
    let shards = describe(world, arn).await["Shards"].take();
    for shard in shards.as_array().unwrap() {
        let from = json!({ "ShardIteratorType": "TRIM_HORIZON" });
        let start = iterator(world, arn, shard, from).await;
        let (page, ended) = read(world, start).await;
        let range = &shard["SequenceNumberRange"];
        assert_eq!(ended, !range["EndingSequenceNumber"].is_null());
        for record in &page {
            let number = record["dynamodb"]["SequenceNumber"].as_str().unwrap();
            assert!(range["StartingSequenceNumber"].as_str().unwrap() <= number);
            let end = range["EndingSequenceNumber"].as_str();
            assert!(end.is_none_or(|end| number <= end));
        }
        records.extend(page);
    }
    let numbers = records
        .iter()
        .map(|record| &record["dynamodb"]["SequenceNumber"]);
    let numbers: Vec<&str> = numbers.map(|number| number.as_str().unwrap()).collect();
    assert!(numbers.is_sorted_by(|one, next| one < next), "{numbers:?}");
    records
}

fn change(record: &Value) -> (&str, &str) {
    let pk = record["dynamodb"]["Keys"]["pk"]["S"].as_str();
    (record["eventName"].as_str().unwrap(), pk.unwrap())
}

#[tokio::test]
async fn records_tell_what_the_view_asks_for() {
    let images = |record: &Value| {
        let image = |name: &str| {
            record["dynamodb"][name]["value"]["N"]
                .as_str()
                .map(str::to_owned)
        };
        (image("OldImage"), image("NewImage"))
    };
    let one = || Some("1".to_owned());
    let two = || Some("2".to_owned());
    let cases = [
        ("KEYS_ONLY", [(None, None), (None, None), (None, None)]),
        ("NEW_IMAGE", [(None, one()), (None, two()), (None, None)]),
        ("OLD_IMAGE", [(None, None), (one(), None), (two(), None)]),
        (
            "NEW_AND_OLD_IMAGES",
            [(None, one()), (one(), two()), (two(), None)],
        ),
    ];
    for (view, expected) in cases {
        let world = World::open("us-east-1").await;
        let arn = told(&world, view, "4h").await;
        put(&world, "a", 1).await;
        put(&world, "a", 2).await;
        // What changes nothing is no event.
        put(&world, "a", 2).await;
        delete(&world, "b").await;
        delete(&world, "a").await;
        let records = follow(&world, &arn).await;
        let told: Vec<_> = records.iter().map(change).collect();
        assert_eq!(told, [("INSERT", "a"), ("MODIFY", "a"), ("REMOVE", "a")]);
        assert_eq!(
            records.iter().map(images).collect::<Vec<_>>(),
            expected,
            "{view}"
        );
        let first = &records[0];
        assert_eq!(first["eventVersion"], "1.1");
        assert_eq!(first["eventSource"], "aws:dynamodb");
        assert_eq!(first["awsRegion"], "us-east-1");
        assert_eq!(first["userIdentity"], Value::Null);
        assert_eq!(first["hitherOrigin"]["Region"], "us-east-1");
        assert_eq!(first["dynamodb"]["StreamViewType"], view);
        assert!(first["dynamodb"]["ApproximateCreationDateTime"].is_i64());
        let bytes = if expected[0].1.is_some() {
            3 + 3 + 7
        } else {
            3
        };
        assert_eq!(first["dynamodb"]["SizeBytes"], bytes);
        let ids: Vec<_> = records
            .iter()
            .map(|record| record["eventID"].as_str())
            .collect();
        assert!(ids[0].is_some() && ids[0] != ids[1] && ids[1] != ids[2]);
    }
}

#[tokio::test]
async fn shards_roll_over_and_name_their_parents() {
    let world = World::open("us-east-1").await;
    let arn = told(&world, "NEW_IMAGE", "2s").await;
    let open = describe(&world, &arn).await["Shards"][0].take();
    assert_eq!(
        open["SequenceNumberRange"]["EndingSequenceNumber"],
        Value::Null
    );
    let latest = iterator(
        &world,
        &arn,
        &open,
        json!({ "ShardIteratorType": "LATEST" }),
    )
    .await;
    for round in 0..3 {
        put(&world, "a", round).await;
        put(&world, "b", round).await;
        world.node.clock.advance(Duration::from_secs(3));
    }
    let description = describe(&world, &arn).await;
    let shards = description["Shards"].as_array().unwrap();
    assert_eq!(shards.len(), 5, "{description}");
    assert_eq!(shards[0].get("ParentShardId"), None);
    for pair in shards.windows(2) {
        assert_eq!(pair[1]["ParentShardId"], pair[0]["ShardId"]);
    }
    assert_eq!(follow(&world, &arn).await.len(), 6);
    // The iterator of the first shard ends with it, having seen what was written there.
    assert!(read(&world, latest).await.1);
    // Pages, and the children of one shard.
    let request = json!({ "StreamArn": arn, "Limit": 2 });
    let page = ok(&world, "DescribeStream", request).await["StreamDescription"].take();
    assert_eq!(page["LastEvaluatedShardId"], shards[1]["ShardId"]);
    let request = json!({ "StreamArn": arn, "ExclusiveStartShardId": shards[1]["ShardId"] });
    let rest = ok(&world, "DescribeStream", request).await["StreamDescription"].take();
    assert_eq!(rest["Shards"].as_array().unwrap(), &shards[2..]);
    assert_eq!(rest.get("LastEvaluatedShardId"), None);
    let filter = json!({ "Type": "CHILD_SHARDS", "ShardId": shards[1]["ShardId"] });
    let request = json!({ "StreamArn": arn, "ShardFilter": filter });
    let children = ok(&world, "DescribeStream", request).await["StreamDescription"].take();
    assert_eq!(children["Shards"], json!([shards[2]]));
}

#[tokio::test]
async fn iterators_begin_where_they_are_told_to() {
    let world = World::open("us-east-1").await;
    let arn = told(&world, "KEYS_ONLY", "4h").await;
    for pk in ["a", "b", "c"] {
        put(&world, pk, 1).await;
    }
    let shard = describe(&world, &arn).await["Shards"][0].take();
    let records = follow(&world, &arn).await;
    let number = &records[1]["dynamodb"]["SequenceNumber"];
    let cases = [
        (
            json!({ "ShardIteratorType": "TRIM_HORIZON" }),
            vec!["a", "b", "c"],
        ),
        (json!({ "ShardIteratorType": "LATEST" }), vec![]),
        (
            json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": number }),
            vec!["b", "c"],
        ),
        (
            json!({ "ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": number }),
            vec!["c"],
        ),
        (
            json!({ "ShardIteratorType": "AT_TIMESTAMP", "Timestamp": 1.5 }),
            vec!["a", "b", "c"],
        ),
    ];
    for (start, expected) in cases {
        let at = iterator(&world, &arn, &shard, start.clone()).await;
        let (records, ended) = read(&world, at).await;
        let found: Vec<_> = records.iter().map(|record| change(record).1).collect();
        assert_eq!((found, ended), (expected, false), "{start}");
    }
    let latest = iterator(
        &world,
        &arn,
        &shard,
        json!({ "ShardIteratorType": "LATEST" }),
    )
    .await;
    put(&world, "d", 1).await;
    let (records, _) = read(&world, latest).await;
    assert_eq!(change(&records[0]), ("INSERT", "d"));
}

#[tokio::test]
async fn iterators_that_make_no_sense_are_refused() {
    let world = World::open("us-east-1").await;
    let arn = told(&world, "KEYS_ONLY", "4h").await;
    put(&world, "a", 1).await;
    let shard = describe(&world, &arn).await["Shards"][0].take();
    let number = &follow(&world, &arn).await[0]["dynamodb"]["SequenceNumber"];
    let bad = [
        json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER" }),
        json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": "1".repeat(30) }),
        json!({ "ShardIteratorType": "LATEST", "SequenceNumber": number }),
        json!({ "ShardIteratorType": "SOMEWHERE" }),
    ];
    for start in bad {
        let mut request = json!({ "StreamArn": arn, "ShardId": shard["ShardId"] });
        request
            .as_object_mut()
            .unwrap()
            .extend(start.as_object().unwrap().clone());
        refused(&world, "GetShardIterator", request, "ValidationException").await;
    }
    let other = "shardId-00000000000000000001-00000000";
    let request = json!({
        "StreamArn": arn, "ShardId": other, "ShardIteratorType": "LATEST",
    });
    refused(
        &world,
        "GetShardIterator",
        request,
        "ResourceNotFoundException",
    )
    .await;
    for text in ["no iterator", &format!("{arn}|1|AAAA")] {
        let request = json!({ "ShardIterator": text });
        refused(&world, "GetRecords", request, "ValidationException").await;
    }
}

#[tokio::test]
async fn iterators_and_records_have_their_time() {
    let world = World::open("us-east-1").await;
    let arn = told(&world, "KEYS_ONLY", "4h").await;
    put(&world, "a", 1).await;
    let shard = describe(&world, &arn).await["Shards"][0].take();
    let number = follow(&world, &arn).await[0]["dynamodb"]["SequenceNumber"].take();
    let horizon = json!({ "ShardIteratorType": "TRIM_HORIZON" });
    let old = iterator(&world, &arn, &shard, horizon.clone()).await;
    world.node.clock.advance(Duration::from_mins(16));
    let request = json!({ "ShardIterator": old });
    refused(&world, "GetRecords", request, "ExpiredIteratorException").await;
    world.node.clock.advance(23 * HOUR);
    world.node.control.trim_history().await.unwrap();
    let at = iterator(&world, &arn, &shard, horizon.clone()).await;
    assert_eq!(read(&world, at).await.0.len(), 1);
    world.node.clock.advance(HOUR);
    let mut request = json!({ "StreamArn": arn, "ShardId": shard["ShardId"] });
    let start = json!({ "ShardIteratorType": "AT_SEQUENCE_NUMBER", "SequenceNumber": number });
    request
        .as_object_mut()
        .unwrap()
        .extend(start.as_object().unwrap().clone());
    refused(
        &world,
        "GetShardIterator",
        request,
        "TrimmedDataAccessException",
    )
    .await;
    world.node.clock.advance(HOUR);
    world.node.control.trim_history().await.unwrap();
    let at = iterator(&world, &arn, &shard, horizon).await;
    assert_eq!(read(&world, at).await.0.len(), 0);
    world.node.clock.advance(5 * HOUR);
    let first = describe(&world, &arn).await["Shards"][0].take();
    assert_ne!(
        first["ShardId"], shard["ShardId"],
        "what holds nothing is told no more"
    );
}

#[tokio::test]
async fn a_stream_ends_and_the_next_one_has_another_name() {
    let world = World::open("us-east-1").await;
    let first = told(&world, "KEYS_ONLY", "4h").await;
    put(&world, "a", 1).await;
    let on = json!({ "StreamEnabled": true, "StreamViewType": "NEW_IMAGE" });
    let off = json!({ "StreamEnabled": false });
    let set = |to: &Value| json!({ "TableName": "told", "StreamSpecification": to });
    let message = "Table already has an enabled stream: TableName: told";
    world.invalid("UpdateTable", set(&on), message).await;
    let described = world.ok("UpdateTable", set(&off)).await["TableDescription"].take();
    assert_eq!(described["LatestStreamArn"], first);
    assert_eq!(described.get("StreamSpecification"), None);
    put(&world, "b", 1).await;
    world.node.clock.advance(Duration::from_secs(1));
    let described = world.ok("UpdateTable", set(&on)).await["TableDescription"].take();
    let second = described["LatestStreamArn"].as_str().unwrap();
    put(&world, "c", 1).await;
    let told = |records: &[Value]| -> Vec<String> {
        records
            .iter()
            .map(|record| change(record).1.to_owned())
            .collect()
    };
    assert_eq!(told(&follow(&world, &first).await), ["a"]);
    assert_eq!(told(&follow(&world, second).await), ["c"]);
    // An iterator of the first stream, said to be one of the second.
    let shard = &describe(&world, &first).await["Shards"][0];
    let from = json!({ "ShardIteratorType": "TRIM_HORIZON" });
    let forged = iterator(&world, &first, shard, from).await;
    let forged = forged.replace(&first, second);
    assert_eq!(told(&read(&world, forged).await.0), ["c"]);
    assert_eq!(describe(&world, &first).await["StreamStatus"], "DISABLED");
    assert_eq!(describe(&world, second).await["StreamStatus"], "ENABLED");
    let listed = ok(
        &world,
        "ListStreams",
        json!({ "TableName": "told", "Limit": 1 }),
    )
    .await;
    assert_eq!(listed["Streams"][0]["StreamArn"], first);
    let request = json!({ "ExclusiveStartStreamArn": listed["LastEvaluatedStreamArn"] });
    let rest = ok(&world, "ListStreams", request).await;
    assert_eq!(rest["Streams"][0]["StreamArn"], second);
    assert_eq!(rest.get("LastEvaluatedStreamArn"), None);
    let none = ok(&world, "ListStreams", json!({ "TableName": "other" })).await;
    assert_eq!(none["Streams"], json!([]));
    // Here a table has no ARN, unlike where items are asked for.
    let elsewhere = "arn:aws:dynamodb:eu-west-1:000000000000:table/told";
    let request = json!({ "TableName": elsewhere });
    refused(&world, "ListStreams", request, "ValidationException").await;
    world.node.clock.advance(25 * HOUR);
    gone(&world, &first).await;
}

#[tokio::test]
async fn a_deleted_tables_stream_is_read_for_a_day() {
    let world = World::open("us-east-1").await;
    let arn = told(&world, "KEYS_ONLY", "4h").await;
    put(&world, "a", 1).await;
    world
        .ok("DeleteTable", json!({ "TableName": "told" }))
        .await;
    world.node.control.settle().await.unwrap();
    world.node.control.trim_history().await.unwrap();
    assert_eq!(
        follow(&world, &arn).await.len(),
        1,
        "its end is no event of its items"
    );
    assert_eq!(describe(&world, &arn).await["StreamStatus"], "DISABLED");
    world.node.clock.advance(25 * HOUR);
    world.node.control.trim_history().await.unwrap();
    gone(&world, &arn).await;
    assert!(world.node.control.remains().is_empty());
}

#[tokio::test]
async fn each_region_tells_its_own_and_the_others_changes() {
    let (east, west) = (
        World::open("us-east-1").await,
        World::open("eu-west-1").await,
    );
    let arn = told(&east, "NEW_IMAGE", "4h").await;
    let create = json!([{ "Create": { "RegionName": "eu-west-1" } }]);
    let request = json!({ "TableName": "told", "ReplicaUpdates": create });
    east.ok("UpdateTable", request).await;
    let learn = async |to: &World, from: &World| {
        testing::pull(&to.node, &from.node).await;
        to.node.control.refresh().await.unwrap();
    };
    learn(&west, &east).await;
    west.node.control.settle().await.unwrap();
    let open = west.node.control.table_named("told").unwrap();
    let fill = west.node.control.fillings()[&open.table.id()].clone();
    let filled = west.node.control.filled(open.table.id(), &fill).await;
    filled.unwrap();
    learn(&east, &west).await;
    put(&east, "from-east", 1).await;
    put(&west, "from-west", 1).await;
    learn(&west, &east).await;
    learn(&east, &west).await;
    let there = arn.replace("us-east-1", "eu-west-1");
    for (world, arn, region, first) in [
        (&east, &arn, "us-east-1", "from-east"),
        (&west, &there, "eu-west-1", "from-west"),
    ] {
        let records = follow(world, arn).await;
        assert_eq!(records.len(), 2);
        assert_eq!(change(&records[0]), ("INSERT", first));
        for record in &records {
            assert_eq!(record["awsRegion"], region);
            let from_east = change(record).1 == "from-east";
            let home = if from_east { "us-east-1" } else { "eu-west-1" };
            assert_eq!(record["hitherOrigin"]["Region"], home);
        }
    }
    // A stream is its region's.
    gone(&east, &there).await;
}

#[tokio::test]
async fn a_reader_goes_on_after_a_restart() {
    let world = World::open("us-east-1").await;
    let arn = told(&world, "KEYS_ONLY", "4h").await;
    put(&world, "a", 1).await;
    let shard = describe(&world, &arn).await["Shards"][0].take();
    let latest = iterator(
        &world,
        &arn,
        &shard,
        json!({ "ShardIteratorType": "LATEST" }),
    )
    .await;
    // The clock begins anew, where it was before.
    let world = world.restart().await;
    put(&world, "b", 1).await;
    let (records, _) = read(&world, latest).await;
    assert_eq!(
        records.iter().map(change).collect::<Vec<_>>(),
        [("INSERT", "b")]
    );
    assert_eq!(follow(&world, &arn).await.len(), 2);
}

#[tokio::test]
async fn a_bad_length_of_shards_is_refused() {
    let world = World::open("us-east-1").await;
    let request = json!({
        "TableName": "told",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
        "BillingMode": "PAY_PER_REQUEST",
        "Tags": [{ "Key": "hither:stream-roll", "Value": "a while" }],
    });
    let message = "Tag hither:stream-roll is a time from 1s to 4h, as in 2s, 5m or 4h";
    world.invalid("CreateTable", request, message).await;
}

#[tokio::test]
async fn what_expires_is_told_as_the_services_own_deed() {
    let world = World::open("us-east-1").await;
    let arn = told(&world, "OLD_IMAGE", "4h").await;
    let specification = json!({ "Enabled": true, "AttributeName": "value" });
    let request = json!({ "TableName": "told", "TimeToLiveSpecification": specification });
    world.ok("UpdateTimeToLive", request).await;
    let now = world.node.control.clock().wall();
    put(&world, "expired", now.as_secs() - 5).await;
    put(&world, "deleted", now.as_secs() + 500).await;
    delete(&world, "deleted").await;
    let tables = world.node.control.tables();
    tables.settle_indexes().await.unwrap();
    assert_eq!(tables.expire(now).await.unwrap().items, 1);
    let records = follow(&world, &arn).await;
    let told: Vec<_> = records.iter().map(change).collect();
    let expected = [
        ("INSERT", "expired"),
        ("INSERT", "deleted"),
        ("REMOVE", "deleted"),
        ("REMOVE", "expired"),
    ];
    assert_eq!(told, expected);
    assert_eq!(records[2]["userIdentity"], Value::Null);
    let service = json!({ "PrincipalId": "dynamodb.amazonaws.com", "Type": "Service" });
    assert_eq!(records[3]["userIdentity"], service);
    assert!(records[3]["dynamodb"]["OldImage"].is_object());
}
