//! What tables and indexes are to serve a second: given, changed, taken away, told.

use control::resource::Change;
use control::testing::pull;
use serde_json::{Value, json};

use crate::world::{World, create, s};

const INVALID: &str = "One or more parameter values were invalid: ";

fn provisioned(read: u64, write: u64) -> Value {
    json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": write })
}

fn most(read: i64, write: i64) -> Value {
    json!({ "MaxReadRequestUnits": read, "MaxWriteRequestUnits": write })
}

async fn update(world: &World, change: Value) -> Value {
    let mut request = change;
    request["TableName"] = "table".into();
    world.ok("UpdateTable", request).await["TableDescription"].take()
}

#[tokio::test]
async fn bounds_of_what_is_served_by_use_are_set_changed_and_taken_away() {
    let world = World::open("us-east-1").await;
    let bounds = json!({ "OnDemandThroughput": most(1000, 500) });
    let made = world.ok("CreateTable", create("table", &bounds)).await;
    let told = &made["TableDescription"]["OnDemandThroughput"];
    assert_eq!(told, &most(1000, 500));
    let one = json!({ "OnDemandThroughput": { "MaxReadRequestUnits": 2000 } });
    let told = update(&world, one).await;
    assert_eq!(
        told["OnDemandThroughput"],
        most(2000, 500),
        "the other stays"
    );
    let one = json!({ "OnDemandThroughput": { "MaxWriteRequestUnits": -1 } });
    let told = update(&world, one).await;
    assert_eq!(told["OnDemandThroughput"], most(2000, -1));
    let told = update(&world, json!({ "OnDemandThroughput": most(-1, -1) })).await;
    assert_eq!(told.get("OnDemandThroughput"), None);
    for (units, side) in [(most(0, 1), "Read"), (most(1, -2), "Write")] {
        let message = format!(
            "{INVALID}Requested Max{side}RequestUnits for OnDemandThroughput for table is outside \
             of valid range"
        );
        let request = json!({ "TableName": "table", "OnDemandThroughput": units });
        world.invalid("UpdateTable", request, &message).await;
    }
    let too_much = json!({ "TableName": "table", "OnDemandThroughput": most(40_001, 1) });
    let message = "Subscriber limit exceeded: Requested MaxReadRequestUnits for \
                   OnDemandThroughput for table exceeds TableMaxReadCapacityUnits of the account";
    world
        .refused("UpdateTable", too_much, "LimitExceededException", message)
        .await;
}

#[tokio::test]
async fn a_provisioned_table_has_no_bounds_and_no_more_units_than_a_table_may_have() {
    let world = World::open("us-east-1").await;
    let both = json!({
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": provisioned(5, 5),
        "OnDemandThroughput": most(1, 1),
    });
    let message = format!(
        "{INVALID}MaxReadRequestUnits for OnDemandThroughput cannot be specified when table \
         BillingMode is PROVISIONED"
    );
    world
        .invalid("CreateTable", create("table", &both), &message)
        .await;
    let bounds = json!({ "OnDemandThroughput": most(7, 7) });
    world.ok("CreateTable", create("table", &bounds)).await;
    let bill = json!({
        "BillingMode": "PROVISIONED", "ProvisionedThroughput": provisioned(5, 5),
    });
    let told = update(&world, bill).await;
    assert_eq!(
        told.get("OnDemandThroughput"),
        None,
        "it goes with the mode"
    );
    let message = "The requested WriteCapacityUnits, 40001, is above the per table maximum for the \
                   account. Per table maximum: 40000. Refer to the Amazon DynamoDB Developer Guide \
                   for current limits and how to request higher limits.";
    let request = json!({
        "TableName": "table", "ProvisionedThroughput": provisioned(40_000, 40_001),
    });
    world
        .refused("UpdateTable", request, "LimitExceededException", message)
        .await;
}

#[tokio::test]
async fn what_is_served_at_once_only_grows() {
    let world = World::open("us-east-1").await;
    let made = world.ok("CreateTable", create("table", &json!({}))).await;
    let warm = |read: u64, write: u64| json!({ "ReadUnitsPerSecond": read, "WriteUnitsPerSecond": write, "Status": "ACTIVE" });
    assert_eq!(
        made["TableDescription"]["WarmThroughput"],
        warm(12_000, 4_000)
    );
    let more = json!({ "WarmThroughput": { "WriteUnitsPerSecond": 5_000 } });
    let told = update(&world, more).await;
    assert_eq!(told["WarmThroughput"], warm(12_000, 5_000));
    let less = json!({
        "TableName": "table", "WarmThroughput": { "WriteUnitsPerSecond": 4_999 },
    });
    let message = format!(
        "{INVALID}Requested WriteUnitsPerSecond for WarmThroughput for table is lower than current \
         WarmThroughput, decreasing WarmThroughput is not supported"
    );
    world.invalid("UpdateTable", less, &message).await;
    let provisioned = json!({
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": provisioned(7, 9),
        "WarmThroughput": { "ReadUnitsPerSecond": 8 },
    });
    let made = world.ok("CreateTable", create("other", &provisioned)).await;
    assert_eq!(made["TableDescription"]["WarmThroughput"], warm(8, 9));
}

#[tokio::test]
async fn a_replica_serves_readers_otherwise_than_the_others() {
    let virginia = World::open("us-east-1").await;
    let ireland = World::open("eu-west-1").await;
    let table = json!({
        "AttributeDefinitions": [
            { "AttributeName": "pk", "AttributeType": "S" },
            { "AttributeName": "other", "AttributeType": "S" },
        ],
        "GlobalSecondaryIndexes": [{
            "IndexName": "by-other",
            "KeySchema": [{ "AttributeName": "other", "KeyType": "HASH" }],
            "Projection": { "ProjectionType": "ALL" },
        }],
    });
    virginia.ok("CreateTable", create("table", &table)).await;
    let bound = |units: i64| json!({ "MaxReadRequestUnits": units });
    let replica = |change: &str, more: Value| {
        let mut member = more;
        member["RegionName"] = "eu-west-1".into();
        json!({ "TableName": "table", "ReplicaUpdates": [{ change: member }] })
    };
    let own = json!({ "OnDemandThroughputOverride": bound(50) });
    virginia.ok("UpdateTable", replica("Create", own)).await;
    let status = async |status: &str| {
        let told = virginia
            .ok("DescribeTable", json!({ "TableName": "table" }))
            .await;
        let told = told["Table"]["Replicas"][0].clone();
        assert_eq!(told["ReplicaStatus"], status);
        told
    };
    let told = status("CREATING").await;
    assert_eq!(told["OnDemandThroughputOverride"], bound(50));
    pull(&ireland.node, &virginia.node).await;
    ireland.node.control.refresh().await.unwrap();
    ireland.node.control.settle().await.unwrap();
    let open = ireland.node.control.table_named("table").unwrap();
    let fill = ireland.node.control.fillings()[&open.table.id()].clone();
    let filled = ireland.node.control.filled(open.table.id(), &fill);
    filled.await.unwrap();
    pull(&virginia.node, &ireland.node).await;
    virginia.node.control.refresh().await.unwrap();
    let index = json!({ "IndexName": "by-other", "OnDemandThroughputOverride": bound(7) });
    let change = json!({
        "OnDemandThroughputOverride": bound(-1), "GlobalSecondaryIndexes": [index],
    });
    virginia.ok("UpdateTable", replica("Update", change)).await;
    let told = status("ACTIVE").await;
    assert_eq!(told.get("OnDemandThroughputOverride"), None);
    assert_eq!(told["GlobalSecondaryIndexes"], json!([index]));
    let units = json!({ "ProvisionedThroughputOverride": { "ReadCapacityUnits": 5 } });
    let message = format!(
        "{INVALID}ProvisionedThroughputOverride for table cannot be specified when table \
         BillingMode is PAY_PER_REQUEST"
    );
    virginia
        .invalid("UpdateTable", replica("Update", units), &message)
        .await;
    let stranger = json!({ "GlobalSecondaryIndexes": [{ "IndexName": "none" }] });
    let message = format!("{INVALID}The table has no global secondary index none");
    virginia
        .invalid("UpdateTable", replica("Update", stranger), &message)
        .await;
}

#[tokio::test]
async fn a_restored_table_has_bounds_of_its_own() {
    let world = World::open("us-east-1").await;
    let bounds = json!({ "OnDemandThroughput": most(10, 20) });
    world.ok("CreateTable", create("hash", &bounds)).await;
    world.put(json!({ "pk": s("a") })).await;
    let request = json!({ "TableName": "hash", "BackupName": "one" });
    let backup = world.ok("CreateBackup", request).await;
    let arn = backup["BackupDetails"]["BackupArn"].clone();
    world.node.control.work_on_copies().await.unwrap();
    let told = world
        .ok("DescribeBackup", json!({ "BackupArn": arn }))
        .await;
    let source = &told["BackupDescription"]["SourceTableDetails"];
    assert_eq!(source["OnDemandThroughput"], most(10, 20));
    let restore = |target: &str, more: Value| {
        let mut request = more;
        request["TargetTableName"] = target.into();
        request["BackupArn"] = arn.clone();
        request
    };
    let kept = world
        .ok("RestoreTableFromBackup", restore("kept", json!({})))
        .await;
    assert_eq!(kept["TableDescription"]["OnDemandThroughput"], most(10, 20));
    let own = json!({ "OnDemandThroughputOverride": most(30, -1) });
    let own = world
        .ok("RestoreTableFromBackup", restore("own", own))
        .await;
    assert_eq!(own["TableDescription"]["OnDemandThroughput"], most(30, -1));
    let both = json!({
        "BillingModeOverride": "PROVISIONED",
        "ProvisionedThroughputOverride": provisioned(1, 1),
        "OnDemandThroughputOverride": most(30, -1),
    });
    let message = "Cannot override MaxReadRequestUnits for OnDemandThroughput unless \
                   BillingModeOverride is PAY_PER_REQUEST";
    world
        .invalid("RestoreTableFromBackup", restore("both", both), message)
        .await;
}

#[tokio::test]
async fn overrides_are_bounded_and_told_while_their_way_of_billing_lasts() {
    let world = World::open("us-east-1").await;
    let table = json!({
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 5 },
    });
    world.ok("CreateTable", create("table", &table)).await;
    let replica = |units: i64| {
        let member = json!({
            "RegionName": "eu-west-1",
            "ProvisionedThroughputOverride": { "ReadCapacityUnits": units },
        });
        json!({ "TableName": "table", "ReplicaUpdates": [{ "Create": member }] })
    };
    let message = "The requested ReadCapacityUnits, 40001, is above the per table maximum for the \
                   account. Per table maximum: 40000. Refer to the Amazon DynamoDB Developer Guide \
                   for current limits and how to request higher limits.";
    let beyond = replica(40_001);
    world
        .refused("UpdateTable", beyond, "LimitExceededException", message)
        .await;
    world.ok("UpdateTable", replica(40_000)).await;
    let told = async || {
        let told = world
            .ok("DescribeTable", json!({ "TableName": "table" }))
            .await;
        told["Table"]["Replicas"][0].clone()
    };
    let units = json!({ "ReadCapacityUnits": 40_000 });
    assert_eq!(told().await["ProvisionedThroughputOverride"], units);
    // As a change of the way of billing leaves it, once the replica is whole.
    let open = world.node.control.table_named("table").unwrap();
    let mut billed = open.table.clone();
    billed.settings["billing"] = "PAY_PER_REQUEST".into();
    let change = Change::replace(&open.table, &billed);
    world.node.control.change(vec![change]).await.unwrap();
    let told = told().await;
    assert_eq!(told["RegionName"], "eu-west-1");
    assert_eq!(told.get("ProvisionedThroughputOverride"), None);
}
