//! Tests of the verifier, with AWS's own signer as the oracle.

mod oracle;
mod property;

use std::sync::Arc;

use base::name::AccountId;
use bytes::Bytes;
use clock::time::WallTime;
use http::Request;
use iam::credentials::Secret;
use iam::identity::Identity;

use super::{Credential, Credentials, Scope, SignatureError, Verifier, credential};
use crate::caller::Wire;
use oracle::{KEY, NOW, OTHER_KEY, Order, SECRET, signed};

/// Two keys of one account, with different secrets, and a temporary one.
struct Keys;

impl Credentials for Keys {
    fn find(
        &self,
        _: WallTime,
        access_key: &str,
        token: Option<&str>,
    ) -> Result<Credential, SignatureError> {
        let secret = match (access_key, token) {
            (KEY, _) | ("ASIATEMPORARY", Some("the token")) => SECRET,
            (OTHER_KEY, _) => "another secret",
            ("ASIATEMPORARY", Some("an old token")) => return Err(SignatureError::ExpiredToken),
            _ => return Err(SignatureError::UnknownKey),
        };
        let account = AccountId::parse("123456789012").expect("twelve digits");
        Ok(Credential {
            secret: Secret::new(secret),
            identity: Arc::new(Identity::root(account)),
        })
    }
}

fn verifier() -> Verifier {
    Verifier::new(Arc::new(Keys))
}

fn verify(request: &Request<Bytes>) -> Result<String, SignatureError> {
    verify_at(0, request)
}

/// Verifies when the clock has moved `secs` on from the time of signing.
fn verify_at(secs: i64, request: &Request<Bytes>) -> Result<String, SignatureError> {
    let now = WallTime::from_micros(NOW.as_micros() + secs * 1_000_000);
    verifier()
        .verify(now, request)
        .map(|verified| verified.access_key)
}

fn replaced(mut request: Request<Bytes>, from: &str, to: &str) -> Request<Bytes> {
    let header = &request.headers()["authorization"];
    let text = header.to_str().expect("it is ASCII").replace(from, to);
    let value = text.parse().expect("it stays a header value");
    request.headers_mut().insert("authorization", value);
    request
}

/// The worked example of AWS's documentation: its signature is published.
#[test]
fn the_published_example_is_right() {
    let request = Request::get("https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08")
        .header("host", "iam.amazonaws.com")
        .header(
            "content-type",
            "application/x-www-form-urlencoded; charset=utf-8",
        )
        .header("x-amz-date", "20150830T123600Z")
        .header(
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, \
             SignedHeaders=content-type;host;x-amz-date, \
             Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        )
        .body(Bytes::new())
        .expect("a request");
    assert_eq!(verify(&request), Ok(KEY.to_owned()));
}

#[test]
fn what_is_missing_is_all_named() {
    let request = |authorization: Option<&str>, query: &str| {
        let mut request = Request::post(format!("/{query}"));
        if let Some(authorization) = authorization {
            request = request.header("authorization", authorization);
        }
        request.body(Bytes::new()).expect("a request")
    };
    let error = |authorization, query| {
        verify(&request(authorization, query))
            .expect_err("nothing is signed")
            .to_string()
    };
    insta::assert_snapshot!(error(None, ""), @"Request is missing Authentication Token");
    insta::assert_snapshot!(error(Some("Bearer x"), ""), @"Request is missing Authentication Token");
    insta::assert_snapshot!(
        error(Some("AWS4-HMAC-SHA256 Signature=0"), ""),
        @"Authorization header requires 'Credential' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=AWS4-HMAC-SHA256 Signature=0"
    );
    insta::assert_snapshot!(
        error(Some("AWS4-HMAC-SHA256 "), "?X-Amz-Algorithm=AWS4-HMAC-SHA256"),
        @"Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."
    );
    insta::assert_snapshot!(
        error(None, "?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Date=x"),
        @"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. Re-examine the query-string parameters."
    );
    insta::assert_snapshot!(
        error(Some("AWS4-ECDSA-P256-SHA256 Credential=x"), ""),
        @"Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256'. "
    );
}

#[test]
fn dates_outside_of_the_window_are_refused_in_awss_words() {
    let request = signed(&Order::default());
    assert_eq!(verify_at(300, &request), Ok(KEY.to_owned()));
    assert_eq!(verify_at(-300, &request), Ok(KEY.to_owned()));
    insta::assert_snapshot!(
        verify_at(301, &request).expect_err("too old"),
        @"Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"
    );
    insta::assert_snapshot!(
        verify_at(-301, &request).expect_err("too new"),
        @"Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"
    );
}

#[test]
fn presigned_requests_live_as_long_as_they_say() {
    let order = Order {
        expires_secs: Some(3_600),
        ..Order::default()
    };
    let request = signed(&order);
    assert_eq!(verify_at(3_600, &request), Ok(KEY.to_owned()));
    assert!(matches!(
        verify_at(3_601, &request),
        Err(SignatureError::Expired { .. })
    ));
    assert!(matches!(
        verify_at(-301, &request),
        Err(SignatureError::NotYetCurrent { .. })
    ));
    let too_long = signed(&Order {
        expires_secs: Some(604_801),
        ..Order::default()
    });
    assert!(matches!(
        verify(&too_long),
        Err(SignatureError::Incomplete(_))
    ));
}

#[test]
fn the_scope_is_part_of_what_is_verified() {
    let request = || signed(&Order::default());
    let day = replaced(request(), "/20150830/", "/20150831/");
    insta::assert_snapshot!(
        verify(&day).expect_err("another day"),
        @"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20150831' != '20150830', from '20150830T123600Z'."
    );
    for (from, to) in [("/us-east-1/", "/eu-west-1/"), ("/dynamodb/", "/lambda/")] {
        let moved = replaced(request(), from, to);
        assert_eq!(verify(&moved), Err(SignatureError::Mismatch), "{to}");
    }
    let cut = replaced(request(), "/aws4_request", "");
    assert!(matches!(verify(&cut), Err(SignatureError::Credential(_))));
    let other = replaced(request(), KEY, OTHER_KEY);
    assert_eq!(verify(&other), Err(SignatureError::Mismatch));
    let unknown = replaced(request(), KEY, "AKIDUNKNOWN");
    assert_eq!(verify(&unknown), Err(SignatureError::UnknownKey));
}

#[test]
fn temporary_keys_need_their_token() {
    let order = |token: Option<&'static str>| {
        signed(&Order {
            access_key: "ASIATEMPORARY",
            token,
            ..Order::default()
        })
    };
    assert!(verify(&order(Some("the token"))).is_ok());
    for token in [None, Some("another token")] {
        assert_eq!(verify(&order(token)), Err(SignatureError::UnknownKey));
    }
    let old = verify(&order(Some("an old token")));
    assert_eq!(old, Err(SignatureError::ExpiredToken));
    let needless = Order {
        token: Some("ignored"),
        ..Order::default()
    };
    assert!(verify(&signed(&needless)).is_ok());
}

#[test]
fn headers_that_decide_must_be_signed() {
    let mut request = signed(&Order::default());
    let target = "DynamoDB_20120810.DeleteTable".parse().expect("a value");
    request.headers_mut().insert("x-amz-target", target);
    insta::assert_snapshot!(
        verify(&request).expect_err("the target is not signed"),
        @"'x-amz-target' must be a 'SignedHeader' in the AWS Authorization."
    );
    let hostless = replaced(
        signed(&Order::default()),
        "SignedHeaders=host;",
        "SignedHeaders=",
    );
    insta::assert_snapshot!(
        verify(&hostless).expect_err("the host is not signed"),
        @"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
    );
}

#[test]
fn a_body_left_out_of_the_signature_is_refused() {
    let order = Order {
        unsigned_payload: true,
        body: b"one body".to_vec(),
        ..Order::default()
    };
    let mut request = signed(&order);
    assert_eq!(verify(&request), Err(SignatureError::Mismatch));
    let streaming = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
        .parse()
        .expect("a value");
    request
        .headers_mut()
        .insert("x-amz-content-sha256", streaming);
    assert_eq!(verify(&request), Err(SignatureError::Mismatch));
}

#[test]
fn http2_requests_carry_the_host_in_their_uri() {
    let mut request = signed(&Order::default());
    let host = request.headers_mut().remove("host").expect("it was signed");
    let host = host.to_str().expect("it is ASCII");
    *request.uri_mut() = format!("http://{host}/").parse().expect("a URI");
    assert!(verify(&request).is_ok());
}

#[test]
fn only_right_signatures_fill_the_cache() {
    let verifier = verifier();
    let right = signed(&Order::default());
    for _ in 0..3 {
        assert!(verifier.verify(NOW, &right).is_ok());
    }
    for region in 0..9 {
        let name = format!("/region-{region}/");
        let wrong = replaced(signed(&Order::default()), "/us-east-1/", &name);
        assert!(verifier.verify(NOW, &wrong).is_err());
    }
    assert_eq!(verifier.keys.len(), 1);
}

#[test]
fn a_changed_secret_does_not_live_on_in_the_cache() {
    let keys = super::keys::SigningKeys::default();
    let scope = Scope::parse("K/20150830/us-east-1/dynamodb/aws4_request").expect("five parts");
    let tag = |secret: &str| {
        keys.with(&scope, &Secret::new(secret), |key| {
            Ok::<_, ()>(super::hmac::sign(key, b"x").as_ref().to_vec())
        })
    };
    let first = tag("old");
    assert_eq!(tag("old"), first);
    assert_ne!(tag("new"), first);
    assert_ne!(tag("new"), tag("old"));
}

#[test]
fn secrets_are_not_shown() {
    let shown = format!("{:?} {:?}", Keys.find(NOW, KEY, None), verifier());
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn codes_and_statuses_follow_the_protocol() {
    let of = |error: SignatureError, wire| {
        let fault = error.fault(wire);
        (fault.code.into_owned(), fault.status.as_u16())
    };
    let code = |code: &str, status: u16| (code.to_owned(), status);
    assert_eq!(
        of(SignatureError::Mismatch, Wire::Json10),
        code("InvalidSignatureException", 400)
    );
    assert_eq!(
        of(SignatureError::UnknownKey, Wire::RestJson),
        code("UnrecognizedClientException", 403)
    );
    assert_eq!(
        of(SignatureError::ExpiredToken, Wire::Json10),
        code("ExpiredTokenException", 400)
    );
    assert_eq!(
        of(SignatureError::ExpiredToken, Wire::Query),
        code("ExpiredToken", 403)
    );
    assert_eq!(
        of(SignatureError::Mismatch, Wire::RestXml),
        code("SignatureDoesNotMatch", 403)
    );
    assert_eq!(
        of(SignatureError::Missing, Wire::Query),
        code("MissingAuthenticationToken", 403)
    );
}

#[test]
fn credentials_are_found_where_they_stand() {
    let header = signed(&Order::default());
    let query = signed(&Order {
        expires_secs: Some(60),
        ..Order::default()
    });
    for request in [header, query] {
        let text = credential(&request).expect("it is signed");
        let scope = Scope::parse(&text).expect("five parts");
        assert_eq!((scope.access_key, scope.region), (KEY, "us-east-1"));
        assert_eq!((scope.day, scope.service), ("20150830", "dynamodb"));
    }
}
