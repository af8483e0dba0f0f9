//! Requests signed by AWS's own signer.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SignatureLocation,
    SigningSettings, UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use clock::time::WallTime;
use http::Request;

pub(super) const KEY: &str = "AKIDEXAMPLE";
pub(super) const OTHER_KEY: &str = "AKIDOTHER";
/// The secret of AWS's published examples.
pub(super) const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
/// 2015-08-30 12:36:00 UTC.
pub(super) const NOW: WallTime = WallTime::from_micros(1_440_938_160_000_000);

/// A request to be signed.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) access_key: &'static str,
    pub(super) token: Option<&'static str>,
    pub(super) service: &'static str,
    pub(super) method: &'static str,
    pub(super) path_and_query: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) expires_secs: Option<u64>,
    pub(super) hash_header: bool,
    pub(super) unsigned_payload: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self {
            access_key: KEY,
            token: None,
            service: "dynamodb",
            method: "POST",
            path_and_query: "/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            expires_secs: None,
            hash_header: false,
            unsigned_payload: false,
        }
    }
}

/// Signs as an SDK does, and returns the request as a server receives it.
pub(super) fn signed(order: &Order) -> Request<Bytes> {
    let uri = format!("http://127.0.0.11:4566{}", order.path_and_query);
    let identity = Credentials::new(
        order.access_key,
        SECRET,
        order.token.map(str::to_owned),
        None,
        "tests",
    )
    .into();
    let micros = u64::try_from(NOW.as_micros()).expect("after 1970");
    let params = SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(order.service)
        .time(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
        .settings(settings(order))
        .build()
        .expect("all parts are given");
    let body = if order.unsigned_payload {
        SignableBody::UnsignedPayload
    } else {
        SignableBody::Bytes(&order.body)
    };
    let headers = order
        .headers
        .iter()
        .map(|(name, value)| (&**name, &**value));
    let signable =
        SignableRequest::new(order.method, &uri, headers, body).expect("a signable request");
    let (instructions, _) = sign(signable, &params.into())
        .expect("it can be signed")
        .into_parts();
    let mut request = Request::builder().method(order.method).uri(&uri);
    for (name, value) in &order.headers {
        request = request.header(name, value);
    }
    let mut request = request
        .body(Bytes::from(order.body.clone()))
        .expect("a request");
    instructions.apply_to_request_http1x(&mut request);
    received(request)
}

/// Moves the authority into the header, as HTTP/1.1 sends it.
fn received(mut request: Request<Bytes>) -> Request<Bytes> {
    let authority = request.uri().authority().expect("it was absolute").as_str();
    let host = authority.parse().expect("a header value");
    request.headers_mut().insert("host", host);
    let path = request.uri().path_and_query().cloned().expect("a path");
    *request.uri_mut() = path.into();
    request
}

fn settings(order: &Order) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if let Some(secs) = order.expires_secs {
        settings.signature_location = SignatureLocation::QueryParams;
        settings.expires_in = Some(Duration::from_secs(secs));
    }
    if order.hash_header || order.unsigned_payload {
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    if order.service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
    }
    settings
}
