//! Secondary indexes: made, read, checked by writes, paid for, added and removed.

use serde_json::{Value, json};

use crate::world::{World, n, s};

fn keys(names: &[(&str, &str)]) -> Value {
    let key = |(name, role): &(&str, &str)| json!({ "AttributeName": name, "KeyType": role });
    names.iter().map(key).collect()
}

fn defined(names: &[(&str, &str)]) -> Value {
    let one = |(name, kind): &(&str, &str)| json!({ "AttributeName": name, "AttributeType": kind });
    names.iter().map(one).collect()
}

fn index(name: &str, schema: &[(&str, &str)], projection: Value) -> Value {
    json!({ "IndexName": name, "KeySchema": keys(schema), "Projection": projection })
}

fn all() -> Value {
    json!({ "ProjectionType": "ALL" })
}

fn keys_only() -> Value {
    json!({ "ProjectionType": "KEYS_ONLY" })
}

/// The request that makes `orders`: pk S, sk N; `by-state` (state, total; ALL), `by-city` (state
/// and city, total and note; the keys), `by-total` (pk, total; the keys and note), local.
fn orders() -> Value {
    let city = [
        ("state", "HASH"),
        ("city", "HASH"),
        ("total", "RANGE"),
        ("note", "RANGE"),
    ];
    let noted = json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["note"] });
    json!({
        "TableName": "orders",
        "KeySchema": keys(&[("pk", "HASH"), ("sk", "RANGE")]),
        "AttributeDefinitions": defined(&[
            ("total", "N"), ("pk", "S"), ("sk", "N"), ("state", "S"), ("city", "S"), ("note", "S"),
        ]),
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            index("by-state", &[("state", "HASH"), ("total", "RANGE")], all()),
            index("by-city", &city, keys_only()),
        ],
        "LocalSecondaryIndexes": [index("by-total", &[("pk", "HASH"), ("total", "RANGE")], noted)],
    })
}

/// Opens a region with `orders` and six items in it, one of them in no index.
async fn world() -> World {
    let world = World::open("us-east-1").await;
    world.ok("CreateTable", orders()).await;
    for sk in 0..6 {
        let mut item = json!({
            "pk": s("ann"), "sk": n(sk), "city": s(if sk < 3 { "Ulm" } else { "Bonn" }),
            "state": s("open"), "note": s(&format!("note {sk}")), "total": n(10 - sk),
            "extra": s("not a key"),
        });
        if sk == 5 {
            item.as_object_mut()
                .unwrap()
                .retain(|name, _| name.len() == 2);
        }
        world
            .ok("PutItem", json!({ "TableName": "orders", "Item": item }))
            .await;
    }
    world
}

fn query(index: &str, condition: &str, values: Value) -> Value {
    let names: serde_json::Map<String, Value> = ["state", "total"]
        .into_iter()
        .filter(|name| condition.contains(&format!("#{name}")))
        .map(|name| (format!("#{name}"), name.into()))
        .collect();
    let mut query = json!({
        "TableName": "orders",
        "IndexName": index,
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
    });
    if !names.is_empty() {
        query["ExpressionAttributeNames"] = names.into();
    }
    query
}

fn numbers(answer: &Value, name: &str) -> Vec<i64> {
    let items = answer["Items"].as_array().unwrap().iter();
    items
        .map(|item| item[name]["N"].as_str().unwrap().parse().unwrap())
        .collect()
}

#[tokio::test]
async fn a_table_tells_its_indexes() {
    let world = world().await;
    let request = json!({ "TableName": "orders" });
    let table = world.ok("DescribeTable", request).await["Table"].take();
    let global = &table["GlobalSecondaryIndexes"];
    assert_eq!(global[0]["IndexName"], "by-state");
    assert_eq!(global[0]["IndexStatus"], "ACTIVE");
    assert_eq!(global[0]["ItemCount"], 5);
    assert_eq!(global[0].get("Backfilling"), None);
    assert_eq!(global[0]["WarmThroughput"]["ReadUnitsPerSecond"], 12_000);
    assert_eq!(global[1]["KeySchema"].as_array().unwrap().len(), 4);
    assert_eq!(global[1]["Projection"], keys_only());
    let local = &table["LocalSecondaryIndexes"][0];
    assert_eq!(local["ItemCount"], 5);
    assert_eq!(local.get("IndexStatus"), None);
    let arn = local["IndexArn"].as_str().unwrap();
    assert!(arn.ends_with("table/orders/index/by-total"), "{arn}");
    let names = table["AttributeDefinitions"].as_array().unwrap().iter();
    let names: Vec<&str> = names
        .map(|one| one["AttributeName"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["city", "note", "pk", "sk", "state", "total"]);
    assert_eq!(table["ItemCount"], 6);
    // A zero takes a byte less than other digits, Ulm one less than Bonn; the last has its key alone.
    assert_eq!(table["TableSizeBytes"], 55 + 2 * 56 + 2 * 57 + 9);
}

#[tokio::test]
async fn a_global_index_is_read_in_its_own_order_page_by_page() {
    let world = world().await;
    let mut request = query("by-state", "#state = :o", json!({ ":o": s("open") }));
    request["Limit"] = 2.into();
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let mut found = Vec::new();
    loop {
        let mut answer = world.ok("Query", request.clone()).await;
        found.extend(numbers(&answer, "total"));
        let capacity = &answer["ConsumedCapacity"];
        assert_eq!(capacity["CapacityUnits"], 0.5);
        assert_eq!(capacity["Table"]["CapacityUnits"], 0.0);
        assert_eq!(
            capacity["GlobalSecondaryIndexes"]["by-state"]["CapacityUnits"],
            0.5
        );
        let last = answer["LastEvaluatedKey"].take();
        if last.is_null() {
            break;
        }
        let names: Vec<&String> = last.as_object().unwrap().keys().collect();
        assert_eq!(names, ["pk", "sk", "state", "total"]);
        request["ExclusiveStartKey"] = last;
    }
    assert_eq!(found, [6, 7, 8, 9, 10]);
    let values = json!({ ":o": s("open"), ":a": n(7), ":b": n(9) });
    let mut between = query(
        "by-state",
        "#state = :o AND #total BETWEEN :a AND :b",
        values,
    );
    between["ScanIndexForward"] = false.into();
    let answer = world.ok("Query", between).await;
    assert_eq!(numbers(&answer, "total"), [9, 8, 7]);
    assert_eq!(answer["Items"][0]["extra"], s("not a key"));
    let legacy = json!({
        "TableName": "orders", "IndexName": "by-state", "Select": "COUNT",
        "KeyConditions": {
            "state": { "ComparisonOperator": "EQ", "AttributeValueList": [s("open")] },
            "total": { "ComparisonOperator": "GT", "AttributeValueList": [n(8)] },
        },
    });
    assert_eq!(world.ok("Query", legacy).await["Count"], 2);
}

#[tokio::test]
async fn a_key_of_several_attributes_is_met_from_the_left() {
    let world = world().await;
    let values = json!({ ":o": s("open"), ":u": s("Ulm"), ":t": n(9), ":n": s("note") });
    let condition = "#state = :o AND city = :u AND #total = :t AND begins_with(note, :n)";
    let answer = world.ok("Query", query("by-city", condition, values)).await;
    assert_eq!(numbers(&answer, "total"), [9]);
    assert_eq!(
        answer["Items"][0].as_object().unwrap().len(),
        6,
        "the keys and no more"
    );
    let values = json!({ ":o": s("open"), ":u": s("Ulm"), ":n": s("note") });
    let skips = query("by-city", "#state = :o AND city = :u AND note = :n", values);
    let missed = "Query condition missed key schema element: total";
    world.invalid("Query", skips, missed).await;
    let half = query("by-city", "#state = :o", json!({ ":o": s("open") }));
    let missed = "Query condition missed key schema element: city";
    world.invalid("Query", half, missed).await;
}

#[tokio::test]
async fn a_local_index_fetches_what_it_does_not_hold() {
    let world = world().await;
    let values = json!({ ":p": s("ann"), ":t": n(8) });
    let mut request = query("by-total", "pk = :p AND #total >= :t", values);
    request["ConsistentRead"] = true.into();
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let answer = world.ok("Query", request.clone()).await;
    assert_eq!(numbers(&answer, "total"), [8, 9, 10]);
    assert_eq!(
        answer["Items"][0].get("extra"),
        None,
        "what the index holds"
    );
    assert_eq!(answer["Items"][0]["note"], s("note 2"));
    let local = &answer["ConsumedCapacity"]["LocalSecondaryIndexes"]["by-total"];
    assert_eq!(local["CapacityUnits"], 1.0);
    assert_eq!(answer["ConsumedCapacity"]["Table"]["CapacityUnits"], 0.0);
    request["Select"] = "ALL_ATTRIBUTES".into();
    let answer = world.ok("Query", request.clone()).await;
    assert_eq!(answer["Items"][0]["extra"], s("not a key"));
    assert_eq!(
        answer["ConsumedCapacity"]["CapacityUnits"], 4.0,
        "one for each item besides"
    );
    let object = request.as_object_mut().unwrap();
    object.remove("Select");
    object.insert("ProjectionExpression".to_owned(), "city".into());
    let answer = world.ok("Query", request).await;
    assert_eq!(
        answer["Items"],
        json!([{ "city": s("Ulm") }, { "city": s("Ulm") }, { "city": s("Ulm") }])
    );
}

#[tokio::test]
async fn a_page_of_a_local_index_is_no_larger_for_the_items_that_it_fetches() {
    let world = world().await;
    let large = "x".repeat(300_000);
    for sk in 0..5 {
        let item = json!({
            "pk": s("bob"), "sk": n(sk), "total": n(sk), "extra": s(&large),
        });
        world
            .ok("PutItem", json!({ "TableName": "orders", "Item": item }))
            .await;
    }
    let mut request = query("by-total", "pk = :p", json!({ ":p": s("bob") }));
    request["Select"] = "ALL_ATTRIBUTES".into();
    request["ReturnConsumedCapacity"] = "INDEXES".into();
    let first = world.ok("Query", request.clone()).await;
    assert_eq!(numbers(&first, "total"), [0, 1, 2, 3], "1 MiB, and no more");
    assert_eq!(
        first["LastEvaluatedKey"],
        json!({ "pk": s("bob"), "sk": n(3), "total": n(3) })
    );
    assert_eq!(
        first["ConsumedCapacity"]["Table"]["CapacityUnits"], 148.0,
        "of four items"
    );
    request["ExclusiveStartKey"] = first["LastEvaluatedKey"].clone();
    let rest = world.ok("Query", request).await;
    assert_eq!(numbers(&rest, "total"), [4]);
    assert_eq!(rest.get("LastEvaluatedKey"), None);
    let statement = "SELECT total, extra FROM \"orders\".\"by-total\" WHERE pk = 'bob'";
    let mut request = json!({ "Statement": statement });
    let first = world.ok("ExecuteStatement", request.clone()).await;
    assert_eq!(numbers(&first, "total"), [0, 1, 2, 3]);
    request["NextToken"] = first["NextToken"].clone();
    let rest = world.ok("ExecuteStatement", request).await;
    assert_eq!(numbers(&rest, "total"), [4]);
    assert_eq!(rest.get("NextToken"), None);
}

#[tokio::test]
async fn an_index_is_scanned_in_segments() {
    let world = world().await;
    for (index, names) in [("by-state", 7), ("by-city", 6), ("by-total", 4)] {
        let mut found = Vec::new();
        for segment in 0..3 {
            let scan = json!({
                "TableName": "orders", "IndexName": index, "Segment": segment, "TotalSegments": 3,
            });
            let answer = world.ok("Scan", scan).await;
            let items = answer["Items"].as_array().unwrap();
            assert!(
                items
                    .iter()
                    .all(|item| item.as_object().unwrap().len() == names)
            );
            found.extend(numbers(&answer, "sk"));
        }
        found.sort_unstable();
        assert_eq!(found, [0, 1, 2, 3, 4], "{index}");
    }
    let scan = json!({ "TableName": "orders", "IndexName": "by-state", "Limit": 4 });
    let mut answer = world.ok("Scan", scan.clone()).await;
    let mut rest = scan;
    rest["ExclusiveStartKey"] = answer["LastEvaluatedKey"].take();
    let rest = world.ok("Scan", rest).await;
    assert_eq!((&answer["Count"], &rest["Count"]), (&json!(4), &json!(1)));
}

#[tokio::test]
async fn what_an_index_cannot_answer_is_refused() {
    let world = world().await;
    let values = || json!({ ":o": s("open") });
    let ask = |index: &str, member: &str, value: Value| {
        let mut request = query(index, "#state = :o", values());
        request[member] = value;
        request
    };
    let strong = ask("by-state", "ConsistentRead", true.into());
    let message = "Consistent reads are not supported on global secondary indexes";
    world.invalid("Query", strong, message).await;
    let scan = json!({ "TableName": "orders", "IndexName": "by-state", "ConsistentRead": true });
    world.invalid("Scan", scan, message).await;
    let values = json!({ ":o": s("open"), ":u": s("Ulm") });
    let mut whole = query("by-city", "#state = :o AND city = :u", values);
    whole["Select"] = "ALL_ATTRIBUTES".into();
    let message = "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not \
                   supported for global secondary index by-city because its projection type is \
                   not ALL";
    world.invalid("Query", whole.clone(), message).await;
    whole.as_object_mut().unwrap().remove("Select");
    whole["ProjectionExpression"] = "extra, city".into();
    let message = "One or more parameter values were invalid: Global secondary index by-city does \
                   not project [extra]";
    world.invalid("Query", whole, message).await;
    let mut filter = ask("by-state", "FilterExpression", "#total = :t".into());
    filter["ExpressionAttributeValues"][":t"] = n(1);
    filter["ExpressionAttributeNames"]["#total"] = "total".into();
    let message = "Filter Expression can only contain non-primary key attributes: Primary key \
                   attribute: total";
    world.invalid("Query", filter, message).await;
    let none = ask("nowhere", "Limit", 1.into());
    let message = "The table does not have the specified index: nowhere";
    world.invalid("Query", none, message).await;
    let start = ask(
        "by-state",
        "ExclusiveStartKey",
        json!({ "pk": s("ann"), "sk": n(1) }),
    );
    world
        .invalid("Query", start, "The provided starting key is invalid")
        .await;
}

#[tokio::test]
async fn writes_are_checked_against_index_keys() {
    let world = world().await;
    let put = |name: &str, value: Value| {
        let mut item = json!({ "pk": s("bob"), "sk": n(1) });
        item[name] = value;
        item
    };
    let mismatch = "One or more parameter values were invalid: Type mismatch for Index Key total \
                    Expected: N Actual: S IndexName: by-total";
    let many = put("total", s("many"));
    let request = json!({ "TableName": "orders", "Item": many });
    world.invalid("PutItem", request, mismatch).await;
    let request = json!({ "RequestItems": { "orders": [{ "PutRequest": { "Item": many } }] } });
    world.invalid("BatchWriteItem", request, mismatch).await;
    let request = json!({ "TransactItems": [{ "Put": { "TableName": "orders", "Item": many } }] });
    let (_, body) = world.call("TransactWriteItems", request).await;
    assert_eq!(body["CancellationReasons"][0]["Code"], "ValidationError");
    assert_eq!(body["CancellationReasons"][0]["Message"], mismatch);
    let empty = json!({ "TableName": "orders", "Item": put("state", s("")) });
    let message = "One or more parameter values are not valid. A value specified for a secondary \
                   index key is not supported. The AttributeValue for a key attribute cannot \
                   contain an empty string value. IndexName: by-state, IndexKey: state";
    world.invalid("PutItem", empty, message).await;
    let update = json!({
        "TableName": "orders", "Key": { "pk": s("ann"), "sk": n(1) },
        "UpdateExpression": "SET #t = :v", "ExpressionAttributeNames": { "#t": "total" },
        "ExpressionAttributeValues": { ":v": s("many") },
    });
    let message = "The update expression attempted to update the secondary index key to \
                   unsupported type";
    world.invalid("UpdateItem", update, message).await;
}

#[tokio::test]
async fn writes_pay_for_each_index_that_they_change() {
    let world = world().await;
    let update = |expression: &str, values: Value| {
        json!({
            "TableName": "orders", "Key": { "pk": s("ann"), "sk": n(1) },
            "UpdateExpression": expression, "ExpressionAttributeValues": values,
            "ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE",
        })
    };
    let answer = world
        .ok(
            "UpdateItem",
            update("SET extra = :v", json!({ ":v": s("x") })),
        )
        .await;
    let capacity = &answer["ConsumedCapacity"];
    assert_eq!(
        capacity["GlobalSecondaryIndexes"],
        json!({ "by-state": { "CapacityUnits": 1.0 } })
    );
    assert_eq!(capacity.get("LocalSecondaryIndexes"), None);
    assert_eq!(capacity["CapacityUnits"], 2.0);
    let metrics = &answer["ItemCollectionMetrics"];
    assert_eq!(metrics["ItemCollectionKey"], json!({ "pk": s("ann") }));
    assert_eq!(metrics["SizeEstimateRangeGB"], json!([0.0, 1.0]));
    let moved = json!({ ":v": s("Bonn") });
    let answer = world.ok("UpdateItem", update("SET city = :v", moved)).await;
    let global = &answer["ConsumedCapacity"]["GlobalSecondaryIndexes"];
    assert_eq!(
        global["by-city"]["CapacityUnits"], 2.0,
        "removed here, put there"
    );
    let request = json!({
        "TransactItems": [{ "Delete": {
            "TableName": "orders", "Key": { "pk": s("ann"), "sk": n(1) },
        } }],
        "ReturnConsumedCapacity": "INDEXES", "ReturnItemCollectionMetrics": "SIZE",
    });
    let answer = world.ok("TransactWriteItems", request).await;
    let capacity = &answer["ConsumedCapacity"][0];
    assert_eq!(capacity["CapacityUnits"], 8.0, "{capacity}");
    assert_eq!(
        capacity["LocalSecondaryIndexes"]["by-total"]["WriteCapacityUnits"],
        2.0
    );
    assert_eq!(
        answer["ItemCollectionMetrics"]["orders"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn an_index_comes_to_a_table_and_goes() {
    let world = world().await;
    let update = |updates: Value| {
        json!({
            "TableName": "orders",
            "AttributeDefinitions": defined(&[("extra", "S")]),
            "GlobalSecondaryIndexUpdates": updates,
        })
    };
    let created = json!([{ "Create": index("by-extra", &[("extra", "HASH")], keys_only()) }]);
    let answer = world.ok("UpdateTable", update(created.clone())).await;
    let told = &answer["TableDescription"]["GlobalSecondaryIndexes"][2];
    assert_eq!(told["IndexStatus"], "CREATING");
    assert_eq!(told["Backfilling"], true);
    let read = query("by-extra", "extra = :e", json!({ ":e": s("not a key") }));
    let message = "Cannot read from backfilling global secondary index: by-extra";
    world.invalid("Query", read.clone(), message).await;
    let other = json!([{ "Delete": { "IndexName": "by-city" } }]);
    let one = "Subscriber limit exceeded: Only 1 online index can be created or deleted \
               simultaneously per table";
    world
        .refused("UpdateTable", update(other), "LimitExceededException", one)
        .await;
    let table = json!({ "TableName": "orders" });
    let message = "Attempt to change a resource which is still in use: Cannot delete table while \
                   indexes are being created, updated, or deleted.";
    let code = "ResourceInUseException";
    world
        .refused("DeleteTable", table.clone(), code, message)
        .await;
    let tables = world.node.control.tables();
    tables.settle_indexes().await.unwrap();
    assert_eq!(world.ok("Query", read.clone()).await["Count"], 5);
    let again = "Attempting to create an index which already exists";
    world.invalid("UpdateTable", update(created), again).await;
    let delete = json!([{ "Delete": { "IndexName": "by-extra" } }]);
    let answer = world.ok("UpdateTable", update(delete.clone())).await;
    let told = &answer["TableDescription"]["GlobalSecondaryIndexes"][2];
    assert_eq!(told["IndexStatus"], "DELETING");
    let message = "The table does not have the specified index: by-extra";
    world.invalid("Query", read, message).await;
    tables.settle_indexes().await.unwrap();
    let missing = "Requested resource not found: Index by-extra for table orders";
    let code = "ResourceNotFoundException";
    world
        .refused("UpdateTable", update(delete), code, missing)
        .await;
    let answer = world.ok("DescribeTable", table).await;
    let definitions = answer["Table"]["AttributeDefinitions"].as_array().unwrap();
    assert_eq!(definitions.len(), 6, "its attribute went with it");
}

#[tokio::test]
async fn throughput_of_indexes_follows_how_the_table_is_billed() {
    let world = world().await;
    let units = |read: i64| json!({ "ReadCapacityUnits": read, "WriteCapacityUnits": 1 });
    let mut request = json!({
        "TableName": "orders", "BillingMode": "PROVISIONED", "ProvisionedThroughput": units(5),
    });
    let must = "One or more parameter values were invalid: ProvisionedThroughput must be specified \
                for index: by-state";
    world.invalid("UpdateTable", request.clone(), must).await;
    let update = |index: &str, read| {
        let throughput = units(read);
        json!({ "Update": { "IndexName": index, "ProvisionedThroughput": throughput } })
    };
    request["GlobalSecondaryIndexUpdates"] = json!([update("by-state", 2), update("by-city", 3)]);
    let answer = world.ok("UpdateTable", request).await;
    let told = &answer["TableDescription"]["GlobalSecondaryIndexes"];
    assert_eq!(told[1]["ProvisionedThroughput"]["ReadCapacityUnits"], 3);
    assert_eq!(told[1]["WarmThroughput"]["ReadUnitsPerSecond"], 3);
    let same = json!({
        "TableName": "orders", "GlobalSecondaryIndexUpdates": [update("by-city", 3)],
    });
    let (status, body) = world.call("UpdateTable", same).await;
    assert_eq!(status, 400);
    let message = body["message"].as_str().unwrap();
    assert!(
        message.contains("for the index by-city will not change"),
        "{message}"
    );
    let back = json!({ "TableName": "orders", "BillingMode": "PAY_PER_REQUEST" });
    let answer = world.ok("UpdateTable", back).await;
    let told = &answer["TableDescription"]["GlobalSecondaryIndexes"][0];
    assert_eq!(told["ProvisionedThroughput"]["ReadCapacityUnits"], 0);
    let most = json!({ "MaxReadRequestUnits": 50 });
    let update = json!({ "Update": { "IndexName": "by-state", "OnDemandThroughput": most } });
    let capped = json!({ "TableName": "orders", "GlobalSecondaryIndexUpdates": [update] });
    let answer = world.ok("UpdateTable", capped).await;
    let told = &answer["TableDescription"]["GlobalSecondaryIndexes"][0];
    assert_eq!(told["OnDemandThroughput"]["MaxReadRequestUnits"], 50);
}

#[tokio::test]
async fn indexes_that_do_not_fit_are_refused() {
    let world = World::open("us-east-1").await;
    let invalid = async |change: &dyn Fn(&mut Value), message: &str| {
        let mut request = orders();
        change(&mut request);
        let message = format!("One or more parameter values were invalid: {message}");
        world.invalid("CreateTable", request, &message).await;
    };
    let global = "GlobalSecondaryIndexes";
    let local = "LocalSecondaryIndexes";
    let none = |request: &mut Value| {
        request[global] = json!([]);
        request["AttributeDefinitions"] = defined(&[("pk", "S"), ("sk", "N"), ("total", "N")]);
    };
    invalid(&none, "List of GlobalSecondaryIndexes is empty").await;
    let unused = "Some AttributeDefinitions are not used. AttributeDefinitions: [city, note, pk, \
                  sk, state, total], keys used: [pk, sk, state, total]";
    invalid(&|r| drop(r[global].as_array_mut().unwrap().pop()), unused).await;
    let same = "Duplicate index name: by-city";
    invalid(&|r| r[local][0]["IndexName"] = "by-city".into(), same).await;
    let hash = "Index KeySchema does not have the same leading hash key as table KeySchema for \
                index: by-total. index hash key: state, table hash key: pk";
    let schema = keys(&[("state", "HASH"), ("total", "RANGE")]);
    invalid(&|r| r[local][0]["KeySchema"] = schema.clone(), hash).await;
    let order = "All HASH key attributes must precede RANGE key attributes in the KeySchema";
    let mixed = keys(&[
        ("state", "HASH"),
        ("total", "RANGE"),
        ("city", "HASH"),
        ("note", "RANGE"),
    ]);
    invalid(&|r| r[global][1]["KeySchema"] = mixed.clone(), order).await;
    let names = "ProjectionType is INCLUDE, but NonKeyAttributes is not specified";
    let include = json!({ "ProjectionType": "INCLUDE" });
    invalid(&|r| r[global][0]["Projection"] = include.clone(), names).await;
    let units = json!({ "ReadCapacityUnits": 1, "WriteCapacityUnits": 1 });
    let billed = "ProvisionedThroughput should not be specified for index: by-state when \
                  BillingMode is PAY_PER_REQUEST";
    invalid(
        &|r| r[global][0]["ProvisionedThroughput"] = units.clone(),
        billed,
    )
    .await;
    let many = "GlobalSecondaryIndex count exceeds the per-table limit of 20";
    let all: Value = (0..21)
        .map(|at| {
            index(
                &format!("index-{at}"),
                &[("state", "HASH"), ("city", "RANGE")],
                all(),
            )
        })
        .collect();
    let definitions = defined(&[
        ("pk", "S"),
        ("sk", "N"),
        ("state", "S"),
        ("city", "S"),
        ("total", "N"),
    ]);
    let change = |request: &mut Value| {
        request[global] = all.clone();
        request["AttributeDefinitions"] = definitions.clone();
    };
    invalid(&change, many).await;
}

#[tokio::test]
async fn the_attributes_of_a_key_are_bounded_together() {
    let world = World::open("us-east-1").await;
    let key = |name: &str, role: &str| json!({ "AttributeName": name, "KeyType": role });
    let defined = ["pk", "a", "b", "c", "d"];
    let defined = defined.map(|name| json!({ "AttributeName": name, "AttributeType": "S" }));
    let request = json!({
        "TableName": "table",
        "KeySchema": [key("pk", "HASH")],
        "AttributeDefinitions": defined,
        "GlobalSecondaryIndexes": [{
            "IndexName": "wide",
            "KeySchema": [key("a", "HASH"), key("b", "HASH"), key("c", "RANGE"), key("d", "RANGE")],
            "Projection": { "ProjectionType": "KEYS_ONLY" },
        }],
        "BillingMode": "PAY_PER_REQUEST",
    });
    world.ok("CreateTable", request).await;
    let text = |count: usize| s(&"x".repeat(count));
    let put = |lengths: [usize; 4]| {
        let [one, two, three, four] = lengths.map(text);
        let item = json!({ "pk": s("one"), "a": one, "b": two, "c": three, "d": four });
        json!({ "TableName": "table", "Item": item })
    };
    let invalid = "One or more parameter values were invalid: ";
    let hash = format!("{invalid}Size of hashkey has exceeded the maximum size limit of2048 bytes");
    let range = format!(
        "{invalid}Aggregated size of all range keys has exceeded the size limit of 1024 bytes"
    );
    world.ok("PutItem", put([2000, 48, 1000, 24])).await;
    world.invalid("PutItem", put([2000, 49, 1, 1]), &hash).await;
    world
        .invalid("PutItem", put([1, 1, 1000, 25]), &range)
        .await;
    let update = json!({
        "TableName": "table", "Key": { "pk": s("one") },
        "UpdateExpression": "SET d = :d", "ExpressionAttributeValues": { ":d": text(25) },
    });
    let beyond = "The update expression attempted to update the secondary index key beyond allowed \
                  size limits";
    world.invalid("UpdateItem", update, beyond).await;
    let query = |lengths: [usize; 4]| {
        let [one, two, three, four] = lengths.map(text);
        json!({
            "TableName": "table", "IndexName": "wide",
            "KeyConditionExpression": "a = :a AND b = :b AND c = :c AND begins_with(d, :d)",
            "ExpressionAttributeValues": { ":a": one, ":b": two, ":c": three, ":d": four },
        })
    };
    let found = world.ok("Query", query([2000, 48, 1000, 20])).await;
    assert_eq!(found["Count"], 1);
    world.invalid("Query", query([2000, 49, 1, 1]), &hash).await;
    world
        .invalid("Query", query([1, 1, 1000, 25]), &range)
        .await;
    // One attribute less, and it is not in the index, which bounds nothing then.
    let item = json!({ "pk": s("two"), "a": text(2000), "c": text(1000) });
    let alone = json!({ "TableName": "table", "Item": item });
    world.ok("PutItem", alone).await;
}
