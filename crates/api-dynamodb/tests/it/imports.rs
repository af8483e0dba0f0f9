//! Imports: what their tables hold, what is told of them, and how they go on after a crash.

use std::io::Write as _;
use std::time::Duration;

use api_dynamodb::facade::DynamoDb;
use serde_json::{Value, json};

use crate::buckets::InMemory;
use crate::world::{World, n, s};

/// Returns a request that imports into a table of one key.
fn request(table: &str, more: Value) -> Value {
    let mut request = json!({
        "S3BucketSource": { "S3Bucket": "bucket" },
        "InputFormat": "DYNAMODB_JSON",
        "TableCreationParameters": {
            "TableName": table,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
        },
    });
    let members = request.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    request
}

async fn work(world: &World, buckets: &InMemory) {
    let loader = DynamoDb::new(world.node.control.clone());
    loader.work_on_loads(buckets).await.unwrap();
}

async fn described(world: &World, asked: &Value) -> Value {
    let request = json!({ "ImportArn": asked["ImportArn"] });
    world.ok("DescribeImport", request).await["ImportTableDescription"].take()
}

/// Imports, and returns what is told of it afterwards.
async fn import(world: &World, buckets: &InMemory, request: Value) -> Value {
    let asked = world.ok("ImportTable", request).await["ImportTableDescription"].take();
    assert_eq!(asked["ImportStatus"], "IN_PROGRESS");
    work(world, buckets).await;
    described(world, &asked).await
}

async fn items(world: &World, table: &str) -> Vec<Value> {
    let found = world.ok("Scan", json!({ "TableName": table })).await;
    let mut items = found["Items"].as_array().unwrap().clone();
    items.sort_by_key(Value::to_string);
    items
}

fn lines(numbers: std::ops::Range<i64>) -> String {
    let line = |number| json!({ "Item": { "pk": s(&format!("{number:05}")), "n": n(number) } });
    let lines: Vec<String> = numbers.map(|number| line(number).to_string()).collect();
    lines.join("\n") + "\n"
}

fn counts(told: &Value) -> [u64; 3] {
    ["ProcessedItemCount", "ImportedItemCount", "ErrorCount"]
        .map(|name| told[name].as_u64().unwrap())
}

#[tokio::test]
async fn what_was_exported_is_imported_as_it_was() {
    let (world, buckets) = (World::with_tables().await, InMemory::default());
    let on = json!({ "PointInTimeRecoveryEnabled": true });
    let on = json!({ "TableName": "hash", "PointInTimeRecoverySpecification": on });
    world.ok("UpdateContinuousBackups", on).await;
    let all = json!({
        "pk": s("a \"b\"\n\u{1f600}"), "value": n(7), "text": s("x\u{0}\\'''{{"),
        "yes": { "BOOL": true },
        "none": { "NULL": true }, "bytes": { "B": "AQI=" }, "empty": { "B": "" },
        "numbers": { "NS": ["1", "2.5", "-1E-20", "12345678901234567890123456789012345678"] },
        "big": { "N": "9.9E+125" }, "small": { "N": "-1E-130" },
        "texts": { "SS": ["p", "q"] }, "blobs": { "BS": ["AQ==", "Ag=="] },
        "list": { "L": [s("x"), n(1), { "L": [] }] },
        "map": { "M": { "in side": s("y"), "null": { "M": {} }, "$ion": n(1) } },
    });
    world.put(all).await;
    for number in 0..40_i64 {
        world
            .put(json!({ "pk": s(&format!("{number}")), "value": n(number) }))
            .await;
    }
    let expected = items(&world, "hash").await;
    for format in ["DYNAMODB_JSON", "ION"] {
        let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/hash";
        let export = json!({
            "TableArn": arn, "S3Bucket": "bucket", "S3Prefix": format, "ExportFormat": format,
        });
        world.ok("ExportTableToPointInTime", export).await;
        let exporter = DynamoDb::new(world.node.control.clone());
        exporter.work_on_exports(&buckets).await.unwrap();
        let listed = world.ok("ListExports", json!({})).await;
        let arn = listed["ExportSummaries"][0]["ExportArn"].as_str().unwrap();
        let number = arn.rsplit('/').next().unwrap();
        let prefix = format!("{format}/AWSDynamoDB/{number}/data/");
        let table = format!("of-{format}");
        let more = json!({
            "S3BucketSource": { "S3Bucket": "bucket", "S3KeyPrefix": prefix },
            "InputFormat": format, "InputCompressionType": "GZIP",
        });
        let told = import(&world, &buckets, request(&table, more)).await;
        assert_eq!(told["ImportStatus"], "COMPLETED", "{told}");
        assert_eq!(counts(&told), [41, 41, 0], "{told}");
        assert_eq!(items(&world, &table).await, expected, "{format}");
    }
}

#[tokio::test]
async fn nobody_uses_a_table_before_it_is_imported() {
    let (world, buckets) = (World::open("us-east-1").await, InMemory::default());
    buckets.store("bucket", "in/1", lines(0..1_200)).await;
    buckets.store("bucket", "in/2", lines(1_200..1_300)).await;
    buckets.store("bucket", "other", "no item").await;
    let more = json!({
        "S3BucketSource": { "S3Bucket": "bucket", "S3KeyPrefix": "in/" }, "ClientToken": "once",
    });
    let mut request = request("made", more);
    let parameters = &mut request["TableCreationParameters"];
    parameters["AttributeDefinitions"] = json!([
        { "AttributeName": "pk", "AttributeType": "S" },
        { "AttributeName": "n", "AttributeType": "N" },
    ]);
    parameters["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-n", "Projection": { "ProjectionType": "KEYS_ONLY" },
        "KeySchema": [{ "AttributeName": "n", "KeyType": "HASH" }],
    }]);
    let asked = world.ok("ImportTable", request.clone()).await["ImportTableDescription"].take();
    let table = world
        .ok("DescribeTable", json!({ "TableName": "made" }))
        .await;
    assert_eq!(table["Table"]["TableStatus"], "CREATING");
    assert_eq!(table["Table"]["TableId"], asked["TableId"]);
    let missing = "Requested resource not found";
    let scan = json!({ "TableName": "made" });
    let code = "ResourceNotFoundException";
    world.refused("Scan", scan.clone(), code, missing).await;
    let (status, refused) = world.call("DeleteTable", scan.clone()).await;
    assert_eq!(status, 400, "{refused}");
    // Asked for again, it is the same import; with the token and another body it is none.
    let again = world.ok("ImportTable", request.clone()).await;
    assert_eq!(again["ImportTableDescription"], asked);
    let mut other = request.clone();
    other["InputFormat"] = json!("ION");
    let message = "The client token was used for another import in the last 8 hours";
    let code = "ImportConflictException";
    world.refused("ImportTable", other, code, message).await;
    work(&world, &buckets).await;
    let told = described(&world, &asked).await;
    assert_eq!(told["ImportStatus"], "COMPLETED", "{told}");
    assert_eq!(counts(&told), [1_300, 1_300, 0]);
    let size = lines(0..1_200).len() + lines(1_200..1_300).len();
    assert_eq!(told["ProcessedSizeBytes"], size);
    let given = &request["TableCreationParameters"];
    assert_eq!(told["TableCreationParameters"], *given);
    assert_eq!(items(&world, "made").await.len(), 1_300);
    let query = json!({
        "TableName": "made", "IndexName": "by-n", "KeyConditionExpression": "n = :n",
        "ExpressionAttributeValues": { ":n": n(1_250) },
    });
    let found = world.ok("Query", query).await;
    assert_eq!(found["Items"], json!([{ "pk": s("01250"), "n": n(1_250) }]));
    let put = json!({ "TableName": "made", "Item": { "pk": s("x"), "n": n(1) } });
    world.ok("PutItem", put).await;
    world.ok("DeleteTable", scan).await;
    // Its token is remembered for 8 hours.
    world.node.clock.advance(Duration::from_hours(8));
    let anew = world.ok("ImportTable", request).await;
    let anew = &anew["ImportTableDescription"]["ImportArn"];
    assert_ne!(*anew, asked["ImportArn"]);
}

#[tokio::test]
async fn rows_become_items_with_typed_keys() {
    let (world, buckets) = (World::open("us-east-1").await, InMemory::default());
    let rows = "pk;n;note\na;1;\"x;\"\"y\"\"\"\n";
    buckets.store("bucket", "one.csv", rows).await;
    let csv = json!({ "Csv": { "Delimiter": ";" } });
    let more = json!({ "InputFormat": "CSV", "InputFormatOptions": csv });
    let told = import(&world, &buckets, request("plain", more)).await;
    assert_eq!(told["ImportStatus"], "COMPLETED", "{told}");
    let item = json!({ "pk": s("a"), "n": s("1"), "note": s("x;\"y\"") });
    assert_eq!(items(&world, "plain").await, [item]);
    buckets
        .store("typed", "one.csv", "1,a,2,z\n1,b,x,z\n")
        .await;
    let more = json!({
        "InputFormat": "CSV",
        "InputFormatOptions": { "Csv": { "HeaderList": ["pk", "sk", "g", "note"] } },
        "S3BucketSource": { "S3Bucket": "typed" },
    });
    let mut request = request("typed", more);
    let kind = |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let key = |name: &str, role: &str| json!({ "AttributeName": name, "KeyType": role });
    let parameters = &mut request["TableCreationParameters"];
    parameters["AttributeDefinitions"] = json!([kind("pk", "N"), kind("sk", "S"), kind("g", "N")]);
    parameters["KeySchema"] = json!([key("pk", "HASH"), key("sk", "RANGE")]);
    parameters["GlobalSecondaryIndexes"] = json!([{
        "IndexName": "by-g", "Projection": { "ProjectionType": "ALL" },
        "KeySchema": [key("g", "HASH")],
    }]);
    let told = import(&world, &buckets, request).await;
    assert_eq!(counts(&told), [2, 1, 1], "{told}");
    let item = json!({ "pk": n(1), "sk": s("a"), "g": n(2), "note": s("z") });
    assert_eq!(items(&world, "typed").await, [item]);
}

#[tokio::test]
async fn what_is_no_item_is_told_and_the_others_are_imported() {
    let (world, buckets) = (World::open("us-east-1").await, InMemory::default());
    let mut text = lines(0..2);
    text.push_str("no json\n{\"Item\":{\"n\":{\"N\":\"1\"}}}\n{\"Item\":{\"pk\":{\"S\":\"\"}}}\n");
    let large = json!({ "Item": { "pk": s("large"), "x": s(&"x".repeat(400 << 10)) } });
    text.push_str(&large.to_string());
    text.push('\n');
    // The later of two records of one key is what is left.
    text.push_str(&json!({ "Item": { "pk": s("00001"), "n": n(9) } }).to_string());
    buckets.store("bucket", "a.json", text).await;
    let told = import(&world, &buckets, request("partly", json!({}))).await;
    assert_eq!(told["ImportStatus"], "FAILED");
    assert_eq!(told["FailureCode"], "ItemValidationError");
    assert_eq!(counts(&told), [7, 3, 4], "{told}");
    let item = |pk: &str, number: i64| json!({ "pk": s(pk), "n": n(number) });
    let expect = [item("00000", 0), item("00001", 9)];
    let mut found = items(&world, "partly").await;
    found.sort_by_key(|item| item["pk"]["S"].to_string());
    assert_eq!(found, expect);
    let reported = buckets.reported(".jsonl");
    let at: Vec<u64> = reported
        .iter()
        .map(|line| line["itemS3Pointer"]["itemIndex"].as_u64().unwrap())
        .collect();
    assert_eq!(at, [2, 3, 4, 5]);
    assert_eq!(reported[0]["importArn"], told["ImportArn"]);
    assert_eq!(reported[0]["itemS3Pointer"]["key"], "a.json");
    let why = reported[1]["errorMessages"][0].as_str().unwrap();
    assert!(why.ends_with("Missing the key pk in the item"), "{why}");
    // An object that cannot be unpacked is one mistake, and the others are read.
    buckets.store("packed", "1", "no gzip").await;
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(lines(0..3).as_bytes()).unwrap();
    buckets.store("packed", "2", packed.finish().unwrap()).await;
    let more = json!({
        "S3BucketSource": { "S3Bucket": "packed" }, "InputCompressionType": "GZIP",
    });
    let told = import(&world, &buckets, request("unpacked", more)).await;
    assert_eq!(counts(&told), [4, 3, 1], "{told}");
}

#[tokio::test]
async fn what_cannot_be_imported_leaves_no_table() {
    let (world, buckets) = (World::open("us-east-1").await, InMemory::default());
    let told = import(&world, &buckets, request("lost", json!({}))).await;
    assert_eq!(told["ImportStatus"], "FAILED");
    assert_eq!(told["FailureCode"], "S3NoSuchBucket");
    buckets.store("bucket", "a", "").await;
    let more = json!({ "S3BucketSource": { "S3Bucket": "bucket", "S3KeyPrefix": "b" } });
    let told = import(&world, &buckets, request("lost", more)).await;
    assert_eq!(told["FailureCode"], "S3NoSuchKey");
    let tables = world.ok("ListTables", json!({})).await;
    assert_eq!(tables["TableNames"], json!([]));
    // An object without records makes an empty table.
    let told = import(&world, &buckets, request("empty", json!({}))).await;
    assert_eq!(told["ImportStatus"], "COMPLETED", "{told}");
    assert_eq!(items(&world, "empty").await, [] as [Value; 0]);
    let arn = told["ImportArn"].as_str().unwrap();
    let arn = arn.replace("/import/", "/import/0");
    let message = format!("Import not found: {arn}");
    let named = json!({ "ImportArn": arn });
    let code = "ImportNotFoundException";
    world.refused("DescribeImport", named, code, &message).await;
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused() {
    let world = World::with_tables().await;
    for prefix in ["../", "a/../b", "/etc/", "a//b", "a\\b"] {
        let source = json!({ "S3Bucket": "bucket", "S3KeyPrefix": prefix });
        let request = request("made", json!({ "S3BucketSource": source }));
        let message = "S3KeyPrefix is made of names with slashes in between";
        world.invalid("ImportTable", request, message).await;
    }
    let csv = json!({ "Csv": { "HeaderList": ["a", "a"] } });
    let more = json!({ "InputFormatOptions": csv });
    let message = "InputFormatOptions.Csv goes with an InputFormat of CSV";
    let json_rows = request("made", more.clone());
    world.invalid("ImportTable", json_rows, message).await;
    let mut twice = request("made", more);
    twice["InputFormat"] = json!("CSV");
    let message = "HeaderList names a column twice";
    world.invalid("ImportTable", twice, message).await;
    let (taken, code) = (request("hash", json!({})), "ResourceInUseException");
    let message = "Table already exists: hash";
    world.refused("ImportTable", taken, code, message).await;
}

#[tokio::test]
async fn imports_are_bounded_listed_and_forgotten_in_the_end() {
    let (world, buckets) = (World::open("us-east-1").await, InMemory::default());
    buckets.store("bucket", "a", lines(0..1)).await;
    for number in 0..50 {
        let request = request(&format!("made-{number:02}"), json!({}));
        world.ok("ImportTable", request).await;
    }
    let message = "At most 50 imports can run at once";
    let (more, code) = (request("more", json!({})), "LimitExceededException");
    world.refused("ImportTable", more, code, message).await;
    work(&world, &buckets).await;
    let mut found = Vec::new();
    let mut next = Value::Null;
    loop {
        let request = json!({ "PageSize": 20, "NextToken": next });
        let page = world.ok("ListImports", request).await;
        for one in page["ImportSummaryList"].as_array().unwrap() {
            assert_eq!(one["ImportStatus"], "COMPLETED");
            found.push(one["TableArn"].as_str().unwrap().to_owned());
        }
        next = page["NextToken"].clone();
        if next.is_null() {
            break;
        }
        assert!(next.as_str().unwrap().len() >= 112);
    }
    assert_eq!(found.len(), 50);
    assert!(found[0].ends_with("made-49"), "{}", found[0]);
    let only = world
        .ok("ListImports", json!({ "TableArn": found[7] }))
        .await;
    assert_eq!(only["ImportSummaryList"].as_array().unwrap().len(), 1);
    world.node.clock.advance(Duration::from_hours(24 * 91));
    world.node.control.trim_history().await.unwrap();
    let left = world.ok("ListImports", json!({})).await;
    assert_eq!(left["ImportSummaryList"], json!([]));
}

#[tokio::test]
async fn an_import_goes_on_after_a_crash() {
    let world = World::open("us-east-1").await;
    let buckets = InMemory::default();
    let mut first = lines(0..40_000);
    first.push_str("broken\n");
    buckets.store("bucket", "1", first).await;
    let second = format!("broken\n{}", lines(40_000..50_000));
    buckets.store("bucket", "2", second).await;
    let asked = world.ok("ImportTable", request("made", json!({}))).await;
    let asked = &asked["ImportTableDescription"];
    let world = world.interrupted(&buckets, 16_000).await;
    let told = described(&world, asked).await;
    assert_eq!(told["ImportStatus"], "IN_PROGRESS");
    let before = counts(&told)[1];
    assert!((16_000..40_000).contains(&before), "{before}");
    work(&world, &buckets).await;
    let told = described(&world, asked).await;
    assert_eq!(counts(&told), [50_002, 50_000, 2], "{told}");
    assert_eq!(buckets.reported(".jsonl").len(), 2);
    let table = world
        .ok("DescribeTable", json!({ "TableName": "made" }))
        .await;
    assert_eq!(table["Table"]["TableStatus"], "ACTIVE");
    assert_eq!(table["Table"]["ItemCount"], 50_000);
}

#[tokio::test]
async fn two_calls_of_one_token_at_once_make_one_import() {
    let world = World::open("us-east-1").await;
    let ask = |table: &str, token: &str| {
        let request = request(table, json!({ "ClientToken": token }));
        world.call("ImportTable", request)
    };
    let ((_, one), (_, two), (status, other), (_, taken)) = tokio::join!(
        ask("made", "once"),
        ask("made", "once"),
        ask("elsewhere", "once"),
        ask("made", "another"),
    );
    let made = one["ImportTableDescription"]["ImportArn"].as_str();
    assert!(made.is_some(), "{one}");
    assert_eq!(
        two["ImportTableDescription"]["ImportArn"].as_str(),
        made,
        "{two}"
    );
    assert_eq!(status, 400, "{other}");
    let code = |refused: &Value| refused["__type"].as_str().unwrap_or_default().to_owned();
    assert!(
        code(&other).ends_with("#ImportConflictException"),
        "{other}"
    );
    // Another import finds its table's name taken.
    assert!(code(&taken).ends_with("#ResourceInUseException"), "{taken}");
    let listed = world.ok("ListImports", json!({})).await;
    assert_eq!(listed["ImportSummaryList"].as_array().unwrap().len(), 1);
}
