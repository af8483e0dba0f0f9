//! A call as a signed HTTP request, by AWS's own signer.

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use bytes::Bytes;
use clock::time::WallTime;
use http::Request;
use http::header::HOST;
use http_body_util::Full;

use super::{ClientError, Endpoint, Transport};
use crate::call::Call;

/// Makes the signed request of a call.
pub(super) fn request(
    call: &Call,
    endpoint: &Endpoint,
    credentials: &Credentials,
    now: WallTime,
) -> Result<Request<Full<Bytes>>, ClientError> {
    let unsigned = |source: Box<dyn std::error::Error + Send + Sync>| ClientError::Unsigned {
        operation: call.operation.name,
        source,
    };
    let encoded = call.encode();
    let scheme = match endpoint.transport {
        Transport::Plain => "http",
        Transport::Tls(_) => "https",
    };
    let uri = format!("{scheme}://{}{}", endpoint.authority, encoded.target);
    let headers = encoded
        .headers
        .iter()
        .map(|(name, value)| (*name, &**value));
    let headers = headers.chain([("host", &*endpoint.authority)]);
    let body = SignableBody::Bytes(&encoded.body);
    let signable = SignableRequest::new(encoded.method, &uri, headers, body)
        .map_err(|error| unsigned(error.into()))?;
    let identity = credentials.clone().into();
    let micros = u64::try_from(now.as_micros()).unwrap_or(0);
    let service = call.operation.api.service();
    let params = SigningParams::builder()
        .identity(&identity)
        .region(call.signing_region())
        .name(service.signing_name())
        .time(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| unsigned(error.into()))?;
    let (instructions, _) = sign(signable, &params.into())
        .map_err(|error| unsigned(error.into()))?
        .into_parts();
    let mut request = Request::builder()
        .method(encoded.method)
        .uri(&encoded.target)
        .header(HOST, &endpoint.authority);
    for (name, value) in &encoded.headers {
        request = request.header(*name, value);
    }
    let mut request = request
        .body(Full::new(encoded.body.clone()))
        .map_err(|error| unsigned(error.into()))?;
    instructions.apply_to_request_http1x(&mut request);
    Ok(request)
}
