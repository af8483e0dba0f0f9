//! Exports: what their files hold, and what they are called.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};

use crate::buckets::InMemory;
use crate::world::{World, n, s};

async fn world() -> World {
    let world = World::with_tables().await;
    let on = json!({ "PointInTimeRecoveryEnabled": true });
    let request = json!({ "TableName": "hash", "PointInTimeRecoverySpecification": on });
    world.ok("UpdateContinuousBackups", request).await;
    world
}

async fn export(world: &World, buckets: &InMemory, more: Value) -> Value {
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/hash";
    let mut request = json!({ "TableArn": arn, "S3Bucket": "bucket" });
    request
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    let asked = world.ok("ExportTableToPointInTime", request).await["ExportDescription"].take();
    assert_eq!(asked["ExportStatus"], "IN_PROGRESS");
    // What is written while it runs is not in it.
    world.put(json!({ "pk": s("late"), "value": n(9) })).await;
    let exporter = api_dynamodb::facade::DynamoDb::new(world.node.control.clone());
    exporter.work_on_exports(buckets).await.unwrap();
    let request = json!({ "ExportArn": asked["ExportArn"] });
    world.ok("DescribeExport", request).await["ExportDescription"].take()
}

#[tokio::test]
async fn a_full_export_has_every_item_of_its_moment() {
    let (world, buckets) = (world().await, InMemory::default());
    let all = json!({
        "pk": s("a"), "value": n(7), "text": s("a \"b\""), "yes": { "BOOL": true },
        "none": { "NULL": true }, "bytes": { "B": "AQI=" }, "numbers": { "NS": ["1", "2.5"] },
        "list": { "L": [s("x"), n(1)] }, "map": { "M": { "in side": s("y") } },
    });
    world.put(all).await;
    world.put(json!({ "pk": s("b"), "value": n(1) })).await;
    let told = export(&world, &buckets, json!({ "S3Prefix": "nightly/" })).await;
    assert_eq!(
        (&told["ExportStatus"], &told["ItemCount"]),
        (&json!("COMPLETED"), &json!(2))
    );
    let manifest = told["ExportManifest"].as_str().unwrap();
    assert!(manifest.starts_with("nightly/AWSDynamoDB/"), "{manifest}");
    let (summary, lines) = buckets.read(manifest);
    assert_eq!(summary["exportArn"], told["ExportArn"]);
    assert_eq!(summary["outputFormat"], "DYNAMODB_JSON");
    // Nothing is encrypted here, and nothing says so.
    assert_eq!(summary["s3SseAlgorithm"], json!(null));
    assert_eq!(told.get("S3SseAlgorithm"), None);
    assert_eq!(lines.len(), 2);
    let second: Value = serde_json::from_str(&lines[1]).unwrap();
    assert_eq!(second["Item"]["pk"], s("b"));
    assert_eq!(
        lines[0],
        "{\"Item\":{\"bytes\":{\"B\":\"AQI=\"},\"list\":{\"L\":[{\"S\":\"x\"},{\"N\":\"1\"}]},\
         \"map\":{\"M\":{\"in side\":{\"S\":\"y\"}}},\"none\":{\"NULL\":true},\
         \"numbers\":{\"NS\":[\"1\",\"2.5\"]},\"pk\":{\"S\":\"a\"},\
         \"text\":{\"S\":\"a \\\"b\\\"\"},\"value\":{\"N\":\"7\"},\"yes\":{\"BOOL\":true}}}"
    );
    let told = export(&world, &buckets, json!({ "ExportFormat": "ION" })).await;
    let (_, lines) = buckets.read(told["ExportManifest"].as_str().unwrap());
    assert_eq!(
        lines[0],
        "$ion_1_0 {Item:{bytes:{{AQI=}},list:[\"x\",1.],map:{\"in side\":\"y\"},none:null,\
         numbers:$dynamodb_NS::[1.,2.5],pk:\"a\",text:\"a \\\"b\\\"\",value:7.,yes:true}}"
    );
    // What was copied for it is gone.
    let held = world.node.control.tables().backups().await.unwrap();
    assert_eq!(held, []);
}

#[tokio::test]
async fn an_incremental_export_has_what_changed() {
    let (world, buckets) = (world().await, InMemory::default());
    for pk in ["same", "changed", "gone"] {
        world.put(json!({ "pk": s(pk), "value": n(1) })).await;
    }
    world.node.clock.advance(Duration::from_secs(2));
    let window = json!({ "TableName": "hash" });
    let window = world.ok("DescribeContinuousBackups", window).await;
    let from = &window["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    let from = from["LatestRestorableDateTime"].clone();
    world.node.clock.advance(Duration::from_mins(10));
    let start = world.node.control.clock().wall().as_micros();
    for value in 2..4 {
        world
            .put(json!({ "pk": s("changed"), "value": n(value) }))
            .await;
    }
    world.put(json!({ "pk": s("made"), "value": n(1) })).await;
    world.put(json!({ "pk": s("brief"), "value": n(1) })).await;
    for pk in ["gone", "brief"] {
        let request = json!({ "TableName": "hash", "Key": { "pk": s(pk) } });
        world.ok("DeleteItem", request).await;
    }
    // Stamps may be a little ahead of a clock that hardly moves.
    let end = world.node.control.clock().wall().as_micros() + 1_000_000;
    world.node.clock.advance(Duration::from_mins(10));
    for (view, old) in [("NEW_AND_OLD_IMAGES", true), ("NEW_IMAGE", false)] {
        let request = json!({
            "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": { "ExportFromTime": from, "ExportViewType": view },
        });
        let told = export(&world, &buckets, request).await;
        assert_eq!(told["ExportType"], "INCREMENTAL_EXPORT");
        let (summary, lines) = buckets.read(told["ExportManifest"].as_str().unwrap());
        assert_eq!(summary["outputView"], view);
        let mut found = BTreeMap::new();
        for line in &lines {
            let line: Value = serde_json::from_str(line).unwrap();
            let image = |name: &str| line[name]["value"]["N"].as_str().map(str::to_owned);
            let pk = line["Keys"]["pk"]["S"].as_str().unwrap().to_owned();
            let written = line["Metadata"]["WriteTimestampMicros"]["N"]
                .as_str()
                .unwrap();
            let written: i64 = written.parse().unwrap();
            assert!(pk == "late" || (start..end).contains(&written), "{line}");
            found.insert(pk, (image("OldImage"), image("NewImage")));
        }
        found.remove("late");
        let one = || Some("1".to_owned());
        let expected = BTreeMap::from([
            (
                "changed".to_owned(),
                (one().filter(|_| old), Some("3".to_owned())),
            ),
            ("gone".to_owned(), (one().filter(|_| old), None)),
            ("made".to_owned(), (None, one())),
        ]);
        assert_eq!(found, expected);
    }
}

#[tokio::test]
async fn exports_that_make_no_sense_are_refused_and_others_fail_aloud() {
    let (world, buckets) = (world().await, InMemory::default());
    let told = export(&world, &buckets, json!({ "S3Bucket": "read-only" })).await;
    assert_eq!(told["ExportStatus"], "FAILED");
    assert!(
        told["FailureMessage"]
            .as_str()
            .unwrap()
            .contains("read-only")
    );
    let token = json!({ "ClientToken": "once" });
    let once = export(&world, &buckets, token.clone()).await;
    let mut again = json!({
        "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/hash", "S3Bucket": "bucket",
    });
    again
        .as_object_mut()
        .unwrap()
        .extend(token.as_object().unwrap().clone());
    let again = world.ok("ExportTableToPointInTime", again).await;
    assert_eq!(again["ExportDescription"], once);
    let listed = world.ok("ListExports", json!({ "MaxResults": 1 })).await;
    assert_eq!(listed["ExportSummaries"][0]["ExportArn"], once["ExportArn"]);
    let request = json!({ "NextToken": listed["NextToken"] });
    let rest = world.ok("ListExports", request).await;
    assert_eq!(rest["ExportSummaries"][0]["ExportArn"], told["ExportArn"]);
    assert_eq!(rest.get("NextToken"), None);
    let code = "PointInTimeRecoveryUnavailableException";
    let message = "Point in time recovery is not enabled for table 'range'";
    let request = json!({
        "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/range", "S3Bucket": "bucket",
    });
    world
        .refused("ExportTableToPointInTime", request.clone(), code, message)
        .await;
    let mut request = request;
    request["S3SseAlgorithm"] = json!("AES256");
    let message = "One or more parameter values were invalid: S3SseAlgorithm is not supported by \
                   this endpoint";
    world
        .invalid("ExportTableToPointInTime", request.clone(), message)
        .await;
    request["S3SseAlgorithm"].take();
    request["S3Prefix"] = json!("../elsewhere");
    let message = "S3Prefix is made of names with slashes in between";
    world
        .invalid("ExportTableToPointInTime", request, message)
        .await;
}

#[tokio::test]
async fn exports_are_bounded_and_forgotten_in_the_end() {
    let (world, buckets) = (world().await, InMemory::default());
    let told = export(&world, &buckets, json!({})).await;
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/hash";
    let request = json!({ "TableArn": arn, "S3Bucket": "bucket" });
    for _ in 0..300 {
        world.ok("ExportTableToPointInTime", request.clone()).await;
    }
    let message = "At most 300 exports can run at once";
    world
        .refused(
            "ExportTableToPointInTime",
            request,
            "LimitExceededException",
            message,
        )
        .await;
    let named = json!({ "ExportArn": told["ExportArn"] });
    let day = Duration::from_hours(24);
    world.node.clock.advance(89 * day);
    world.node.control.trim_history().await.unwrap();
    world.ok("DescribeExport", named.clone()).await;
    world.node.clock.advance(2 * day);
    world.node.control.trim_history().await.unwrap();
    // Those that are still to be written stay, however long that takes.
    assert_eq!(world.node.control.exports().len(), 300);
    let message = format!("Export not found: {}", told["ExportArn"].as_str().unwrap());
    let code = "ExportNotFoundException";
    world.refused("DescribeExport", named, code, &message).await;
}

#[tokio::test]
async fn an_export_tells_what_its_filter_asks_for() {
    let (world, buckets) = (world().await, InMemory::default());
    for (pk, value) in [("a", 1), ("b", 2), ("c", 3)] {
        world
            .put(json!({ "pk": s(pk), "value": n(value), "more": s("x") }))
            .await;
    }
    let values = |value: Value| json!({ ":v": value });
    let cases = [
        (
            json!({
                "FilterExpression": "#v > :v", "ExpressionAttributeNames": { "#v": "value" },
                "ProjectionExpression": "pk", "ExpressionAttributeValues": values(n(1)),
            }),
            vec![json!({ "pk": s("b") }), json!({ "pk": s("c") })],
        ),
        (
            json!({
                "KeyConditionExpression": "pk = :v",
                "ExpressionAttributeValues": values(s("a")),
            }),
            vec![json!({ "pk": s("a"), "value": n(1), "more": s("x") })],
        ),
    ];
    for (filter, expect) in cases {
        let told = export(&world, &buckets, json!({ "FilterSpecification": filter })).await;
        assert_eq!(told["FilterSpecification"], filter);
        assert_eq!(told["ItemCount"], expect.len());
        let (_, lines) = buckets.read(told["ExportManifest"].as_str().unwrap());
        let items = lines.iter().map(|line| {
            let line: Value = serde_json::from_str(line).unwrap();
            line["Item"].clone()
        });
        let mut items: Vec<Value> = items.collect();
        items.sort_by_key(|item| item["pk"]["S"].to_string());
        assert_eq!(items, expect);
        for pk in ["late"] {
            let request = json!({ "TableName": "hash", "Key": { "pk": s(pk) } });
            world.ok("DeleteItem", request).await;
        }
    }
    let both = json!({
        "KeyConditionExpression": "pk = :v", "FilterExpression": "pk = :v",
        "ExpressionAttributeValues": values(s("a")),
    });
    let request = json!({
        "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/hash", "S3Bucket": "bucket",
        "FilterSpecification": both,
    });
    let message = "Filter Expression can only contain non-primary key attributes: \
                   Primary key attribute: pk";
    world
        .invalid("ExportTableToPointInTime", request, message)
        .await;
}

#[tokio::test]
async fn an_incremental_export_tells_a_quarter_of_an_hour_to_a_day() {
    let world = world().await;
    let latest = || async {
        let request = json!({ "TableName": "hash" });
        let known = world.ok("DescribeContinuousBackups", request).await;
        let recovery = &known["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
        recovery["LatestRestorableDateTime"].as_i64().unwrap()
    };
    world.node.clock.advance(Duration::from_hours(30));
    let to = latest().await;
    world.node.clock.advance(Duration::from_secs(2));
    for (secs, is_taken) in [(899, false), (900, true), (86_400, true), (86_401, false)] {
        let request = json!({
            "TableArn": "arn:aws:dynamodb:us-east-1:000000000000:table/hash",
            "S3Bucket": "bucket", "ExportType": "INCREMENTAL_EXPORT",
            "IncrementalExportSpecification": {
                "ExportFromTime": to - secs, "ExportToTime": to,
            },
        });
        let operation = "ExportTableToPointInTime";
        if is_taken {
            world.ok(operation, request).await;
            continue;
        }
        let message = "The time between ExportFromTime and ExportToTime is at least 15 minutes \
                       and at most 24 hours";
        let code = "InvalidExportTimeException";
        world.refused(operation, request, code, message).await;
    }
}

#[tokio::test]
async fn two_calls_of_one_token_at_once_make_one_export() {
    let world = world().await;
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/hash";
    let ask = |bucket: &str| {
        let request = json!({ "TableArn": arn, "S3Bucket": bucket, "ClientToken": "once" });
        world.call("ExportTableToPointInTime", request)
    };
    let ((_, one), (_, two), (status, other)) =
        tokio::join!(ask("bucket"), ask("bucket"), ask("elsewhere"));
    let made = one["ExportDescription"]["ExportArn"].as_str();
    assert!(made.is_some(), "{one}");
    assert_eq!(
        two["ExportDescription"]["ExportArn"].as_str(),
        made,
        "{two}"
    );
    assert_eq!(status, 400, "{other}");
    let code = other["__type"].as_str().unwrap();
    assert!(code.ends_with("#ExportConflictException"), "{other}");
    let listed = world.ok("ListExports", json!({})).await;
    assert_eq!(listed["ExportSummaries"].as_array().unwrap().len(), 1);
}
