//! Tests of what a request is for.

use base::region::RegionName;
use base::units::ByteCount;
use bytes::Bytes;
use http::Request;

use super::{Regions, Strangers, TargetRegion, body_bytes_max, target};
use crate::caller::Service;

fn regions(strangers: Strangers) -> Regions {
    let name = |text| RegionName::parse(text).expect("a region");
    Regions {
        own: name("us-east-1"),
        all: [name("us-east-1"), name("eu-west-1")].into(),
        strangers,
    }
}

fn signed_for(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=AKID/20150830/{region}/{service}/aws4_request, \
         SignedHeaders=host, Signature=0"
    )
}

/// Checks the service and region, in development.
#[track_caller]
fn check(request: http::request::Builder, service: Service, region: &str) {
    let request = request.body(Bytes::new()).expect("a request");
    let target = target(&regions(Strangers::Own), &request);
    assert_eq!(target.service, service);
    let region = RegionName::parse(region).expect("a region");
    assert_eq!(target.region, TargetRegion::Known(region));
}

#[test]
fn the_scope_decides_first() {
    let request = |region, service| {
        Request::post("/2015-03-31/functions")
            .header("authorization", signed_for(region, service))
            .header("x-amz-target", "CertificateManager.ListCertificates")
    };
    check(
        request("eu-west-1", "dynamodb"),
        Service::DynamoDb,
        "eu-west-1",
    );
    check(
        request("us-east-1", "apigateway"),
        Service::ApiGateway,
        "us-east-1",
    );
    check(
        request("eu-west-1", "sqs"),
        Service::Unknown("sqs".to_owned()),
        "eu-west-1",
    );
}

#[test]
fn streams_are_told_apart_by_their_target() {
    let request = Request::post("/")
        .header("authorization", signed_for("eu-west-1", "dynamodb"))
        .header("x-amz-target", "DynamoDBStreams_20120810.GetRecords");
    check(request, Service::DynamoDbStreams, "eu-west-1");
}

#[test]
fn global_services_are_served_wherever_they_are_asked() {
    let request =
        |service| Request::get("/").header("authorization", signed_for("eu-west-1", service));
    check(request("route53"), Service::Route53, "us-east-1");
    check(request("iam"), Service::Iam, "us-east-1");
    check(request("sts"), Service::Sts, "us-east-1");
}

#[test]
fn regions_of_others_are_ours_in_development_only() {
    let request = || Request::post("/").header("authorization", signed_for("mars-1", "dynamodb"));
    check(request(), Service::DynamoDb, "us-east-1");
    let request = request().body(Bytes::new()).expect("a request");
    let refused = target(&regions(Strangers::Refuse), &request);
    assert_eq!(refused.region, TargetRegion::Unknown("mars-1".to_owned()));
}

#[test]
fn presigned_requests_name_their_scope_in_the_query() {
    let uri = "/?X-Amz-Credential=AKID%2F20150830%2Feu-west-1%2Flambda%2Faws4_request";
    check(Request::get(uri), Service::Lambda, "eu-west-1");
}

#[test]
fn unsigned_requests_go_by_target_path_and_form() {
    let home = "us-east-1";
    let target = |name| Request::post("/").header("x-amz-target", name);
    check(
        target("DynamoDB_20120810.ListTables"),
        Service::DynamoDb,
        home,
    );
    check(
        target("CertificateManager.ListCertificates"),
        Service::Acm,
        home,
    );
    check(
        target("GraniteServiceVersion20100801.ListMetrics"),
        Service::CloudWatch,
        home,
    );
    check(
        Request::post("/service/GraniteServiceVersion20100801/operation/ListMetrics"),
        Service::CloudWatch,
        home,
    );
    check(
        target("TrentService.ListKeys"),
        Service::Unknown("TrentService".to_owned()),
        home,
    );
    check(
        Request::get("/2013-04-01/hostedzone"),
        Service::Route53,
        home,
    );
    check(Request::get("/v2/apis"), Service::ApiGateway, home);
    check(
        Request::get("/2015-03-31/functions/"),
        Service::Lambda,
        home,
    );
    check(Request::get("/2017-03-31/tags/x"), Service::Lambda, home);
    check(
        Request::get("/?Action=GetCallerIdentity&Version=2011-06-15"),
        Service::Sts,
        home,
    );
    check(Request::get("/"), Service::Unknown(String::new()), home);
    let form = Request::post("/")
        .header(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )
        .body(Bytes::from_static(b"Action=ListRoles&Version=2010-05-08"))
        .expect("a request");
    let form = super::target(&regions(Strangers::Own), &form);
    assert_eq!(form.service, Service::Iam);
}

#[test]
fn only_lambda_takes_bodies_as_large_as_functions() {
    let limit = |path: &str| {
        let request = Request::post(path).body(()).expect("a request");
        body_bytes_max(&request)
    };
    assert_eq!(limit("/2015-03-31/functions"), ByteCount::mib(70));
    assert_eq!(limit("/"), ByteCount::mib(16));
    assert_eq!(limit("/v2/apis"), ByteCount::mib(16));
}
