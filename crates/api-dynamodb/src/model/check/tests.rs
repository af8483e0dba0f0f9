//! Requests that are as the model wants them, and those that are not, in the service's words.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Wording, check, check_all};
use crate::model::facts::{Kind, Model, Operation, ShapeId};
use crate::model::sample::{Dice, any_cuts, any_operation, cut, sample};
use crate::model::{quick, raw, service, types};

fn operation(name: &str) -> &'static Operation {
    let mut operations = Model::get().operations().iter();
    operations.find(|one| one.name == name).unwrap()
}

/// Returns code and message of a refusal; two empty texts for a request that passes.
fn told(name: &str, request: &str, wording: Wording) -> (String, String) {
    match check(operation(name), request.as_bytes(), wording) {
        Ok(()) => (String::new(), String::new()),
        Err(fault) => (fault.code.to_string(), fault.message),
    }
}

#[track_caller]
fn serialization(name: &str, request: Value, message: &str) {
    // The type of an attribute value is found where all of a request is looked at.
    let checked = check_all(
        operation(name),
        request.to_string().as_bytes(),
        Wording::Classic,
    );
    let fault = checked.expect_err("a wrong type");
    assert_eq!(
        (&*fault.code, &*fault.message),
        ("SerializationException", message)
    );
}

#[track_caller]
fn validation(name: &str, request: Value, message: &str) {
    let told = told(name, &request.to_string(), Wording::Classic);
    assert_eq!(told, ("ValidationException".to_owned(), message.to_owned()));
}

#[track_caller]
fn good(name: &str, request: Value) {
    let told = told(name, &request.to_string(), Wording::Classic);
    assert_eq!(told, (String::new(), String::new()));
}

#[test]
fn what_is_no_json_is_told_without_a_message() {
    for text in [
        "{",
        "[]",
        "\"\"",
        "1",
        "null",
        "{\"TableName\":}",
        "{} {}",
        "{\"a\":\u{1}}",
    ] {
        let told = told("GetItem", text, Wording::Classic);
        assert_eq!(
            told,
            ("SerializationException".to_owned(), String::new()),
            "{text}"
        );
    }
    let fault = check(
        operation("GetItem"),
        b"{\"TableName\":\"\xff\"}",
        Wording::Classic,
    );
    assert_eq!(fault.expect_err("no UTF-8").code, "SerializationException");
    let deep = format!("{{\"x\":{}", "[".repeat(1_000_000));
    assert_eq!(
        told("GetItem", &deep, Wording::Classic).0,
        "SerializationException"
    );
}

#[test]
fn members_have_types() {
    let get = |member: &str, value: Value| json!({ "TableName": "abc", "Key": {}, member: value });
    let structure = "Start of structure or map found where not expected";
    for (value, message) in [
        (json!(true), "TRUE_VALUE cannot be converted to String"),
        (json!(false), "FALSE_VALUE cannot be converted to String"),
        (json!(23), "NUMBER_VALUE cannot be converted to String"),
        (json!(34.56), "DECIMAL_VALUE cannot be converted to String"),
        (
            json!([]),
            "Unrecognized collection type class java.lang.String",
        ),
        (json!({}), structure),
    ] {
        serialization("GetItem", get("ProjectionExpression", value), message);
    }
    for (value, message) in [
        (json!("true"), "Unexpected token received from parser"),
        (json!(1), "NUMBER_VALUE cannot be converted to Boolean"),
        (
            json!([]),
            "Unrecognized collection type class java.lang.Boolean",
        ),
    ] {
        serialization("GetItem", get("ConsistentRead", value), message);
    }
    serialization(
        "GetItem",
        get("AttributesToGet", json!("a")),
        "Unexpected field type",
    );
    serialization("GetItem", get("AttributesToGet", json!({})), structure);
    serialization("GetItem", get("Key", json!(1)), "Unexpected field type");
    let map = "Unrecognized collection type java.util.Map<java.lang.String, \
               com.amazonaws.dynamodb.v20120810.AttributeValue>";
    serialization("GetItem", get("Key", json!([])), map);
    let texts = "Unrecognized collection type java.util.Map<java.lang.String, java.lang.String>";
    serialization("GetItem", get("ExpressionAttributeNames", json!([])), texts);
    let writes = "Unrecognized collection type java.util.Map<java.lang.String, \
                  java.util.List<com.amazonaws.dynamodb.v20120810.WriteRequest>>";
    serialization("BatchWriteItem", json!({ "RequestItems": [] }), writes);
    let units = json!({ "ProvisionedThroughput": { "ReadCapacityUnits": "1" } });
    serialization(
        "CreateTable",
        units,
        "STRING_VALUE cannot be converted to Long",
    );
    serialization(
        "Scan",
        json!({ "Limit": "1" }),
        "STRING_VALUE cannot be converted to Integer",
    );
    let key = json!({ "KeySchema": ["pk"] });
    serialization("CreateTable", key, "Unexpected value type in payload");
    let key = json!({ "KeySchema": [[]] });
    let class = "Unrecognized collection type class com.amazonaws.dynamodb.v20120810.\
                 KeySchemaElement";
    serialization("CreateTable", key, class);
}

#[test]
fn attribute_values_have_types() {
    let put = |value: Value| json!({ "TableName": "abc", "Item": { "a": value } });
    for (value, message) in [
        (
            json!({ "S": 1 }),
            "NUMBER_VALUE cannot be converted to String",
        ),
        (
            json!({ "N": 1.5 }),
            "DECIMAL_VALUE cannot be converted to String",
        ),
        (
            json!({ "BOOL": "x" }),
            "Unexpected token received from parser",
        ),
        (json!({ "SS": "x" }), "Unexpected field type"),
        (json!({ "L": [1] }), "Unexpected value type in payload"),
        (
            json!({ "M": { "x": { "L": [{ "S": true }] } } }),
            "TRUE_VALUE cannot be converted to String",
        ),
        (
            json!({ "B": 1 }),
            "only base-64-encoded strings are convertible to bytes",
        ),
        (
            json!({ "B": "23456" }),
            "Base64 encoded length is expected a multiple of 4 bytes but found: 5",
        ),
        (json!("x"), "Unexpected value type in payload"),
    ] {
        serialization("PutItem", put(value), message);
    }
    good(
        "PutItem",
        put(json!({ "S": "a", "Unknown": [1, { "x": null }] })),
    );
}

#[test]
fn unknown_members_and_nulls_are_ignored() {
    good(
        "GetItem",
        json!({ "TableName": "abc", "Key": {}, "Sugar": { "a": [1, true] } }),
    );
    good(
        "GetItem",
        json!({ "TableName": "abc", "Key": {}, "ConsistentRead": null }),
    );
    let twice = r#"{"TableName":"a!","TableName":"abc","Key":{}}"#;
    assert_eq!(told("GetItem", twice, Wording::Classic).1, "");
    let escaped = r#"{"Table\u004eame":"a\u0062c","Key":{},"ReturnConsumedCapacity":"TOT\u0041L"}"#;
    assert_eq!(told("GetItem", escaped, Wording::Classic).1, "");
    good("DescribeLimits", json!({}));
    assert_eq!(told("DescribeLimits", "", Wording::Classic).1, "");
}

#[test]
fn constraints_are_told_in_the_models_order() {
    let failed = "failed to satisfy constraint: Member must";
    let all = format!(
        "5 validation errors detected: \
         Value 'a;' at 'tableName' {failed} satisfy regular expression pattern: [a-zA-Z0-9_.-]+; \
         Value '' at 'indexName' {failed} satisfy regular expression pattern: [a-zA-Z0-9_.-]+; \
         Value '' at 'indexName' {failed} have length greater than or equal to 3; \
         Value 'X' at 'select' {failed} satisfy enum value set: [SPECIFIC_ATTRIBUTES, COUNT, \
         ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES]; \
         Value null at 'keyConditions.a.member.comparisonOperator' {failed} not be null"
    );
    let request = json!({
        "KeyConditions": { "a": {} },
        "Select": "X",
        "IndexName": "",
        "TableName": "a;",
    });
    validation("Query", request, &all);
    let one = |told: &str| format!("1 validation error detected: {told}");
    let request = json!({ "TableName": "abc", "Limit": 0, "Segment": 1_000_000 });
    let two = format!(
        "2 validation errors detected: Value '0' at 'limit' {failed} have value greater than or \
         equal to 1; Value '1000000' at 'segment' {failed} have value less than or equal to 999999"
    );
    validation("Scan", request, &two);
    let newer = format!("Value at 'Limit' {failed} have value greater than or equal to 1");
    validation(
        "Query",
        json!({ "TableName": "abc", "Limit": 0 }),
        &one(&newer),
    );
    let tags = json!({ "ResourceArn": "arn", "Tags": [{ "Key": "" }, null] });
    let three = format!(
        "3 validation errors detected: Value '' at 'tags.1.member.key' {failed} have length \
         greater than or equal to 1; Value null at 'tags.1.member.value' {failed} not be null; \
         Value null at 'tags.2.member' {failed} not be null"
    );
    validation("TagResource", tags, &three);
}

#[test]
fn an_empty_name_of_a_table_is_told_alone() {
    let one = "1 validation error detected: Value '' at 'tableName' failed to satisfy constraint: \
               Member must have length greater than or equal to 1";
    validation(
        "PutItem",
        json!({ "TableName": "", "ReturnValues": "X" }),
        one,
    );
    let missing = "The parameter 'TableName' is required but was not present in the request";
    validation("CreateTable", json!({ "BillingMode": "X" }), missing);
    let short = "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy \
                 constraint: Member must have length greater than or equal to 3";
    let schema = json!({ "TableName": "ab", "AttributeDefinitions": [], "KeySchema": [
        { "AttributeName": "pk", "KeyType": "HASH" },
    ] });
    validation("CreateTable", schema, short);
    good("DescribeTable", json!({ "TableName": "ab" }));
    good(
        "DescribeTable",
        json!({ "TableName": "arn:aws:dynamodb:us-east-1:1:table/ab" }),
    );
}

#[test]
fn lists_and_maps_are_told_with_what_they_hold() {
    let keys: Vec<Value> = ["pk", "sk", "extra"]
        .iter()
        .map(|name| json!({ "AttributeName": name, "KeyType": "HASH" }))
        .collect();
    let request = json!({ "TableName": "abc", "AttributeDefinitions": [], "KeySchema": keys });
    let message = "1 validation error detected: Value \
                   '[KeySchemaElement(attributeName=pk, keyType=HASH), \
                   KeySchemaElement(attributeName=sk, keyType=HASH), \
                   KeySchemaElement(attributeName=extra, keyType=HASH)]' at 'keySchema' failed to \
                   satisfy constraint: Member must have length less than or equal to 2";
    validation("CreateTable", request, message);
    let message = "1 validation error detected: Value '{carts=[]}' at 'requestItems' failed to \
                   satisfy constraint: Map value must satisfy constraint: [Member must have length \
                   less than or equal to 25, Member must have length greater than or equal to 1]";
    validation(
        "BatchWriteItem",
        json!({ "RequestItems": { "carts": [] } }),
        message,
    );
    let message = "1 validation error detected: Value at 'RequestItems.carts.member.Keys' failed \
                   to satisfy constraint: Member must have length greater than or equal to 1";
    validation(
        "BatchGetItem",
        json!({ "RequestItems": { "carts": { "Keys": [] } } }),
        message,
    );
    let message = "2 validation errors detected: Value '{a;=[WriteRequest(putRequest=PutRequest(\
                   item=null), deleteRequest=null)]}' at 'requestItems' failed to satisfy \
                   constraint: Map keys must satisfy constraint: [Member must have length less than \
                   or equal to 255, Member must have length greater than or equal to 1, Member \
                   must satisfy regular expression pattern: [a-zA-Z0-9_.-]+]; Value null at \
                   'requestItems.a;.member.1.member.putRequest.item' failed to satisfy constraint: \
                   Member must not be null";
    let request = json!({ "RequestItems": { "a;": [{ "PutRequest": {} }] } });
    validation("BatchWriteItem", request, message);
    for name in ["BatchGetItem", "BatchWriteItem"] {
        let message = format!("The requestItems parameter is required for {name}");
        validation(name, json!({ "RequestItems": {} }), &message);
    }
}

#[test]
fn newer_words_name_the_first_broken_constraint_without_its_value() {
    let request = json!({ "TableName": "abc", "Item": {}, "ReturnValues": "X",
        "ReturnConsumedCapacity": "Y" });
    let newer = "1 validation error detected: Value at 'ReturnValues' failed to satisfy \
                 constraint: Member must satisfy enum value set: [ALL_NEW, UPDATED_OLD, ALL_OLD, \
                 NONE, UPDATED_NEW]";
    let told = told("PutItem", &request.to_string(), Wording::Newer);
    assert_eq!(told.1, newer);
}

#[test]
fn what_is_repeated_is_bounded() {
    let name = "a".repeat(1_000_000);
    let (_, message) = told(
        "GetItem",
        &json!({ "TableName": name }).to_string(),
        Wording::Classic,
    );
    assert!(message.len() < 2_000, "{}", message.len());
    let tags = vec![json!({ "Key": "" }); 10_000];
    let request = json!({ "ResourceArn": "a", "Tags": tags }).to_string();
    let (_, message) = told("TagResource", &request, Wording::Classic);
    assert!(
        message.starts_with("10 validation errors detected: "),
        "{message}"
    );
}

#[test]
fn the_amendments_are_about_what_the_model_has() {
    let model = Model::get();
    for (name, order) in service::CHOICES {
        let Kind::Choice(choices) = &model.shape(model.named(name).unwrap()).kind else {
            panic!("{name} is a choice");
        };
        assert_eq!(choices.join(" "), *order);
    }
    let mut patterns: Vec<&str> = Vec::new();
    for operation in model.operations() {
        each_shape(model, operation.input, &mut Vec::new(), &mut |kind| {
            if let Kind::Text {
                pattern: Some(pattern),
                ..
            } = kind
            {
                patterns.push(pattern);
            }
        });
    }
    patterns.sort_unstable();
    patterns.dedup();
    let known = [
        "([0-9a-f]{16})+",
        "[,;:|\\t ]",
        "[0-9]{12}",
        "[\\u0020-\\uD7FF\\uE000-\\uFFFD\\uD800\\uDC00-\\uDBFF\\uDFFF\\r\\n\\t]*",
        "[\\x20-\\x21\\x23-\\x2B\\x2D-\\x7E]*",
        "[a-zA-Z0-9_.-]+",
        "\\p{Print}+",
        "^[^\\$]+$",
        "^[a-z0-9A-Z]+[\\.\\-\\w]*[a-z0-9A-Z]+$",
    ];
    assert_eq!(patterns, known, "each pattern has its own test of a text");
}

/// Walks all shapes of a request; only attribute values may hold themselves.
fn each_shape(model: &Model, id: ShapeId, above: &mut Vec<ShapeId>, each: &mut impl FnMut(&Kind)) {
    let shape = model.shape(id);
    if shape.name == quick::VALUE {
        return;
    }
    assert!(!above.contains(&id), "{} holds itself", shape.name);
    above.push(id);
    each(&shape.kind);
    for part in parts(&shape.kind) {
        each_shape(model, part, above, each);
    }
    above.pop();
}

fn parts(kind: &Kind) -> Vec<ShapeId> {
    if let Kind::Map { key, value, .. } = kind {
        return vec![*key, *value];
    }
    let members = kind.members().iter().map(|member| member.shape);
    members.chain(kind.list().map(|list| list.1)).collect()
}

proptest! {
    #[test]
    fn requests_of_the_model_pass(operation in any_operation(), seed in 1..u64::MAX) {
        let request = sample(Model::get(), operation.input, &mut Dice(seed)).to_string();
        prop_assert_eq!(check_all(operation, request.as_bytes(), Wording::Classic), Ok(()));
    }

    #[test]
    fn what_passes_quickly_passes(
        operation in any_operation(),
        seed in 1..u64::MAX,
        cuts in any_cuts(),
    ) {
        let model = Model::get();
        let request = sample(model, operation.input, &mut Dice(seed)).to_string();
        let mut bytes = request.into_bytes();
        cut(&mut bytes, cuts);
        let checked = check_all(operation, &bytes, Wording::Classic);
        if let Err(fault) = &checked {
            let codes = ["SerializationException", "ValidationException"];
            prop_assert!(codes.contains(&&*fault.code), "{}", fault);
        }
        // What is inside of attribute values, and whether it is JSON there, is seen later.
        let seen = raw::Raw::parse(&bytes)
            .and_then(|request| types::check(model, operation.input, request));
        if seen.is_ok() && quick::is_good(model, operation.input, &bytes) {
            prop_assert_eq!(checked, Ok(()));
        }
    }

    #[test]
    fn any_bytes_get_an_answer(operation in any_operation(), bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = check(operation, &bytes, Wording::Newer);
        let _ = check_all(operation, &bytes, Wording::Classic);
    }
}
