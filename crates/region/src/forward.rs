//! Calls for another region, handed to that region's endpoint as they came.
//!
//! It verifies nothing: the other region does, by the same signature.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use base::limits::API_BODY_BYTES_MAX;
use base::region::RegionName;
use net::dial::Dialer;
use net::tasks::Tasks;

use crate::limits::{FORWARD_CONNECT, FORWARD_PATIENCE};
use crate::server::plain;

/// Forwards calls to other regions.
pub(crate) struct Forwarder {
    endpoints: BTreeMap<RegionName, SocketAddr>,
    dialer: Dialer,
    tasks: Tasks,
}

/// Marks a call that was forwarded, so that two regions with different views of the project
/// cannot hand it back and forth.
const FORWARDED: HeaderName = HeaderName::from_static("x-hither-forwarded");

impl Forwarder {
    pub(crate) fn new(endpoints: BTreeMap<RegionName, SocketAddr>, dialer: Dialer) -> Self {
        Self {
            endpoints,
            dialer,
            tasks: Tasks::new(),
        }
    }

    /// Hands a call to `region` and returns its answer.
    pub(crate) async fn forward(
        &self,
        region: &RegionName,
        request: Request<Bytes>,
    ) -> Response<Bytes> {
        if request.headers().contains_key(&FORWARDED) {
            let text = format!("the call for region {region} was forwarded here; this is not it\n");
            return plain(StatusCode::LOOP_DETECTED, text);
        }
        let Some(endpoint) = self.endpoints.get(region) else {
            let text = format!("region {region} has no endpoint in this project\n");
            return plain(StatusCode::BAD_GATEWAY, text);
        };
        match tokio::time::timeout(FORWARD_PATIENCE, self.exchange(*endpoint, request)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => {
                tracing::info!(%region, error, "a call could not be forwarded");
                let text = format!("region {region} cannot be reached: {error}\n");
                plain(StatusCode::SERVICE_UNAVAILABLE, text)
            }
            Err(_) => {
                let text = format!("region {region} did not answer within {FORWARD_PATIENCE:?}\n");
                plain(StatusCode::SERVICE_UNAVAILABLE, text)
            }
        }
    }

    async fn exchange(
        &self,
        endpoint: SocketAddr,
        request: Request<Bytes>,
    ) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let stream = self.dialer.connect(endpoint, FORWARD_CONNECT).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a forwarding connection ended early");
            }
        });
        let (mut parts, body) = request.into_parts();
        // HTTP/2 names the host in the URI; the next hop speaks HTTP/1.1, and the signature
        // covers the host as the client wrote it.
        if let Some(authority) = parts.uri.authority()
            && !parts.headers.contains_key(header::HOST)
        {
            let host = HeaderValue::from_str(authority.as_str())?;
            parts.headers.insert(header::HOST, host);
        }
        let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
        parts.uri = path.parse::<Uri>()?;
        parts.version = http::Version::HTTP_11;
        remove_hop_by_hop(&mut parts.headers);
        parts
            .headers
            .insert(FORWARDED, HeaderValue::from_static("1"));
        let response = sender
            .send_request(Request::from_parts(parts, Full::new(body)))
            .await?;
        let (mut parts, body) = response.into_parts();
        let body = Limited::new(body, 2 * API_BODY_BYTES_MAX.as_len())
            .collect()
            .await?;
        remove_hop_by_hop(&mut parts.headers);
        Ok(Response::from_parts(parts, body.to_bytes()))
    }
}

/// Removes what holds for one connection only.
///
/// Source: RFC 9110 §7.6.1; `Expect` is answered by this hop, too.
fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| name.trim().parse().ok())
        .collect();
    for name in named {
        // Named or not, these belong to the call: its signature covers them.
        if name != header::HOST && name != header::AUTHORIZATION {
            headers.remove(name);
        }
    }
    for name in [
        header::CONNECTION,
        header::EXPECT,
        header::PROXY_AUTHENTICATE,
        header::TE,
        header::TRAILER,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
        HeaderName::from_static("keep-alive"),
        HeaderName::from_static("proxy-connection"),
    ] {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests;
