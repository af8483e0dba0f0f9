//! BatchGetItem and BatchWriteItem.

use serde_json::{Value, json};

use crate::world::{World, n, s};

fn puts(count: usize) -> Vec<Value> {
    let put = |number: usize| json!({ "PutRequest": { "Item": { "pk": s(&number.to_string()) } } });
    (0..count).map(put).collect()
}

#[tokio::test]
async fn many_items_are_written_and_read_at_once() {
    let world = World::with_tables().await;
    world.put(json!({ "pk": s("old") })).await;
    let mut writes = puts(20);
    writes.push(json!({ "DeleteRequest": { "Key": { "pk": s("old") } } }));
    let range = json!([{ "PutRequest": { "Item": { "pk": s("r"), "sk": n(1), "x": n(2) } } }]);
    let request = json!({
        "RequestItems": { "hash": writes, "range": range },
        "ReturnConsumedCapacity": "TOTAL",
    });
    let answer = world.ok("BatchWriteItem", request).await;
    assert_eq!(answer["UnprocessedItems"], json!({}));
    let capacity = json!([
        { "TableName": "hash", "CapacityUnits": 21.0 },
        { "TableName": "range", "CapacityUnits": 1.0 },
    ]);
    assert_eq!(answer["ConsumedCapacity"], capacity);
    assert_eq!(world.get("old").await, Value::Null);
    let request = json!({ "RequestItems": {
        "hash": { "Keys": [{ "pk": s("3") }, { "pk": s("gone") }], "ConsistentRead": true },
        "range": { "Keys": [{ "pk": s("r"), "sk": n(1) }], "ProjectionExpression": "x" },
    } });
    let answer = world.ok("BatchGetItem", request).await;
    let responses = json!({ "hash": [{ "pk": s("3") }], "range": [{ "x": n(2) }] });
    assert_eq!(
        answer,
        json!({ "Responses": responses, "UnprocessedKeys": {} })
    );
}

#[tokio::test]
async fn a_reply_stops_at_sixteen_megabytes() {
    let world = World::with_tables().await;
    let text = s(&"x".repeat(390_000));
    let keys: Vec<Value> = (0..50)
        .map(|number| json!({ "pk": s(&number.to_string()) }))
        .collect();
    for key in &keys {
        world.put(json!({ "pk": key["pk"], "x": text })).await;
    }
    let request = json!({ "RequestItems": {
        "hash": { "Keys": keys, "ProjectionExpression": "pk" },
    } });
    let answer = world.ok("BatchGetItem", request).await;
    let read = answer["Responses"]["hash"].as_array().unwrap().len();
    let rest = &answer["UnprocessedKeys"]["hash"];
    assert_eq!(rest["ProjectionExpression"], "pk");
    assert_eq!(read + rest["Keys"].as_array().unwrap().len(), 50);
    assert_eq!(read, (16 << 20) / 390_003);
    let again = json!({ "RequestItems": answer["UnprocessedKeys"] });
    let answer = world.ok("BatchGetItem", again).await;
    assert_eq!(
        answer["Responses"]["hash"].as_array().unwrap().len(),
        50 - read
    );
}

#[tokio::test]
async fn batches_are_bounded_and_free_of_duplicates() {
    let world = World::with_tables().await;
    let gets = |count: usize| {
        let keys: Vec<_> = (0..count)
            .map(|one| json!({ "pk": s(&one.to_string()) }))
            .collect();
        json!({ "RequestItems": { "hash": { "Keys": keys } } })
    };
    world.ok("BatchGetItem", gets(100)).await;
    let many = "1 validation error detected: Value at 'RequestItems.hash.member.Keys' failed to \
                satisfy constraint: Member must have length less than or equal to 100";
    world.invalid("BatchGetItem", gets(101), many).await;
    let none = "The requestItems parameter is required for BatchGetItem";
    world
        .invalid("BatchGetItem", json!({ "RequestItems": {} }), none)
        .await;
    let none = "The requestItems parameter is required for BatchWriteItem";
    world
        .invalid("BatchWriteItem", json!({ "RequestItems": {} }), none)
        .await;
    world
        .ok(
            "BatchWriteItem",
            json!({ "RequestItems": { "hash": puts(25) } }),
        )
        .await;
    let (status, answer) = world
        .call(
            "BatchWriteItem",
            json!({ "RequestItems": { "hash": puts(26) } }),
        )
        .await;
    assert_eq!(status, 400);
    let message = answer["message"].as_str().unwrap();
    assert!(message.ends_with(
        "Map value must satisfy constraint: [Member must have length less than or equal to 25, \
         Member must have length greater than or equal to 1]"
    ));
    let twice = "Provided list of item keys contains duplicates";
    let key = json!({ "pk": s("a") });
    let request = json!({ "RequestItems": { "hash": { "Keys": [key, key] } } });
    world.invalid("BatchGetItem", request, twice).await;
    let request = json!({ "RequestItems": { "hash": [
        { "PutRequest": { "Item": { "pk": s("a"), "x": n(1) } } },
        { "DeleteRequest": { "Key": { "pk": s("a") } } },
    ] } });
    world.invalid("BatchWriteItem", request, twice).await;
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/hash";
    let put = json!([{ "PutRequest": { "Item": key } }]);
    let request = json!({ "RequestItems": { "hash": put, arn: put } });
    world.invalid("BatchWriteItem", request, twice).await;
    let request = json!({ "RequestItems": { "gone": puts(1) } });
    let message = "Requested resource not found";
    world
        .refused(
            "BatchWriteItem",
            request,
            "ResourceNotFoundException",
            message,
        )
        .await;
}
