//! Access to single items and attributes, as DynamoDB's guide shows it.
//!
//! Source: DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control".

use iam::principal::Principal;

use crate::world::Given::{self, Many, One};
use crate::world::{Givens, INDEX, TABLE, account, allows, anna};

#[track_caller]
fn check(statement: &str, asked: (&str, &str), givens: Givens, expect: bool) {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let found = allows(&text, &anna(), asked, givens);
    assert_eq!(found, expect, "{asked:?} with {givens:?}");
}

/// Items whose partition key is the user.
const OWN_ITEMS: &str = r#"{"Effect":"Allow",
    "Action":["dynamodb:GetItem","dynamodb:BatchGetItem","dynamodb:Query","dynamodb:PutItem",
              "dynamodb:UpdateItem","dynamodb:DeleteItem","dynamodb:BatchWriteItem"],
    "Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/scores",
    "Condition":{"ForAllValues:StringEquals":{"dynamodb:LeadingKeys":"${aws:username}"}}}"#;

#[test]
fn only_items_of_ones_own_key() {
    let own: Givens = &[("dynamodb:LeadingKeys", Many(&["anna"]))];
    let mixed: Givens = &[("dynamodb:LeadingKeys", Many(&["anna", "bert"]))];
    for action in [
        "GetItem",
        "Query",
        "PutItem",
        "UpdateItem",
        "DeleteItem",
        "BatchWriteItem",
    ] {
        let action = format!("dynamodb:{action}");
        check(OWN_ITEMS, (&action, TABLE), own, true);
        check(
            OWN_ITEMS,
            (&action, TABLE),
            &[("dynamodb:LeadingKeys", Many(&["bert"]))],
            false,
        );
        check(OWN_ITEMS, (&action, TABLE), mixed, false);
    }
    // A scan has no leading keys, which is why the guide leaves it out of the actions.
    check(OWN_ITEMS, ("dynamodb:Scan", TABLE), &[], false);
    check(OWN_ITEMS, ("dynamodb:Query", INDEX), own, false);
    let case: Givens = &[("dynamodb:LeadingKeys", Many(&["Anna"]))];
    check(OWN_ITEMS, ("dynamodb:GetItem", TABLE), case, false);
}

#[test]
fn a_key_without_a_user_belongs_to_nobody() {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{OWN_ITEMS}]}}"#);
    let role = Principal::role(account(), "/", "r", "AROAREADERREADERREADE", "s");
    let asked = ("dynamodb:GetItem", TABLE);
    assert!(!allows(
        &text,
        &role,
        asked,
        &[("dynamodb:LeadingKeys", Many(&["anna"]))]
    ));
    assert!(!allows(
        &text,
        &role,
        asked,
        &[("dynamodb:LeadingKeys", Many(&[""]))]
    ));
}

/// Two attributes, to be read, written or compared.
const SOME_ATTRIBUTES: &str = r#"{"Effect":"Allow",
    "Action":["dynamodb:UpdateItem","dynamodb:GetItem","dynamodb:Query","dynamodb:BatchGetItem",
              "dynamodb:Scan"],
    "Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/scores",
    "Condition":{
        "ForAllValues:StringEquals":{"dynamodb:Attributes":["player","top"]},
        "StringEqualsIfExists":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES",
            "dynamodb:ReturnValues":["NONE","UPDATED_OLD","UPDATED_NEW"]}}}"#;

#[test]
fn only_some_attributes() {
    const TWO: (&str, Given) = ("dynamodb:Attributes", Many(&["player", "top"]));
    const THREE: (&str, Given) = ("dynamodb:Attributes", Many(&["player", "top", "email"]));
    const SPECIFIC: (&str, Given) = ("dynamodb:Select", One("SPECIFIC_ATTRIBUTES"));
    const ALL: (&str, Given) = ("dynamodb:Select", One("ALL_ATTRIBUTES"));
    let (get, query, update) = ("dynamodb:GetItem", "dynamodb:Query", "dynamodb:UpdateItem");
    check(SOME_ATTRIBUTES, (get, TABLE), &[TWO], true);
    check(SOME_ATTRIBUTES, (get, TABLE), &[THREE], false);
    check(
        SOME_ATTRIBUTES,
        (get, TABLE),
        &[("dynamodb:Attributes", Many(&["top"]))],
        true,
    );
    check(SOME_ATTRIBUTES, (query, TABLE), &[TWO, SPECIFIC], true);
    check(SOME_ATTRIBUTES, (query, TABLE), &[TWO, ALL], false);
    check(SOME_ATTRIBUTES, (query, TABLE), &[THREE, SPECIFIC], false);
    check(
        SOME_ATTRIBUTES,
        (update, TABLE),
        &[TWO, ("dynamodb:ReturnValues", One("NONE"))],
        true,
    );
    check(
        SOME_ATTRIBUTES,
        (update, TABLE),
        &[TWO, ("dynamodb:ReturnValues", One("UPDATED_NEW"))],
        true,
    );
    check(
        SOME_ATTRIBUTES,
        (update, TABLE),
        &[TWO, ("dynamodb:ReturnValues", One("ALL_OLD"))],
        false,
    );
    check(
        SOME_ATTRIBUTES,
        (update, TABLE),
        &[TWO, ("dynamodb:ReturnValues", One("ALL_NEW"))],
        false,
    );
    check(SOME_ATTRIBUTES, ("dynamodb:PutItem", TABLE), &[TWO], false);
    check(
        SOME_ATTRIBUTES,
        ("dynamodb:Scan", TABLE),
        &[TWO, SPECIFIC],
        true,
    );
    check(
        SOME_ATTRIBUTES,
        ("dynamodb:Scan", TABLE),
        &[TWO, ("dynamodb:Select", One("COUNT"))],
        false,
    );
}

#[test]
fn attributes_by_pattern() {
    let statement = SOME_ATTRIBUTES
        .replace("ForAllValues:StringEquals", "ForAllValues:StringLike")
        .replace(r#""top""#, r#""public_*""#);
    let get = ("dynamodb:GetItem", TABLE);
    check(
        &statement,
        get,
        &[("dynamodb:Attributes", Many(&["player", "public_name"]))],
        true,
    );
    check(
        &statement,
        get,
        &[("dynamodb:Attributes", Many(&["player", "private"]))],
        false,
    );
}

/// All attributes but two, in updates.
const ALL_BUT_SOME: &str = r#"{"Effect":"Allow","Action":"dynamodb:UpdateItem",
    "Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/scores",
    "Condition":{
        "ForAllValues:StringNotLike":{"dynamodb:Attributes":["credit","boss_*"]},
        "StringEquals":{"dynamodb:ReturnValues":["NONE","UPDATED_OLD","UPDATED_NEW"]}}}"#;

#[test]
fn no_update_of_certain_attributes() {
    const NONE: (&str, Given) = ("dynamodb:ReturnValues", One("NONE"));
    let update = ("dynamodb:UpdateItem", TABLE);
    check(
        ALL_BUT_SOME,
        update,
        &[NONE, ("dynamodb:Attributes", Many(&["player", "top"]))],
        true,
    );
    check(
        ALL_BUT_SOME,
        update,
        &[NONE, ("dynamodb:Attributes", Many(&["top", "credit"]))],
        false,
    );
    check(
        ALL_BUT_SOME,
        update,
        &[NONE, ("dynamodb:Attributes", Many(&["boss_level"]))],
        false,
    );
    check(
        ALL_BUT_SOME,
        update,
        &[("dynamodb:Attributes", Many(&["top"]))],
        false,
    );
    let old: Givens = &[
        ("dynamodb:ReturnValues", One("ALL_OLD")),
        ("dynamodb:Attributes", Many(&["top"])),
    ];
    check(ALL_BUT_SOME, update, old, false);
}

/// What an index has been given, and no more.
const INDEX_ONLY: &str = r#"{"Effect":"Allow","Action":"dynamodb:Query",
    "Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/scores/index/best",
    "Condition":{
        "ForAllValues:StringEquals":{"dynamodb:Attributes":["when","game","wins"]},
        "StringEquals":{"dynamodb:Select":"SPECIFIC_ATTRIBUTES"}}}"#;

#[test]
fn only_an_index_and_what_it_has() {
    const SPECIFIC: (&str, Given) = ("dynamodb:Select", One("SPECIFIC_ATTRIBUTES"));
    let query = "dynamodb:Query";
    let two: Givens = &[SPECIFIC, ("dynamodb:Attributes", Many(&["when", "game"]))];
    check(INDEX_ONLY, (query, INDEX), two, true);
    check(INDEX_ONLY, (query, TABLE), two, false);
    check(INDEX_ONLY, ("dynamodb:Scan", INDEX), two, false);
    let other: Givens = &[SPECIFIC, ("dynamodb:Attributes", Many(&["when", "losses"]))];
    check(INDEX_ONLY, (query, INDEX), other, false);
    check(
        INDEX_ONLY,
        (query, INDEX),
        &[("dynamodb:Attributes", Many(&["when"]))],
        false,
    );
    let projected = r#"{"Effect":"Allow","Action":"dynamodb:Query",
        "Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/scores/index/best",
        "Condition":{"StringEquals":{"dynamodb:Select":"ALL_PROJECTED_ATTRIBUTES"}}}"#;
    let all: Givens = &[("dynamodb:Select", One("ALL_PROJECTED_ATTRIBUTES"))];
    check(projected, (query, INDEX), all, true);
    check(projected, (query, INDEX), &[SPECIFIC], false);
}

const OWN: (&str, Given) = ("dynamodb:LeadingKeys", Many(&["anna"]));
const NOT_OWN: (&str, Given) = ("dynamodb:LeadingKeys", Many(&["bert"]));
const AB: (&str, Given) = ("dynamodb:Attributes", Many(&["a", "b"]));
const ABC: (&str, Given) = ("dynamodb:Attributes", Many(&["a", "b", "c"]));

#[test]
fn keys_and_attributes_together() {
    let both = r#"{"Effect":"Allow",
        "Action":["dynamodb:UpdateItem","dynamodb:GetItem","dynamodb:Query"],
        "Resource":["arn:aws:dynamodb:eu-west-1:111122223333:table/scores",
                    "arn:aws:dynamodb:eu-west-1:111122223333:table/scores/index/best"],
        "Condition":{"ForAllValues:StringEquals":{
            "dynamodb:LeadingKeys":["${aws:username}"],"dynamodb:Attributes":["a","b"]}}}"#;
    for at in [TABLE, INDEX] {
        check(both, ("dynamodb:Query", at), &[OWN, AB], true);
        check(both, ("dynamodb:Query", at), &[NOT_OWN, AB], false);
        check(both, ("dynamodb:Query", at), &[OWN, ABC], false);
    }
}

#[test]
fn other_keys_of_the_service() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    // PartiQL without a scan.
    let no_scan = format!(
        r#"{all},{{"Effect":"Deny","Action":"dynamodb:PartiQLSelect","Resource":"*",
           "Condition":{{"Bool":{{"dynamodb:FullTableScan":"true"}}}}}}"#
    );
    let select = ("dynamodb:PartiQLSelect", TABLE);
    check(
        &no_scan,
        select,
        &[("dynamodb:FullTableScan", One("true"))],
        false,
    );
    check(
        &no_scan,
        select,
        &[("dynamodb:FullTableScan", One("false"))],
        true,
    );
    check(&no_scan, select, &[], true);
    // Only in transactions.
    let enclosed = r#"{"Effect":"Allow","Action":["dynamodb:PutItem","dynamodb:GetItem"],
        "Resource":"*","Condition":{"ForAnyValue:StringEquals":{
            "dynamodb:EnclosingOperation":["TransactWriteItems","TransactGetItems"]}}}"#;
    let put = ("dynamodb:PutItem", TABLE);
    let inside: Givens = &[("dynamodb:EnclosingOperation", One("TransactWriteItems"))];
    check(enclosed, put, inside, true);
    check(
        enclosed,
        put,
        &[("dynamodb:EnclosingOperation", One("BatchWriteItem"))],
        false,
    );
    check(enclosed, put, &[], false);
    let capacity = r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{
        "StringEquals":{"dynamodb:ReturnConsumedCapacity":"TOTAL"}}}"#;
    check(
        capacity,
        put,
        &[("dynamodb:ReturnConsumedCapacity", One("TOTAL"))],
        true,
    );
    check(
        capacity,
        put,
        &[("dynamodb:ReturnConsumedCapacity", One("NONE"))],
        false,
    );
}

#[test]
fn keys_of_any_service() {
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    let put = ("dynamodb:PutItem", TABLE);
    let region = format!(
        r#"{all},{{"Effect":"Deny","NotAction":"iam:*","Resource":"*","Condition":{{
           "StringNotEquals":{{"aws:RequestedRegion":["eu-west-1","eu-central-1"]}}}}}}"#
    );
    check(
        &region,
        put,
        &[("aws:RequestedRegion", One("eu-west-1"))],
        true,
    );
    check(
        &region,
        put,
        &[("aws:RequestedRegion", One("us-east-1"))],
        false,
    );
    check(
        &region,
        ("iam:GetUser", "*"),
        &[("aws:RequestedRegion", One("us-east-1"))],
        true,
    );
    let tagged = r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"*","Condition":{
        "StringEquals":{"aws:ResourceTag/Team":"${aws:PrincipalTag/Team}"}}}"#;
    let same: Givens = &[
        ("aws:ResourceTag/Team", One("a")),
        ("aws:PrincipalTag/Team", One("a")),
    ];
    check(tagged, put, same, true);
    check(tagged, put, &[("aws:ResourceTag/Team", One("a"))], false);
    check(tagged, put, &[], false);
}
