//! Query and Scan.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::world::{World, n, s};

/// Puts items 1..=count into partition `p` of `range`, each with its parity.
async fn filled(count: i64) -> World {
    let world = World::with_tables().await;
    for number in 1..=count {
        let item = json!({ "pk": s("p"), "sk": n(number), "even": { "BOOL": number % 2 == 0 } });
        world
            .ok("PutItem", json!({ "TableName": "range", "Item": item }))
            .await;
    }
    world
}

fn query(condition: &str, values: Value) -> Value {
    let mut values = values;
    values[":p"] = s("p");
    json!({
        "TableName": "range",
        "KeyConditionExpression": condition,
        "ExpressionAttributeValues": values,
    })
}

/// Returns the sort keys of an answer's items.
fn sort_keys(answer: &Value) -> Vec<i64> {
    let items = answer["Items"].as_array().unwrap();
    let number = |item: &Value| item["sk"]["N"].as_str().unwrap().parse().unwrap();
    items.iter().map(number).collect()
}

#[tokio::test]
async fn a_query_reads_a_range_in_order() {
    let world = filled(12).await;
    let check = async |condition: &str, values: Value, expected: &[i64]| {
        let answer = world.ok("Query", query(condition, values)).await;
        assert_eq!(sort_keys(&answer), expected, "{condition}");
        assert_eq!(answer["Count"], expected.len(), "{condition}");
    };
    let all: Vec<i64> = (1..=12).collect();
    check("pk = :p", json!({}), &all).await;
    check("pk = :p AND sk = :a", json!({ ":a": n(9) }), &[9]).await;
    check("pk = :p AND sk < :a", json!({ ":a": n(3) }), &[1, 2]).await;
    check("pk = :p AND sk <= :a", json!({ ":a": n(3) }), &[1, 2, 3]).await;
    check("pk = :p AND :a < sk", json!({ ":a": n(10) }), &[11, 12]).await;
    check(
        "pk = :p AND sk >= :a",
        json!({ ":a": n(10) }),
        &[10, 11, 12],
    )
    .await;
    let bounds = json!({ ":a": n(9), ":b": n(11) });
    check("pk = :p AND sk BETWEEN :a AND :b", bounds, &[9, 10, 11]).await;
    check("pk = :p AND sk > :a", json!({ ":a": n(12) }), &[]).await;
    let mut backwards = query("pk = :p AND sk > :a", json!({ ":a": n(9) }));
    backwards["ScanIndexForward"] = false.into();
    assert_eq!(sort_keys(&world.ok("Query", backwards).await), [12, 11, 10]);
}

#[tokio::test]
async fn texts_begin_with_a_prefix() {
    let world = World::open("us-east-1").await;
    world.create("texts", "S", Some("S")).await;
    for sk in ["a", "ab", "abc", "abd", "ac", "b"] {
        let item = json!({ "pk": s("p"), "sk": s(sk) });
        world
            .ok("PutItem", json!({ "TableName": "texts", "Item": item }))
            .await;
    }
    let mut request = query("pk = :p AND begins_with(sk, :a)", json!({ ":a": s("ab") }));
    request["TableName"] = "texts".into();
    request["ProjectionExpression"] = "sk".into();
    let answer = world.ok("Query", request).await;
    let expected = json!([{ "sk": s("ab") }, { "sk": s("abc") }, { "sk": s("abd") }]);
    assert_eq!(answer["Items"], expected);
}

#[tokio::test]
async fn limits_count_what_is_read_not_what_is_left() {
    let world = filled(5).await;
    let mut request = query("pk = :p", json!({ ":yes": { "BOOL": true } }));
    request["FilterExpression"] = "even = :yes".into();
    request["Limit"] = 3.into();
    let answer = world.ok("Query", request.clone()).await;
    assert_eq!(sort_keys(&answer), [2]);
    assert_eq!(
        (&answer["Count"], &answer["ScannedCount"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(
        answer["LastEvaluatedKey"],
        json!({ "pk": s("p"), "sk": n(3) })
    );
    request["ExclusiveStartKey"] = answer["LastEvaluatedKey"].clone();
    let answer = world.ok("Query", request.clone()).await;
    assert_eq!(sort_keys(&answer), [4]);
    assert_eq!(answer.get("LastEvaluatedKey"), None);
    request["Select"] = "COUNT".into();
    request["ReturnConsumedCapacity"] = "TOTAL".into();
    let answer = world.ok("Query", request).await;
    assert_eq!(answer.get("Items"), None);
    assert_eq!(
        (&answer["Count"], &answer["ScannedCount"]),
        (&json!(1), &json!(2))
    );
    assert_eq!(answer["ConsumedCapacity"]["CapacityUnits"], json!(0.5));
}

#[tokio::test]
async fn pages_end_at_a_megabyte() {
    let world = World::with_tables().await;
    let text = s(&"x".repeat(300_000));
    for number in 1..=8 {
        let item = json!({ "pk": s("p"), "sk": n(number), "x": text });
        world
            .ok("PutItem", json!({ "TableName": "range", "Item": item }))
            .await;
    }
    let mut request = query("pk = :p", json!({}));
    let mut pages = Vec::new();
    loop {
        let answer = world.ok("Query", request.clone()).await;
        pages.push(sort_keys(&answer));
        match answer.get("LastEvaluatedKey") {
            Some(key) => request["ExclusiveStartKey"] = key.clone(),
            None => break,
        }
    }
    assert_eq!(pages, [vec![1, 2, 3, 4], vec![5, 6, 7, 8], vec![]]);
}

#[tokio::test]
async fn segments_of_a_scan_cover_the_table_once() {
    let world = World::with_tables().await;
    for number in 0..60 {
        world
            .put(json!({ "pk": s(&format!("key-{number}")), "n": n(number) }))
            .await;
    }
    let all = world.ok("Scan", json!({ "TableName": "hash" })).await;
    assert_eq!(all["Count"], 60);
    let mut seen = BTreeSet::new();
    for segment in 0..4 {
        let mut request = json!({
            "TableName": "hash", "Segment": segment, "TotalSegments": 4, "Limit": 7,
        });
        loop {
            let answer = world.ok("Scan", request.clone()).await;
            for item in answer["Items"].as_array().unwrap() {
                assert!(
                    seen.insert(item["pk"]["S"].to_string()),
                    "{item} came twice"
                );
            }
            match answer.get("LastEvaluatedKey") {
                Some(key) => request["ExclusiveStartKey"] = key.clone(),
                None => break,
            }
        }
    }
    assert_eq!(seen.len(), 60);
    let filtered = json!({
        "TableName": "hash",
        "FilterExpression": "n < :n",
        "ExpressionAttributeValues": { ":n": n(10) },
        "Select": "COUNT",
    });
    let answer = world.ok("Scan", filtered).await;
    assert_eq!(
        (&answer["Count"], &answer["ScannedCount"]),
        (&json!(10), &json!(60))
    );
}

#[tokio::test]
async fn reads_that_do_not_fit_the_table_are_refused() {
    let world = filled(1).await;
    let invalid = async |request: Value, message: &str| {
        world.invalid("Query", request, message).await;
    };
    let missed = "Query condition missed key schema element: pk";
    let sk_only = json!({
        "TableName": "range",
        "KeyConditionExpression": "sk = :v",
        "ExpressionAttributeValues": { ":v": n(1) },
    });
    invalid(sk_only, missed).await;
    let none = "Either the KeyConditions or KeyConditionExpression parameter must be specified in \
                the request.";
    invalid(json!({ "TableName": "range" }), none).await;
    let unused = json!({
        "TableName": "range",
        "KeyConditionExpression": "pk = :p",
        "ExpressionAttributeValues": { ":p": s("p") },
        "ExpressionAttributeNames": { "#unused": "x" },
    });
    let keys = "Value provided in ExpressionAttributeNames unused in expressions: keys: {#unused}";
    invalid(unused, keys).await;
    let mut start = query("pk = :p", json!({}));
    start["ExclusiveStartKey"] = json!({ "bad": s("x") });
    invalid(start, "The provided starting key is invalid").await;
    let mut filter = query("pk = :p", json!({ ":one": n(1) }));
    filter["FilterExpression"] = "sk = :one".into();
    let primary = "Filter Expression can only contain non-primary key attributes: \
                   Primary key attribute: sk";
    invalid(filter, primary).await;
    let mut index = query("pk = :p", json!({}));
    index["IndexName"] = "none".into();
    invalid(index, "The table does not have the specified index: none").await;
    let mut limit = query("pk = :p", json!({}));
    limit["Limit"] = 0.into();
    let one = "1 validation error detected: Value at 'Limit' failed to satisfy constraint: \
               Member must have value greater than or equal to 1";
    invalid(limit, one).await;
    let segment = json!({ "TableName": "hash", "Segment": 5, "TotalSegments": 5 });
    let message = "The Segment parameter is zero-based and must be less than parameter \
                   TotalSegments: Segment: 5 is not less than TotalSegments: 5";
    world.invalid("Scan", segment, message).await;
    let segment = json!({ "TableName": "hash", "Segment": 0 });
    let message = "The TotalSegments parameter is required but was not present in the request \
                   when Segment parameter is present";
    world.invalid("Scan", segment, message).await;
}
