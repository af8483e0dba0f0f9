//! By which keys of KMS tables say that they are encrypted.

use serde_json::{Value, json};

use crate::tables::{describe, global, sync};
use crate::world::{World, create};

const KEY: &str = "arn:aws:kms:us-east-1:000000000000:key/0a1b2c3d-0000-1111-2222-333344445555";
const THERE: &str = "arn:aws:kms:eu-west-1:000000000000:key/aaaaaaaa-0000-1111-2222-333344445555";

fn update(name: &str, encryption: Value) -> Value {
    json!({ "TableName": name, "SSESpecification": encryption })
}

async fn key_of(world: &World, name: &str) -> Value {
    let told = describe(world, name).await["SSEDescription"].take();
    if !told.is_null() {
        assert_eq!(
            (&told["Status"], &told["SSEType"]),
            (&json!("ENABLED"), &json!("KMS"))
        );
    }
    told["KMSMasterKeyArn"].clone()
}

#[tokio::test]
async fn a_key_is_kept_told_and_changed() {
    let world = World::open("us-east-1").await;
    let on = json!({ "SSESpecification": { "Enabled": true } });
    let made = world.ok("CreateTable", create("carts", &on)).await;
    let own = key_of(&world, "carts").await;
    assert_eq!(
        made["TableDescription"]["SSEDescription"]["KMSMasterKeyArn"],
        own
    );
    let own = own.as_str().unwrap();
    assert!(
        own.starts_with("arn:aws:kms:us-east-1:000000000000:key/"),
        "{own}"
    );
    let given = json!({ "Enabled": true, "SSEType": "KMS", "KMSMasterKeyId": KEY });
    world
        .ok("UpdateTable", update("carts", given.clone()))
        .await;
    assert_eq!(key_of(&world, "carts").await, KEY);
    let world = world.restart().await;
    assert_eq!(key_of(&world, "carts").await, KEY);
    let same = "One or more parameter values were invalid: Table is already encrypted with given \
                KMSMasterKeyId. Use KMSMasterKeyId parameter if you want to change Master Key";
    world
        .invalid("UpdateTable", update("carts", given), same)
        .await;
    let off = update("carts", json!({ "Enabled": false }));
    world.ok("UpdateTable", off.clone()).await;
    assert_eq!(describe(&world, "carts").await.get("SSEDescription"), None);
    let same = "One or more parameter values were invalid: Table is already encrypted by default";
    world.invalid("UpdateTable", off, same).await;
}

#[tokio::test]
async fn what_is_no_encryption_is_refused() {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", create("carts", &json!({}))).await;
    let invalid = "One or more parameter values were invalid: ";
    for (given, told) in [
        (
            json!({ "Enabled": true, "SSEType": "AES256" }),
            "SSEType AES256 is not supported",
        ),
        (
            json!({ "Enabled": false, "KMSMasterKeyId": KEY }),
            "KMSMasterKeyId can be specified only when SSESpecification is Enabled",
        ),
        (
            json!({ "SSEType": "KMS", "KMSMasterKeyId": KEY }),
            "SSEType can be specified only when SSESpecification is Enabled",
        ),
    ] {
        let told = format!("{invalid}{told}");
        let request = create("other", &json!({ "SSESpecification": given }));
        world.invalid("CreateTable", request, &told).await;
        world
            .invalid("UpdateTable", update("carts", given), &told)
            .await;
    }
    let elsewhere = json!({ "Enabled": true, "KMSMasterKeyId": THERE });
    let told = "KMS validation error: Invalid arn eu-west-1";
    world
        .invalid("UpdateTable", update("carts", elsewhere), told)
        .await;
    let mut both = update("carts", json!({ "Enabled": true }));
    both["DeletionProtectionEnabled"] = true.into();
    let told = format!(
        "{invalid}Server-Side Encryption modification must be the only operation in the request"
    );
    world.invalid("UpdateTable", both, &told).await;
    assert_eq!(describe(&world, "carts").await.get("SSEDescription"), None);
    assert_eq!(
        world.ok("ListTables", json!({})).await["TableNames"],
        json!(["carts"])
    );
}

#[tokio::test]
async fn each_replica_has_a_key_of_its_own() {
    let (virginia, ireland) = global().await;
    let member = json!({ "RegionName": "eu-west-1", "KMSMasterKeyId": THERE });
    let replica = json!([{ "Update": member }]);
    let alone = json!({ "TableName": "carts", "ReplicaUpdates": replica });
    let told = "One or more parameter values were invalid: KMSMasterKeyId can be specified only \
                when the table is encrypted by KMS";
    virginia.invalid("UpdateTable", alone, told).await;
    let mut on = update("carts", json!({ "Enabled": true, "KMSMasterKeyId": KEY }));
    on["ReplicaUpdates"] = replica;
    virginia.ok("UpdateTable", on).await;
    sync(&ireland, &virginia).await;
    assert_eq!(key_of(&virginia, "carts").await, KEY);
    assert_eq!(key_of(&ireland, "carts").await, THERE);
    let replicas = &describe(&virginia, "carts").await["Replicas"];
    assert_eq!(replicas[0]["KMSMasterKeyId"], THERE);
    // Without encryption by KMS no replica has a key, and none comes back by itself.
    virginia
        .ok("UpdateTable", update("carts", json!({ "Enabled": false })))
        .await;
    sync(&ireland, &virginia).await;
    assert_eq!(key_of(&ireland, "carts").await, Value::Null);
    virginia
        .ok("UpdateTable", update("carts", json!({ "Enabled": true })))
        .await;
    sync(&ireland, &virginia).await;
    let own = key_of(&ireland, "carts").await;
    assert_ne!(own, THERE);
    assert!(own.as_str().unwrap().starts_with("arn:aws:kms:eu-west-1:"));
}

#[tokio::test]
async fn a_restored_table_has_the_encryption_that_it_is_given() {
    let world = World::open("us-east-1").await;
    let on = json!({ "SSESpecification": { "Enabled": true, "KMSMasterKeyId": KEY } });
    world.ok("CreateTable", create("carts", &on)).await;
    let rewinds = json!({
        "TableName": "carts",
        "PointInTimeRecoverySpecification": { "PointInTimeRecoveryEnabled": true },
    });
    world.ok("UpdateContinuousBackups", rewinds).await;
    let restore = |target: &str, more: Value| {
        let mut request = more;
        request["SourceTableName"] = "carts".into();
        request["TargetTableName"] = target.into();
        request["UseLatestRestorableTime"] = true.into();
        request
    };
    let restored = "RestoreTableToPointInTime";
    world.ok(restored, restore("plain", json!({}))).await;
    assert_eq!(key_of(&world, "plain").await, Value::Null);
    let more = json!({ "SSESpecificationOverride": { "Enabled": true, "KMSMasterKeyId": KEY } });
    world.ok(restored, restore("keyed", more)).await;
    assert_eq!(key_of(&world, "keyed").await, KEY);
    let more = json!({ "SSESpecificationOverride": { "Enabled": false, "KMSMasterKeyId": KEY } });
    let told = "One or more parameter values were invalid: KMSMasterKeyId can be specified only \
                when SSESpecification is Enabled";
    world.invalid(restored, restore("wrong", more), told).await;
}
