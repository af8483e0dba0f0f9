//! The one endpoint of all AWS APIs: HTTP in, the right facade or region, HTTP out.
//!
//! It knows no operation. Requests for another region are forwarded to it as they came.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use api_protocol::caller::{Caller, Service};
use api_protocol::dispatch::{self, Target, TargetRegion};
use api_protocol::front::{self, Admission, Front};
use base::region::RegionName;
use gateway::seen::Seen;
use net::tasks::Tasks;
use store::port::Store;

use crate::admin::Admin;
use crate::bodies::{Room, Unread, whole};
use crate::forward::Forwarder;
use crate::limits::{ACCEPT_PAUSE, CONNECTIONS_MAX, HEAD_PATIENCE, STREAMS_MAX};
use crate::ports::Functions;
use crate::sessions;

/// What the endpoint serves with.
pub(crate) struct Endpoint<S: Store> {
    pub(crate) front: Front,
    pub(crate) region: RegionName,
    pub(crate) facades: Facades<S>,
    pub(crate) forwarder: Forwarder,
    pub(crate) admin: Admin<S>,
    pub(crate) room: Room,
    pub(crate) seen: Seen,
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
    pub(crate) cloudwatch: api_cloudwatch::facade::CloudWatch<S>,
}

impl<S: Store> Endpoint<S> {
    /// Answers one request; it never fails.
    async fn serve(&self, client: SocketAddr, request: Request<Incoming>) -> Response<Full<Bytes>> {
        let path = request.uri().path();
        let response = if path.starts_with("/_hither/") || path == "/_localstack/health" {
            self.admin.serve(client, request, &self.room).await
        } else {
            let _call = self.admin.under_way().call();
            self.serve_api(client, request).await
        };
        response.map(Full::new)
    }

    async fn serve_api(&self, client: SocketAddr, request: Request<Incoming>) -> Response<Bytes> {
        let limit = dispatch::body_bytes_max(&request).as_len();
        // The room is held until the answer is made.
        let (request, mut held) = match whole(request, limit, &self.room).await {
            Ok(request) => request,
            Err(refused) => {
                let Unread { head, fault } = *refused;
                let target = self.front.target(&head);
                return self.front.refuse(target.service, head.headers(), &fault);
            }
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
        if front::is_packed(request.headers()) {
            self.room.hold_unpacked(&mut held).await;
        }
        match self.front.admit(target, Some(client), request) {
            Admission::Answer(response) => response,
            Admission::Call(call) => {
                let front::Call {
                    caller,
                    request,
                    cors,
                } = *call;
                held.unpack(request.body().len());
                let reads = [Service::DynamoDb, Service::DynamoDbStreams];
                let session = if reads.contains(&caller.service) {
                    sessions::wait(&self.seen, request.headers()).await
                } else {
                    None
                };
                let mut response = self.facades.serve(&caller, request).await;
                if let Some(session) = session {
                    session.tell(&self.seen, response.headers_mut());
                }
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
            Service::CloudWatch => self.cloudwatch.handle(caller, &request),
            Service::ExecuteApi | Service::Unknown(_) => front::unknown_service(caller, &request),
        }
    }
}

/// Serves the endpoint at listeners until the tasks are cancelled.
pub(crate) fn serve<S: Store>(
    listeners: [Option<TcpListener>; 2],
    endpoint: &Arc<Endpoint<S>>,
    tasks: &Arc<Tasks>,
) {
    let dynamodb = Arc::clone(&endpoint.facades.dynamodb);
    tasks.spawn(async move { dynamodb.follow_lags().await });
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    for listener in listeners.into_iter().flatten() {
        listen(listener, endpoint, &room, tasks);
    }
}

/// Accepts connections until the tasks are cancelled; each lives on until it has drained.
fn listen<S: Store>(
    listener: TcpListener,
    endpoint: &Arc<Endpoint<S>>,
    room: &Arc<Semaphore>,
    tasks: &Arc<Tasks>,
) {
    let (endpoint, owner) = (Arc::clone(endpoint), Arc::clone(tasks));
    let room = Arc::clone(room);
    tasks.spawn(async move {
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
    let answer = move |request| {
        let endpoint = Arc::clone(&endpoint);
        async move { endpoint.serve(client, request).await }
    };
    if let Err(error) = speak(stream, answer, token).await {
        tracing::debug!(%client, error, "a connection of the API endpoint ended early");
    }
    drop(place);
}

/// Speaks HTTP over a connection until its client has no more to say, or it has drained.
///
/// Errors: what ended it early, such as a client that never asks.
async fn speak<F: Future<Output = Response<Full<Bytes>>> + Send + 'static>(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    token: net::tasks::Token,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let is_heard = Arc::new(AtomicBool::new(false));
    let heard = Arc::clone(&is_heard);
    let service = service_fn(move |request| {
        heard.store(true, Ordering::Relaxed);
        let answering = answer(request);
        async move { Ok::<_, Infallible>(answering.await) }
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
    // While it does not know which version is spoken, the library has no timer.
    let unheard = async {
        tokio::time::sleep(HEAD_PATIENCE).await;
        if is_heard.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        ended = connection.as_mut() => ended,
        () = unheard => Err(format!("nothing was asked within {HEAD_PATIENCE:?}").into()),
        () = token.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

#[cfg(test)]
mod tests;
