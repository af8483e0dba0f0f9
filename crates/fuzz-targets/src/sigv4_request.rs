//! Signed requests: who a stranger claims to be, and whether the claim holds.
//!
//! It serves none. Source: IAM user guide, "AWS Signature Version 4".

use std::sync::{Arc, LazyLock};

use api_protocol::dispatch::{self, Regions, Strangers};
use api_protocol::sigv4::{self, Credential, Credentials, SignatureError, Verifier};
use api_protocol::uri::Parameters;
use base::name::AccountId;
use base::region::RegionName;
use bytes::Bytes;
use clock::time::WallTime;
use http::{Method, Request};
use iam::credentials::Secret;
use iam::identity::Identity;

/// Takes a request: method and target in the first line, headers, an empty line, the body.
pub fn run(data: &[u8]) {
    let Some(request) = request(data) else {
        return;
    };
    let _ = sigv4::credential(&request);
    let _ = dispatch::target(&REGIONS, &request);
    let _ = Parameters::of_uri(request.uri());
    if VERIFIER.verify(NOW, &request).is_err() {
        return;
    }
    let mut other = request.clone();
    *other.method_mut() = Method::PATCH;
    assert!(
        *request.method() == Method::PATCH || VERIFIER.verify(NOW, &other).is_err(),
        "the method is signed: {request:?}"
    );
    let mut late = request;
    let body = [late.body(), b"more".as_slice()].concat();
    *late.body_mut() = Bytes::from(body);
    let unsigned = late
        .headers()
        .get("x-amz-content-sha256")
        .is_some_and(|hash| !hash.as_bytes().iter().all(u8::is_ascii_hexdigit));
    let by_query = late
        .uri()
        .query()
        .is_some_and(|query| query.contains("X-Amz"));
    assert!(
        unsigned || by_query || VERIFIER.verify(NOW, &late).is_err(),
        "the body is signed: {late:?}"
    );
}

/// Reads a request as it is written in an input.
pub(crate) fn request(data: &[u8]) -> Option<Request<Bytes>> {
    let end = data.windows(2).position(|pair| pair == b"\n\n");
    let (head, body) = data.split_at(end.unwrap_or(data.len()));
    let mut lines = head.split(|byte| *byte == b'\n');
    let first = lines.next()?;
    let space = first.iter().position(|byte| *byte == b' ')?;
    let (method, target) = (first.get(..space)?, first.get(space + 1..)?);
    let mut request = Request::builder()
        .method(Method::from_bytes(method).ok()?)
        .uri(target);
    for line in lines {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let value = line.get(colon + 1..)?.trim_ascii();
        request = request.header(line.get(..colon)?, value);
    }
    let body = Bytes::copy_from_slice(body.get(2..).unwrap_or_default());
    request.body(body).ok()
}

/// The keys that there are.
pub(crate) struct Keys;

impl Credentials for Keys {
    fn find(
        &self,
        _: WallTime,
        access_key: &str,
        token: Option<&str>,
    ) -> Result<Credential, SignatureError> {
        match (access_key, token) {
            ("AKIDEXAMPLE", _) | ("ASIATEMPORARY", Some("the token")) => Ok(Credential {
                secret: Secret::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"),
                identity: Arc::new(Identity::root(AccountId::DEFAULT)),
            }),
            _ => Err(SignatureError::UnknownKey),
        }
    }
}

static VERIFIER: LazyLock<Verifier> = LazyLock::new(|| Verifier::new(Arc::new(Keys)));

static REGIONS: LazyLock<Regions> = LazyLock::new(|| {
    let own = RegionName::parse("us-east-1").expect("a region");
    Regions {
        all: [own.clone()].into(),
        own,
        strangers: Strangers::Refuse,
    }
});

/// 2015-08-30 12:36:00 UTC, when AWS's published example was signed.
pub(crate) const NOW: WallTime = WallTime::from_micros(1_440_938_160_000_000);
