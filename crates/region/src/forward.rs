//! Calls for another region, handed to that region's endpoint as they came.
//!
//! It verifies nothing: the other region does, by the same signature. Connections are kept, a few
//! to each region, since making one costs a round trip across an ocean.

mod origin;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::time::Instant;

use api_protocol::fault::Fault;
use base::limits::API_BODY_BYTES_MAX;
use base::region::RegionName;
use control::project::ProjectKey;
use net::dial::Dialer;
use net::tasks::Tasks;

use self::origin::{FORWARDED, Seals};
use crate::limits::{FORWARD_CONNECT, FORWARD_IDLE, FORWARD_KEPT_MAX, FORWARD_PATIENCE};

/// Forwards calls to other regions.
pub(crate) struct Forwarder {
    endpoints: BTreeMap<RegionName, SocketAddr>,
    dialer: Dialer,
    seals: Seals,
    tasks: Tasks,
    kept: Mutex<BTreeMap<SocketAddr, Vec<Kept>>>,
}

/// A connection that waits for its next call; the one used last is used first.
struct Kept {
    sender: SendRequest<Full<Bytes>>,
    since: Instant,
}

/// Why a call brought no answer of the region that it is for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ForwardError {
    /// It came from a region that holds this one for the right one.
    #[error("the call for region {0} was forwarded here; this is not it")]
    Misled(RegionName),
    /// The project says nowhere to send it.
    #[error("region {0} has no endpoint in this project")]
    NoEndpoint(RegionName),
    /// Nobody answers there, or not in HTTP.
    #[error("region {region} cannot be reached: {source}")]
    Unreachable {
        region: RegionName,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("region {0} did not answer within {FORWARD_PATIENCE:?}")]
    Late(RegionName),
}

impl ForwardError {
    /// Returns the failure as the caller is told of it.
    ///
    /// Source: DynamoDB API reference, "Common Error Types", for the name that SDKs try again.
    pub(crate) fn fault(&self) -> Fault {
        let text = self.to_string();
        match self {
            Self::Misled(_) => Fault::ourselves(text).with_status(StatusCode::LOOP_DETECTED),
            Self::NoEndpoint(_) => Fault::ourselves(text).with_status(StatusCode::BAD_GATEWAY),
            Self::Unreachable { .. } | Self::Late(_) => Fault::peer("ServiceUnavailable", text),
        }
    }
}

impl Forwarder {
    pub(crate) fn new(
        endpoints: BTreeMap<RegionName, SocketAddr>,
        dialer: Dialer,
        key: &ProjectKey,
    ) -> Self {
        Self {
            endpoints,
            dialer,
            seals: Seals::new(&key.0),
            tasks: Tasks::new(),
            kept: Mutex::default(),
        }
    }

    /// Returns who made a call that another region of the project forwarded; `None` for others.
    pub(crate) fn client(&self, request: &Request<Bytes>) -> Option<IpAddr> {
        self.seals.client(request)
    }

    /// Hands a call that `client` made to `region` and returns its answer.
    ///
    /// Errors: [`ForwardError`] where there is none.
    pub(crate) async fn forward(
        &self,
        region: &RegionName,
        client: IpAddr,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, ForwardError> {
        if request.headers().contains_key(&FORWARDED) {
            return Err(ForwardError::Misled(region.clone()));
        }
        let Some(endpoint) = self.endpoints.get(region) else {
            return Err(ForwardError::NoEndpoint(region.clone()));
        };
        let exchange = self.exchange(*endpoint, client, request);
        match tokio::time::timeout(FORWARD_PATIENCE, exchange).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(source)) => {
                tracing::info!(%region, error = source, "a call could not be forwarded");
                let region = region.clone();
                Err(ForwardError::Unreachable { region, source })
            }
            Err(_) => Err(ForwardError::Late(region.clone())),
        }
    }

    async fn exchange(
        &self,
        endpoint: SocketAddr,
        client: IpAddr,
        request: &Request<Bytes>,
    ) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let mut request = next_hop(request, client, &self.seals)?;
        while let Some(mut sender) = self.take(endpoint) {
            // The other side may have closed it meanwhile.
            if sender.ready().await.is_err() {
                continue;
            }
            match sender.try_send_request(request).await {
                Ok(response) => return self.answer(endpoint, sender, response).await,
                Err(mut error) => match error.take_message() {
                    Some(unsent) => request = unsent,
                    // The call may have been carried out: only its sender knows what to do.
                    None => return Err(error.into_error().into()),
                },
            }
        }
        let stream = self.dialer.connect(endpoint, FORWARD_CONNECT).await?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        self.tasks.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a forwarding connection ended early");
            }
        });
        let response = sender.send_request(request).await?;
        self.answer(endpoint, sender, response).await
    }

    /// Reads an answer to its end, and keeps the connection.
    async fn answer(
        &self,
        endpoint: SocketAddr,
        sender: SendRequest<Full<Bytes>>,
        response: Response<Incoming>,
    ) -> Result<Response<Bytes>, Box<dyn std::error::Error + Send + Sync>> {
        let (mut parts, body) = response.into_parts();
        let body = Limited::new(body, 2 * API_BODY_BYTES_MAX.as_len())
            .collect()
            .await?;
        remove_hop_by_hop(&mut parts.headers);
        self.keep(endpoint, sender);
        Ok(Response::from_parts(parts, body.to_bytes()))
    }

    fn take(&self, endpoint: SocketAddr) -> Option<SendRequest<Full<Bytes>>> {
        let mut all = self.kept();
        let kept = all.get_mut(&endpoint)?;
        // They lie in the order in which they were kept, the oldest first.
        let fresh = kept.partition_point(|kept| FORWARD_IDLE <= kept.since.elapsed());
        kept.drain(..fresh);
        kept.pop().map(|kept| kept.sender)
    }

    fn keep(&self, endpoint: SocketAddr, sender: SendRequest<Full<Bytes>>) {
        let mut all = self.kept();
        let kept = all.entry(endpoint).or_default();
        if !sender.is_closed() && kept.len() < FORWARD_KEPT_MAX {
            let since = Instant::now();
            kept.push(Kept { sender, since });
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<SocketAddr, Vec<Kept>>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a call as it goes on: the same but for what concerns one connection.
fn next_hop(
    request: &Request<Bytes>,
    client: IpAddr,
    seals: &Seals,
) -> Result<Request<Full<Bytes>>, http::Error> {
    let uri = request.uri();
    let mut headers = request.headers().clone();
    // HTTP/2 names the host in the URI; the next hop speaks HTTP/1.1, and the signature covers
    // the host as the client wrote it.
    if let Some(authority) = uri.authority()
        && !headers.contains_key(header::HOST)
    {
        let host = HeaderValue::from_str(authority.as_str())?;
        headers.insert(header::HOST, host);
    }
    remove_hop_by_hop(&mut headers);
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    headers.insert(FORWARDED, seals.mark(client, path, request));
    let mut next = Request::new(Full::new(request.body().clone()));
    *next.method_mut() = request.method().clone();
    *next.uri_mut() = path.parse::<Uri>()?;
    *next.headers_mut() = headers;
    Ok(next)
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
