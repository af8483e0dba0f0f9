//! ExecuteStatement, BatchExecuteStatement and ExecuteTransaction.

use serde_json::{Value, json};

use crate::world::{World, n, s};

const DUPLICATE: &str = "Duplicate primary key exists in table";

/// Runs a statement that must succeed; returns its items.
async fn run(world: &World, statement: &str) -> Value {
    let request = json!({ "Statement": statement });
    world.ok("ExecuteStatement", request).await["Items"].take()
}

/// Opens `hash` and `range`, with a, b and c in `range`, six items each, and `indexed`.
async fn filled() -> World {
    let world = World::with_tables().await;
    for pk in ["a", "b", "c"] {
        for sk in 0..6 {
            let item =
                json!({ "pk": s(pk), "sk": n(sk), "v": n(sk % 2), "m": { "M": { "x": n(sk) } } });
            world
                .ok("PutItem", json!({ "TableName": "range", "Item": item }))
                .await;
        }
    }
    world
}

/// Reads all pages of a statement; returns the pages.
async fn pages(world: &World, statement: &str, limit: usize) -> Vec<Vec<Value>> {
    let mut request = json!({ "Statement": statement, "Limit": limit });
    let mut pages = Vec::new();
    loop {
        let answer = world.ok("ExecuteStatement", request.clone()).await;
        pages.push(answer["Items"].as_array().unwrap().clone());
        assert_eq!(
            answer["NextToken"].is_null(),
            answer["LastEvaluatedKey"].is_null(),
            "{answer}"
        );
        if answer["NextToken"].is_null() {
            return pages;
        }
        assert!(pages.len() < 100, "{statement} never ends");
        request["NextToken"] = answer["NextToken"].clone();
    }
}

#[tokio::test]
async fn an_item_is_made_changed_read_and_removed() {
    let world = World::with_tables().await;
    let insert = "INSERT INTO hash VALUE {'pk': 'a', 'v': 1, 'l': [1, 'x'], 's': <<1, 2>>}";
    assert_eq!(run(&world, insert).await, json!([]));
    let request = json!({ "Statement": insert });
    let code = "DuplicateItemException";
    world
        .refused("ExecuteStatement", request, code, DUPLICATE)
        .await;
    let update = "UPDATE hash SET v = v + 1 WHERE pk = 'a' RETURNING MODIFIED NEW *";
    assert_eq!(run(&world, update).await, json!([{ "v": n(2) }]));
    let update = "UPDATE hash SET w = v WHERE pk = 'a' RETURNING MODIFIED OLD *";
    assert_eq!(run(&world, update).await, json!([]));
    let list = "SELECT v, l[1] FROM hash WHERE pk = 'a'";
    assert_eq!(
        run(&world, list).await,
        json!([{ "v": n(2), "l[1]": s("x") }])
    );
    assert_eq!(run(&world, "SELECT nope FROM hash").await, json!([{}]));
    let delete = "DELETE FROM hash WHERE pk = 'a' RETURNING ALL OLD *";
    assert_eq!(run(&world, delete).await[0]["w"], n(2));
    assert_eq!(run(&world, delete).await, json!([]));
    assert_eq!(run(&world, "SELECT * FROM hash").await, json!([]));
}

#[tokio::test]
async fn a_condition_that_fails_shows_the_item_where_that_is_asked_for() {
    let world = World::with_tables().await;
    world.put(json!({ "pk": s("a"), "v": n(1) })).await;
    let code = "ConditionalCheckFailedException";
    let message = "The conditional request failed";
    for statement in [
        "UPDATE hash SET v = 2 WHERE pk = 'a' AND v = 7",
        "DELETE FROM hash WHERE pk = 'a' AND v = 7",
    ] {
        let mut request = json!({ "Statement": statement });
        let plain = world
            .refused("ExecuteStatement", request.clone(), code, message)
            .await;
        assert_eq!(plain["Item"], Value::Null);
        request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
        let whole = world
            .refused("ExecuteStatement", request, code, message)
            .await;
        assert_eq!(whole["Item"], json!({ "pk": s("a"), "v": n(1) }));
    }
    let absent = json!({ "Statement": "UPDATE hash SET v = 2 WHERE pk = 'b'" });
    world
        .refused("ExecuteStatement", absent, code, message)
        .await;
    run(&world, "DELETE FROM hash WHERE pk = 'b' AND v = 7").await;
    assert_eq!(world.get("a").await["v"], n(1));
}

#[tokio::test]
async fn parameters_are_values_and_there_are_as_many_as_question_marks() {
    let world = World::with_tables().await;
    let item = json!([s("a"), { "L": [n(1)] }]);
    let insert =
        json!({ "Statement": "INSERT INTO hash VALUE {'pk': ?, 'v': ?}", "Parameters": item });
    world.ok("ExecuteStatement", insert).await;
    assert_eq!(world.get("a").await["v"], json!({ "L": [n(1)] }));
    let count = "Number of parameters in request and statement don't match.";
    let select = "SELECT * FROM hash WHERE pk = ?";
    let with = |parameters: Value| json!({ "Statement": select, "Parameters": parameters });
    world
        .invalid("ExecuteStatement", json!({ "Statement": select }), count)
        .await;
    world
        .invalid("ExecuteStatement", with(json!([s("a"), s("b")])), count)
        .await;
    let empty =
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes";
    world
        .invalid("ExecuteStatement", with(json!([{}])), empty)
        .await;
    let kind = "Key attribute's data type should match its data type in table's schema: Key pk";
    world
        .invalid("ExecuteStatement", with(json!([n(1)])), kind)
        .await;
}

#[tokio::test]
async fn pages_hold_as_many_items_as_they_may_and_each_item_once() {
    let world = filled().await;
    for (statement, count) in [
        ("SELECT * FROM range", 18),
        ("SELECT * FROM range WHERE pk = 'a'", 6),
        ("SELECT * FROM range WHERE pk = 'a' AND sk > 1", 4),
        ("SELECT * FROM range WHERE pk IN ['a', 'b', 'x']", 12),
        (
            "SELECT * FROM range WHERE pk = 'a' AND sk IN [1, 3, 5, 9]",
            3,
        ),
        (
            "SELECT * FROM range WHERE (pk = 'a' AND sk = 1) OR (pk = 'b' AND sk < 2)",
            3,
        ),
        (
            "SELECT * FROM range WHERE pk IN ['b', 'a'] ORDER BY pk DESC, sk DESC",
            12,
        ),
    ] {
        let whole = pages(&world, statement, 100).await.concat();
        assert_eq!(whole.len(), count, "{statement}");
        for limit in 1..8 {
            let parts = pages(&world, statement, limit).await;
            assert!(parts.iter().all(|part| part.len() <= limit), "{statement}");
            assert_eq!(parts.concat(), whole, "{statement} by {limit}");
        }
    }
}

#[tokio::test]
async fn a_filter_counts_what_it_drops_against_the_limit() {
    let world = filled().await;
    let statement = "SELECT sk FROM range WHERE pk = 'a' AND v = 1";
    let parts = pages(&world, statement, 2).await;
    let counts: Vec<usize> = parts.iter().map(Vec::len).collect();
    assert_eq!(counts, [1, 1, 1, 0]);
    let one = pages(&world, "SELECT * FROM range WHERE pk = 'a' AND sk = 1", 1).await;
    assert_eq!(
        one.len(),
        1,
        "an item that is read by its key is all there is"
    );
}

#[tokio::test]
async fn a_token_holds_for_its_statement_and_none_is_made_up() {
    let world = filled().await;
    let statement = "SELECT * FROM range WHERE pk = ?";
    let request = |parameter: &str, token: &Value| {
        let parameters = json!([s(parameter)]);
        json!({ "Statement": statement, "Parameters": parameters, "Limit": 2, "NextToken": token })
    };
    let answer = world
        .ok("ExecuteStatement", request("a", &Value::Null))
        .await;
    let token = &answer["NextToken"];
    assert_eq!(
        answer["LastEvaluatedKey"],
        json!({ "pk": s("a"), "sk": n(1) })
    );
    let next = world.ok("ExecuteStatement", request("a", token)).await;
    assert_eq!(next["Items"][0]["sk"], n(2));
    let message = "NextToken does not match request";
    world
        .invalid("ExecuteStatement", request("b", token), message)
        .await;
    for made_up in ["bogus", "AQAA", "!"] {
        let request = request("a", &json!(made_up));
        world
            .invalid("ExecuteStatement", request, "Invalid NextToken")
            .await;
    }
    let text = token.as_str().unwrap();
    let cut = json!(text.get(..text.len() - 4).unwrap());
    world
        .invalid("ExecuteStatement", request("a", &cut), "Invalid NextToken")
        .await;
}

#[tokio::test]
async fn what_is_not_there_is_told_by_its_name() {
    let world = World::with_tables().await;
    let code = "ResourceNotFoundException";
    for statement in ["SELECT * FROM nope", "DELETE FROM nope WHERE pk = 'a'"] {
        let request = json!({ "Statement": statement });
        world
            .refused(
                "ExecuteStatement",
                request,
                code,
                "Requested resource not found",
            )
            .await;
    }
    let index = json!({ "Statement": "SELECT * FROM hash.nope WHERE pk = 'a'" });
    let message = "The table does not have the specified index: nope";
    world.invalid("ExecuteStatement", index, message).await;
    let arn = "SELECT * FROM \"arn:aws:dynamodb:us-east-1:000000000000:table/hash\"";
    assert_eq!(run(&world, arn).await, json!([]));
    let exists = json!({ "Statement": "EXISTS(SELECT * FROM hash WHERE pk = 'a' AND v = 1)" });
    let message = "EXISTS can only be used in ExecuteTransaction write requests.";
    world.invalid("ExecuteStatement", exists, message).await;
}

async fn indexed() -> World {
    let world = World::open("us-east-1").await;
    let attribute =
        |name: &str, kind: &str| json!({ "AttributeName": name, "AttributeType": kind });
    let key = |name: &str, kind: &str| json!({ "AttributeName": name, "KeyType": kind });
    let index = |name: &str, keys: Value, projection: &str| json!({ "IndexName": name, "KeySchema": keys, "Projection": { "ProjectionType": projection } });
    let request = json!({
        "TableName": "indexed",
        "KeySchema": [key("pk", "HASH"), key("sk", "RANGE")],
        "AttributeDefinitions": [
            attribute("pk", "S"), attribute("sk", "N"), attribute("g", "S"),
            attribute("h", "N"), attribute("l", "N"),
        ],
        "BillingMode": "PAY_PER_REQUEST",
        "GlobalSecondaryIndexes": [
            index("by-g", json!([key("g", "HASH"), key("h", "RANGE")]), "KEYS_ONLY"),
            index("by-two", json!([key("g", "HASH"), key("pk", "HASH"), key("h", "RANGE")]), "ALL"),
        ],
        "LocalSecondaryIndexes": [
            index("by-l", json!([key("pk", "HASH"), key("l", "RANGE")]), "KEYS_ONLY"),
        ],
    });
    world.ok("CreateTable", request).await;
    for sk in 0..6 {
        let item = json!({
            "pk": s("a"), "sk": n(sk), "g": s(if sk % 2 == 0 { "even" } else { "odd" }),
            "h": n(sk / 2), "l": n(9 - sk), "v": n(sk),
        });
        world
            .ok("PutItem", json!({ "TableName": "indexed", "Item": item }))
            .await;
    }
    world
}

#[tokio::test]
async fn indexes_are_read_by_their_own_keys() {
    let world = indexed().await;
    for (statement, expected) in [
        (
            "SELECT sk FROM indexed.\"by-g\" WHERE g = 'even'",
            vec![0, 2, 4],
        ),
        (
            "SELECT sk FROM indexed.\"by-g\" WHERE g = 'even' AND h = 1",
            vec![2],
        ),
        (
            "SELECT sk FROM indexed.\"by-g\" WHERE g = 'even' AND h > 0 ORDER BY h DESC",
            vec![4, 2],
        ),
        (
            "SELECT sk FROM indexed.\"by-g\" WHERE g IN ['odd', 'even'] AND h = 0",
            vec![0, 1],
        ),
        ("SELECT sk FROM indexed.\"by-g\" WHERE sk = 3", vec![3]),
        (
            "SELECT sk FROM indexed.\"by-l\" WHERE pk = 'a' AND l < 6",
            vec![5, 4],
        ),
        (
            "SELECT sk FROM indexed.\"by-l\" WHERE pk = 'a' AND v = 3",
            vec![3],
        ),
        (
            "SELECT sk FROM indexed.\"by-two\" WHERE g = 'odd' AND pk = 'a' AND h = 2",
            vec![5],
        ),
    ] {
        for limit in [1, 2, 100] {
            let found = pages(&world, statement, limit).await.concat();
            let found: Vec<&Value> = found.iter().map(|item| &item["sk"]).collect();
            let expected: Vec<Value> = expected.iter().map(|sk| n(*sk)).collect();
            assert_eq!(
                found,
                expected.iter().collect::<Vec<_>>(),
                "{statement} by {limit}"
            );
        }
    }
    let fetched = run(
        &world,
        "SELECT v FROM indexed.\"by-l\" WHERE pk = 'a' AND l = 9",
    )
    .await;
    assert_eq!(fetched, json!([{ "v": n(0) }]));
}

#[tokio::test]
async fn what_an_index_cannot_answer_is_refused() {
    let world = indexed().await;
    let strong = json!({ "Statement": "SELECT * FROM indexed.\"by-g\"", "ConsistentRead": true });
    let message = "Consistent reads are not supported on global secondary indexes";
    world.invalid("ExecuteStatement", strong, message).await;
    let beyond = json!({ "Statement": "SELECT v FROM indexed.\"by-g\" WHERE g = 'odd'" });
    let message = "One or more parameter values were invalid: \
                   Global secondary index by-g does not project [v]";
    world.invalid("ExecuteStatement", beyond, message).await;
    let wrong = json!({ "Statement": "UPDATE indexed SET g = 1 WHERE pk = 'a' AND sk = 1" });
    let message =
        "The update expression attempted to update the secondary index key to unsupported type";
    world.invalid("ExecuteStatement", wrong, message).await;
    let insert = json!({ "Statement": "INSERT INTO indexed VALUE {'pk': 'b', 'sk': 1, 'g': 1}" });
    let message = "One or more parameter values were invalid: \
                   Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g";
    world.invalid("ExecuteStatement", insert, message).await;
}

#[tokio::test]
async fn capacity_is_what_the_same_call_without_words_costs() {
    let world = filled().await;
    let cost = async |statement: &str, consistent: bool| {
        let request = json!({
            "Statement": statement, "ReturnConsumedCapacity": "TOTAL", "ConsistentRead": consistent,
        });
        let answer = world.ok("ExecuteStatement", request).await;
        answer["ConsumedCapacity"]["CapacityUnits"]
            .as_f64()
            .unwrap()
    };
    for (statement, consistent, units) in [
        ("SELECT * FROM range WHERE pk = 'a' AND sk = 1", false, 0.5),
        ("SELECT * FROM range WHERE pk = 'a' AND sk = 1", true, 1.0),
        (
            "SELECT * FROM range WHERE pk = 'a' AND sk IN [1, 2, 99]",
            true,
            3.0,
        ),
        ("SELECT * FROM range WHERE pk = 'a'", true, 1.0),
        ("SELECT * FROM range WHERE pk IN ['a', 'b']", true, 2.0),
        ("INSERT INTO range VALUE {'pk': 'z', 'sk': 1}", false, 1.0),
        ("DELETE FROM range WHERE pk = 'z' AND sk = 1", false, 1.0),
    ] {
        let found = cost(statement, consistent).await;
        assert!((found - units).abs() < 0.001, "{statement}: {found}");
    }
}

#[tokio::test]
async fn statements_of_a_batch_fail_apart() {
    let world = World::with_tables().await;
    for pk in ["a", "b"] {
        world.put(json!({ "pk": s(pk), "v": n(1) })).await;
    }
    let statement = |text: &str| json!({ "Statement": text });
    let mut shown = statement("UPDATE hash SET v = 2 WHERE pk = 'b' AND v = 7");
    shown["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD".into();
    let request = json!({ "ReturnConsumedCapacity": "TOTAL", "Statements": [
        statement("INSERT INTO hash VALUE {'pk': 'a'}"),
        shown,
        statement("INSERT INTO hash VALUE {'pk': 'c'}"),
        statement("UPDATE hash SET v = 2 WHERE pk = 'gone'"),
        statement("INSERT INTO nope VALUE {'pk': 'c'}"),
        statement("INSERT INTO hash VALUE {'pk': 1}"),
        statement("nonsense"),
        statement("EXISTS(SELECT * FROM hash WHERE pk = 'z' AND v = 1)"),
        statement("UPDATE hash SET w = nope WHERE pk = 'z2'"),
    ] });
    let answer = world.ok("BatchExecuteStatement", request).await;
    let codes: Vec<&str> = answer["Responses"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["Error"]["Code"].as_str().unwrap_or("-"))
        .collect();
    assert_eq!(
        codes,
        [
            "DuplicateItem",
            "ConditionalCheckFailed",
            "-",
            "ConditionalCheckFailed",
            "ResourceNotFound",
            "ValidationError",
            "ValidationError",
            "ValidationError",
            "ConditionalCheckFailed",
        ]
    );
    let responses = &answer["Responses"];
    assert_eq!(responses[0]["Error"]["Message"], DUPLICATE);
    assert_eq!(
        responses[1]["Error"]["Item"],
        json!({ "pk": s("b"), "v": n(1) })
    );
    assert_eq!(responses[2], json!({ "TableName": "hash" }));
    assert_eq!(responses[4].get("TableName"), None);
    let units = json!([{ "TableName": "hash", "CapacityUnits": 1.0 }]);
    assert_eq!(answer["ConsumedCapacity"], units);
    assert_eq!(world.get("c").await, json!({ "pk": s("c") }));
}

#[tokio::test]
async fn a_batch_reads_items_by_their_keys_and_nothing_else() {
    let world = filled().await;
    let statement = |text: &str| json!({ "Statement": text });
    let request = json!({ "Statements": [
        statement("SELECT v FROM range WHERE pk = 'a' AND sk = 1"),
        statement("SELECT * FROM range WHERE pk = 'a' AND sk = 99"),
        statement("SELECT * FROM range WHERE pk = 'a'"),
    ] });
    let answer = world.ok("BatchExecuteStatement", request).await;
    let responses = &answer["Responses"];
    assert_eq!(
        responses[0],
        json!({ "TableName": "range", "Item": { "v": n(1) } })
    );
    assert_eq!(responses[1], json!({ "TableName": "range" }));
    assert_eq!(responses[2]["Error"]["Code"], "ValidationError");
    let mixed = json!({ "Statements": [
        statement("SELECT v FROM range WHERE pk = 'a' AND sk = 1"),
        statement("DELETE FROM range WHERE pk = 'a' AND sk = 2"),
    ] });
    let message = "Read and write requests together in the same batch is not supported.";
    world.invalid("BatchExecuteStatement", mixed, message).await;
    let twice = statement("SELECT v FROM range WHERE pk = 'a' AND sk = 1");
    let twice = json!({ "Statements": [twice, twice] });
    let message = "Provided list of item keys contains duplicates";
    world.invalid("BatchExecuteStatement", twice, message).await;
}

#[tokio::test]
async fn a_transaction_of_statements_is_done_whole_or_not_at_all() {
    let world = World::with_tables().await;
    for pk in ["a", "b"] {
        world.put(json!({ "pk": s(pk), "v": n(1) })).await;
    }
    let statement = |text: &str| json!({ "Statement": text });
    let transaction = |expected: i64| {
        json!({ "ReturnConsumedCapacity": "TOTAL", "TransactStatements": [
            statement(&format!("EXISTS(SELECT * FROM hash WHERE pk = 'a' AND v = {expected})")),
            statement("INSERT INTO hash VALUE {'pk': 'c'}"),
            statement("UPDATE hash SET v = 2 WHERE pk = 'b'"),
        ] })
    };
    let code = "TransactionCanceledException";
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [ConditionalCheckFailed, None, None]";
    world
        .refused("ExecuteTransaction", transaction(7), code, message)
        .await;
    assert_eq!(world.get("c").await, Value::Null);
    let answer = world.ok("ExecuteTransaction", transaction(1)).await;
    assert_eq!(answer["Responses"], json!([]));
    assert_eq!(
        answer["ConsumedCapacity"][0]["WriteCapacityUnits"],
        json!(6.0)
    );
    assert_eq!(world.get("b").await["v"], n(2));
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [None, DuplicateItem, None]";
    let answer = world
        .refused("ExecuteTransaction", transaction(1), code, message)
        .await;
    assert_eq!(answer["CancellationReasons"][1]["Message"], DUPLICATE);
    let reads = json!({ "TransactStatements": [
        statement("SELECT v FROM hash WHERE pk = 'b'"),
        statement("SELECT * FROM hash WHERE pk = 'gone'"),
    ] });
    let answer = world.ok("ExecuteTransaction", reads).await;
    assert_eq!(answer["Responses"], json!([{ "Item": { "v": n(2) } }, {}]));
}

#[tokio::test]
async fn a_transaction_says_which_statement_is_wrong() {
    let world = World::with_tables().await;
    let transaction = |texts: &[&str]| {
        let statements = texts.iter().map(|text| json!({ "Statement": text }));
        json!({ "TransactStatements": statements.collect::<Vec<_>>() })
    };
    for (texts, message) in [
        (
            &["SELECT * FROM hash"][..],
            "Validation failed in TransactStatements[0]: Select statements within \
             ExecuteTransaction must specify the primary key in the where clause.",
        ),
        (
            &[
                "INSERT INTO hash VALUE {'pk': 'a'}",
                "DELETE FROM hash WHERE pk = 'b' RETURNING ALL OLD *",
            ],
            "Validation failed in TransactStatements[1]: RETURNING clause is not supported in \
             ExecuteTransaction.",
        ),
        (
            &[
                "INSERT INTO hash VALUE {'pk': 'a'}",
                "SELECT * FROM hash WHERE pk = 'b'",
            ],
            "ExecuteTransaction API does not support both read and write operations in the same \
             request.",
        ),
        (
            &[
                "INSERT INTO hash VALUE {'pk': 'a'}",
                "DELETE FROM hash WHERE pk = 'a'",
            ],
            "Transaction request cannot include multiple operations on one item",
        ),
        (
            &["EXISTS(SELECT * FROM hash WHERE pk = 'a')"],
            "Validation failed in TransactStatements[0]: EXISTS() must contain a single item read \
             with additional condition",
        ),
    ] {
        world
            .invalid("ExecuteTransaction", transaction(texts), message)
            .await;
    }
    let code = "TransactionCanceledException";
    let message = "Transaction cancelled, please refer cancellation reasons for specific reasons \
                   [None, ValidationError]";
    let request = transaction(&[
        "INSERT INTO hash VALUE {'pk': 'a'}",
        "INSERT INTO hash VALUE {'pk': 1}",
    ]);
    let answer = world
        .refused("ExecuteTransaction", request, code, message)
        .await;
    let told = &answer["CancellationReasons"][1]["Message"];
    assert_eq!(
        told,
        "Key attribute's data type should match its data type in table's schema: Key pk"
    );
    assert_eq!(world.get("a").await, Value::Null);
}

#[tokio::test]
async fn a_token_makes_a_transaction_of_statements_count_once() {
    let world = World::with_tables().await;
    world.put(json!({ "pk": s("a"), "v": n(0) })).await;
    let add = |amount: i64| {
        let statement = format!("UPDATE hash SET v = v + {amount} WHERE pk = 'a'");
        json!({ "TransactStatements": [{ "Statement": statement }], "ClientRequestToken": "one" })
    };
    for _ in 0..3 {
        let answer = world.ok("ExecuteTransaction", add(1)).await;
        assert_eq!(answer, json!({ "Responses": [] }));
    }
    let world = world.restart().await;
    world.ok("ExecuteTransaction", add(1)).await;
    assert_eq!(world.get("a").await["v"], n(1));
    let code = "IdempotentParameterMismatchException";
    let message = "The provided idempotent token was already used with different parameters";
    world
        .refused("ExecuteTransaction", add(2), code, message)
        .await;
}
