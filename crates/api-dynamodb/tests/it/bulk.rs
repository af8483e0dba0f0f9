//! Bulk operations: what they write, what they report, and how they end.

use std::time::Duration;

use api_dynamodb::facade::DynamoDb;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::buckets::InMemory;
use crate::world::{World, n, s};

fn request(more: Value) -> Value {
    let mut request = json!({
        "TableName": "hash",
        "InputS3Configuration": { "S3Bucket": "bucket", "InputFormat": "DYNAMODB_JSON" },
        "OutputS3Configuration": {
            "S3Bucket": "reports", "S3KeyPrefix": "of/",
            "OutputType": ["ERROR", "CONDITION_CHECK_FAILURE"],
        },
    });
    let members = request.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    request
}

async fn start(world: &World, request: Value) -> Value {
    world.ok("StartBulkPutItems", request).await["BulkOperationDescription"].take()
}

async fn work(world: &World, buckets: &InMemory, asked: &Value) -> Value {
    let loader = DynamoDb::new(world.node.control.clone());
    loader.work_on_loads(buckets).await.unwrap();
    let named = json!({ "BulkOperationArn": asked["BulkOperationArn"] });
    world.ok("DescribeBulkOperation", named).await["BulkOperationDescription"].take()
}

fn line(item: Value, condition: Option<&str>) -> String {
    let mut line = json!({ "Item": item });
    if let Some(condition) = condition {
        line["ConditionExpression"] = condition.into();
    }
    format!("{line}\n")
}

async fn get(world: &World, pk: &str) -> Value {
    let request = json!({ "TableName": "hash", "Key": { "pk": s(pk) } });
    world.ok("GetItem", request).await["Item"].take()
}

#[tokio::test]
async fn items_are_put_where_their_conditions_hold() {
    let (world, buckets) = (World::with_tables().await, InMemory::default());
    world.put(json!({ "pk": s("old"), "n": n(1) })).await;
    world.put(json!({ "pk": s("gone"), "n": n(1) })).await;
    let absent = Some("attribute_not_exists(pk)");
    let text = [
        line(json!({ "pk": s("old"), "n": n(2) }), absent),
        line(json!({ "pk": s("new"), "n": n(2) }), absent),
        // The second of the same key finds the first.
        line(json!({ "pk": s("new"), "n": n(3) }), absent),
        line(json!({ "pk": s("plain"), "n": n(2) }), None),
        line(json!({ "n": n(2) }), None),
        line(json!({ "pk": s("x") }), Some("pk = :missing")),
        // As incremental exports tell of an item that is gone.
        "{\"Keys\":{\"pk\":{\"S\":\"gone\"}},\"Metadata\":{}}\n".to_owned(),
    ];
    buckets.store("bucket", "in", text.concat()).await;
    let asked = start(&world, request(json!({}))).await;
    assert_eq!(asked["BulkOperationStatus"], "IN_PROGRESS");
    assert_eq!(asked.get("TotalInputBytes"), None);
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(
        told["BulkOperationStatus"], "COMPLETED_WITH_ERRORS",
        "{told}"
    );
    assert_eq!(told["ProcessedItemCount"], 7);
    assert_eq!(told["FailedItemCount"], 2);
    assert_eq!(told["ProcessedInputBytes"], told["TotalInputBytes"]);
    for (pk, expect) in [("old", 1), ("new", 2), ("plain", 2)] {
        assert_eq!(get(&world, pk).await["n"], n(expect), "{pk}");
    }
    assert_eq!(get(&world, "gone").await, Value::Null);
    let refused = buckets.reported("/condition-check-failures.jsonl");
    assert_eq!(refused.len(), 2);
    let item = |number: i64| json!({ "pk": s("old"), "n": n(number) });
    assert_eq!(refused[0]["Item"], item(2));
    assert_eq!(refused[0]["ExistingItem"], item(1));
    assert_eq!(refused[1]["ExistingItem"]["n"], n(2));
    let errors = buckets.reported("/errors.jsonl");
    assert_eq!(errors.len(), 2);
    assert_eq!(errors[0]["itemS3Pointer"]["itemIndex"], 4);
    let arn = told["BulkOperationArn"].as_str().unwrap();
    let number = arn.rsplit('/').next().unwrap();
    let manifest = format!("reports/of/AWSDynamoDB/{number}/manifest-summary.json");
    let manifest: Value = serde_json::from_str(&buckets.text(&manifest)).unwrap();
    assert_eq!(manifest["conditionCheckFailureCount"], 2);
    assert_eq!(manifest["bulkOperationStatus"], "COMPLETED_WITH_ERRORS");
}

#[tokio::test]
async fn a_bulk_operation_is_asked_for_once_and_can_be_cancelled() {
    let (world, buckets) = (World::with_tables().await, InMemory::default());
    let one = line(json!({ "pk": s("a") }), None);
    buckets.store("bucket", "in", one).await;
    let once = || request(json!({ "ClientToken": "once" }));
    let asked = start(&world, once()).await;
    assert_eq!(asked, start(&world, once()).await);
    let other = request(json!({ "ClientToken": "once", "MaxWriteRequestUnits": 2048 }));
    let code = "IdempotentParameterMismatchException";
    let message = "The client token was used for another bulk operation in the last 8 hours";
    let (status, refused) = world.call("StartBulkPutItems", other).await;
    assert_eq!(status, 400, "{refused}");
    assert!(refused["__type"].as_str().unwrap().ends_with(code));
    assert!(refused.to_string().contains(message), "{refused}");
    let named = json!({ "BulkOperationArn": asked["BulkOperationArn"] });
    let cancelled = world.ok("CancelBulkOperation", named.clone()).await;
    assert_eq!(cancelled["BulkOperationStatus"], "CANCELLING");
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(told["BulkOperationStatus"], "CANCELLED", "{told}");
    assert_eq!(get(&world, "a").await, Value::Null);
    let cancelled = world.ok("CancelBulkOperation", named).await;
    assert_eq!(cancelled["BulkOperationStatus"], "CANCELLED");
    for number in 0..3 {
        let more = json!({ "ClientToken": format!("{number}") });
        let asked = start(&world, request(more)).await;
        let told = work(&world, &buckets, &asked).await;
        assert_eq!(told["BulkOperationStatus"], "COMPLETED", "{told}");
    }
    let page = world
        .ok("ListBulkOperations", json!({ "MaxResults": 3 }))
        .await;
    let first = &page["BulkOperationsSummaryList"];
    assert_eq!(first.as_array().unwrap().len(), 3);
    let rest = json!({ "NextToken": page["NextToken"] });
    let rest = world.ok("ListBulkOperations", rest).await;
    let last = &rest["BulkOperationsSummaryList"][0];
    assert_eq!(last["BulkOperationStatus"], "CANCELLED");
    let arn = format!("{}x", asked["BulkOperationArn"].as_str().unwrap());
    let named = json!({ "BulkOperationArn": arn });
    let message = format!("Requested resource not found: BulkOperation: {arn} not found");
    let code = "ResourceNotFoundException";
    world
        .refused("DescribeBulkOperation", named, code, &message)
        .await;
}

#[tokio::test]
async fn what_cannot_be_put_in_bulk_is_refused_or_fails() {
    let (world, buckets) = (World::with_tables().await, InMemory::default());
    let asked = start(&world, request(json!({}))).await;
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(told["BulkOperationStatus"], "FAILED");
    assert_eq!(told["FailureCode"], "S3NoSuchBucket");
    let missing = request(json!({ "TableName": "none" }));
    let message = "Requested resource not found: Table: none not found";
    let code = "ResourceNotFoundException";
    world
        .refused("StartBulkPutItems", missing, code, message)
        .await;
    let long = "x".repeat(251);
    for prefix in ["../elsewhere", "..", "a\\b", "a\0", &long] {
        let mut escaping = request(json!({}));
        escaping["OutputS3Configuration"]["S3KeyPrefix"] = json!(prefix);
        let message = "S3KeyPrefix is made of names with slashes in between";
        world.invalid("StartBulkPutItems", escaping, message).await;
    }
    // Nowhere to report to.
    buckets.store("bucket", "in", "no item\n").await;
    let mut unwritable = request(json!({}));
    unwritable["OutputS3Configuration"]["S3Bucket"] = json!("read-only");
    let asked = start(&world, unwritable).await;
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(told["FailureCode"], "ReportUnavailable", "{told}");
    // Nothing to tell but how it ended, which cannot be told.
    buckets
        .store("bucket", "in", line(json!({ "pk": s("a") }), None))
        .await;
    let mut unwritable = request(json!({}));
    unwritable["OutputS3Configuration"]["S3Bucket"] = json!("read-only");
    let asked = start(&world, unwritable).await;
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(told["BulkOperationStatus"], "FAILED", "{told}");
    assert_eq!(told["FailureCode"], "ReportUnavailable", "{told}");
    // A global table takes none, as on AWS.
    let stream = json!({ "StreamEnabled": true, "StreamViewType": "NEW_AND_OLD_IMAGES" });
    let stream = json!({ "TableName": "hash", "StreamSpecification": stream });
    world.ok("UpdateTable", stream).await;
    let replica = json!([{ "Create": { "RegionName": "eu-west-1" } }]);
    let replica = json!({ "TableName": "hash", "ReplicaUpdates": replica });
    world.ok("UpdateTable", replica).await;
    let message = "Bulk operations are not supported on global tables";
    world
        .invalid("StartBulkPutItems", request(json!({})), message)
        .await;
}

#[tokio::test]
async fn mistakes_are_told_in_few_words() {
    let (world, buckets) = (World::with_tables().await, InMemory::default());
    let wrong = format!("{{\"Item\":\"{}\"}}\n", "é".repeat(100_000));
    buckets.store("bucket", "in", wrong).await;
    let asked = start(&world, request(json!({}))).await;
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(told["FailedItemCount"], 1, "{told}");
    let errors = buckets.reported("/errors.jsonl");
    let message = errors[0]["errorMessages"][0].as_str().unwrap();
    assert_eq!(message.chars().count(), 1_024);
}

#[tokio::test]
async fn of_records_of_one_key_the_last_one_stays() {
    let (world, buckets) = (World::with_tables().await, InMemory::default());
    let gone = "{\"Keys\":{\"pk\":{\"S\":\"gone\"}},\"Metadata\":{}}\n".to_owned();
    let numbered =
        |number: i64, condition| line(json!({ "pk": s("a"), "n": n(number) }), condition);
    let text = [
        numbered(1, None),
        numbered(2, None),
        numbered(3, None),
        numbered(4, Some("attribute_not_exists(pk)")),
        numbered(5, None),
        line(json!({ "pk": s("gone") }), None),
        gone,
    ];
    buckets.store("bucket", "in", text.concat()).await;
    let asked = start(&world, request(json!({}))).await;
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(told["ProcessedItemCount"], 7, "{told}");
    assert_eq!(get(&world, "a").await["n"], n(5));
    assert_eq!(get(&world, "gone").await, Value::Null);
    let refused = buckets.reported("/condition-check-failures.jsonl");
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0]["ExistingItem"]["n"], n(3));
}

#[tokio::test]
async fn a_bulk_operation_goes_on_after_a_crash() {
    let (world, buckets) = (World::with_tables().await, InMemory::default());
    let absent = Some("attribute_not_exists(pk)");
    let lines = (0..2_000).map(|number| line(json!({ "pk": s(&number.to_string()) }), absent));
    buckets
        .store("bucket", "in", lines.collect::<String>())
        .await;
    let asked = start(&world, request(json!({}))).await;
    let world = world.interrupted(&buckets, 600).await;
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(told["BulkOperationStatus"], "COMPLETED", "{told}");
    assert_eq!(told["ProcessedItemCount"], 2_000);
    // Nothing was written twice: the second time its condition does not hold.
    assert_eq!(buckets.reported("/condition-check-failures.jsonl").len(), 0);
}

/// Returns how long a bulk operation of 4,096 items of a kilobyte takes, by the runtime's clock,
/// which moves only while everything waits for it.
async fn took(more: Value) -> Duration {
    let (world, buckets) = (World::with_tables().await, InMemory::default());
    let lines = (0..4_096).map(|number| {
        let pk = format!("{number:04}");
        line(json!({ "pk": s(&pk), "text": s(&"x".repeat(1_000)) }), None)
    });
    buckets
        .store("bucket", "in", lines.collect::<String>())
        .await;
    let asked = start(&world, request(more)).await;
    let began = Instant::now();
    let told = work(&world, &buckets, &asked).await;
    assert_eq!(told["BulkOperationStatus"], "COMPLETED", "{told}");
    assert_eq!(told["ProcessedItemCount"], 4_096);
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_bulk_operation_is_as_quick_as_it_may_be() {
    // What others are throttled by is not asked, and nothing waits for anything.
    assert_eq!(took(json!({})).await, Duration::ZERO);
    // 4,096 units at 1,024 a second; timers are told in whole milliseconds.
    let took = took(json!({ "MaxWriteRequestUnits": 1_024 })).await;
    let expected = Duration::from_secs(4);
    assert!(
        expected <= took && took < expected + Duration::from_millis(100),
        "{took:?}"
    );
}
