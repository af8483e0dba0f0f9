//! Calls on tables.

use std::sync::Arc;

use control::control::{PeerReach, Reach};
use control::testing::pull;
use serde_json::{Value, json};

use crate::world::{World, create, s};

pub(crate) async fn describe(world: &World, name: &str) -> Value {
    world
        .ok("DescribeTable", json!({ "TableName": name }))
        .await["Table"]
        .take()
}

#[tokio::test]
async fn a_table_is_made_described_and_deleted() {
    let world = World::open("eu-west-1").await;
    let request = json!({
        "TableName": "carts",
        "KeySchema": [
            { "AttributeName": "customer", "KeyType": "HASH" },
            { "AttributeName": "sku", "KeyType": "RANGE" },
        ],
        "AttributeDefinitions": [
            { "AttributeName": "customer", "AttributeType": "S" },
            { "AttributeName": "sku", "AttributeType": "B" },
        ],
        "ProvisionedThroughput": { "ReadCapacityUnits": 5, "WriteCapacityUnits": 6 },
        "StreamSpecification": { "StreamEnabled": true, "StreamViewType": "KEYS_ONLY" },
        "TableClass": "STANDARD",
        "Tags": [{ "Key": "team", "Value": "shop" }],
    });
    let made = world.ok("CreateTable", request.clone()).await["TableDescription"].take();
    let table = describe(&world, "carts").await;
    assert_eq!(made, table);
    assert_eq!(table["TableStatus"], "ACTIVE");
    assert_eq!(table["KeySchema"], request["KeySchema"]);
    assert_eq!(
        table["AttributeDefinitions"],
        request["AttributeDefinitions"]
    );
    assert_eq!(table["ProvisionedThroughput"]["WriteCapacityUnits"], 6);
    assert_eq!(table["StreamSpecification"]["StreamViewType"], "KEYS_ONLY");
    assert_eq!(table["ItemCount"], 0);
    let arn = "arn:aws:dynamodb:eu-west-1:000000000000:table/carts";
    assert_eq!(table["TableArn"], arn);
    let label = table["LatestStreamLabel"].as_str().unwrap();
    assert_eq!(table["LatestStreamArn"], format!("{arn}/stream/{label}"));
    assert_eq!(table.get("Replicas"), None);
    let by_arn = describe(&world, arn).await;
    assert_eq!(by_arn, table);
    let code = "ResourceInUseException";
    world
        .refused("CreateTable", request, code, "Table already exists: carts")
        .await;
    let deleted = world
        .ok("DeleteTable", json!({ "TableName": "carts" }))
        .await;
    assert_eq!(deleted["TableDescription"]["TableStatus"], "DELETING");
    let message = "Requested resource not found: Table: carts not found";
    let code = "ResourceNotFoundException";
    world
        .refused(
            "DescribeTable",
            json!({ "TableName": "carts" }),
            code,
            message,
        )
        .await;
}

#[tokio::test]
async fn definitions_that_do_not_fit_are_refused() {
    let world = World::open("us-east-1").await;
    let invalid = async |more: Value, message: &str| {
        world
            .invalid("CreateTable", create("table", &more), message)
            .await;
    };
    let missing = "The parameter 'TableName' is required but was not present in the request";
    world.invalid("CreateTable", json!({}), missing).await;
    let short = "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy \
                 constraint: Member must have length greater than or equal to 3";
    world
        .invalid("CreateTable", create("ab", &json!({})), short)
        .await;
    let key = |name: &str, role: &str| json!({ "AttributeName": name, "KeyType": role });
    let kind = "1 validation error detected: Value 'X' at 'keySchema.1.member.keyType' failed to \
                satisfy constraint: Member must satisfy enum value set: [HASH, RANGE]";
    invalid(json!({ "KeySchema": [key("pk", "X")] }), kind).await;
    let three = [key("pk", "HASH"), key("sk", "RANGE"), key("x", "RANGE")];
    let many = "1 validation error detected: Value '[KeySchemaElement(attributeName=pk, \
                keyType=HASH), KeySchemaElement(attributeName=sk, keyType=RANGE), \
                KeySchemaElement(attributeName=x, keyType=RANGE)]' at 'keySchema' failed to \
                satisfy constraint: Member must have length less than or equal to 2";
    invalid(json!({ "KeySchema": three }), many).await;
    let first = "Invalid KeySchema: The first KeySchemaElement is not a HASH key type";
    invalid(json!({ "KeySchema": [key("pk", "RANGE")] }), first).await;
    let twice = "Invalid KeySchema: Some index key attribute have no definition";
    invalid(
        json!({ "KeySchema": [key("pk", "HASH"), key("pk", "RANGE")] }),
        twice,
    )
    .await;
    let undefined = "One or more parameter values were invalid: Some index key attributes are not \
                     defined in AttributeDefinitions. Keys: [pk, sk], AttributeDefinitions: [pk]";
    invalid(
        json!({ "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")] }),
        undefined,
    )
    .await;
    let surplus = json!({ "AttributeDefinitions": [
        { "AttributeName": "pk", "AttributeType": "S" },
        { "AttributeName": "x", "AttributeType": "S" },
    ] });
    let exact = "One or more parameter values were invalid: Number of attributes in KeySchema does \
                 not exactly match number of attributes defined in AttributeDefinitions";
    invalid(surplus, exact).await;
    let throughput = json!({ "BillingMode": "PROVISIONED" });
    let both = "One or more parameter values were invalid: ReadCapacityUnits and \
                WriteCapacityUnits must both be specified when BillingMode is PROVISIONED";
    invalid(throughput, both).await;
}

#[tokio::test]
async fn what_tables_do_not_have_is_refused_by_name() {
    let world = World::open("us-east-1").await;
    let source = "arn:aws:dynamodb:us-east-1:111111111111:table/table";
    let members = [("GlobalTableSourceArn", json!(source))];
    for (member, value) in members {
        let message = format!(
            "One or more parameter values were invalid: {member} is not supported by this endpoint"
        );
        world
            .invalid(
                "CreateTable",
                create("table", &json!({ member: value })),
                &message,
            )
            .await;
    }
    let code = "ResourceNotFoundException";
    let message = "Requested resource not found: Table: table not found";
    world
        .refused(
            "DescribeTable",
            json!({ "TableName": "table" }),
            code,
            message,
        )
        .await;
}

#[tokio::test]
async fn tables_are_listed_in_pages() {
    let world = World::open("us-east-1").await;
    for name in ["bbb", "aaa", "ddd", "ccc"] {
        world.ok("CreateTable", create(name, &json!({}))).await;
    }
    let all = world.ok("ListTables", json!({})).await;
    assert_eq!(all, json!({ "TableNames": ["aaa", "bbb", "ccc", "ddd"] }));
    let page = world.ok("ListTables", json!({ "Limit": 3 })).await;
    let expected = json!({
        "TableNames": ["aaa", "bbb", "ccc"],
        "LastEvaluatedTableName": "ccc",
    });
    assert_eq!(page, expected);
    let rest = world
        .ok("ListTables", json!({ "ExclusiveStartTableName": "ccc" }))
        .await;
    assert_eq!(rest, json!({ "TableNames": ["ddd"] }));
}

#[tokio::test]
async fn settings_change() {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", create("table", &json!({}))).await;
    let update = |more: Value| {
        let mut request = more;
        request["TableName"] = "table".into();
        request
    };
    let nothing = "At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, \
                   GlobalSecondaryIndexUpdates, SSESpecification, ReplicaUpdates, \
                   MultiAccountReplicaReady, ReplicaTransitRoleArn, MultiRegionConsistency, \
                   DeletionProtectionEnabled, OnDemandThroughput, WarmThroughput or TableClass is \
                   required";
    world
        .invalid("UpdateTable", update(json!({})), nothing)
        .await;
    let provisioned = json!({
        "BillingMode": "PROVISIONED",
        "ProvisionedThroughput": { "ReadCapacityUnits": 2, "WriteCapacityUnits": 3 },
        "DeletionProtectionEnabled": true,
    });
    world.ok("UpdateTable", update(provisioned.clone())).await;
    let same = "The provisioned throughput for the table will not change. The requested value \
                equals the current value. Current ReadCapacityUnits provisioned for the table: 2. \
                Requested ReadCapacityUnits: 2. Current WriteCapacityUnits provisioned for the \
                table: 3. Requested WriteCapacityUnits: 3. Refer to the Amazon DynamoDB Developer \
                Guide for current limits and how to request higher limits.";
    world
        .invalid("UpdateTable", update(provisioned), same)
        .await;
    let table = describe(&world, "table").await;
    assert_eq!(table["ProvisionedThroughput"]["ReadCapacityUnits"], 2);
    assert_eq!(table["BillingModeSummary"]["BillingMode"], "PROVISIONED");
    assert_eq!(table["DeletionProtectionEnabled"], true);
    let protected = "Resource cannot be deleted as it is currently protected against deletion. \
                     Disable deletion protection first.";
    world
        .invalid("DeleteTable", json!({ "TableName": "table" }), protected)
        .await;
    world
        .ok(
            "UpdateTable",
            update(json!({ "DeletionProtectionEnabled": false })),
        )
        .await;
    let stream = |enabled: bool| {
        let mut stream = json!({ "StreamEnabled": enabled });
        if enabled {
            stream["StreamViewType"] = "NEW_IMAGE".into();
        }
        update(json!({ "StreamSpecification": stream }))
    };
    let none = "Table has no stream to disable: TableName: table";
    world.invalid("UpdateTable", stream(false), none).await;
    world.ok("UpdateTable", stream(true)).await;
    let twice = "Table already has an enabled stream: TableName: table";
    world.invalid("UpdateTable", stream(true), twice).await;
    world.ok("UpdateTable", stream(false)).await;
    let table = describe(&world, "table").await;
    assert_eq!(table.get("StreamSpecification"), None);
    assert!(table["LatestStreamArn"].is_string());
    world
        .ok("DeleteTable", json!({ "TableName": "table" }))
        .await;
}

#[tokio::test]
async fn tags_are_kept_with_the_table() {
    let world = World::open("us-east-1").await;
    let tags: Vec<Value> = (0..9)
        .map(|at| json!({ "Key": format!("k{at}"), "Value": "v" }))
        .collect();
    world
        .ok("CreateTable", create("table", &json!({ "Tags": tags })))
        .await;
    let arn = "arn:aws:dynamodb:us-east-1:000000000000:table/table";
    let added = json!([
        { "Key": "k0", "Value": "w" },
        { "Key": "z1", "Value": "" },
        { "Key": "z2", "Value": "" },
    ]);
    world
        .ok("TagResource", json!({ "ResourceArn": arn, "Tags": added }))
        .await;
    let page = world
        .ok("ListTagsOfResource", json!({ "ResourceArn": arn }))
        .await;
    assert_eq!(page["Tags"].as_array().unwrap().len(), 10);
    assert_eq!(page["Tags"][0], json!({ "Key": "k0", "Value": "w" }));
    let next = json!({ "ResourceArn": arn, "NextToken": page["NextToken"] });
    let rest = world.ok("ListTagsOfResource", next).await;
    assert_eq!(rest, json!({ "Tags": [{ "Key": "z2", "Value": "" }] }));
    world
        .ok(
            "UntagResource",
            json!({ "ResourceArn": arn, "TagKeys": ["k0", "gone"] }),
        )
        .await;
    let page = world
        .ok("ListTagsOfResource", json!({ "ResourceArn": arn }))
        .await;
    assert_eq!(page["Tags"][0], json!({ "Key": "k1", "Value": "v" }));
    let message = "ARNs must start with 'arn:': table";
    world
        .invalid(
            "ListTagsOfResource",
            json!({ "ResourceArn": "table" }),
            message,
        )
        .await;
}

fn replicate(change: &str, region: &str) -> Value {
    let update = json!({ change: { "RegionName": region } });
    json!({ "TableName": "carts", "ReplicaUpdates": [update] })
}

fn without_stream() -> Value {
    json!({ "TableName": "carts", "StreamSpecification": { "StreamEnabled": false } })
}

/// Brings one region's changes to another.
pub(crate) async fn sync(to: &World, from: &World) {
    pull(&to.node, &from.node).await;
    to.node.control.refresh().await.expect("loaded");
}

/// Opens two regions with the global table `carts`.
pub(crate) async fn global() -> (World, World) {
    let virginia = World::open("us-east-1").await;
    let ireland = World::open("eu-west-1").await;
    virginia
        .ok("CreateTable", create("carts", &json!({})))
        .await;
    virginia
        .ok("UpdateTable", replicate("Create", "eu-west-1"))
        .await;
    sync(&ireland, &virginia).await;
    let fillings = ireland.node.control.fillings();
    let (id, fill) = fillings.iter().next().expect("a replica to fill");
    let filled = ireland.node.control.filled(*id, fill).await;
    filled.expect("filled");
    sync(&virginia, &ireland).await;
    (virginia, ireland)
}

#[tokio::test]
async fn replicas_that_cannot_be_are_refused() {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", create("carts", &json!({}))).await;
    let local = "Cannot add, delete, or update the local region through ReplicaUpdates. Use \
                 CreateTable, DeleteTable, or UpdateTable as required.";
    world
        .invalid("UpdateTable", replicate("Create", "us-east-1"), local)
        .await;
    let invalid = "One or more parameter values were invalid: ";
    let stranger = "Region us-west-2 is not supported. The latest version of global tables are \
                    only supported in the following regions: [us-east-1, eu-west-1, \
                    ap-northeast-1]";
    world
        .invalid("UpdateTable", replicate("Create", "us-west-2"), stranger)
        .await;
    // Of several changes none is made where one cannot be: no stream begins, no replica comes.
    let create = |region: &str| json!({ "Create": { "RegionName": region } });
    let none = |region: &str| json!({ "Delete": { "RegionName": region } });
    let both = |updates: [Value; 2]| json!({ "TableName": "carts", "ReplicaUpdates": updates });
    let twice = format!(
        "{invalid}Only one replica update per region is allowed simultaneously. Region: eu-west-1"
    );
    let gone = |region: &str| {
        format!(
            "Update global table operation failed because one or more replicas were not part of \
             the global table. Please retry the request without these replicas: [{region}]."
        )
    };
    let elsewhere = gone("ap-northeast-1");
    for (updates, message) in [
        ([create("eu-west-1"), create("eu-west-1")], twice.as_str()),
        ([create("eu-west-1"), create("us-west-2")], stranger),
        ([create("eu-west-1"), create("us-east-1")], local),
        ([create("eu-west-1"), none("ap-northeast-1")], &elsewhere),
    ] {
        let request = both(updates);
        world.invalid("UpdateTable", request, message).await;
        let told = describe(&world, "carts").await;
        assert_eq!(told.get("Replicas"), None);
        assert_eq!(told.get("StreamSpecification"), None);
    }
    let missing = gone("eu-west-1");
    world
        .invalid("UpdateTable", replicate("Delete", "eu-west-1"), &missing)
        .await;
    for (update, message) in [
        (
            json!({}),
            "There are no actions specified in the Replica Update Action of the request.",
        ),
        (
            json!({
                "Create": { "RegionName": "eu-west-1" },
                "Delete": { "RegionName": "ap-northeast-1" },
            }),
            "Update table operation with more than one type of replica actions not allowed.",
        ),
    ] {
        let request = json!({ "TableName": "carts", "ReplicaUpdates": [update] });
        world.invalid("UpdateTable", request, message).await;
    }
}

#[tokio::test]
async fn replicas_come_all_or_none() {
    let virginia = World::open("us-east-1").await;
    let tokyo = World::open("ap-northeast-1").await;
    virginia
        .ok("CreateTable", create("carts", &json!({})))
        .await;
    // Worlds draw the same numbers: this takes the one that the other's table has.
    tokyo.node.control.index_number();
    tokyo.ok("CreateTable", create("carts", &json!({}))).await;
    sync(&virginia, &tokyo).await;
    let create = |region: &str| json!({ "Create": { "RegionName": region } });
    let updates = [create("eu-west-1"), create("ap-northeast-1")];
    let both = json!({ "TableName": "carts", "ReplicaUpdates": updates });
    let taken = "Failed to create a the new replica of table with name: ‘carts’ because one or more \
                 replicas already existed as tables.";
    virginia.invalid("UpdateTable", both.clone(), taken).await;
    let told = describe(&virginia, "carts").await;
    assert_eq!(told.get("Replicas"), None);
    assert_eq!(told.get("StreamSpecification"), None);
    assert_eq!(told["TableStatus"], "ACTIVE");
    tokyo
        .ok("DeleteTable", json!({ "TableName": "carts" }))
        .await;
    sync(&virginia, &tokyo).await;
    let told = virginia.ok("UpdateTable", both).await["TableDescription"].take();
    assert_eq!(told["Replicas"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_replica_is_made_and_filled() {
    let virginia = World::open("us-east-1").await;
    let ireland = World::open("eu-west-1").await;
    virginia
        .ok("CreateTable", create("carts", &json!({})))
        .await;
    let answer = virginia
        .ok("UpdateTable", replicate("Create", "eu-west-1"))
        .await;
    let table = &answer["TableDescription"];
    assert_eq!(table["TableStatus"], "UPDATING");
    assert_eq!(table["GlobalTableVersion"], "2019.11.21");
    let creating = json!([{
        "RegionName": "eu-west-1",
        "ReplicaStatus": "CREATING",
        "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES",
        "WarmThroughput": {
            "ReadUnitsPerSecond": 12_000,
            "WriteUnitsPerSecond": 4_000,
            "Status": "CREATING",
        },
    }]);
    assert_eq!(table["Replicas"], creating);
    let view = &table["StreamSpecification"]["StreamViewType"];
    assert_eq!(view, "NEW_AND_OLD_IMAGES");
    let busy = "Attempt to change a resource which is still in use: Table is being updated: carts";
    let again = replicate("Create", "ap-northeast-1");
    virginia
        .refused("UpdateTable", again, "ResourceInUseException", busy)
        .await;

    sync(&ireland, &virginia).await;
    assert_eq!(describe(&ireland, "carts").await["TableStatus"], "CREATING");
    let get = json!({ "TableName": "carts", "Key": { "pk": s("a") } });
    let missing = "Requested resource not found";
    ireland
        .refused("GetItem", get, "ResourceNotFoundException", missing)
        .await;
}

/// Tells one region how far another has come.
fn reached(world: &World, other: &World, more: impl FnOnce(&mut PeerReach)) {
    let mut peer = PeerReach {
        live: true,
        applied: other.node.control.tables().applied(),
        ..PeerReach::default()
    };
    more(&mut peer);
    let region = other.node.control.project().region.id();
    let reach = Reach::from([(region, peer)]);
    world.node.reach.send_replace(Arc::new(reach));
}

#[tokio::test]
async fn how_far_a_replica_is_filled_is_told() {
    let virginia = World::open("us-east-1").await;
    let ireland = World::open("eu-west-1").await;
    virginia
        .ok("CreateTable", create("carts", &json!({})))
        .await;
    virginia
        .ok("UpdateTable", replicate("Create", "eu-west-1"))
        .await;
    let views = virginia.node.control.table_views();
    let table = views.first().expect("a table").table.id();
    let told = async || {
        let told = describe(&virginia, "carts").await;
        told["Replicas"][0]["ReplicaStatusPercentProgress"].clone()
    };
    assert_eq!(told().await, Value::Null);
    let percent = |percent| {
        reached(&virginia, &ireland, |peer| {
            peer.copying.insert(table, percent);
        });
    };
    percent(37);
    assert_eq!(told().await, "37");
    // Whom another replica is filled from stays as long as nobody else has the items.
    let source = "Replica cannot be deleted because it has acted as a source region for new \
                  replica(s) being added to the table in the last 24 hours.";
    virginia
        .invalid("DeleteTable", json!({ "TableName": "carts" }), source)
        .await;
    sync(&ireland, &virginia).await;
    let fillings = ireland.node.control.fillings();
    let (id, fill) = fillings.iter().next().expect("a replica to fill");
    let filled = ireland.node.control.filled(*id, fill).await;
    filled.expect("filled");
    sync(&virginia, &ireland).await;
    percent(99);
    assert_eq!(told().await, Value::Null, "it is whole");
    virginia
        .ok("DeleteTable", json!({ "TableName": "carts" }))
        .await;
}

#[tokio::test]
async fn strong_tables_are_refused_after_what_is_wrong_with_them() {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", create("carts", &json!({}))).await;
    let make = |region: &str| json!({ "Create": { "RegionName": region } });
    let (ireland, tokyo, sydney) = ("eu-west-1", "ap-northeast-1", "ap-southeast-2");
    let unmake = json!({ "Delete": { "RegionName": ireland } });
    let with = "global tables with MultiRegionConsistency set to STRONG";
    for (mode, replicas, witness, message) in [
        (
            "EVENTUAL",
            vec![make(ireland)],
            Some(tokyo),
            "MultiRegionConsistency must be set as STRONG when GlobalTableWitnessUpdates parameter \
             is present."
                .to_owned(),
        ),
        (
            "STRONG",
            vec![unmake, make(tokyo)],
            None,
            "Only Replica Create actions are supported when MultiRegionConsistency parameter is \
             provided."
                .to_owned(),
        ),
        (
            "STRONG",
            vec![make(ireland)],
            None,
            format!("Unsupported replica count for {with}."),
        ),
        (
            "STRONG",
            vec![make(ireland)],
            Some(sydney),
            format!("Unsupported Region(s) specified for {with}: [{sydney}]."),
        ),
        (
            "STRONG",
            vec![make(ireland)],
            Some("us-east-1"),
            "Cannot add a witness in the same region as an existing replica when creating a global \
             table with MultiRegionConsistency set to STRONG."
                .to_owned(),
        ),
        (
            "STRONG",
            vec![make(ireland)],
            Some(ireland),
            "Cannot target multiple regions with the same action".to_owned(),
        ),
        (
            "STRONG",
            vec![make(ireland), make(tokyo)],
            None,
            "One or more parameter values were invalid: MultiRegionConsistency STRONG is not \
             supported by this endpoint"
                .to_owned(),
        ),
    ] {
        let mut request = json!({
            "TableName": "carts",
            "MultiRegionConsistency": mode,
            "ReplicaUpdates": replicas,
        });
        if let Some(region) = witness {
            request["GlobalTableWitnessUpdates"] = json!([make(region)]);
        }
        world.invalid("UpdateTable", request, &message).await;
        let told = describe(&world, "carts").await;
        assert_eq!((told.get("Replicas"), &told["TableStatus"]), (None, &json!("ACTIVE")));
    }
}

#[tokio::test]
async fn strong_consistency_is_not_dropped_beside_another_change() {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", create("carts", &json!({}))).await;
    let request = json!({
        "TableName": "carts",
        "MultiRegionConsistency": "STRONG",
        "DeletionProtectionEnabled": true,
    });
    let message = "One or more parameter values were invalid: MultiRegionConsistency is not \
                   supported by this endpoint";
    world.invalid("UpdateTable", request, message).await;
    let told = describe(&world, "carts").await;
    assert_eq!(told["DeletionProtectionEnabled"], json!(false));
}

#[tokio::test]
async fn a_replica_leaves_only_as_it_may() {
    let (virginia, _) = global().await;
    let leave = |region: &str| {
        json!({ "Disassociate": {
            "RegionName": region,
            "DisassociationMode": "WAIT_FOR_REPLICATION",
        } })
    };
    let create = json!({ "Create": { "RegionName": "ap-northeast-1" } });
    let update = |updates: Value| json!({ "TableName": "carts", "ReplicaUpdates": updates });
    for (updates, message) in [
        (
            json!([leave("us-east-1"), create]),
            "A Disassociate action must be the only replica update in the request.",
        ),
        (
            json!([leave("eu-west-1")]),
            "Only the local replica can be disassociated from a global table. Local region: \
             us-east-1, requested region: eu-west-1",
        ),
        (
            json!([leave("us-east-1")]),
            "Replica in region us-east-1 cannot be disassociated as it is currently protected \
             against disassociation. Disable disassociation protection first.",
        ),
    ] {
        virginia
            .invalid("UpdateTable", update(updates), message)
            .await;
    }
    let unprotect = json!({ "TableName": "carts", "DisassociationProtectionEnabled": false });
    virginia.ok("UpdateTable", unprotect).await;
    let message = "One or more parameter values were invalid: ReplicaUpdates Disassociate is not \
                   supported by this endpoint";
    let request = update(json!([leave("us-east-1")]));
    virginia.invalid("UpdateTable", request, message).await;
}

#[tokio::test]
async fn the_class_of_one_replica_differs_until_the_tables_is_set() {
    let (virginia, ireland) = global().await;
    let class = |class: &str| {
        let member = json!({ "RegionName": "eu-west-1", "TableClassOverride": class });
        json!({ "TableName": "carts", "ReplicaUpdates": [{ "Update": member }] })
    };
    let told = async || {
        let here = describe(&virginia, "carts").await;
        let there = describe(&ireland, "carts").await;
        let replica = &here["Replicas"][0]["ReplicaTableClassSummary"]["TableClass"];
        let own = |told: &Value| told["TableClassSummary"]["TableClass"].clone();
        [own(&here), replica.clone(), own(&there)]
    };
    let rare = "STANDARD_INFREQUENT_ACCESS";
    virginia.ok("UpdateTable", class(rare)).await;
    sync(&ireland, &virginia).await;
    assert_eq!(told().await, [json!(null), json!(rare), json!(rare)]);
    virginia.ok("UpdateTable", class("STANDARD")).await;
    sync(&ireland, &virginia).await;
    assert_eq!(told().await, [json!(null), json!(null), json!(null)]);
    virginia.ok("UpdateTable", class(rare)).await;
    let all = json!({ "TableName": "carts", "TableClass": rare });
    virginia.ok("UpdateTable", all).await;
    sync(&ireland, &virginia).await;
    assert_eq!(told().await, [json!(rare), json!(null), json!(rare)]);
}

#[tokio::test]
async fn a_global_table_is_one_in_each_region() {
    let (virginia, ireland) = global().await;
    for (world, own, other) in [
        (&virginia, "us-east-1", "eu-west-1"),
        (&ireland, "eu-west-1", "us-east-1"),
    ] {
        let table = describe(world, "carts").await;
        assert_eq!(table["TableStatus"], "ACTIVE");
        let arn = format!("arn:aws:dynamodb:{own}:000000000000:table/carts");
        assert_eq!(table["TableArn"], arn);
        let stream = table["LatestStreamArn"].as_str().expect("a stream");
        assert!(stream.starts_with(&format!("{arn}/stream/")));
        let replicas = json!([{
            "RegionName": other,
            "ReplicaStatus": "ACTIVE",
            "GlobalTableSettingsReplicationMode": "ENABLED_WITH_OVERRIDES",
            "WarmThroughput": {
                "ReadUnitsPerSecond": 12_000,
                "WriteUnitsPerSecond": 4_000,
                "Status": "ACTIVE",
            },
        }]);
        assert_eq!(table.get("MultiRegionConsistency"), None);
        assert_eq!(table["Replicas"], replicas);
        let get = json!({ "TableName": "carts", "Key": { "pk": s("a") } });
        assert_eq!(world.ok("GetItem", get).await, json!({}));
    }
    let kept = "Disabling Stream is not allowed for a Global Table replica.";
    virginia
        .invalid("UpdateTable", without_stream(), kept)
        .await;
}

#[tokio::test]
async fn a_table_without_its_last_replica_is_regional_again() {
    let (virginia, ireland) = global().await;
    virginia
        .ok("UpdateTable", replicate("Delete", "eu-west-1"))
        .await;
    let table = describe(&virginia, "carts").await;
    let going = json!([{ "RegionName": "eu-west-1", "ReplicaStatus": "DELETING" }]);
    assert_eq!(table["Replicas"], going, "until its region knows");
    reached(&virginia, &ireland, |_| {});
    let table = describe(&virginia, "carts").await;
    assert_eq!(table["Replicas"], going);
    sync(&ireland, &virginia).await;
    reached(&virginia, &ireland, |_| {});
    let table = describe(&virginia, "carts").await;
    assert_eq!(
        (table.get("Replicas"), table.get("GlobalTableVersion")),
        (None, None)
    );
    assert!(table["StreamSpecification"].is_object());
    virginia.ok("UpdateTable", without_stream()).await;
    sync(&ireland, &virginia).await;
    let message = "Requested resource not found: Table: carts not found";
    let named = json!({ "TableName": "carts" });
    ireland
        .refused("DescribeTable", named, "ResourceNotFoundException", message)
        .await;
}

#[tokio::test]
async fn protection_against_leaving_is_kept_and_told() {
    let (virginia, ireland) = global().await;
    let told = async |world: &World| {
        let told = describe(world, "carts").await;
        assert_eq!(
            told["GlobalTableSettingsReplicationMode"],
            "ENABLED_WITH_OVERRIDES"
        );
        told["DisassociationProtectionEnabled"].clone()
    };
    assert_eq!(told(&virginia).await, true);
    let mut request = json!({ "TableName": "carts", "DisassociationProtectionEnabled": false });
    virginia.ok("UpdateTable", request.clone()).await;
    sync(&ireland, &virginia).await;
    assert_eq!(told(&virginia).await, false);
    assert_eq!(told(&ireland).await, true, "it is each replica's own");
    let invalid = "One or more parameter values were invalid: ";
    request["TableClass"] = "STANDARD".into();
    let alone = format!(
        "{invalid}DisassociationProtectionEnabled modification must be the only operation in the \
         request"
    );
    virginia.invalid("UpdateTable", request, &alone).await;
    let mode = |mode: &str| json!({ "GlobalTableSettingsReplicationMode": mode });
    let update = |given: &str| {
        let mut request = mode(given);
        request["TableName"] = "carts".into();
        request
    };
    let regional = format!(
        "{invalid}GlobalTableSettingsReplicationMode can be updated only of a regional table"
    );
    for given in ["DISABLED", "ENABLED_WITH_OVERRIDES"] {
        virginia
            .invalid("UpdateTable", update(given), &regional)
            .await;
    }
    let refused = format!(
        "{invalid}GlobalTableSettingsReplicationMode ENABLED is not supported by this endpoint"
    );
    virginia
        .invalid("UpdateTable", update("ENABLED"), &refused)
        .await;
    let made = create("other", &mode("ENABLED"));
    virginia.invalid("CreateTable", made, &refused).await;
}

#[tokio::test]
async fn how_settings_are_synchronised_is_told_of_a_table_in_one_region() {
    let world = World::open("us-east-1").await;
    let name = "GlobalTableSettingsReplicationMode";
    world.ok("CreateTable", create("carts", &json!({}))).await;
    assert_eq!(describe(&world, "carts").await.get(name), None);
    let update = |given: &str| json!({ "TableName": "carts", name: given });
    let told = world.ok("UpdateTable", update("DISABLED")).await;
    assert_eq!(told["TableDescription"][name], "DISABLED");
    assert_eq!(describe(&world, "carts").await[name], "DISABLED");
    let message = "Value 'ENABLED_WITH_OVERRIDES' at 'GlobalTableSettingsReplicationMode' failed \
                   to satisfy constraint: Only ENABLED and DISABLED settings replication are \
                   supported for a Regional Table.";
    world
        .invalid("UpdateTable", update("ENABLED_WITH_OVERRIDES"), message)
        .await;
    world
        .ok("UpdateTable", replicate("Create", "eu-west-1"))
        .await;
    let told = describe(&world, "carts").await;
    assert_eq!(told[name], "ENABLED_WITH_OVERRIDES", "it is a global one");
    for given in ["DISABLED", "ENABLED_WITH_OVERRIDES"] {
        let made = create(&given.to_lowercase(), &json!({ name: given }));
        let told = world.ok("CreateTable", made).await;
        assert_eq!(told["TableDescription"][name], given);
    }
}

#[tokio::test]
async fn a_protected_replica_stays() {
    let (virginia, ireland) = global().await;
    let protect = json!({ "TableName": "carts", "DeletionProtectionEnabled": true });
    ireland.ok("UpdateTable", protect).await;
    sync(&virginia, &ireland).await;
    assert_eq!(
        describe(&virginia, "carts").await["DeletionProtectionEnabled"],
        false
    );
    let message = "Cannot delete table carts in region eu-west-1 because it has deletion \
                   protection enabled. Disable deletion protection first.";
    virginia
        .invalid("UpdateTable", replicate("Delete", "eu-west-1"), message)
        .await;
    // Each region deletes its own replica, and the other's stays.
    virginia
        .ok("DeleteTable", json!({ "TableName": "carts" }))
        .await;
    sync(&ireland, &virginia).await;
    assert_eq!(describe(&ireland, "carts").await.get("Replicas"), None);
}

#[tokio::test]
async fn what_is_off_is_told_as_off() {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", create("table", &json!({}))).await;
    let named = json!({ "TableName": "table" });
    let answer = world.ok("DescribeTimeToLive", named.clone()).await;
    assert_eq!(
        answer["TimeToLiveDescription"]["TimeToLiveStatus"],
        "DISABLED"
    );
    let answer = world.ok("DescribeContinuousBackups", named).await;
    let backups = &answer["ContinuousBackupsDescription"];
    assert_eq!(backups["ContinuousBackupsStatus"], "ENABLED");
    let code = "TableNotFoundException";
    let gone = json!({ "TableName": "gone" });
    let message = "Table not found: gone";
    world
        .refused("DescribeContinuousBackups", gone, code, message)
        .await;
    let answer = world.ok("DescribeEndpoints", json!({})).await;
    assert_eq!(answer["Endpoints"][0]["Address"], "127.0.0.11:4566");
    let answer = world.ok("DescribeLimits", json!({})).await;
    assert_eq!(answer["TableMaxReadCapacityUnits"], 40_000);
}
