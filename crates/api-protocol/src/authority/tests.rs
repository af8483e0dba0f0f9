//! Tests of what callers may do, and of the words in which they may not.

use std::sync::Arc;

use base::name::AccountId;
use base::region::RegionName;
use http::HeaderValue;
use iam::identity::Identity;
use iam::kind::Kind;
use iam::policy::Policy;
use iam::principal::Principal;

use crate::caller::{Authority, Caller, Service};
use crate::request_id::RequestId;

fn caller(service: Service, statement: &str) -> Caller {
    let document = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
    let policy = Policy::compile("own", &document, Kind::Inline).expect("a policy");
    let account = AccountId::DEFAULT;
    let identity = Identity {
        principal: Principal::user(account, "/", "anna", "AIDAANNA"),
        policies: vec![Arc::new(policy)],
        ..Identity::root(account)
    };
    let region = RegionName::parse("eu-west-1").expect("a region");
    let mut caller = Caller::internal(service, region, RequestId::from_bits([7; 4]));
    caller.authority = Authority::Checked(Arc::new(identity));
    caller.circumstances.source = Some([192, 0, 2, 7].into());
    caller.circumstances.user_agent = Some(HeaderValue::from_static("aws-cli/2"));
    caller
}

const ZONE: &str = "arn:aws:route53:::hostedzone/Z1";

#[test]
fn what_no_policy_allows_is_refused_in_each_services_words() {
    let refused = |service| {
        let nothing = r#"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#;
        let fault = caller(service, nothing)
            .check("route53:GetHostedZone", ZONE)
            .expect_err("nothing allows it");
        format!("{} {fault}", fault.status.as_u16())
    };
    insta::assert_snapshot!(
        refused(Service::Route53),
        @"403 AccessDenied: User: arn:aws:iam::000000000000:user/anna is not authorized to perform: route53:GetHostedZone on resource: arn:aws:route53:::hostedzone/Z1 because no identity-based policy allows the route53:GetHostedZone action"
    );
    assert!(refused(Service::DynamoDb).starts_with("400 AccessDeniedException: "));
    assert!(refused(Service::Lambda).starts_with("403 AccessDeniedException: "));
}

#[test]
fn conditions_look_at_how_a_request_came() {
    for (condition, is_allowed) in [
        (r#""IpAddress":{"aws:SourceIp":"192.0.2.0/24"}"#, true),
        (r#""IpAddress":{"aws:SourceIp":"198.51.100.0/24"}"#, false),
        (r#""Bool":{"aws:SecureTransport":"true"}"#, false),
        (r#""Bool":{"aws:SecureTransport":"false"}"#, true),
        (r#""StringLike":{"aws:UserAgent":"aws-cli/*"}"#, true),
        (
            r#""StringEquals":{"aws:RequestedRegion":"eu-west-1"}"#,
            true,
        ),
        (
            r#""StringEquals":{"aws:RequestedRegion":"us-east-1"}"#,
            false,
        ),
        (r#""StringEquals":{"aws:username":"anna"}"#, true),
        (
            r#""DateLessThan":{"aws:CurrentTime":"1970-01-02T00:00:00Z"}"#,
            true,
        ),
        (r#""NumericGreaterThan":{"aws:EpochTime":"1"}"#, false),
    ] {
        let statement = format!(
            r#"{{"Effect":"Allow","Action":"route53:*","Resource":"*","Condition":{{{condition}}}}}"#
        );
        let caller = caller(Service::Route53, &statement);
        let answer = caller.check("route53:GetHostedZone", ZONE);
        assert_eq!(answer.is_ok(), is_allowed, "{condition}");
    }
}

/// Whether a condition lets something be, in a statement that allows, and in one that denies.
fn effects(condition: &str) -> (bool, bool) {
    let may = |statements: &str| {
        let caller = caller(Service::Route53, statements);
        caller.check("route53:GetHostedZone", ZONE).is_ok()
    };
    let one = |effect: &str| {
        format!(
            r#"{{"Effect":"{effect}","Action":"*","Resource":"*","Condition":{{{condition}}}}}"#
        )
    };
    let all = r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#;
    (may(&one("Allow")), may(&format!("{all},{}", one("Deny"))))
}

#[test]
fn what_is_always_true_of_a_users_call_is_known() {
    const APPLIES: (bool, bool) = (true, false);
    const DOES_NOT: (bool, bool) = (false, true);
    for (condition, expect) in [
        (r#""Bool":{"aws:PrincipalIsAWSService":"false"}"#, APPLIES),
        (
            r#""BoolIfExists":{"aws:PrincipalIsAWSService":"true"}"#,
            DOES_NOT,
        ),
        (r#""Bool":{"aws:ViaAWSService":"false"}"#, APPLIES),
        (r#""Null":{"aws:CalledVia":"true"}"#, APPLIES),
        (r#""Null":{"aws:SourceArn":"true"}"#, APPLIES),
        (r#""StringEquals":{"aws:PrincipalType":"User"}"#, APPLIES),
        (
            r#""StringEquals":{"aws:PrincipalAccount":"000000000000"}"#,
            APPLIES,
        ),
        (
            r#""ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::*:user/a*"}"#,
            DOES_NOT,
        ),
        // Keys that last have neither second factor nor moment of issue.
        (r#""Bool":{"aws:MultiFactorAuthPresent":"false"}"#, DOES_NOT),
        (
            r#""BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}"#,
            APPLIES,
        ),
        (
            r#""DateLessThan":{"aws:TokenIssueTime":"2099-01-01T00:00:00Z"}"#,
            DOES_NOT,
        ),
        (r#""Null":{"aws:PrincipalTag/team":"true"}"#, APPLIES),
    ] {
        assert_eq!(effects(condition), expect, "{condition}");
    }
}

#[test]
fn what_is_not_known_of_a_call_is_closed() {
    for condition in [
        r#""StringEquals":{"aws:PrincipalOrgID":"o-1"}"#,
        r#""StringNotEqualsIfExists":{"aws:SourceVpce":"vpce-1"}"#,
        r#""Null":{"aws:SourceVpc":"true"}"#,
        // This service's resources and requests have tags, which the check is not told.
        r#""StringNotEquals":{"aws:ResourceTag/team":"a"}"#,
        r#""ForAllValues:StringEquals":{"aws:TagKeys":"team"}"#,
    ] {
        assert_eq!(effects(condition), (false, false), "{condition}");
    }
}

#[test]
fn whoever_is_not_checked_and_the_root_user_may_do_all() {
    let deny = r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#;
    let mut caller = caller(Service::Route53, deny);
    assert!(caller.check("route53:GetHostedZone", ZONE).is_err());
    caller.authority = Authority::Checked(Arc::new(Identity::root(AccountId::DEFAULT)));
    assert!(caller.check("route53:GetHostedZone", ZONE).is_ok());
    caller.authority = Authority::Unchecked;
    assert!(caller.check("route53:GetHostedZone", ZONE).is_ok());
}
