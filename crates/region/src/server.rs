//! The one endpoint of all AWS APIs: HTTP in, the right facade or region, HTTP out.
//!
//! It knows no operation. Requests for another region are forwarded to it as they came.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use api_protocol::caller::{Caller, Service};
use api_protocol::dispatch::{self, Target, TargetRegion};
use api_protocol::front::{self, Admission, Front};
use base::region::RegionName;
use net::tasks::Tasks;
use store::port::Store;

use crate::admin::Admin;
use crate::forward::Forwarder;
use crate::limits::{
    ACCEPT_PAUSE, BODY_PATIENCE, CONNECTIONS_MAX, DISCARD_PATIENCE, DISCARDED_BYTES_MAX,
    HEAD_PATIENCE, STREAMS_MAX,
};
use crate::ports::Functions;

/// What the endpoint serves with.
pub(crate) struct Endpoint<S: Store> {
    pub(crate) front: Front,
    pub(crate) region: RegionName,
    pub(crate) facades: Facades<S>,
    pub(crate) forwarder: Forwarder,
    pub(crate) admin: Admin<S>,
    pub(crate) room: Room,
}

/// The facades, one a service.
pub(crate) struct Facades<S: Store> {
    pub(crate) dynamodb: Arc<api_dynamodb::facade::DynamoDb<S>>,
    pub(crate) route53: api_route53::facade::Route53<S>,
    pub(crate) apigateway: api_apigateway::facade::ApiGateway<S>,
    pub(crate) lambda: api_lambda::lambda::Lambda<S, Functions>,
    pub(crate) acm: api_acm::facade::Acm<S>,
    pub(crate) iam: api_iam::facade::Iam<S>,
    pub(crate) sts: api_sts::identity::Sts<S>,
}

impl<S: Store> Endpoint<S> {
    /// Answers one request; it never fails.
    async fn serve(&self, client: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let response = if path.starts_with("/_hither/") || path == "/_localstack/health" {
            self.admin.serve(client, request, &self.room).await
        } else {
            self.serve_api(client, request).await
        };
        response.map(Full::new)
    }

    async fn serve_api(&self, client: SocketAddr, request: Request<Incoming>) -> Response<Bytes> {
        let limit = dispatch::body_bytes_max(&request).as_len();
        // The room is held until the answer is made.
        let (request, _held) = match whole(request, limit, &self.room).await {
            Ok(request) => request,
            Err(response) => return response,
        };
        let target = self.front.target(&request);
        if let Target {
            service,
            region: TargetRegion::Known(region),
        } = &target
            && *region != self.region
            && !service.is_global()
        {
            let forwarded = self.forwarder.forward(region, client.ip(), &request).await;
            return forwarded.unwrap_or_else(|error| {
                let service = service.clone();
                let headers = request.headers();
                self.front.refuse(service, headers, &error.fault())
            });
        }
        let client = self
            .forwarder
            .client(&request)
            .unwrap_or_else(|| client.ip());
        match self.front.admit(target, Some(client), request) {
            Admission::Answer(response) => response,
            Admission::Call(call) => {
                let front::Call {
                    caller,
                    request,
                    cors,
                } = *call;
                let mut response = self.facades.serve(&caller, request).await;
                cors.apply(&mut response);
                response
            }
        }
    }
}

impl<S: Store> Facades<S> {
    async fn serve(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        match &caller.service {
            Service::DynamoDb | Service::DynamoDbStreams => {
                self.dynamodb.handle(caller, request).await
            }
            Service::Route53 => self.route53.handle(caller, request).await,
            Service::ApiGateway => self.apigateway.handle(caller, request).await,
            Service::Lambda => self.lambda.handle(caller, request).await,
            Service::Acm => self.acm.handle(caller, request).await,
            Service::Sts => self.sts.handle(caller, &request),
            Service::Iam => self.iam.handle(caller, &request).await,
            Service::ExecuteApi | Service::Unknown(_) => front::unknown_service(caller, &request),
        }
    }
}

/// Room for requests' bodies: what callers send takes a bounded part of the memory.
pub(crate) struct Room(Semaphore);

/// Room that is taken until this is dropped.
pub(crate) type Held<'a> = Option<SemaphorePermit<'a>>;

impl Room {
    pub(crate) fn new(bytes: usize) -> Self {
        Self(Semaphore::new(bytes))
    }

    /// Waits for room for so many bytes more.
    async fn hold<'a>(&'a self, bytes: usize, held: &mut Held<'a>) {
        let bytes = u32::try_from(bytes).unwrap_or(u32::MAX);
        let Ok(more) = self.0.acquire_many(bytes).await else {
            debug_assert!(false, "the room is never closed");
            return;
        };
        match held {
            Some(held) => held.merge(more),
            None => *held = Some(more),
        }
    }
}

/// Reads a request's body, up to its limit, as far as there is room.
pub(crate) async fn whole(
    request: Request<Incoming>,
    limit: usize,
    room: &Room,
) -> Result<(Request<Bytes>, Held<'_>), Response<Bytes>> {
    let (parts, mut body) = request.into_parts();
    let reading = read(Limited::new(&mut body, limit), room);
    match tokio::time::timeout(BODY_PATIENCE, reading).await {
        Ok(Ok((body, held))) => Ok((Request::from_parts(parts, body), held)),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            // Who still sends when the connection closes is told of a reset, and not of this.
            let discarding = discard(&mut body, DISCARDED_BYTES_MAX);
            drop(tokio::time::timeout(DISCARD_PATIENCE, discarding).await);
            Err(plain(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the request's body is longer than {limit} bytes\n"),
            ))
        }
        Ok(Err(error)) => Err(plain(StatusCode::BAD_REQUEST, format!("{error}\n"))),
        Err(_) => Err(plain(
            StatusCode::REQUEST_TIMEOUT,
            format!("the request's body did not come within {BODY_PATIENCE:?}\n"),
        )),
    }
}

async fn read<B>(mut body: B, room: &Room) -> Result<(Bytes, Held<'_>), B::Error>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (mut read, mut held) = (BytesMut::new(), None);
    let mut first = Bytes::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame?.into_data() else {
            continue;
        };
        room.hold(data.len(), &mut held).await;
        if first.is_empty() && read.is_empty() {
            // A short body comes in one piece, which is not copied.
            first = data;
        } else {
            read.extend_from_slice(&std::mem::take(&mut first));
            read.extend_from_slice(&data);
        }
    }
    let body = if read.is_empty() {
        first
    } else {
        read.freeze()
    };
    Ok((body, held))
}

/// Reads on to the end of a body that nobody wants, up to so many bytes.
async fn discard<B>(body: &mut B, bytes_max: usize)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = bytes_max;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, Bytes::len);
        let Some(rest) = left.checked_sub(length) else {
            return;
        };
        left = rest;
    }
}

/// Makes an answer of plain text.
pub(crate) fn plain(status: StatusCode, text: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(text));
    *response.status_mut() = status;
    let kind = http::HeaderValue::from_static("text/plain; charset=utf-8");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Serves the endpoint at listeners until the tasks are cancelled.
pub(crate) fn serve<S: Store>(
    listeners: [Option<TcpListener>; 2],
    endpoint: &Arc<Endpoint<S>>,
    tasks: &Arc<Tasks>,
) {
    let dynamodb = Arc::clone(&endpoint.facades.dynamodb);
    tasks.spawn(async move { dynamodb.follow_lags().await });
    for listener in listeners.into_iter().flatten() {
        listen(listener, endpoint, tasks);
    }
}

/// Accepts connections until the tasks are cancelled; each lives on until it has drained.
fn listen<S: Store>(listener: TcpListener, endpoint: &Arc<Endpoint<S>>, tasks: &Arc<Tasks>) {
    let (endpoint, owner) = (Arc::clone(endpoint), Arc::clone(tasks));
    tasks.spawn(async move {
        let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else {
                return;
            };
            match listener.accept().await {
                Ok((stream, client)) => {
                    let endpoint = Arc::clone(&endpoint);
                    let token = owner.token();
                    owner.spawn_draining(converse(stream, client, endpoint, token, place));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    });
}

async fn converse<S: Store>(
    stream: TcpStream,
    client: SocketAddr,
    endpoint: Arc<Endpoint<S>>,
    token: net::tasks::Token,
    place: OwnedSemaphorePermit,
) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| {
        let endpoint = Arc::clone(&endpoint);
        async move { Ok::<_, Infallible>(endpoint.serve(client, request).await) }
    });
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(STREAMS_MAX)
        .max_pending_accept_reset_streams(Some(32))
        .max_local_error_reset_streams(Some(256))
        .keep_alive_interval(Some(Duration::from_secs(20)));
    let connection = builder.serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = token.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%client, error, "a connection of the API endpoint ended early");
    }
    drop(place);
}

#[cfg(test)]
mod tests;
