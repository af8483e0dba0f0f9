//! The parameters from before expressions.

use serde_json::{Value, json};

use crate::world::{World, n, s};

fn is(operator: &str, values: Value) -> Value {
    json!({ "ComparisonOperator": operator, "AttributeValueList": values })
}

fn key() -> Value {
    json!({ "pk": s("a") })
}

#[tokio::test]
async fn expectations_are_conditions() {
    let world = World::with_tables().await;
    let put = |v: i64, expected: Value, joined: Option<&str>| {
        let mut request = json!({
            "TableName": "hash",
            "Item": { "pk": s("a"), "v": n(v), "w": s("abc") },
            "Expected": expected,
        });
        if let Some(joined) = joined {
            request["ConditionalOperator"] = joined.into();
        }
        request
    };
    let absent = json!({ "pk": { "Exists": false } });
    world.ok("PutItem", put(1, absent.clone(), None)).await;
    let failed = "ConditionalCheckFailedException";
    let message = "The conditional request failed";
    world
        .refused("PutItem", put(2, absent, None), failed, message)
        .await;
    world
        .ok("PutItem", put(2, json!({ "v": { "Value": n(1) } }), None))
        .await;
    let wrong = is("GT", json!([n(5)]));
    let right = is("BEGINS_WITH", json!([s("ab")]));
    let both = json!({ "v": wrong, "w": right });
    world
        .refused(
            "PutItem",
            put(3, both.clone(), Some("AND")),
            failed,
            message,
        )
        .await;
    world
        .refused("PutItem", put(3, both.clone(), None), failed, message)
        .await;
    world.ok("PutItem", put(3, both, Some("OR"))).await;
    for (operator, values) in [
        ("EQ", json!([n(3)])),
        ("NE", json!([n(4)])),
        ("IN", json!([n(1), n(3)])),
        ("LE", json!([n(3)])),
        ("BETWEEN", json!([n(1), n(3)])),
        ("NOT_NULL", json!([])),
    ] {
        world
            .ok(
                "PutItem",
                put(3, json!({ "v": is(operator, values) }), None),
            )
            .await;
    }
    let null = json!({ "gone": { "ComparisonOperator": "NULL" } });
    world.ok("PutItem", put(3, null, None)).await;
    for (operator, value, holds) in [
        ("CONTAINS", s("bc"), true),
        ("NOT_CONTAINS", s("bc"), false),
        ("NOT_CONTAINS", s("x"), true),
    ] {
        let (status, _) = world
            .call(
                "PutItem",
                put(3, json!({ "w": is(operator, json!([value])) }), None),
            )
            .await;
        assert_eq!(status == 200, holds, "{operator} {value}");
    }
}

#[tokio::test]
async fn malformed_expectations_are_refused() {
    let world = World::with_tables().await;
    let put = |expected: Value| {
        let item = json!({ "pk": s("a") });
        json!({ "TableName": "hash", "Item": item, "Expected": expected })
    };
    let invalid = async |expected: Value, message: &str| {
        let message = format!("One or more parameter values were invalid: {message}");
        world.invalid("PutItem", put(expected), &message).await;
    };
    invalid(
        json!({ "a": { "Exists": true } }),
        "Value must be provided when Exists is true for Attribute: a",
    )
    .await;
    invalid(
        json!({ "a": { "ComparisonOperator": "EQ" } }),
        "Value or AttributeValueList must be used with ComparisonOperator: EQ for Attribute: a",
    )
    .await;
    invalid(
        json!({ "a": { "ComparisonOperator": "BETWEEN", "AttributeValueList": [n(1)] } }),
        "Invalid number of argument(s) for the BETWEEN ComparisonOperator",
    )
    .await;
    invalid(
        json!({ "a": { "ComparisonOperator": "LT", "AttributeValueList": [{ "BOOL": true }] } }),
        "ComparisonOperator LT is not valid for BOOL AttributeValue type",
    )
    .await;
    let mut one = put(json!({ "a": { "Value": n(1) } }));
    one["ConditionalOperator"] = "OR".into();
    let message =
        "ConditionalOperator can only be used when Filter or Expected has two or more elements";
    world.invalid("PutItem", one, message).await;
}

#[tokio::test]
async fn attribute_updates_are_updates() {
    let world = World::with_tables().await;
    let update = |updates: Value| {
        json!({
            "TableName": "hash",
            "Key": key(),
            "AttributeUpdates": updates,
            "ReturnValues": "ALL_NEW",
        })
    };
    let answer = world
        .ok(
            "UpdateItem",
            update(json!({
                "n": { "Value": n(1) },
                "dotted.name": { "Value": s("x"), "Action": "PUT" },
                "set": { "Value": { "SS": ["a", "b"] }, "Action": "ADD" },
                "list": { "Value": { "L": [n(1)] }, "Action": "ADD" },
            })),
        )
        .await;
    assert_eq!(answer["Attributes"]["dotted.name"], s("x"));
    let answer = world
        .ok(
            "UpdateItem",
            update(json!({
                "n": { "Value": n(2), "Action": "ADD" },
                "dotted.name": { "Action": "DELETE" },
                "set": { "Value": { "SS": ["a"] }, "Action": "DELETE" },
                "list": { "Value": { "L": [n(2)] }, "Action": "ADD" },
            })),
        )
        .await;
    let expected = json!({
        "pk": s("a"),
        "n": n(3),
        "set": { "SS": ["b"] },
        "list": { "L": [n(1), n(2)] },
    });
    assert_eq!(answer["Attributes"], expected);
    let invalid = "One or more parameter values were invalid: ";
    let message =
        format!("{invalid}Only DELETE action is allowed when no attribute value is specified");
    world
        .invalid(
            "UpdateItem",
            update(json!({ "n": { "Action": "ADD" } })),
            &message,
        )
        .await;
    let message = format!("{invalid}ADD action is not supported for the type S");
    let request = update(json!({ "n": { "Action": "ADD", "Value": s("x") } }));
    world.invalid("UpdateItem", request, &message).await;
}

#[tokio::test]
async fn conditions_and_filters_read() {
    let world = World::with_tables().await;
    for number in 1..=4 {
        let item = json!({ "pk": s("p"), "sk": n(number), "v": n(number * 10) });
        world
            .ok("PutItem", json!({ "TableName": "range", "Item": item }))
            .await;
    }
    let query = json!({
        "TableName": "range",
        "KeyConditions": { "pk": is("EQ", json!([s("p")])), "sk": is("GT", json!([n(1)])) },
        "QueryFilter": { "v": is("LT", json!([n(40)])) },
        "AttributesToGet": ["sk"],
        "ScanIndexForward": false,
    });
    let answer = world.ok("Query", query).await;
    assert_eq!(answer["Items"], json!([{ "sk": n(3) }, { "sk": n(2) }]));
    let scan = json!({
        "TableName": "range",
        "ScanFilter": { "v": is("IN", json!([n(10), n(40)])), "sk": is("NE", json!([n(4)])) },
        "ConditionalOperator": "AND",
        "AttributesToGet": ["v"],
    });
    assert_eq!(
        world.ok("Scan", scan).await["Items"],
        json!([{ "v": n(10) }])
    );
    let get = json!({
        "TableName": "range",
        "Key": { "pk": s("p"), "sk": n(1) },
        "AttributesToGet": ["v", "gone"],
    });
    assert_eq!(
        world.ok("GetItem", get).await["Item"],
        json!({ "v": n(10) })
    );
    let query = json!({
        "TableName": "range",
        "KeyConditions": { "pk": is("NE", json!([s("p")])) },
    });
    let message = "Attempted conditional constraint is not an indexable operation";
    world.invalid("Query", query, message).await;
}
