//! The facts are whole, and the table of operations is that of the model.

use std::collections::BTreeSet;

use crate::coverage;
use crate::model::facts::{Kind, Model};
use crate::operations::{OPERATIONS, Support};

#[test]
fn the_model_has_all_operations() {
    let model = Model::get();
    let count = |target: &str| {
        let operations = model.operations().iter();
        operations.filter(|one| one.target == target).count()
    };
    assert_eq!(count("DynamoDB_20120810"), 62);
    assert_eq!(count("DynamoDBStreams_20120810"), 4);
}

#[test]
fn each_operation_of_the_model_is_served_or_refused_with_a_reason() {
    let modelled: BTreeSet<&str> = Model::get()
        .operations()
        .iter()
        .map(|one| one.name)
        .collect();
    let ours: BTreeSet<&str> = OPERATIONS.iter().map(|one| one.0).collect();
    assert_eq!(ours, modelled);
    assert_eq!(ours.len(), OPERATIONS.len(), "each stands there once");
    for (name, support) in OPERATIONS {
        if let Support::Refused(why) = support {
            assert!(!why.is_empty(), "{name}");
        }
    }
}

#[test]
fn the_page_of_operations_is_the_table() {
    let page = include_str!("../../../../docs/reference/dynamodb.md");
    let made = coverage::page();
    let differs = page
        .lines()
        .zip(made.lines())
        .find(|(ours, made)| ours != made);
    assert_eq!(differs, None, "run `cargo xtask model`");
    assert_eq!(page.lines().count(), made.lines().count());
}

#[test]
fn facts_are_read_whole() {
    let model = Model::get();
    let get = model.operation("DynamoDB_20120810", "GetItem").unwrap();
    let Kind::Structure(members) = &model.shape(get.input).kind else {
        panic!("a request is a structure");
    };
    let shown = members.iter().map(|member| {
        let shape = model.shape(member.shape).name;
        format!(
            "{}{} {shape}",
            member.name,
            if member.required { "!" } else { "" }
        )
    });
    let expected = [
        "TableName! TableArn",
        "Key! Key",
        "AttributesToGet AttributeNameList",
        "ConsistentRead ConsistentRead",
        "ReturnConsumedCapacity ReturnConsumedCapacity",
        "ProjectionExpression ProjectionExpression",
        "ExpressionAttributeNames ExpressionAttributeNameMap",
    ];
    assert_eq!(shown.collect::<Vec<_>>(), expected);
    assert!(
        model
            .operation("DynamoDBStreams_20120810", "GetItem")
            .is_none()
    );
    // Streams' table names are its own shape, although it has the same name.
    let list = model
        .operation("DynamoDBStreams_20120810", "ListStreams")
        .unwrap();
    assert_eq!(model.shape(list.input).name, "ListStreamsInput");
    assert_eq!(
        list.errors,
        ["ResourceNotFoundException", "InternalServerError"]
    );
}
