//! Whole payloads, and the bodies and queries that have rules of their own.

use base::name::AccountId;
use base::region::RegionName;
use clock::time::WallTime;
use serde_json::{Value, json};

use super::*;
use crate::arrival::RequestId;
use crate::config::{
    ApiParts, Config, DomainParts, IntegrationParts, MappingParts, OwnEndpoint, StageParts,
    TargetParts,
};
use crate::limits::INTEGRATION_PATIENCE;
use crate::resolve::{Question, Verdict};
use crate::uri::Security;

fn config() -> Config {
    let function = IntegrationParts {
        patience: INTEGRATION_PATIENCE,
        target: TargetParts::Function {
            uri: "arn:aws:lambda:eu-west-1:000000000000:function:cart".to_owned(),
            payload: PayloadFormat::V2,
        },
    };
    let stage = |name: &str, variables: &[(&str, &str)]| StageParts {
        name: name.to_owned(),
        variables: variables
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect(),
        routes: vec![
            ("ANY /cart/{proxy+}".to_owned(), Some(function.clone())),
            ("GET /".to_owned(), Some(function.clone())),
        ],
    };
    let api = ApiParts {
        id: "a1b2c3".to_owned(),
        account: AccountId::DEFAULT,
        name: "shop".to_owned(),
        endpoint: OwnEndpoint::Enabled,
        cors: None,
        sessions: crate::session::Sessions::Off,
        stages: vec![stage("$default", &[]), stage("dev", &[("color", "blue")])],
    };
    let domain = DomainParts {
        name: "api.shop.test".to_owned(),
        certificate: String::new(),
        sessions: crate::session::Sessions::Off,
        mappings: vec![MappingParts {
            key: "v1".to_owned(),
            api: "a1b2c3".to_owned(),
            stage: "dev".to_owned(),
        }],
    };
    let region = RegionName::parse("eu-west-1").unwrap();
    Config::build(&region, vec![api], vec![domain]).0
}

struct Sent<'a> {
    method: Method,
    url: &'a str,
    headers: &'a [(&'static str, &'static str)],
    body: &'a [u8],
}

fn payload_of(format: PayloadFormat, sent: &Sent<'_>) -> Value {
    let config = config();
    let mut headers = HeaderMap::new();
    for (name, value) in sent.headers {
        headers.append(*name, HeaderValue::from_static(value));
    }
    let (authority, rest) = sent.url.split_at(sent.url.find('/').unwrap());
    let (path, query) = match rest.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (rest, None),
    };
    let asked = Question {
        method: &sent.method,
        authority,
        path,
        headers: &headers,
    };
    let Verdict::Serve(plan) = config.resolve(asked) else {
        panic!("{} is served", sent.url);
    };
    let arrival = Arrival {
        client: "203.0.113.9".parse().unwrap(),
        security: Security::Tls,
        port: 443,
        id: RequestId::new(0, 0),
        at: WallTime::from_micros(1_584_039_838_390_000),
    };
    let event = Event {
        plan: &plan,
        method: &sent.method,
        version: Version::HTTP_11,
        path,
        query,
        headers: &headers,
        body: sent.body,
        arrival: &arrival,
    };
    serde_json::from_slice(&payload(format, &event)).unwrap()
}

const POST: Sent<'_> = Sent {
    method: Method::POST,
    url: "api.shop.test/v1/cart/a%20b?x=1&x=2&y=a+b%21&z",
    headers: &[
        ("content-type", "application/json; charset=utf-8"),
        ("x-two", "1"),
        ("x-two", "2"),
        ("cookie", "a=1; b=2"),
        ("cookie", "c=3"),
        ("user-agent", "curl/8"),
    ],
    body: b"{\"q\":\"\xc3\xa9\"}",
};

#[test]
fn format_2_has_every_field() {
    let expect = json!({
        "version": "2.0",
        "routeKey": "ANY /cart/{proxy+}",
        "rawPath": "/cart/a%20b",
        "rawQueryString": "x=1&x=2&y=a+b%21&z",
        "cookies": ["a=1", "b=2", "c=3"],
        "headers": {
            "content-type": "application/json; charset=utf-8",
            "user-agent": "curl/8",
            "x-two": "1,2"
        },
        "queryStringParameters": {"x": "1,2", "y": "a b!", "z": ""},
        "requestContext": {
            "accountId": "000000000000",
            "apiId": "a1b2c3",
            "domainName": "api.shop.test",
            "domainPrefix": "api",
            "http": {
                "method": "POST",
                "path": "/cart/a%20b",
                "protocol": "HTTP/1.1",
                "sourceIp": "203.0.113.9",
                "userAgent": "curl/8"
            },
            "requestId": "AAAAAAAAAAAAAAA=",
            "routeKey": "ANY /cart/{proxy+}",
            "stage": "dev",
            "time": "12/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1_584_039_838_390_i64
        },
        "body": "{\"q\":\"é\"}",
        "pathParameters": {"proxy": "a b"},
        "isBase64Encoded": false,
        "stageVariables": {"color": "blue"}
    });
    assert_eq!(payload_of(PayloadFormat::V2, &POST), expect);
}

#[test]
fn format_2_leaves_out_what_is_absent() {
    let get = Sent {
        method: Method::GET,
        url: "a1b2c3.execute-api.eu-west-1.hither.internal/",
        headers: &[],
        body: b"",
    };
    let payload = payload_of(PayloadFormat::V2, &get);
    let fields: Vec<_> = payload.as_object().unwrap().keys().collect();
    assert_eq!(
        fields,
        [
            "headers",
            "isBase64Encoded",
            "rawPath",
            "rawQueryString",
            "requestContext",
            "routeKey",
            "version"
        ]
    );
    assert_eq!(payload["requestContext"]["stage"], "$default");
    assert_eq!(payload["requestContext"]["http"]["userAgent"], "");
}

#[test]
fn format_1_has_all_values_and_nulls() {
    let payload = payload_of(PayloadFormat::V1, &POST);
    assert_eq!(payload["version"], "1.0");
    assert_eq!(payload["resource"], "/cart/{proxy+}");
    assert_eq!(payload["path"], "/v1/cart/a%20b");
    assert_eq!(payload["headers"]["x-two"], "2");
    assert_eq!(payload["multiValueHeaders"]["x-two"], json!(["1", "2"]));
    assert_eq!(payload["queryStringParameters"]["x"], "2");
    assert_eq!(
        payload["multiValueQueryStringParameters"]["x"],
        json!(["1", "2"])
    );
    assert_eq!(payload["pathParameters"], json!({"proxy": "a b"}));
    assert_eq!(payload["stageVariables"], json!({"color": "blue"}));
    let context = &payload["requestContext"];
    assert_eq!(context["identity"]["sourceIp"], "203.0.113.9");
    assert_eq!(context["requestTime"], "12/Mar/2020:19:03:58 +0000");
    let get = Sent {
        method: Method::GET,
        url: "a1b2c3.execute-api.eu-west-1.hither.internal/",
        headers: &[],
        body: b"",
    };
    let payload = payload_of(PayloadFormat::V1, &get);
    for name in [
        "queryStringParameters",
        "pathParameters",
        "stageVariables",
        "body",
    ] {
        assert_eq!(payload[name], Value::Null, "{name}");
    }
}

#[track_caller]
fn check_body(content_type: Option<&'static str>, body: &[u8], expect: (&str, bool)) {
    let header = content_type.map(|value| ("content-type", value));
    let sent = Sent {
        method: Method::PUT,
        url: "api.shop.test/v1/cart/x",
        headers: header.as_slice(),
        body,
    };
    let payload = payload_of(PayloadFormat::V2, &sent);
    let seen = (
        payload["body"].as_str().unwrap(),
        payload["isBase64Encoded"].as_bool().unwrap(),
    );
    assert_eq!(seen, expect, "{content_type:?}");
}

#[test]
fn only_text_types_stay_text() {
    check_body(Some("text/plain"), b"a\"b\n", ("a\"b\n", false));
    check_body(Some("TEXT/html; charset=x"), b"a", ("a", false));
    check_body(Some("application/xml"), b"a", ("a", false));
    check_body(Some("application/javascript"), b"a", ("a", false));
    check_body(Some("application/json"), b"\xff", ("/w==", true));
    check_body(
        Some("application/x-www-form-urlencoded"),
        b"a=b",
        ("YT1i", true),
    );
    check_body(Some("application/octet-stream"), b"a", ("YQ==", true));
    check_body(None, b"a", ("YQ==", true));
}
