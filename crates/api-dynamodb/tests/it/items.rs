//! GetItem, PutItem, UpdateItem, DeleteItem.

use serde_json::{Value, json};

use crate::world::{World, n, s};

fn key(pk: &str) -> Value {
    json!({ "pk": s(pk) })
}

#[tokio::test]
async fn an_item_is_put_read_and_deleted() {
    let world = World::with_tables().await;
    assert_eq!(world.get("a").await, Value::Null);
    let item = json!({
        "pk": s("a"),
        "nested": { "M": { "list": { "L": [n(1), { "NULL": true }, { "B": "AAE=" }] } } },
        "set": { "NS": ["1", "2.5"] },
    });
    world.put(item.clone()).await;
    assert_eq!(world.get("a").await, item);
    let projected = json!({
        "TableName": "hash",
        "Key": key("a"),
        "ProjectionExpression": "nested.#l[2], #gone, pk",
        "ExpressionAttributeNames": { "#l": "list", "#gone": "gone" },
        "ReturnConsumedCapacity": "TOTAL",
    });
    let answer = world.ok("GetItem", projected).await;
    let expected = json!({
        "pk": s("a"),
        "nested": { "M": { "list": { "L": [{ "B": "AAE=" }] } } },
    });
    assert_eq!(answer["Item"], expected);
    assert_eq!(
        answer["ConsumedCapacity"],
        json!({ "TableName": "hash", "CapacityUnits": 0.5 })
    );
    let delete = json!({ "TableName": "hash", "Key": key("a"), "ReturnValues": "ALL_OLD" });
    assert_eq!(
        world.ok("DeleteItem", delete.clone()).await["Attributes"],
        item
    );
    assert_eq!(world.ok("DeleteItem", delete).await, json!({}));
    assert_eq!(world.get("a").await, Value::Null);
}

#[tokio::test]
async fn a_put_replaces_and_answers_with_what_was_there() {
    let world = World::with_tables().await;
    let put = |value: i64| {
        json!({
            "TableName": "arn:aws:dynamodb:us-east-1:000000000000:table/hash",
            "Item": { "pk": s("a"), "v": n(value) },
            "ReturnValues": "ALL_OLD",
            "ReturnConsumedCapacity": "INDEXES",
        })
    };
    let capacity = json!({
        "TableName": "arn:aws:dynamodb:us-east-1:000000000000:table/hash",
        "CapacityUnits": 1.0,
        "Table": { "CapacityUnits": 1.0 },
    });
    assert_eq!(
        world.ok("PutItem", put(1)).await,
        json!({ "ConsumedCapacity": capacity })
    );
    let answer = world.ok("PutItem", put(2)).await;
    assert_eq!(answer["Attributes"], json!({ "pk": s("a"), "v": n(1) }));
}

#[tokio::test]
async fn conditions_decide() {
    let world = World::with_tables().await;
    let put = |condition: &str, on_failure: &str| {
        json!({
            "TableName": "hash",
            "Item": { "pk": s("a"), "v": n(2) },
            "ConditionExpression": condition,
            "ReturnValuesOnConditionCheckFailure": on_failure,
        })
    };
    let failed = "ConditionalCheckFailedException";
    let message = "The conditional request failed";
    world
        .refused(
            "PutItem",
            put("attribute_exists(pk)", "NONE"),
            failed,
            message,
        )
        .await;
    world.put(json!({ "pk": s("a"), "v": n(1) })).await;
    let answer = world
        .refused(
            "PutItem",
            put("attribute_not_exists(pk)", "NONE"),
            failed,
            message,
        )
        .await;
    assert_eq!(answer.get("Item"), None);
    let put = put("attribute_not_exists(pk)", "ALL_OLD");
    let answer = world.refused("PutItem", put, failed, message).await;
    assert_eq!(answer["Item"], json!({ "pk": s("a"), "v": n(1) }));
    let delete = json!({
        "TableName": "hash",
        "Key": key("a"),
        "ConditionExpression": "v = :v",
        "ExpressionAttributeValues": { ":v": n(7) },
    });
    world.refused("DeleteItem", delete, failed, message).await;
    assert_eq!(world.get("a").await["v"], n(1));
}

#[tokio::test]
async fn an_update_makes_changes_and_answers_as_asked() {
    let world = World::with_tables().await;
    let update = |expression: &str, values: Value, returns: &str| {
        let mut request = json!({
            "TableName": "hash",
            "Key": key("a"),
            "UpdateExpression": expression,
            "ReturnValues": returns,
        });
        if !values.is_null() {
            request["ExpressionAttributeValues"] = values;
        }
        request
    };
    let made = update("SET v = :one, w = :one", json!({ ":one": n(1) }), "ALL_OLD");
    assert_eq!(world.ok("UpdateItem", made).await, json!({}));
    let add = update("ADD v :two", json!({ ":two": n(2) }), "UPDATED_OLD");
    assert_eq!(
        world.ok("UpdateItem", add.clone()).await,
        json!({ "Attributes": { "v": n(1) } })
    );
    let mut add = add;
    add["ReturnValues"] = "UPDATED_NEW".into();
    assert_eq!(
        world.ok("UpdateItem", add).await,
        json!({ "Attributes": { "v": n(5) } })
    );
    let remove = update("REMOVE w", Value::Null, "UPDATED_NEW");
    assert_eq!(world.ok("UpdateItem", remove).await, json!({}));
    let set = update("SET l = :l", json!({ ":l": { "L": [n(1)] } }), "ALL_NEW");
    let all = json!({ "pk": s("a"), "v": n(5), "l": { "L": [n(1)] } });
    assert_eq!(
        world.ok("UpdateItem", set).await,
        json!({ "Attributes": all })
    );
    let bare = json!({ "TableName": "hash", "Key": key("fresh") });
    world.ok("UpdateItem", bare).await;
    assert_eq!(world.get("fresh").await, key("fresh"));
}

#[tokio::test]
async fn an_update_that_does_not_fit_the_item_is_refused() {
    let world = World::with_tables().await;
    world.put(json!({ "pk": s("a"), "t": s("text") })).await;
    let update = |expression: &str| {
        json!({
            "TableName": "hash",
            "Key": key("a"),
            "UpdateExpression": expression,
            "ExpressionAttributeValues": { ":n": n(1) },
        })
    };
    let wrong = "An operand in the update expression has an incorrect data type";
    world.invalid("UpdateItem", update("ADD t :n"), wrong).await;
    let path = "The document path provided in the update expression is invalid for update";
    world
        .invalid("UpdateItem", update("SET gone.x = :n"), path)
        .await;
    let missing = "The provided expression refers to an attribute that does not exist in the item";
    world
        .invalid("UpdateItem", update("SET x = gone + :n"), missing)
        .await;
    let key = "One or more parameter values were invalid: \
               Cannot update attribute pk. This attribute is part of the key";
    world
        .invalid("UpdateItem", update("SET pk = :n"), key)
        .await;
    assert_eq!(
        world.get("a").await,
        json!({ "pk": s("a"), "t": s("text") })
    );
}

#[tokio::test]
async fn capacity_grows_with_the_item() {
    let world = World::with_tables().await;
    let item = json!({ "pk": s("a"), "text": s(&"x".repeat(10_000)) });
    let put = json!({ "TableName": "hash", "Item": item, "ReturnConsumedCapacity": "TOTAL" });
    let units = |answer: &Value| answer["ConsumedCapacity"]["CapacityUnits"].clone();
    assert_eq!(units(&world.ok("PutItem", put).await), json!(10.0));
    let get = |consistent: bool| {
        json!({
            "TableName": "hash",
            "Key": key("a"),
            "ConsistentRead": consistent,
            "ReturnConsumedCapacity": "TOTAL",
        })
    };
    assert_eq!(units(&world.ok("GetItem", get(true)).await), json!(3.0));
    assert_eq!(units(&world.ok("GetItem", get(false)).await), json!(1.5));
    // A small item over a large one costs the large one.
    let small = json!({ "pk": s("a") });
    let put = json!({ "TableName": "hash", "Item": small, "ReturnConsumedCapacity": "TOTAL" });
    assert_eq!(units(&world.ok("PutItem", put).await), json!(10.0));
}
