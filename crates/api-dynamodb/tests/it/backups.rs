//! Backups, continuous backups, and tables restored from them.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::world::{World, n, s};

const SECOND: Duration = Duration::from_secs(1);

async fn put(world: &World, pk: &str, value: i64) {
    world.put(json!({ "pk": s(pk), "value": n(value) })).await;
}

/// Works on what was asked for, as a region does all the time.
async fn work(world: &World) {
    world.node.control.work_on_copies().await.unwrap();
}

/// Returns the keys and values of a table.
async fn contents(world: &World, table: &str) -> BTreeSet<(String, String)> {
    let answer = world.ok("Scan", json!({ "TableName": table })).await;
    let items = answer["Items"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    items
        .map(|item| (text(&item["pk"]["S"]), text(&item["value"]["N"])))
        .collect()
}

fn set(items: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let own = |(pk, value): &(&str, &str)| ((*pk).to_owned(), (*value).to_owned());
    items.iter().map(own).collect()
}

async fn recovery(world: &World, specification: Value) -> Value {
    let request = json!({
        "TableName": "hash", "PointInTimeRecoverySpecification": specification,
    });
    let mut answer = world.ok("UpdateContinuousBackups", request).await;
    answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"].take()
}

async fn latest(world: &World) -> i64 {
    let request = json!({ "TableName": "hash" });
    let answer = world.ok("DescribeContinuousBackups", request).await;
    let recovery = &answer["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"];
    recovery["LatestRestorableDateTime"].as_i64().unwrap()
}

#[tokio::test]
async fn a_backup_holds_what_was_there_when_it_was_made() {
    let world = World::with_tables().await;
    put(&world, "a", 1).await;
    put(&world, "b", 1).await;
    let request = json!({ "TableName": "hash", "BackupName": "nightly" });
    let made = world.ok("CreateBackup", request.clone()).await["BackupDetails"].take();
    assert_eq!(made["BackupStatus"], "CREATING");
    assert_eq!(made["BackupType"], "USER");
    let arn = made["BackupArn"].as_str().unwrap();
    let prefix = "arn:aws:dynamodb:us-east-1:000000000000:table/hash/backup/";
    assert!(arn.starts_with(prefix), "{arn}");
    // While it is made: it is not used, and the table stays.
    let code = "BackupInUseException";
    let message = format!("Backup is being created, or a table is restored from it: {arn}");
    let named = json!({ "BackupArn": arn });
    world
        .refused("DeleteBackup", named.clone(), code, &message)
        .await;
    let restore = json!({ "BackupArn": arn, "TargetTableName": "again" });
    world
        .refused("RestoreTableFromBackup", restore.clone(), code, &message)
        .await;
    let message = "Attempt to change a resource which is still in use: Table is being backed up \
                   or restored from: hash";
    let table = json!({ "TableName": "hash" });
    world
        .refused(
            "DeleteTable",
            table.clone(),
            "ResourceInUseException",
            message,
        )
        .await;
    // What is written meanwhile is not in it.
    put(&world, "a", 2).await;
    put(&world, "c", 2).await;
    let gone = json!({ "TableName": "hash", "Key": { "pk": s("b") } });
    world.ok("DeleteItem", gone).await;
    work(&world).await;
    let described = world.ok("DescribeBackup", named.clone()).await["BackupDescription"].take();
    assert_eq!(described["BackupDetails"]["BackupStatus"], "AVAILABLE");
    assert_eq!(described["BackupDetails"]["BackupSizeBytes"], 2 * (3 + 7));
    let source = &described["SourceTableDetails"];
    assert_eq!(
        (&source["TableName"], &source["ItemCount"]),
        (&json!("hash"), &json!(2))
    );
    assert_eq!(source["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(
        source["KeySchema"],
        json!([{ "AttributeName": "pk", "KeyType": "HASH" }])
    );
}

#[tokio::test]
async fn a_backup_outlives_its_table_and_becomes_another() {
    let world = World::with_tables().await;
    put(&world, "a", 1).await;
    put(&world, "b", 1).await;
    let made = world.ok("CreateBackup", request_of("hash")).await["BackupDetails"].take();
    let arn = made["BackupArn"].as_str().unwrap();
    let (code, named) = ("BackupInUseException", json!({ "BackupArn": arn }));
    let restore = json!({ "BackupArn": arn, "TargetTableName": "again" });
    work(&world).await;
    let table = json!({ "TableName": "hash" });
    world.ok("DeleteTable", table).await;
    world.node.control.settle().await.unwrap();
    let made = world.ok("RestoreTableFromBackup", restore.clone()).await["TableDescription"].take();
    assert_eq!(made["TableStatus"], "CREATING");
    assert_eq!(made["RestoreSummary"]["RestoreInProgress"], true);
    assert_eq!(made["RestoreSummary"]["SourceBackupArn"], arn);
    let message = "Requested resource not found";
    let scan = json!({ "TableName": "again" });
    world
        .refused("Scan", scan, "ResourceNotFoundException", message)
        .await;
    world
        .refused(
            "DeleteBackup",
            named.clone(),
            code,
            &format!("Backup is being created, or a table is restored from it: {arn}"),
        )
        .await;
    let message = "Table already exists: again";
    world
        .refused(
            "RestoreTableFromBackup",
            restore,
            "TableAlreadyExistsException",
            message,
        )
        .await;
    work(&world).await;
    let request = json!({ "TableName": "again" });
    let table = world.ok("DescribeTable", request).await["Table"].take();
    assert_eq!(table["TableStatus"], "ACTIVE");
    assert_eq!(table["RestoreSummary"]["RestoreInProgress"], false);
    assert_eq!(
        contents(&world, "again").await,
        set(&[("a", "1"), ("b", "1")])
    );
    let deleted = world.ok("DeleteBackup", named.clone()).await["BackupDescription"].take();
    assert_eq!(deleted["BackupDetails"]["BackupStatus"], "DELETED");
    let message = format!("Backup not found: {arn}");
    world
        .refused("DescribeBackup", named, "BackupNotFoundException", &message)
        .await;
    let message = "Table not found: hash";
    world
        .refused(
            "CreateBackup",
            request_of("hash"),
            "TableNotFoundException",
            message,
        )
        .await;
}

fn request_of(table: &str) -> Value {
    json!({ "TableName": table, "BackupName": "nightly" })
}

#[tokio::test]
async fn backups_are_listed_in_pages_and_by_what_they_are_of() {
    let world = World::with_tables().await;
    let mut arns = Vec::new();
    for table in ["hash", "range", "hash"] {
        let made = world.ok("CreateBackup", request_of(table)).await["BackupDetails"].take();
        arns.push(made["BackupArn"].as_str().unwrap().to_owned());
        world.node.clock.advance(SECOND);
    }
    let list = async |request: Value| {
        let answer = world.ok("ListBackups", request).await;
        let summaries = answer["BackupSummaries"].as_array().unwrap().iter();
        let found = summaries.map(|one| one["BackupArn"].as_str().unwrap().to_owned());
        (
            found.collect::<Vec<_>>(),
            answer["LastEvaluatedBackupArn"].clone(),
        )
    };
    assert_eq!(list(json!({})).await, (arns.clone(), Value::Null));
    let (page, last) = list(json!({ "Limit": 2 })).await;
    assert_eq!((page, &last), (arns[..2].to_vec(), &json!(arns[1])));
    let (page, last) = list(json!({ "ExclusiveStartBackupArn": last })).await;
    assert_eq!((page, last), (arns[2..].to_vec(), Value::Null));
    assert_eq!(list(json!({ "TableName": "range" })).await.0, arns[1..2]);
    assert_eq!(list(json!({ "BackupType": "SYSTEM" })).await.0, [""; 0]);
    assert_eq!(list(json!({ "BackupType": "ALL" })).await.0, arns);
    let last = world
        .ok("DescribeBackup", json!({ "BackupArn": arns[2] }))
        .await;
    let at = last["BackupDescription"]["BackupDetails"]["BackupCreationDateTime"].as_f64();
    let at = at.unwrap() - 0.5;
    assert_eq!(
        list(json!({ "TimeRangeLowerBound": at })).await.0,
        arns[2..]
    );
    assert_eq!(
        list(json!({ "TimeRangeUpperBound": at })).await.0,
        arns[..2]
    );
}

#[tokio::test]
async fn a_table_is_restored_to_any_second_of_its_past() {
    let world = World::with_tables().await;
    put(&world, "before", 0).await;
    let off = json!({ "PointInTimeRecoveryEnabled": false });
    assert_eq!(
        recovery(&world, off.clone()).await["PointInTimeRecoveryStatus"],
        "DISABLED"
    );
    let restore = json!({
        "SourceTableName": "hash", "TargetTableName": "past", "UseLatestRestorableTime": true,
    });
    let code = "PointInTimeRecoveryUnavailableException";
    let message = "Point in time recovery is not enabled for table 'hash'";
    world
        .refused("RestoreTableToPointInTime", restore.clone(), code, message)
        .await;
    let on = json!({ "PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 7 });
    let recovers = recovery(&world, on).await;
    assert_eq!(recovers["PointInTimeRecoveryStatus"], "ENABLED");
    assert_eq!(recovers["RecoveryPeriodInDays"], 7);
    let earliest = recovers["EarliestRestorableDateTime"].as_i64().unwrap();
    // Each second gets a value of its own, and is gone back to.
    let mut seconds = Vec::new();
    for value in 1..=5 {
        world.node.clock.advance(2 * SECOND);
        put(&world, "changing", value).await;
        if value == 3 {
            let gone = json!({ "TableName": "hash", "Key": { "pk": s("before") } });
            world.ok("DeleteItem", gone).await;
        }
        world.node.clock.advance(SECOND);
        seconds.push((latest(&world).await, value));
    }
    let restored = async |name: &str, time: Value| {
        let mut request = json!({ "SourceTableName": "hash", "TargetTableName": name });
        request
            .as_object_mut()
            .unwrap()
            .extend(time.as_object().unwrap().clone());
        world.ok("RestoreTableToPointInTime", request).await;
        // What is written while it is being restored is not in it.
        put(&world, "late", 1).await;
        work(&world).await;
        contents(&world, name).await
    };
    for (second, value) in seconds {
        let found = restored(&format!("at-{value}"), json!({ "RestoreDateTime": second })).await;
        let mut expected = set(&[("changing", &value.to_string())]);
        if value < 3 {
            expected.insert(("before".to_owned(), "0".to_owned()));
        }
        assert_eq!(found, expected, "{second}");
    }
    let found = restored("at-0", json!({ "RestoreDateTime": earliest })).await;
    assert_eq!(found, set(&[("before", "0")]));
    put(&world, "changing", 6).await;
    let found = restored("newest", json!({ "UseLatestRestorableTime": true })).await;
    assert_eq!(found, set(&[("changing", "6"), ("late", "1")]));
}

#[tokio::test]
async fn a_table_is_not_restored_to_what_is_not_known() {
    let world = World::with_tables().await;
    let on = json!({ "PointInTimeRecoveryEnabled": true });
    let recovers = recovery(&world, on).await;
    assert_eq!(recovers["RecoveryPeriodInDays"], 35);
    let earliest = recovers["EarliestRestorableDateTime"].as_i64().unwrap();
    world.node.clock.advance(5 * SECOND);
    let off = json!({ "PointInTimeRecoveryEnabled": false });
    let code = "InvalidRestoreTimeException";
    for time in [earliest - 1, latest(&world).await + 10] {
        let request = json!({
            "SourceTableName": "hash", "TargetTableName": "never", "RestoreDateTime": time,
        });
        let (status, answer) = world.call("RestoreTableToPointInTime", request).await;
        let kind = answer["__type"].as_str().unwrap();
        assert_eq!((status, kind.ends_with(code)), (400, true), "{answer}");
    }
    let both = json!({
        "SourceTableName": "hash", "TargetTableName": "never", "RestoreDateTime": earliest,
        "UseLatestRestorableTime": true,
    });
    let message =
        "One and only one of RestoreDateTime or UseLatestRestorableTime must be specified";
    world
        .invalid("RestoreTableToPointInTime", both, message)
        .await;
    assert_eq!(
        recovery(&world, off).await["PointInTimeRecoveryStatus"],
        "DISABLED"
    );
}

#[tokio::test]
async fn the_window_moves_with_the_period() {
    let world = World::with_tables().await;
    let on = json!({ "PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 1 });
    let first = recovery(&world, on).await["EarliestRestorableDateTime"]
        .as_i64()
        .unwrap();
    for value in 0..3 {
        put(&world, "a", value).await;
        world.node.clock.advance(Duration::from_hours(20));
    }
    world.node.control.trim_history().await.unwrap();
    let more = json!({ "PointInTimeRecoveryEnabled": true, "RecoveryPeriodInDays": 35 });
    let earliest = recovery(&world, more).await["EarliestRestorableDateTime"]
        .as_i64()
        .unwrap();
    let now = latest(&world).await;
    assert!(first < earliest, "what was trimmed does not come back");
    let back = now - earliest;
    assert!((86_400..90_000).contains(&back), "{back}");
}

#[tokio::test]
async fn a_restored_table_is_billed_as_asked_and_has_no_stream() {
    let world = World::with_tables().await;
    let stream = json!({ "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" });
    let request = json!({ "TableName": "hash", "StreamSpecification": stream });
    world.ok("UpdateTable", request).await;
    let made = world.ok("CreateBackup", request_of("hash")).await["BackupDetails"].take();
    work(&world).await;
    let units = json!({ "ReadCapacityUnits": 3, "WriteCapacityUnits": 4 });
    let request = json!({
        "BackupArn": made["BackupArn"], "TargetTableName": "again",
        "BillingModeOverride": "PROVISIONED", "ProvisionedThroughputOverride": units,
    });
    let made = world.ok("RestoreTableFromBackup", request).await["TableDescription"].take();
    assert_eq!(made["ProvisionedThroughput"]["WriteCapacityUnits"], 4);
    assert_eq!(made.get("StreamSpecification"), None);
    assert_eq!(made.get("LatestStreamArn"), None);
    work(&world).await;
    let item = json!({ "pk": s("1"), "value": n(1) });
    world
        .ok("PutItem", json!({ "TableName": "again", "Item": item }))
        .await;
    assert_eq!(contents(&world, "again").await, set(&[("1", "1")]));
}

#[tokio::test]
async fn a_restored_table_has_the_indexes_of_its_source() {
    let world = World::open("us-east-1").await;
    let index = |name: &str| {
        json!({
            "IndexName": name,
            "KeySchema": [{ "AttributeName": "value", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        })
    };
    let request = json!({
        "TableName": "hash",
        "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "value", "AttributeType": "N" },
        ],
        "GlobalSecondaryIndexes": [index("by-value"), index("by-value-too")],
        "BillingMode": "PAY_PER_REQUEST",
    });
    world.ok("CreateTable", request).await;
    put(&world, "a", 1).await;
    put(&world, "b", 2).await;
    let made = world.ok("CreateBackup", request_of("hash")).await["BackupDetails"].take();
    put(&world, "a", 2).await;
    work(&world).await;
    let arn = json!({ "BackupArn": made["BackupArn"] });
    let described = world.ok("DescribeBackup", arn).await["BackupDescription"].take();
    let features = &described["SourceTableFeatureDetails"];
    assert_eq!(
        features["GlobalSecondaryIndexes"][0]["IndexName"],
        "by-value"
    );
    for (name, wanted, left) in [
        ("all", None, 2),
        ("one", Some(json!([index("by-value")])), 1),
        ("none", Some(json!([])), 0),
    ] {
        let mut request = json!({ "BackupArn": made["BackupArn"], "TargetTableName": name });
        if let Some(wanted) = wanted {
            request["GlobalSecondaryIndexOverride"] = wanted;
        }
        world.ok("RestoreTableFromBackup", request).await;
        work(&world).await;
        let request = json!({ "TableName": name });
        let table = world.ok("DescribeTable", request).await["Table"].take();
        let indexes = table["GlobalSecondaryIndexes"]
            .as_array()
            .map_or(0, Vec::len);
        assert_eq!((indexes, &table["ItemCount"]), (left, &json!(2)), "{table}");
        if left > 0 {
            let query = json!({
                "TableName": name, "IndexName": "by-value",
                "KeyConditionExpression": "#v = :v",
                "ExpressionAttributeNames": { "#v": "value" },
                "ExpressionAttributeValues": { ":v": n(1) },
            });
            let found = world.ok("Query", query).await;
            assert_eq!(found["Items"], json!([{ "pk": s("a"), "value": n(1) }]));
        }
    }
    let request = json!({
        "BackupArn": made["BackupArn"], "TargetTableName": "other",
        "GlobalSecondaryIndexOverride": [index("by-nothing")],
    });
    let message = "The source table has no index of the name by-nothing";
    world
        .invalid("RestoreTableFromBackup", request, message)
        .await;
}
