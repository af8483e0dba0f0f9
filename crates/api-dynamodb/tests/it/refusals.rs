//! Requests that are refused, and in which order they are.

use serde_json::{Value, json};

use crate::world::{World, n, s};

#[tokio::test]
async fn what_is_no_request_is_a_serialization_error() {
    let world = World::with_tables().await;
    let bodies = [
        "{".to_owned(),
        "[]".to_owned(),
        r#"{"TableName":1}"#.to_owned(),
        r#"{"Key":{"pk":{"S":1}}}"#.to_owned(),
        r#"{"ConsistentRead":"true"}"#.to_owned(),
        "[".repeat(100_000),
    ];
    for body in bodies {
        let (status, answer) = world.send("DynamoDB_20120810.GetItem", body.clone()).await;
        assert_eq!(status, 400, "{body}");
        let kind = "com.amazon.coral.service#SerializationException";
        assert_eq!(answer["__type"], kind, "{body}");
    }
}

#[tokio::test]
async fn operations_that_are_not_served_are_named() {
    let world = World::open("us-east-1").await;
    let message = "DescribeTableReplicaAutoScaling is not supported by this endpoint: \
                   capacity is scaled by Application Auto Scaling, which is not here";
    let request = json!({ "TableName": "abc" });
    world
        .invalid("DescribeTableReplicaAutoScaling", request, message)
        .await;
    let message = "The requested operation is not supported: Nonsense";
    let code = "UnknownOperationException";
    world.refused("Nonsense", json!({}), code, message).await;
    let (status, answer) = world.send("DynamoDB_20120810", "{}".to_owned()).await;
    assert_eq!(status, 400);
    assert_eq!(
        answer["__type"],
        "com.amazon.coral.service#UnknownOperationException"
    );
}

#[tokio::test]
async fn broken_constraints_are_told_together() {
    let world = World::with_tables().await;
    let failed = "failed to satisfy constraint";
    let null = |path: &str| format!("Value null at '{path}' {failed}: Member must not be null");
    let two = format!(
        "2 validation errors detected: {}; {}",
        null("tableName"),
        null("key")
    );
    world.invalid("GetItem", json!({}), &two).await;
    let one = |what: &str| format!("1 validation error detected: {what}");
    world
        .invalid("GetItem", json!({ "TableName": "abc" }), &one(&null("key")))
        .await;
    let empty = "Value '' at 'tableName' failed to satisfy constraint: \
                 Member must have length greater than or equal to 1";
    world
        .invalid(
            "PutItem",
            json!({ "TableName": "", "ReturnValues": "X" }),
            &one(empty),
        )
        .await;
    let long = "a".repeat(256);
    let length = format!(
        "Value '{long}' at 'tableName' {failed}: Member must have length less than or equal to 255"
    );
    let request = json!({ "TableName": long, "Key": {} });
    world.invalid("GetItem", request, &one(&length)).await;
    let pattern = "Value 'bad table!@#' at 'tableName' failed to satisfy constraint: \
                   Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+";
    let request = json!({ "TableName": "bad table!@#", "Key": {} });
    world.invalid("GetItem", request, &one(pattern)).await;
    let request = json!({
        "TableName": "hash",
        "Item": {},
        "ReturnConsumedCapacity": "X",
        "ReturnValues": "Y",
    });
    let both = "2 validation errors detected: Value 'Y' at 'returnValues' failed to satisfy \
                constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, \
                NONE, UPDATED_NEW]; Value 'X' at 'returnConsumedCapacity' failed to satisfy \
                constraint: Member must satisfy enum value set: [INDEXES, TOTAL, NONE]";
    world.invalid("PutItem", request, both).await;
}

#[tokio::test]
async fn expressions_are_checked_before_the_table_is_looked_up() {
    let world = World::with_tables().await;
    let put = |more: Value| {
        let mut request = json!({ "TableName": "no-such-table", "Item": { "pk": s("a") } });
        for (name, value) in more.as_object().into_iter().flatten() {
            request[name] = value.clone();
        }
        request
    };
    let mixed = "Can not use both expression and non-expression parameters in the same request: \
                 Non-expression parameters: {Expected} \
                 Expression parameters: {ConditionExpression}";
    let request = put(json!({
        "Expected": { "pk": { "Exists": false } },
        "ConditionExpression": "attribute_not_exists(pk)",
    }));
    world.invalid("PutItem", request, mixed).await;
    let request = put(json!({ "ExpressionAttributeNames": { "#a": "a" } }));
    let names = "ExpressionAttributeNames can only be specified when using expressions";
    world.invalid("PutItem", request, names).await;
    let request = put(json!({ "ExpressionAttributeValues": { ":a": s("a") } }));
    let values = "ExpressionAttributeValues can only be specified when using expressions: \
                  ConditionExpression is null";
    world.invalid("PutItem", request, values).await;
    let request = put(json!({ "ConditionExpression": "" }));
    let empty = "Invalid ConditionExpression: The expression can not be empty;";
    world.invalid("PutItem", request, empty).await;
    let request = put(json!({
        "ConditionExpression": "a = :a",
        "ExpressionAttributeValues": { ":a": s("a"), ":b": s("b") },
    }));
    let unused = "Value provided in ExpressionAttributeValues unused in expressions: keys: {:b}";
    world.invalid("PutItem", request, unused).await;
    let request = put(json!({
        "ConditionExpression": "a = :a",
        "ExpressionAttributeValues": { ":a": { "N": "b" } },
    }));
    let value = "ExpressionAttributeValues contains invalid value: \
                 The parameter cannot be converted to a numeric value: b for key :a";
    world.invalid("PutItem", request, value).await;
    let missing = "Requested resource not found";
    let code = "ResourceNotFoundException";
    world
        .refused("PutItem", put(json!({})), code, missing)
        .await;
    let get = json!({
        "TableName": "hash",
        "Key": { "pk": s("a") },
        "ProjectionExpression": "!!! INVALID !!!",
    });
    let syntax = "Invalid ProjectionExpression: Syntax error; token: \"!\", near: \"!!\"";
    world.invalid("GetItem", get, syntax).await;
}

#[tokio::test]
async fn items_and_keys_must_fit_the_table() {
    let world = World::with_tables().await;
    let put = |item: Value| json!({ "TableName": "range", "Item": item });
    let invalid = "One or more parameter values were invalid: ";
    let missing = format!("{invalid}Missing the key sk in the item");
    world
        .invalid("PutItem", put(json!({ "pk": s("a") })), &missing)
        .await;
    let mismatch = format!("{invalid}Type mismatch for key sk expected: N actual: S");
    world
        .invalid(
            "PutItem",
            put(json!({ "pk": s("a"), "sk": s("b") })),
            &mismatch,
        )
        .await;
    let empty = "One or more parameter values are not valid. The AttributeValue for a key \
                 attribute cannot contain an empty string value. Key: pk";
    world
        .invalid("PutItem", put(json!({ "pk": s(""), "sk": n(1) })), empty)
        .await;
    let long = s(&"x".repeat(2049));
    let size = format!("{invalid}Size of hashkey has exceeded the maximum size limit of2048 bytes");
    world
        .invalid("PutItem", put(json!({ "pk": long, "sk": n(1) })), &size)
        .await;
    let get = |key: Value| json!({ "TableName": "range", "Key": key });
    let schema = "The provided key element does not match the schema";
    world
        .invalid("GetItem", get(json!({ "pk": s("a") })), schema)
        .await;
    world
        .invalid(
            "GetItem",
            get(json!({ "pk": s("a"), "sk": s("1") })),
            schema,
        )
        .await;
    let surplus = json!({ "pk": s("a"), "sk": n(1), "x": n(1) });
    world.invalid("GetItem", get(surplus), schema).await;
    world
        .invalid("GetItem", get(json!({ "pk": s(""), "sk": n(1) })), empty)
        .await;
}

#[tokio::test]
async fn items_are_bounded_in_size_and_depth() {
    let world = World::with_tables().await;
    let sized = |bytes: usize| {
        let item = json!({ "pk": s("a"), "x": s(&"x".repeat(bytes - 4)) });
        json!({ "TableName": "hash", "Item": item })
    };
    world.ok("PutItem", sized(400 * 1024)).await;
    let large = "Item size has exceeded the maximum allowed size";
    world.invalid("PutItem", sized(400 * 1024 + 1), large).await;
    let grow = json!({
        "TableName": "hash",
        "Key": { "pk": s("a") },
        "UpdateExpression": "SET y = :y",
        "ExpressionAttributeValues": { ":y": s("y") },
    });
    let update = "Item size to update has exceeded the maximum allowed size";
    world.invalid("UpdateItem", grow, update).await;
    let nested = |levels: usize| {
        let value = (0..levels).fold(n(1), |inner, _| json!({ "L": [inner] }));
        json!({ "TableName": "hash", "Item": { "pk": s("a"), "x": value } })
    };
    world.ok("PutItem", nested(32)).await;
    let deep = "Nesting Levels have exceeded supported limits: Attributes in the item have \
                nested levels beyond supported limit";
    world.invalid("PutItem", nested(33), deep).await;
}

#[tokio::test]
async fn tables_of_other_regions_are_not_found_here() {
    let world = World::with_tables().await;
    let key = json!({ "pk": s("a") });
    for name in [
        "arn:aws:dynamodb:eu-west-1:000000000000:table/hash",
        "arn:aws:lambda:us-east-1:000000000000:table/hash",
        "arn:aws:dynamodb:us-east-1:000000000000:table/hash/index/x",
        "ab",
    ] {
        let request = json!({ "TableName": name, "Key": key });
        let message = "Requested resource not found";
        world
            .refused("GetItem", request, "ResourceNotFoundException", message)
            .await;
    }
}
