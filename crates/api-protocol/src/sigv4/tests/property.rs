//! Whatever AWS's signer signs is let in; whatever is changed afterwards is not.

use bytes::Bytes;
use http::header::HeaderName;
use http::{HeaderValue, Request};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, ProptestConfig, Strategy, any, proptest};
use proptest::sample::{Index, select};
use proptest::{prop_assert, prop_assert_eq, prop_oneof};

use super::oracle::{KEY, Order, signed};
use super::{replaced, verify};

fn orders() -> impl Strategy<Value = Order> {
    let services = select(vec!["dynamodb", "route53", "lambda", "execute-api", "s3"]);
    let methods = select(vec!["GET", "POST", "PUT", "DELETE"]);
    // Encoded bytes in the path may be any; in the query the oracle reads them as UTF-8.
    let path = "(/([a-zA-Z0-9._~!$&'()*+,;=:@-]|%[0-9A-F]{2}|\\.|\\.\\.){0,5}){1,5}";
    let pair =
        "([a-zA-Z0-9._~+-]|%[2-7][0-9A-F]|%C3%A9){0,5}(=([a-zA-Z0-9._~+=/-]|%2[0-9a-f]){0,5})?";
    let names = select(vec![
        "content-type",
        "x-amz-target",
        "my-header",
        "x-amz-meta-b",
        "accept",
    ]);
    let headers = vec(
        (names.prop_map(str::to_owned), "[!-~]?[ -~]{0,12}[!-~]?"),
        0..5,
    );
    let body = vec(any::<u8>(), 0..64);
    let place = prop_oneof![Just(None), (1_u64..604_800).prop_map(Some)];
    let token = option::of(Just("a/session+token=="));
    (
        (services, methods, path, vec(pair, 0..4)),
        (headers, body, place, token, any::<bool>()),
    )
        .prop_map(|((service, method, path, pairs), rest)| {
            let (headers, body, expires_secs, token, hash_header) = rest;
            let query = pairs.join("&");
            let path_and_query = if query.is_empty() {
                path
            } else {
                format!("{path}?{query}")
            };
            Order {
                access_key: KEY,
                token,
                service,
                method,
                path_and_query,
                headers,
                body,
                expires_secs,
                // A presigned request has no header of its hash.
                hash_header: hash_header && expires_secs.is_none(),
                unsigned_payload: false,
            }
        })
}

/// Ways to change a signed request so that it says something else.
#[derive(Clone, Copy, Debug)]
enum Mutation {
    Method,
    Path,
    Query,
    Body,
    HeaderValue,
    HeaderTwice,
    HeaderGone,
    Signature,
    SignedHeaders,
    UnsignedTarget,
}

fn mutations() -> impl Strategy<Value = Mutation> {
    select(vec![
        Mutation::Method,
        Mutation::Path,
        Mutation::Query,
        Mutation::Body,
        Mutation::HeaderValue,
        Mutation::HeaderTwice,
        Mutation::HeaderGone,
        Mutation::Signature,
        Mutation::SignedHeaders,
        Mutation::UnsignedTarget,
    ])
}

fn mutated(mut request: Request<Bytes>, mutation: Mutation, at: Index) -> Request<Bytes> {
    match mutation {
        Mutation::Method => *request.method_mut() = http::Method::PATCH,
        Mutation::Path => with_uri(&mut request, |path, query| (format!("{path}/x"), query)),
        Mutation::Query => with_uri(&mut request, |path, query| (path, format!("{query}&zz=1"))),
        Mutation::Body => {
            let mut body = request.body().to_vec();
            if body.is_empty() {
                body.push(0);
            } else {
                let at = at.index(body.len());
                body[at] ^= 1;
            }
            *request.body_mut() = body.into();
        }
        Mutation::HeaderValue => {
            let name = signed_header(&request, at);
            let value = &request.headers()[&name];
            let value = HeaderValue::from_bytes(&[value.as_bytes(), b"x"].concat());
            let value = value.expect("still visible");
            request.headers_mut().insert(name, value);
        }
        Mutation::HeaderTwice => {
            let name = signed_header(&request, at);
            let value = request.headers()[&name].clone();
            request.headers_mut().append(name, value);
        }
        Mutation::HeaderGone => {
            let name = signed_header(&request, at);
            request.headers_mut().remove(name);
        }
        Mutation::Signature => return with_other_signature(request, at),
        Mutation::SignedHeaders => {
            return if request.headers().contains_key("authorization") {
                replaced(request, "SignedHeaders=", "SignedHeaders=accept-encoding;")
            } else {
                with_uri(&mut request, |path, query| {
                    (path, query.replace("SignedHeaders=", "SignedHeaders=a%3B"))
                });
                request
            };
        }
        Mutation::UnsignedTarget => {
            let value = HeaderValue::from_static("DynamoDB_20120810.DeleteTable");
            request.headers_mut().insert("x-amz-decider", value);
        }
    }
    request
}

fn with_uri(request: &mut Request<Bytes>, change: impl FnOnce(String, String) -> (String, String)) {
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let (path, query) = change(path, query);
    *request.uri_mut() = format!("{path}?{query}").parse().expect("still a URI");
}

fn with_other_signature(mut request: Request<Bytes>, at: Index) -> Request<Bytes> {
    let changed = |text: &str, marker: &str| {
        let start = text.find(marker).expect("it is signed") + marker.len();
        let at = start + at.index(64);
        let other = if &text[at..=at] == "0" { "1" } else { "0" };
        format!("{}{other}{}", &text[..at], &text[at + 1..])
    };
    if let Some(header) = request.headers().get("authorization") {
        let text = changed(header.to_str().expect("ASCII"), "Signature=");
        let value = text.parse().expect("a value");
        request.headers_mut().insert("authorization", value);
    } else {
        with_uri(&mut request, |path, query| {
            (path, changed(&query, "X-Amz-Signature="))
        });
    }
    request
}

fn signed_header(request: &Request<Bytes>, at: Index) -> HeaderName {
    let authorization = request.headers().get("authorization");
    let names: Vec<HeaderName> = request
        .headers()
        .keys()
        .filter(|name| *name != "authorization")
        // Another date is refused for its own reason, before the signature is looked at.
        .filter(|name| authorization.is_none() || *name != "x-amz-date")
        .cloned()
        .collect();
    at.get(&names).clone()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn what_the_official_signer_signs_is_let_in(order in orders()) {
        let request = signed(&order);
        prop_assert_eq!(verify(&request), Ok(KEY.to_owned()), "{:?}", request);
    }

    #[test]
    fn what_is_changed_afterwards_is_refused(
        order in orders(),
        mutation in mutations(),
        at in any::<Index>(),
    ) {
        let request = mutated(signed(&order), mutation, at);
        prop_assert!(verify(&request).is_err(), "{:?}: {:?}", mutation, request);
    }

    #[test]
    fn no_text_makes_the_verifier_panic(
        header in "(AWS4-HMAC-SHA256 )?[ -~]{0,80}",
        query in "(X-Amz-[A-Za-z]{1,10}=[!-~&&[^#]]{0,12}&?){0,4}",
        date in "[0-9TZ]{0,17}",
    ) {
        let request = Request::get(format!("/?{query}"))
            .header("authorization", header)
            .header("x-amz-date", date)
            .body(Bytes::new());
        if let Ok(request) = request {
            prop_assert!(verify(&request).is_err());
        }
    }
}
