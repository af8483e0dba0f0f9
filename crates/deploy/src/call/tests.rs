//! Tests of commands and requests.

use base::region::RegionName;

use super::{Call, Shape, structure};
use crate::operation::{
    CREATE_STAGE, CREATE_TABLE, GET_STAGE, LIST_RESOURCE_RECORD_SETS, UPDATE_TABLE,
};

fn region() -> RegionName {
    RegionName::parse("eu-west-1").expect("a region")
}

#[test]
fn commands_survive_a_shell() {
    let call = Call::new(CREATE_TABLE, &region())
        .with("TableName", "it's a table; rm -rf $HOME")
        .with("Empty", "");
    insta::assert_snapshot!(
        call.to_string(),
        @r"aws dynamodb create-table --region eu-west-1 --table-name 'it'\''s a table; rm -rf $HOME' --empty ''"
    );
}

#[test]
fn what_shorthand_would_misread_is_json() {
    let with = |value: &str| {
        let member = structure([("B", Shape::from(value)), ("A", 1.into())]);
        Call::new(UPDATE_TABLE, &region())
            .with("X", member)
            .to_string()
    };
    insta::assert_snapshot!(with("plain"), @"aws dynamodb update-table --region eu-west-1 --x B=plain,A=1");
    insta::assert_snapshot!(with("a,b"), @r#"aws dynamodb update-table --region eu-west-1 --x '{"B":"a,b","A":1}'"#);
    insta::assert_snapshot!(with("it's"), @r#"aws dynamodb update-table --region eu-west-1 --x '{"B":"it'\''s","A":1}'"#);
}

#[test]
fn flags_have_their_negative_form() {
    let call = |on: bool| Call::new(CREATE_STAGE, &region()).with("AutoDeploy", on);
    assert!(call(true).to_string().ends_with(" --auto-deploy"));
    assert!(call(false).to_string().ends_with(" --no-auto-deploy"));
}

#[test]
fn parameters_stand_where_the_model_puts_them() {
    let stage = Call::new(GET_STAGE, &region())
        .with("ApiId", "a/b")
        .with("StageName", "$default")
        .encode();
    assert_eq!(stage.target, "/v2/apis/a%2Fb/stages/%24default");
    assert!(stage.body.is_empty() && stage.headers.is_empty());
    let records = Call::new(LIST_RESOURCE_RECORD_SETS, &region())
        .with("HostedZoneId", "Z1")
        .with("StartRecordName", "a b.test")
        .with("StartRecordType", "A")
        .encode();
    assert_eq!(
        records.target,
        "/2013-04-01/hostedzone/Z1/rrset?name=a%20b.test&type=A"
    );
}

#[test]
fn global_services_are_signed_for_their_one_region() {
    let table = Call::new(CREATE_TABLE, &region());
    let records = Call::new(LIST_RESOURCE_RECORD_SETS, &region());
    assert_eq!(table.signing_region(), "eu-west-1");
    assert_eq!(records.signing_region(), "us-east-1");
}
