//! TransactWriteItems and TransactGetItems.

use std::time::Duration;

use bytes::Bytes;
use serde_json::{Value, json};
use table::notes::Note;

use crate::world::{World, n, s};

fn put(pk: &str, v: i64) -> Value {
    json!({ "Put": { "TableName": "hash", "Item": { "pk": s(pk), "v": n(v) } } })
}

#[tokio::test]
async fn all_actions_are_done_or_none() {
    let world = World::with_tables().await;
    for pk in ["check", "update", "delete"] {
        world.put(json!({ "pk": s(pk), "v": n(1) })).await;
    }
    let key = |pk: &str| json!({ "pk": s(pk) });
    let actions = |expected: i64| {
        json!([
            { "ConditionCheck": {
                "TableName": "hash",
                "Key": key("check"),
                "ConditionExpression": "v = :v",
                "ExpressionAttributeValues": { ":v": n(expected) },
            } },
            put("put", 1),
            { "Update": {
                "TableName": "hash",
                "Key": key("update"),
                "UpdateExpression": "ADD v :v",
                "ExpressionAttributeValues": { ":v": n(10) },
            } },
            { "Delete": {
                "TableName": "hash",
                "Key": key("delete"),
                "ConditionExpression": "attribute_exists(pk)",
            } },
        ])
    };
    let failing = json!({ "TransactItems": actions(7) });
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [ConditionalCheckFailed, None, None, None]";
    let code = "TransactionCanceledException";
    let answer = world
        .refused("TransactWriteItems", failing, code, message)
        .await;
    let reasons = json!([
        { "Code": "ConditionalCheckFailed", "Message": "The conditional request failed" },
        { "Code": "None" },
        { "Code": "None" },
        { "Code": "None" },
    ]);
    assert_eq!(answer["CancellationReasons"], reasons);
    assert_eq!(world.get("put").await, Value::Null);
    let request = json!({ "TransactItems": actions(1), "ReturnConsumedCapacity": "TOTAL" });
    let answer = world.ok("TransactWriteItems", request).await;
    let capacity = json!([
        { "TableName": "hash", "CapacityUnits": 8.0, "WriteCapacityUnits": 8.0 },
    ]);
    assert_eq!(answer["ConsumedCapacity"], capacity);
    assert_eq!(world.get("update").await["v"], n(11));
    assert_eq!(world.get("delete").await, Value::Null);
    let gets = ["put", "delete", "update"].map(
        |pk| json!({ "Get": { "TableName": "hash", "Key": key(pk), "ProjectionExpression": "v" } }),
    );
    let answer = world
        .ok("TransactGetItems", json!({ "TransactItems": gets }))
        .await;
    let expected = json!([{ "Item": { "v": n(1) } }, {}, { "Item": { "v": n(11) } }]);
    assert_eq!(answer, json!({ "Responses": expected }));
}

#[tokio::test]
async fn reasons_carry_the_item_and_what_does_not_fit_it() {
    let world = World::with_tables().await;
    world.put(json!({ "pk": s("a"), "t": s("text") })).await;
    let request = json!({ "TransactItems": [
        { "Put": {
            "TableName": "hash",
            "Item": { "pk": s("a") },
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        } },
        { "Update": {
            "TableName": "hash",
            "Key": { "pk": s("b") },
            "UpdateExpression": "SET x = y",
        } },
    ] });
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [ConditionalCheckFailed, ValidationError]";
    let code = "TransactionCanceledException";
    let answer = world
        .refused("TransactWriteItems", request, code, message)
        .await;
    let reasons = &answer["CancellationReasons"];
    assert_eq!(reasons[0]["Item"], json!({ "pk": s("a"), "t": s("text") }));
    assert_eq!(
        reasons[1]["Message"],
        "The provided expression refers to an attribute that does not exist in the item"
    );
}

#[tokio::test]
async fn items_that_do_not_fit_their_table_cancel_the_transaction() {
    let world = World::with_tables().await;
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [None, ValidationError]";
    let code = "TransactionCanceledException";
    let key = json!({ "TableName": "range", "Key": { "pk": s("a") } });
    let delete = json!({ "TransactItems": [put("a", 1), { "Delete": key }] });
    let answer = world
        .refused("TransactWriteItems", delete, code, message)
        .await;
    let told = &answer["CancellationReasons"][1]["Message"];
    assert_eq!(told, "The provided key element does not match the schema");
    assert_eq!(world.get("a").await, Value::Null);
    let other = json!({ "TableName": "hash", "Key": { "pk": s("a") } });
    let gets = json!({ "TransactItems": [{ "Get": other }, { "Get": key }] });
    world.refused("TransactGetItems", gets, code, message).await;
}

fn add_once(pk: &str) -> Value {
    json!({
        "TransactItems": [{ "Update": {
            "TableName": "hash",
            "Key": { "pk": s(pk) },
            "UpdateExpression": "ADD v :one",
            "ExpressionAttributeValues": { ":one": n(1) },
        } }],
        "ClientRequestToken": "token",
    })
}

/// Lets a call go as far as it comes by itself, then its client goes away.
async fn leave(world: &World, request: Value) {
    tokio::select! {
        biased;
        _ = world.call("TransactWriteItems", request) => panic!("nothing is on disk"),
        () = tokio::task::yield_now() => {}
    }
}

#[tokio::test]
async fn a_token_is_not_in_progress_when_its_client_has_gone() {
    let world = World::with_tables().await;
    let store = world.node.store.clone();
    // It waits for the disk: it is done, whoever waits for it.
    store.hold();
    leave(&world, add_once("a")).await;
    let code = "TransactionInProgressException";
    let message = "The transaction with the given request token is already in progress";
    world
        .refused("TransactWriteItems", add_once("a"), code, message)
        .await;
    store.step(10);
    world.ok("TransactWriteItems", add_once("a")).await;
    assert_eq!(world.get("a").await["v"], n(1));
}

#[tokio::test]
async fn a_token_is_free_when_its_client_left_before_anything_was_done() {
    let world = World::with_tables().await;
    let store = world.node.store.clone();
    store.hold();
    // Another write holds the item's lock; the transaction behind it decides nothing.
    let other = world.call(
        "PutItem",
        json!({ "TableName": "hash", "Item": { "pk": s("a") } }),
    );
    let mut other = Box::pin(other);
    tokio::select! {
        biased;
        _ = &mut other => panic!("nothing is on disk"),
        () = tokio::task::yield_now() => {}
    }
    leave(&world, add_once("a")).await;
    let step = async {
        loop {
            store.step(10);
            tokio::task::yield_now().await;
        }
    };
    let calls = async {
        other.await;
        world.ok("TransactWriteItems", add_once("a")).await;
        world.ok("TransactWriteItems", add_once("a")).await;
        assert_eq!(world.get("a").await["v"], n(1));
    };
    tokio::select! {
        () = calls => {}
        () = step => {}
    }
}

#[tokio::test]
async fn a_token_makes_a_call_count_once() {
    let world = World::with_tables().await;
    let add = |pk: &str| {
        let mut request = add_once(pk);
        request["ReturnConsumedCapacity"] = "TOTAL".into();
        request
    };
    let first = world.ok("TransactWriteItems", add("a")).await;
    assert_eq!(
        first["ConsumedCapacity"][0]["WriteCapacityUnits"],
        json!(2.0)
    );
    let second = world.ok("TransactWriteItems", add("a")).await;
    assert_eq!(
        second["ConsumedCapacity"][0]["ReadCapacityUnits"],
        json!(2.0)
    );
    assert_eq!(world.get("a").await["v"], n(1));
    let code = "IdempotentParameterMismatchException";
    let message = "The provided idempotent token was already used with different parameters";
    world
        .refused("TransactWriteItems", add("b"), code, message)
        .await;
    let failing = json!({
        "TransactItems": [{ "Put": {
            "TableName": "hash",
            "Item": { "pk": s("a") },
            "ConditionExpression": "attribute_not_exists(pk)",
        } }],
        "ClientRequestToken": "other",
    });
    for _ in 0..2 {
        // A call that was not done may be tried again, and fails again.
        let (status, answer) = world.call("TransactWriteItems", failing.clone()).await;
        assert_eq!(status, 400);
        assert!(
            answer["__type"]
                .as_str()
                .unwrap()
                .ends_with("#TransactionCanceledException")
        );
    }
}

#[tokio::test]
async fn transactions_are_bounded_and_name_each_item_once() {
    let world = World::with_tables().await;
    let many = |count: i64| -> Value {
        let puts: Vec<Value> = (0..count)
            .map(|number| put(&number.to_string(), number))
            .collect();
        json!({ "TransactItems": puts })
    };
    world.ok("TransactWriteItems", many(100)).await;
    let (status, answer) = world.call("TransactWriteItems", many(101)).await;
    assert_eq!(status, 400);
    let message = answer["message"].as_str().unwrap();
    let value = "1 validation error detected: Value '[TransactWriteItem(conditionCheck=null, put=";
    assert!(message.starts_with(value), "{message}");
    let constraint = "]' at 'transactItems' failed to satisfy constraint: \
                      Member must have length less than or equal to 100";
    assert!(message.ends_with(constraint), "{message}");
    assert!(message.len() < 2000, "what is repeated is bounded");
    let message = "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy \
                   constraint: Member must have length greater than or equal to 1";
    world
        .invalid(
            "TransactWriteItems",
            json!({ "TransactItems": [] }),
            message,
        )
        .await;
    let twice = json!({ "TransactItems": [put("a", 1), put("a", 2)] });
    let message = "Transaction request cannot include multiple operations on one item";
    world.invalid("TransactWriteItems", twice, message).await;
    let large = |count: i64| -> Value {
        let text = s(&"x".repeat(400_000));
        let put = |number: i64| {
            let item = json!({ "pk": s(&number.to_string()), "x": text });
            json!({ "Put": { "TableName": "hash", "Item": item } })
        };
        json!({ "TransactItems": (0..count).map(put).collect::<Vec<_>>() })
    };
    world.ok("TransactWriteItems", large(10)).await;
    let message = "Transaction payload exceeds the maximum size of 4 MB";
    world
        .invalid("TransactWriteItems", large(11), message)
        .await;
}

/// Each update brings a few bytes and leaves a large item: what counts is what is written, since
/// all of it travels to the other regions as one record.
#[tokio::test]
async fn what_updates_leave_behind_counts_against_the_size_of_a_transaction() {
    let world = World::with_tables().await;
    let filler = "x".repeat(390_000);
    let names: Vec<String> = (0..11).map(|number| format!("item-{number:02}")).collect();
    for name in &names {
        world
            .put(json!({ "pk": s(name), "filler": s(&filler) }))
            .await;
    }
    let update = |name: &String| {
        json!({ "Update": {
            "TableName": "hash",
            "Key": { "pk": s(name) },
            "UpdateExpression": "SET v = :v",
            "ExpressionAttributeValues": { ":v": n(1) },
        } })
    };
    let some: Vec<Value> = names.iter().take(10).map(update).collect();
    world
        .ok("TransactWriteItems", json!({ "TransactItems": some }))
        .await;
    let all: Vec<Value> = names.iter().map(update).collect();
    let (status, answer) = world
        .call("TransactWriteItems", json!({ "TransactItems": all }))
        .await;
    assert_eq!(status, 400, "{answer}");
    let reason = &answer["CancellationReasons"][10];
    assert_eq!(reason["Code"], "ValidationError", "{answer}");
    assert_eq!(
        reason["Message"],
        "Transaction payload exceeds the maximum size of 4 MB"
    );
    let last = names.last().expect("eleven names");
    assert_eq!(world.get(last).await["v"], Value::Null);
}

#[tokio::test]
async fn a_token_outlives_the_process() {
    let world = World::with_tables().await;
    world.ok("TransactWriteItems", add_once("a")).await;
    // What changes nothing is done, too: later it would.
    let delete = json!({
        "TransactItems": [{ "Delete": { "TableName": "hash", "Key": { "pk": s("b") } } }],
        "ClientRequestToken": "delete",
    });
    world.ok("TransactWriteItems", delete.clone()).await;
    world.put(json!({ "pk": s("b") })).await;
    let world = world.restart().await;
    world.ok("TransactWriteItems", add_once("a")).await;
    assert_eq!(world.get("a").await["v"], n(1));
    world.ok("TransactWriteItems", delete).await;
    assert_eq!(world.get("b").await, json!({ "pk": s("b") }));
    let code = "IdempotentParameterMismatchException";
    let message = "The provided idempotent token was already used with different parameters";
    world
        .refused("TransactWriteItems", add_once("b"), code, message)
        .await;
}

#[tokio::test]
async fn a_token_whose_note_is_of_a_later_version_is_in_doubt_alone() {
    let world = World::with_tables().await;
    let note = Note {
        name: b"token/000000000000token".to_vec(),
        fact: Bytes::from_static(&[2; 40]),
    };
    let tables = world.node.control.tables();
    let noted = tables.transact_noted(Vec::new(), note, Box::new(Vec::new));
    noted.await.expect("noted");
    let mut other = add_once("a");
    other["ClientRequestToken"] = "other".into();
    for _ in 0..2 {
        world.ok("TransactWriteItems", other.clone()).await;
    }
    assert_eq!(world.get("a").await["v"], n(1));
    let code = "TransactionInProgressException";
    let message = "The transaction with the given request token is already in progress";
    world
        .refused("TransactWriteItems", add_once("a"), code, message)
        .await;
    world.node.clock.advance(Duration::from_mins(10));
    world.ok("TransactWriteItems", add_once("a")).await;
    assert_eq!(world.get("a").await["v"], n(2));
}

#[tokio::test]
async fn tokens_are_forgotten_a_few_at_a_time_with_the_transaction_that_comes() {
    let world = World::with_tables().await;
    let store = world.node.store.clone();
    let named = |token: &str| {
        let mut request = add_once("a");
        request["ClientRequestToken"] = token.into();
        request
    };
    for at in 0..100 {
        let request = named(&format!("{at:02}"));
        world.ok("TransactWriteItems", request).await;
    }
    let noted = async || {
        let notes = world.node.control.tables().notes(b"token/").await;
        notes.expect("read").len()
    };
    assert_eq!(noted().await, 100);
    world.node.clock.advance(Duration::from_mins(10));
    store.hold();
    for (token, left) in [("99", 36), ("more", 2), ("last", 3)] {
        let mut call = Box::pin(world.call("TransactWriteItems", named(token)));
        tokio::select! {
            biased;
            _ = &mut call => panic!("nothing is on disk"),
            () = tokio::task::yield_now() => {}
        }
        assert_eq!(store.step(10), 1, "all of it is one batch");
        assert_eq!(call.await.0, 200, "{token}");
        assert_eq!(noted().await, left, "{token}");
    }
    assert_eq!(world.get("a").await["v"], n(103));
}

#[tokio::test]
async fn a_transaction_that_the_power_took_is_done_by_its_next_try() {
    let world = World::with_tables().await;
    world.node.store.hold();
    leave(&world, add_once("a")).await;
    let world = world.restart().await;
    assert_eq!(world.get("a").await, Value::Null);
    let store = world.node.store.clone();
    let step = async {
        loop {
            store.step(10);
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = world.ok("TransactWriteItems", add_once("a")) => {}
        () = step => {}
    }
    assert_eq!(world.get("a").await["v"], n(1));
}
