//! Policies of tables, and the operations about what no table has.

use serde_json::{Value, json};

use crate::world::World;

const ARN: &str = "arn:aws:dynamodb:us-east-1:000000000000:table/hash";

fn policy(action: &str) -> String {
    let statement = json!({
        "Effect": "Allow",
        "Principal": { "AWS": "123456789012" },
        "Action": [action],
        "Resource": ARN,
    });
    json!({ "Version": "2012-10-17", "Statement": [statement] }).to_string()
}

fn put(document: &str, expected: Option<&str>) -> Value {
    let mut request = json!({ "ResourceArn": ARN, "Policy": document });
    if let Some(expected) = expected {
        request["ExpectedRevisionId"] = expected.into();
    }
    request
}

#[tokio::test]
async fn a_policy_is_kept_with_its_revision() {
    let world = World::with_tables().await;
    let named = json!({ "ResourceArn": ARN });
    let code = "PolicyNotFoundException";
    let none = format!("Resource-based policy not found for the provided ResourceArn: {ARN}");
    world
        .refused("GetResourcePolicy", named.clone(), code, &none)
        .await;
    assert_eq!(
        world.ok("DeleteResourcePolicy", named.clone()).await,
        json!({})
    );

    let read = policy("dynamodb:GetItem");
    let first = world
        .ok("PutResourcePolicy", put(&read, Some("NO_POLICY")))
        .await;
    let revision = first["RevisionId"].as_str().unwrap();
    let kept = world.ok("GetResourcePolicy", named.clone()).await;
    assert_eq!(kept["RevisionId"], revision);
    let canonical = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\
                     \"Principal\":{\"AWS\":\"arn:aws:iam::123456789012:root\"},\
                     \"Action\":\"dynamodb:GetItem\",\
                     \"Resource\":\"arn:aws:dynamodb:us-east-1:000000000000:table/hash\"}]}";
    assert_eq!(kept["Policy"], canonical);
    let again = world.ok("PutResourcePolicy", put(canonical, None)).await;
    assert_eq!(again, first, "the same policy is no change");

    let write = policy("dynamodb:PutItem");
    let prefix = "Resource-based policy not found for the provided ResourceArn: Requested";
    let exists = format!(
        "{prefix} policy update expecting none to be present for table hash, but a policy exists \
         with revision id {revision}."
    );
    let request = put(&write, Some("NO_POLICY"));
    world
        .refused("PutResourcePolicy", request, code, &exists)
        .await;
    let second = world
        .ok("PutResourcePolicy", put(&write, Some(revision)))
        .await;
    let later = second["RevisionId"].as_str().unwrap();
    assert!(revision.parse::<i64>().unwrap() < later.parse::<i64>().unwrap());
    let stale = format!(
        "{prefix} update for policy with revision id {revision}, but the policy associated to \
         target table hash has revision id {later}."
    );
    let mut request = named.clone();
    request["ExpectedRevisionId"] = revision.into();
    world
        .refused("DeleteResourcePolicy", request, code, &stale)
        .await;
    assert_eq!(
        world.ok("DeleteResourcePolicy", named.clone()).await,
        second
    );
    world.refused("GetResourcePolicy", named, code, &none).await;
}

#[tokio::test]
async fn what_is_no_policy_of_a_table_is_refused() {
    let world = World::with_tables().await;
    let invalid = "One or more parameter values were invalid: ";
    let everybody = policy("dynamodb:GetItem").replace("123456789012", "*");
    let unbounded = "Resource-based policy grants unbounded access in one or more elements. \
                     Please revise the policy to ensure least-privilege form of access";
    world
        .invalid("PutResourcePolicy", put(&everybody, None), unbounded)
        .await;
    let long = format!("{}{}", policy("dynamodb:GetItem"), " ".repeat(20_480));
    let size = format!("{invalid}Maximum policy size of 20480 bytes exceeded");
    world
        .invalid("PutResourcePolicy", put(&long, None), &size)
        .await;
    for document in [
        "",
        "{",
        "[]",
        "{}",
        "{\"Statement\":{\"Effect\":\"Perhaps\"}}",
    ] {
        let (status, answer) = world.call("PutResourcePolicy", put(document, None)).await;
        assert_eq!(status, 400, "{document}");
        let message = answer["message"].as_str().unwrap();
        let expected = format!("{invalid}Invalid policy document: ");
        assert!(message.starts_with(&expected), "{document}: {message}");
    }
    let foreign = "This action is only supported by accounts that match the resource owner\u{2019}s \
                   account.";
    let index = format!(
        "{invalid}Invalid resource arn provided, only table or stream is accepted. Provided \
         resource arn: {ARN}/index/x"
    );
    let backup = format!("{invalid}Provided Arn is not a DynamoDB resource arn: {ARN}/backup/1");
    for (arn, message) in [
        (
            "hash".to_owned(),
            format!("{invalid}ARNs must start with 'arn:': hash"),
        ),
        (
            ARN.replace("us-east-1", "eu-west-1"),
            format!(
                "{invalid}Invalid resource Arn: {}",
                ARN.replace("us-east-1", "eu-west-1")
            ),
        ),
        (
            ARN.replace("000000000000", "123456789012"),
            foreign.to_owned(),
        ),
        (format!("{ARN}/index/x"), index),
        (format!("{ARN}/backup/1"), backup),
    ] {
        let request = json!({ "ResourceArn": arn });
        world.invalid("GetResourcePolicy", request, &message).await;
    }
    let gone = json!({ "ResourceArn": ARN.replace("hash", "gone") });
    let message = "Requested resource not found: Table: gone not found";
    let code = "ResourceNotFoundException";
    world
        .refused("GetResourcePolicy", gone, code, message)
        .await;
}

#[tokio::test]
async fn what_no_table_has_is_told_as_off() {
    let world = World::with_tables().await;
    let named = json!({ "TableName": "hash" });
    let off = json!({ "TableName": "hash", "ContributorInsightsStatus": "DISABLED" });
    assert_eq!(
        world.ok("DescribeContributorInsights", named.clone()).await,
        off
    );
    let indexed = json!({ "TableName": "hash", "IndexName": "none" });
    let message = "Requested resource not found: Index: none not found";
    let code = "ResourceNotFoundException";
    world
        .refused("DescribeContributorInsights", indexed, code, message)
        .await;
    let update = |action: &str| json!({ "TableName": "hash", "ContributorInsightsAction": action });
    assert_eq!(
        world
            .ok("UpdateContributorInsights", update("DISABLE"))
            .await,
        off
    );
    let message = "UpdateContributorInsights ENABLE is not supported by this endpoint: \
                   accesses are not counted by key";
    world
        .invalid("UpdateContributorInsights", update("ENABLE"), message)
        .await;
    let none = json!({ "ContributorInsightsSummaries": [] });
    assert_eq!(world.ok("ListContributorInsights", json!({})).await, none);
    let none = json!({ "TableName": "hash", "KinesisDataStreamDestinations": [] });
    assert_eq!(
        world.ok("DescribeKinesisStreamingDestination", named).await,
        none
    );
    let none = json!({ "BulkOperationsSummaryList": [] });
    assert_eq!(world.ok("ListBulkOperations", json!({})).await, none);
    let arn = format!("{ARN}/bulk-operation/01");
    let message = format!("Requested resource not found: BulkOperation: {arn} not found");
    for operation in ["DescribeBulkOperation", "CancelBulkOperation"] {
        let request = json!({ "BulkOperationArn": arn });
        let code = "ResourceNotFoundException";
        world.refused(operation, request, code, &message).await;
    }
    let gone = json!({ "TableName": "gone" });
    let message = "Requested resource not found: Table: gone not found";
    for operation in [
        "DescribeContributorInsights",
        "ListContributorInsights",
        "DescribeKinesisStreamingDestination",
    ] {
        let code = "ResourceNotFoundException";
        world.refused(operation, gone.clone(), code, message).await;
    }
}

#[tokio::test]
async fn a_table_is_made_with_its_policy_or_not_at_all() {
    let world = World::open("us-east-1").await;
    let make = |document: &str| {
        json!({
            "TableName": "hash",
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST",
            "ResourcePolicy": document,
        })
    };
    let (status, answer) = world.call("CreateTable", make("{}")).await;
    assert_eq!(status, 400, "{answer}");
    assert_eq!(
        world.ok("ListTables", json!({})).await["TableNames"],
        json!([])
    );
    world
        .ok("CreateTable", make(&policy("dynamodb:GetItem")))
        .await;
    let named = json!({ "ResourceArn": ARN });
    let kept = world.ok("GetResourcePolicy", named).await;
    let revision = kept["RevisionId"].as_str().unwrap();
    assert!(
        kept["Policy"]
            .as_str()
            .unwrap()
            .contains("dynamodb:GetItem")
    );
    let next = put(&policy("dynamodb:Scan"), Some(revision));
    world.ok("PutResourcePolicy", next).await;
}

#[tokio::test]
async fn a_stream_has_a_policy_of_its_own() {
    let world = World::with_tables().await;
    let stream = json!({
        "TableName": "hash",
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" },
    });
    let table = world.ok("UpdateTable", stream).await;
    let arn = table["TableDescription"]["LatestStreamArn"]
        .as_str()
        .unwrap();
    let document = policy("dynamodb:GetRecords").replace(ARN, arn);
    let put = json!({ "ResourceArn": arn, "Policy": document });
    let revision = world.ok("PutResourcePolicy", put).await["RevisionId"].clone();
    let named = json!({ "ResourceArn": arn });
    let kept = world.ok("GetResourcePolicy", named.clone()).await;
    assert_eq!(kept["RevisionId"], revision);
    let code = "PolicyNotFoundException";
    let none = format!("Resource-based policy not found for the provided ResourceArn: {ARN}");
    let of_table = json!({ "ResourceArn": ARN });
    world
        .refused("GetResourcePolicy", of_table, code, &none)
        .await;
    let other = format!("{ARN}/stream/2026-01-01T00:00:00.000");
    let missing = format!("Requested resource not found: Stream: {other} not found");
    let code = "ResourceNotFoundException";
    let request = json!({ "ResourceArn": other });
    world
        .refused("GetResourcePolicy", request, code, &missing)
        .await;
    let deleted = world.ok("DeleteResourcePolicy", named.clone()).await;
    assert_eq!(deleted["RevisionId"], revision);
    assert_eq!(world.ok("DeleteResourcePolicy", named).await, json!({}));
}

#[tokio::test]
async fn global_tables_of_2017_are_no_more() {
    let world = World::with_tables().await;
    let message = "One or more parameter values were invalid: DynamoDB global tables version \
                   2017.11.29 is not supported. We recommend using DynamoDB global tables version \
                   2019.11.21, instead of version 2017.11.29 (Legacy).";
    let create = json!({
        "GlobalTableName": "hash",
        "ReplicationGroup": [{ "RegionName": "us-east-1" }],
    });
    world.invalid("CreateGlobalTable", create, message).await;
    let update = |change: &str| {
        json!({
            "GlobalTableName": "hash",
            "ReplicaUpdates": [{ change: { "RegionName": "eu-west-1" } }],
        })
    };
    world
        .invalid("UpdateGlobalTable", update("Create"), message)
        .await;
    let missing = "Global table with name: 'hash' does not exist.";
    let code = "GlobalTableNotFoundException";
    world
        .refused("UpdateGlobalTable", update("Delete"), code, missing)
        .await;
    let named = json!({ "GlobalTableName": "hash" });
    for operation in ["DescribeGlobalTableSettings", "UpdateGlobalTableSettings"] {
        world.refused(operation, named.clone(), code, missing).await;
    }
    let missing = format!("Global table not found: {missing}");
    world
        .refused("DescribeGlobalTable", named, code, &missing)
        .await;
    let none = json!({ "GlobalTables": [] });
    assert_eq!(world.ok("ListGlobalTables", json!({})).await, none);
    let short = "1 validation error detected: Value 'ab' at 'globalTableName' failed to satisfy \
                 constraint: Member must have length greater than or equal to 3";
    world
        .invalid(
            "DescribeGlobalTable",
            json!({ "GlobalTableName": "ab" }),
            short,
        )
        .await;
}
