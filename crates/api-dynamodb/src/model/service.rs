//! What the service does that its model does not say, put into the model when it is read.
//!
//! It is about requests alone. Source: DynamoDB API reference, "Common Errors"; DynamoDB service
//! model 2012-08-10; answers of the service in us-east-1.

use super::facts::{Bounds, Kind, Member, Model, ShapeId, Told};
use crate::limits::RECORDS_MAX;

/// Puts what the service does into the model.
pub(super) fn amend(model: &mut Model) {
    order_choices(model);
    name_tables(model);
    bound_keys(model);
    bound_records(model);
    for (structure, member, missing) in MISSING {
        for member in members_named(model, structure, member) {
            member.missing = Some(missing);
        }
    }
    for (structure, member) in REWORDED {
        for member in members_named(model, structure, member) {
            member.told = Told::Newer;
        }
    }
    for member in ["AttributeDefinitions", "KeySchema"] {
        for member in members_named(model, "CreateTableInput", member) {
            member.required = true;
        }
    }
}

/// Orders choices as messages do. Where it is not known, the model's order stays.
fn order_choices(model: &mut Model) {
    for shape in model.shapes_mut() {
        let known = CHOICES.iter().find(|(name, _)| *name == shape.name);
        if let (Kind::Choice(choices), Some((_, order))) = (&mut shape.kind, known) {
            let place = |choice: &&str| order.split(' ').position(|other| other == *choice);
            choices.sort_by_key(place);
        }
    }
}

/// Makes names of tables what they are: a name or an ARN, of which the model knows the latter.
fn name_tables(model: &mut Model) {
    for shape in model.shapes_mut() {
        if shape.name == "TableArn" {
            shape.kind = Kind::Table { min: 1 };
        }
    }
    let made = model.add("TableArn", Kind::Table { min: 3 });
    for member in members_named(model, "CreateTableInput", "TableName") {
        member.shape = made;
    }
}

/// Bounds the keys of tables and local indexes; global ones have up to four attributes each way.
fn bound_keys(model: &mut Model) {
    let Some(key) = model.named("KeySchema") else {
        return;
    };
    let wide = model.add("KeySchema", model.shape(key).kind.clone());
    for structure in ["GlobalSecondaryIndex", "CreateGlobalSecondaryIndexAction"] {
        for member in members_named(model, structure, "KeySchema") {
            member.shape = wide;
        }
    }
    let bound = |model: &mut Model, id: ShapeId, most: i64| {
        if let Kind::List { bounds, .. } = &mut model.shape_mut(id).kind {
            let max = Some(most);
            *bounds = Bounds { max, ..*bounds };
        }
    };
    bound(model, key, 2);
    bound(model, wide, 8);
}

/// Bounds how many records one call reads.
fn bound_records(model: &mut Model) {
    let bounds = Bounds {
        min: Some(1),
        max: i64::try_from(RECORDS_MAX).ok(),
    };
    let limit = model.add("GetRecordsLimit", Kind::Integer(bounds));
    for member in members_named(model, "GetRecordsInput", "Limit") {
        member.shape = limit;
    }
}

fn members_named<'m>(
    model: &'m mut Model,
    structure: &'static str,
    member: &'static str,
) -> impl Iterator<Item = &'m mut Member> {
    let shapes = model
        .shapes_mut()
        .filter(move |shape| shape.name == structure);
    let members = shapes.filter_map(|shape| {
        if let Kind::Structure(members) = &mut shape.kind {
            Some(members)
        } else {
            None
        }
    });
    members.flatten().filter(move |one| one.name == member)
}

/// Returns whether a text is of a pattern; the patterns are those of the model.
pub(super) fn is_of(pattern: &str, text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_alphanumeric();
    match pattern {
        NAME => is_name(text),
        "[0-9]{12}" => text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit()),
        "([0-9a-f]{16})+" => {
            let hex = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            !text.is_empty() && text.len().is_multiple_of(16) && text.bytes().all(hex)
        }
        r"[,;:|\t ]" => matches!(text, "," | ";" | ":" | "|" | "\t" | " "),
        r"[\x20-\x21\x23-\x2B\x2D-\x7E]*" => text
            .chars()
            .all(|c| matches!(c, ' '..='~') && c != '"' && c != ','),
        r"\p{Print}+" => !text.is_empty() && text.chars().all(|c| matches!(c, ' '..='~')),
        r"^[^\$]+$" => !text.is_empty() && !text.contains('$'),
        r"^[a-z0-9A-Z]+[\.\-\w]*[a-z0-9A-Z]+$" => {
            let inner = |c: char| alphanumeric(c) || matches!(c, '.' | '-' | '_');
            text.len() >= 2
                && text.starts_with(alphanumeric)
                && text.ends_with(alphanumeric)
                && text.chars().all(inner)
        }
        // Everything that XML can hold.
        _ => text
            .chars()
            .all(|c| c >= ' ' || matches!(c, '\r' | '\n' | '\t')),
    }
}

/// Returns whether a text is of [`NAME`].
pub(super) fn is_name(text: &str) -> bool {
    let part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    !text.is_empty() && text.bytes().all(part)
}

/// What names of tables and indexes are made of.
pub(super) const NAME: &str = "[a-zA-Z0-9_.-]+";

/// Longest name of a table. 255 characters.
/// Source: DynamoDB service model, `TableName`.
pub(super) const NAME_CHARS_MAX: i64 = 255;

/// Longest ARN of a table. 1,024 characters.
/// Source: DynamoDB service model, `TableArn`.
pub(super) const ARN_CHARS_MAX: i64 = 1024;

/// Choices in the order of messages, which is that of a hash set over there.
pub(super) const CHOICES: &[(&str, &str)] = &[
    ("AttributeAction", "ADD PUT DELETE"),
    ("BillingMode", "PROVISIONED PAY_PER_REQUEST"),
    (
        "ComparisonOperator",
        "IN NULL BETWEEN LT NOT_CONTAINS EQ GT NOT_NULL NE LE BEGINS_WITH GE CONTAINS",
    ),
    ("ConditionalOperator", "OR AND"),
    ("KeyType", "HASH RANGE"),
    ("ProjectionType", "ALL INCLUDE KEYS_ONLY"),
    ("ReturnConsumedCapacity", "INDEXES TOTAL NONE"),
    ("ReturnItemCollectionMetrics", "SIZE NONE"),
    (
        "ReturnValue",
        "ALL_NEW UPDATED_OLD ALL_OLD NONE UPDATED_NEW",
    ),
    ("ReturnValuesOnConditionCheckFailure", "ALL_OLD NONE"),
    ("ScalarAttributeType", "B N S"),
    (
        "Select",
        "SPECIFIC_ATTRIBUTES COUNT ALL_ATTRIBUTES ALL_PROJECTED_ATTRIBUTES",
    ),
    (
        "StreamViewType",
        "NEW_AND_OLD_IMAGES OLD_IMAGE NEW_IMAGE KEYS_ONLY",
    ),
    ("TableClass", "STANDARD STANDARD_INFREQUENT_ACCESS"),
];

/// Members whose absence, or emptiness, is told in words of its own.
const MISSING: &[(&str, &str, &str)] = &[
    (
        "CreateTableInput",
        "TableName",
        "The parameter 'TableName' is required but was not present in the request",
    ),
    (
        "BatchGetItemInput",
        "RequestItems",
        "The requestItems parameter is required for BatchGetItem",
    ),
    (
        "BatchWriteItemInput",
        "RequestItems",
        "The requestItems parameter is required for BatchWriteItem",
    ),
];

/// Members of which the newer words are used everywhere already.
const REWORDED: &[(&str, &str)] = &[("QueryInput", "Limit"), ("KeysAndAttributes", "Keys")];
