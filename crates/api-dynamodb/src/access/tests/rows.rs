//! Tests of the actions that calls need beside their own, row by row of AWS's reference.

use serde_json::json;

use super::TABLE;
use super::world::{World, allow};

const FILLS: [&str; 7] = [
    "BatchWriteItem",
    "DeleteItem",
    "GetItem",
    "PutItem",
    "Query",
    "Scan",
    "UpdateItem",
];

/// Returns a policy that allows actions of DynamoDB, each on a resource.
fn all_of(allowed: &[(&str, &str)]) -> String {
    let statement = |(action, resource): &(&str, &str)| json!({"Effect": "Allow", "Action": format!("dynamodb:{action}"), "Resource": resource});
    // A policy says something.
    let allowed = allowed.iter().chain(&[("DescribeLimits", "*")]);
    let statements: Vec<_> = allowed.map(statement).collect();
    json!({"Version": "2012-10-17", "Statement": statements}).to_string()
}

/// Checks that a call needs all of some actions, each on a resource, and no other.
async fn needs(operation: &str, body: &str, needed: &[(&str, &str)]) {
    World::new(&all_of(needed)).await.may(operation, body);
    for without in 0..needed.len() {
        let mut rest = needed.to_vec();
        let (action, _) = rest.remove(without);
        let world = World::new(&all_of(&rest)).await;
        assert!(
            !world.is_allowed(operation, body),
            "{operation} without {action}"
        );
    }
}

#[tokio::test]
async fn replicas_are_made_and_removed_by_leave_of_their_regions() {
    let there = TABLE.replace("us-east-1", "eu-west-1");
    let body = |change: &str| {
        format!(
            r#"{{"TableName":"carts","ReplicaUpdates":[{{"{change}":{{"RegionName":"eu-west-1"}}}}]}}"#
        )
    };
    let own = ("UpdateTable", TABLE);
    let mut needed = vec![
        own,
        ("CreateTable", &*there),
        ("CreateTableReplica", &*there),
    ];
    needed.extend(FILLS.map(|action| (action, &*there)));
    needs("UpdateTable", &body("Create"), &needed).await;
    let needed = [
        own,
        ("DeleteTable", &*there),
        ("DeleteTableReplica", &*there),
    ];
    needs("UpdateTable", &body("Delete"), &needed).await;
    needs("UpdateTable", &body("Update"), &[own]).await;
    let needed = [own, ("DisassociateTableReplica", TABLE)];
    needs("UpdateTable", &body("Disassociate"), &needed).await;
}

#[tokio::test]
async fn the_region_of_a_replica_is_the_one_that_is_asked() {
    let world = |region: &str| {
        let there = format!(r#"{{"StringEquals":{{"aws:RequestedRegion":"{region}"}}}}"#);
        format!(
            r#"{{"Version":"2012-10-17","Statement":[
               {{"Effect":"Allow","Action":"dynamodb:UpdateTable","Resource":"*"}},
               {{"Effect":"Allow","Action":"dynamodb:Delete*","Resource":"*","Condition":{there}}}]}}"#
        )
    };
    let body = r#"{"TableName":"carts","ReplicaUpdates":[{"Delete":{"RegionName":"eu-west-1"}}]}"#;
    World::new(&world("eu-west-1"))
        .await
        .may("UpdateTable", body);
    World::new(&world("us-east-1"))
        .await
        .may_not("UpdateTable", body);
}

#[tokio::test]
async fn the_time_to_live_is_changed_by_leave_of_every_replica() {
    let there = TABLE.replace("us-east-1", "eu-west-1");
    let body = r#"{"TableName":"carts"}"#;
    let own = ("UpdateTimeToLive", TABLE);
    needs("UpdateTimeToLive", body, &[own]).await;
    let world = World::new(&all_of(&[own])).await;
    world.may("UpdateTimeToLive", body);
    world.add_replica("eu-west-1", json!(null)).await;
    world.may_not("UpdateTimeToLive", body);
    let both = all_of(&[own, ("UpdateTimeToLive", &there)]);
    let world = World::new(&both).await;
    world.add_replica("eu-west-1", json!(null)).await;
    world.may("UpdateTimeToLive", body);
    // A replica's policy is for that replica.
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny",
        "Principal": "*", "Action": "dynamodb:*", "Resource": there}]});
    let kept = json!({"document": policy.to_string(), "revision": 1});
    let world = World::new(&both).await;
    world.add_replica("eu-west-1", kept).await;
    world.may_not("UpdateTimeToLive", body);
}

#[tokio::test]
async fn what_is_restored_is_written_by_leave_of_its_table() {
    let target = TABLE.replace("carts", "other");
    let backup = format!("{TABLE}/backup/1");
    let mut needed = vec![("RestoreTableToPointInTime", TABLE)];
    needed.extend(FILLS.map(|action| (action, &*target)));
    let body = r#"{"SourceTableName":"carts","TargetTableName":"other"}"#;
    needs("RestoreTableToPointInTime", body, &needed).await;
    let own = "RestoreTableFromBackup";
    needed[0] = (own, &backup);
    needed.push((own, &target));
    let body = json!({"BackupArn": backup, "TargetTableName": "other"}).to_string();
    needs(own, &body, &needed).await;
}

#[tokio::test]
async fn a_table_is_made_with_tags_by_leave_to_tag() {
    let body = r#"{"TableName":"carts","Tags":[{"Key":"team","Value":"shop"}]}"#;
    needs(
        "CreateTable",
        body,
        &[("CreateTable", TABLE), ("TagResource", TABLE)],
    )
    .await;
    needs(
        "CreateTable",
        r#"{"TableName":"carts","Tags":[]}"#,
        &[("CreateTable", TABLE)],
    )
    .await;
}

#[tokio::test]
async fn global_tables_have_an_arn_of_no_region() {
    let global = "arn:aws:dynamodb::000000000000:global-table/carts";
    let body = r#"{"GlobalTableName":"carts"}"#;
    for operation in ["DescribeGlobalTable", "DescribeGlobalTableSettings"] {
        needs(operation, body, &[(operation, global)]).await;
    }
    for operation in [
        "CreateGlobalTable",
        "UpdateGlobalTable",
        "UpdateGlobalTableSettings",
    ] {
        needs(operation, body, &[(operation, global), (operation, TABLE)]).await;
    }
}

#[tokio::test]
async fn writes_give_nothing_back_where_nothing_is_said() {
    let nothing = r#""StringEquals":{"dynamodb:ReturnValues":"NONE"}"#;
    let actions = r#"["dynamodb:DeleteItem","dynamodb:GetItem"]"#;
    let world = World::new(&allow(actions, TABLE, nothing)).await;
    let key = r#""TableName":"carts","Key":{}"#;
    world.may("DeleteItem", &format!("{{{key}}}"));
    let old = format!(r#"{{{key},"ReturnValues":"ALL_OLD"}}"#);
    world.may_not("DeleteItem", &old);
    world.may_not("GetItem", &format!("{{{key}}}"));
}

#[tokio::test]
async fn statements_of_partiql_are_not_told_by_their_capacity() {
    let total = r#""Null":{"dynamodb:ReturnConsumedCapacity":"true"}"#;
    let world = World::new(&allow(r#""dynamodb:*""#, TABLE, total)).await;
    let body = r#"{"Statement":"SELECT * FROM carts","ReturnConsumedCapacity":"TOTAL"}"#;
    world.may("ExecuteStatement", body);
    let scan = r#"{"TableName":"carts","ReturnConsumedCapacity":"TOTAL"}"#;
    world.may_not("Scan", scan);
}

#[tokio::test]
async fn each_attribute_of_a_partition_key_has_a_key_of_its_own() {
    let condition = r#""ForAllValues:StringEquals":{"dynamodb:LeadingKeys":["acme"],
        "dynamodb:FirstPartitionKeyValues":["acme"],
        "dynamodb:SecondPartitionKeyValues":["north"]},
        "Null":{"dynamodb:SecondPartitionKeyValues":"false",
                "dynamodb:ThirdPartitionKeyValues":"true"}"#;
    let world = World::new(&allow(
        r#""dynamodb:Query""#,
        &format!("{TABLE}*"),
        condition,
    ))
    .await;
    world.index_by_firm_and_place().await;
    let query = |firm: &str, place: &str| {
        json!({"TableName": "carts", "IndexName": "by-place",
            "KeyConditionExpression": "firm = :f AND place = :p",
            "ExpressionAttributeValues": {":f": {"S": firm}, ":p": {"S": place}}})
        .to_string()
    };
    world.may("Query", &query("acme", "north"));
    world.may_not("Query", &query("acme", "south"));
    world.may_not("Query", &query("other", "north"));
    // Of the table itself there is one attribute.
    let own = json!({"TableName": "carts", "KeyConditionExpression": "customer = :c",
        "ExpressionAttributeValues": {":c": {"S": "acme"}}});
    world.may_not("Query", &own.to_string());
}
