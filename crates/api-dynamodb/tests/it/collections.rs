//! Item collections of tables with local indexes, which may take so much and no more.

use serde_json::{Value, json};

use crate::buckets::InMemory;
use crate::world::{World, n, s};

const CODE: &str = "ItemCollectionSizeLimitExceededException";
const MESSAGE: &str = "Collection size exceeded.";

/// Opens a region with the table `orders`, whose collections take 10,000 bytes at most.
async fn world() -> World {
    let world = World::collecting("us-east-1", 10_000).await;
    world.ok("CreateTable", table()).await;
    world
}

/// Returns the request that makes the table `orders`.
fn table() -> Value {
    json!({
        "TableName": "orders",
        "KeySchema": [
            { "AttributeName": "pk", "KeyType": "HASH" },
            { "AttributeName": "sk", "KeyType": "RANGE" },
        ],
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "sk", "AttributeType": "N" },
            { "AttributeName": "worth", "AttributeType": "N" },
        ],
        "LocalSecondaryIndexes": [{
            "IndexName": "by-worth",
            "KeySchema": [
                { "AttributeName": "pk", "KeyType": "HASH" },
                { "AttributeName": "worth", "KeyType": "RANGE" },
            ],
            "Projection": { "ProjectionType": "ALL" },
        }],
        "BillingMode": "PAY_PER_REQUEST",
    })
}

/// Returns an item of some 3,000 bytes, which is in the index too where it has a worth.
fn item(pk: &str, sk: i64, has_worth: bool) -> Value {
    let mut item = json!({ "pk": s(pk), "sk": n(sk), "text": s(&"x".repeat(3_000)) });
    if has_worth {
        item["worth"] = n(1);
    }
    item
}

fn put(item: &Value) -> Value {
    json!({ "TableName": "orders", "Item": item })
}

#[tokio::test]
async fn a_collection_grows_to_its_bound_and_can_be_made_smaller() {
    let world = world().await;
    world.ok("PutItem", put(&item("a", 1, true))).await;
    world.ok("PutItem", put(&item("a", 2, false))).await;
    let third = put(&item("a", 3, false));
    world.refused("PutItem", third.clone(), CODE, MESSAGE).await;
    world.ok("PutItem", put(&item("b", 3, true))).await;
    let update = |expression: &str| {
        json!({
            "TableName": "orders",
            "Key": { "pk": s("a"), "sk": n(2) },
            "UpdateExpression": expression,
            "ExpressionAttributeValues": { ":v": n(7) },
        })
    };
    // With a worth it is in the index too.
    world
        .refused("UpdateItem", update("SET worth = :v"), CODE, MESSAGE)
        .await;
    world.ok("UpdateItem", update("SET rest = :v")).await;
    let smaller = json!({
        "TableName": "orders",
        "Key": { "pk": s("a"), "sk": n(1) },
        "UpdateExpression": "REMOVE worth",
    });
    world.ok("UpdateItem", smaller).await;
    world.ok("PutItem", third).await;
    let delete = json!({ "TableName": "orders", "Key": { "pk": s("a"), "sk": n(3) } });
    world.ok("DeleteItem", delete).await;
    world.ok("UpdateItem", update("SET worth = :v")).await;
}

#[tokio::test]
async fn every_call_that_writes_is_held_to_it() {
    let world = world().await;
    world.ok("PutItem", put(&item("a", 1, true))).await;
    let large = item("a", 2, true);
    let batch = json!({ "RequestItems": { "orders": [{ "PutRequest": { "Item": large } }] } });
    world.refused("BatchWriteItem", batch, CODE, MESSAGE).await;
    let transaction = json!({ "TransactItems": [{ "Put": put(&large) }] });
    let (_, refused) = world.call("TransactWriteItems", transaction).await;
    let reason = json!({ "Code": "ItemCollectionSizeLimitExceeded", "Message": MESSAGE });
    assert_eq!(refused["CancellationReasons"], json!([reason]));
    let text = "x".repeat(3_000);
    let insert = format!("INSERT INTO orders VALUE {{'pk':'a','sk':2,'worth':1,'text':'{text}'}}");
    let insert = json!({ "Statement": insert });
    world
        .refused("ExecuteStatement", insert.clone(), CODE, MESSAGE)
        .await;
    let answer = world
        .ok("BatchExecuteStatement", json!({ "Statements": [insert] }))
        .await;
    let error = &answer["Responses"][0]["Error"];
    assert_eq!(error["Code"], "ItemCollectionSizeLimitExceeded");
    let query = json!({
        "TableName": "orders",
        "KeyConditionExpression": "pk = :pk",
        "ExpressionAttributeValues": { ":pk": s("a") },
        "Select": "COUNT",
    });
    assert_eq!(world.ok("Query", query).await["Count"], 1);
}

#[tokio::test]
async fn tables_without_local_indexes_have_no_collections() {
    let world = World::collecting("us-east-1", 10_000).await;
    world.create("range", "S", Some("N")).await;
    for sk in 0..5 {
        let request = json!({
            "TableName": "range",
            "Item": item("a", sk, true),
            "ReturnItemCollectionMetrics": "SIZE",
        });
        let answer = world.ok("PutItem", request).await;
        assert_eq!(answer.get("ItemCollectionMetrics"), None);
    }
}

/// Returns lines of `count` items of one collection, of some 3,000 bytes each.
fn lines(pk: &str, count: i64) -> String {
    let line = |sk| json!({ "Item": item(pk, sk, false) }).to_string() + "\n";
    (0..count).map(line).collect()
}

/// Puts all that is in the bucket, and returns what is told of it then.
async fn put_all(world: &World, buckets: &InMemory) -> Value {
    let request = json!({
        "TableName": "orders",
        "InputS3Configuration": { "S3Bucket": "bucket", "InputFormat": "DYNAMODB_JSON" },
        "OutputS3Configuration": { "S3Bucket": "reports", "OutputType": ["ERROR"] },
    });
    let asked = world.ok("StartBulkPutItems", request).await;
    world.facade.work_on_loads(buckets).await.unwrap();
    let arn = &asked["BulkOperationDescription"]["BulkOperationArn"];
    let told = json!({ "BulkOperationArn": arn });
    let mut told = world.ok("DescribeBulkOperation", told).await;
    told["BulkOperationDescription"].take()
}

#[tokio::test]
async fn what_is_put_in_bulk_is_held_to_it() {
    let (world, buckets) = (world().await, InMemory::default());
    world.ok("PutItem", put(&item("a", 0, true))).await;
    // Of the four one takes the place of the first, which is in the index too; two more fit.
    let text = lines("a", 4) + &lines("b", 1);
    buckets.store("bucket", "in", text).await;
    let told = put_all(&world, &buckets).await;
    assert_eq!(told["BulkOperationStatus"], "COMPLETED_WITH_ERRORS");
    assert_eq!(told["ProcessedItemCount"], 5, "{told}");
    assert_eq!(told["FailedItemCount"], 1, "{told}");
    let errors = buckets.reported("/errors.jsonl");
    assert_eq!(errors.len(), 1);
    assert_eq!(errors[0]["itemS3Pointer"]["itemIndex"], 3);
    let message = format!("{CODE}: {MESSAGE}");
    assert_eq!(errors[0]["errorMessages"], json!([message]));
    let found = world.ok("Scan", json!({ "TableName": "orders" })).await;
    assert_eq!(found["Count"], 4);
}

/// Puts records of the item `a`, 1 in bulk, with texts of so many letters; returns what is told of
/// it, and how many letters the item has then.
async fn put_in_bulk(letters: &[usize]) -> (Value, Option<usize>) {
    let (world, buckets) = (world().await, InMemory::default());
    let line = |letters: &usize| {
        let item = json!({ "pk": s("a"), "sk": n(1), "text": s(&"x".repeat(*letters)) });
        json!({ "Item": item }).to_string() + "\n"
    };
    let lines: String = letters.iter().map(line).collect();
    buckets.store("bucket", "in", lines).await;
    let told = put_all(&world, &buckets).await;
    let key = json!({ "pk": s("a"), "sk": n(1) });
    let get = json!({ "TableName": "orders", "Key": key, "ConsistentRead": true });
    let found = world.ok("GetItem", get).await;
    let text = found["Item"]["text"]["S"].as_str();
    (told, text.map(str::len))
}

#[tokio::test]
async fn a_record_that_is_too_large_leaves_the_one_of_its_key_before_it() {
    for (letters, left) in [
        (&[3_000, 11_000][..], 3_000),
        (&[11_000, 3_000], 3_000),
        (&[3_000, 11_000, 4_000], 4_000),
        (&[3_000, 8_000, 11_000], 8_000),
    ] {
        let (told, found) = put_in_bulk(letters).await;
        assert_eq!(found, Some(left), "{letters:?}");
        assert_eq!(told["ProcessedItemCount"], letters.len(), "{told}");
        assert_eq!(told["FailedItemCount"], 1, "{told}");
    }
}

#[tokio::test]
async fn what_is_imported_is_held_to_it() {
    let (world, buckets) = (world().await, InMemory::default());
    buckets.store("bucket", "in", lines("a", 5)).await;
    let mut parameters = table();
    parameters["TableName"] = "imported".into();
    let request = json!({
        "S3BucketSource": { "S3Bucket": "bucket" },
        "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": parameters,
    });
    let asked = world.ok("ImportTable", request).await;
    world.facade.work_on_loads(&buckets).await.unwrap();
    let arn = &asked["ImportTableDescription"]["ImportArn"];
    let told = world
        .ok("DescribeImport", json!({ "ImportArn": arn }))
        .await;
    let told = &told["ImportTableDescription"];
    assert_eq!(told["ErrorCount"], 2, "{told}");
    assert_eq!(told["ImportedItemCount"], 3, "{told}");
    assert_eq!(told["FailureCode"], "ItemValidationError", "{told}");
}
