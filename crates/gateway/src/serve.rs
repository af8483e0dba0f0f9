//! One request from its head to its response.
//!
//! ```text
//! head ─► admit ─► resolve ─► local backend ──────────────► finish ─► response
//!                     │            └─ fails ─► next region ──┘
//!                     └─ refusal or preflight ──────────────►┘
//! ```
//! It decides nothing itself: gateway-core does.

mod elsewhere;
mod local;
mod session;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use base::region::RegionName;
use bytes::Bytes;
use clock::port::Clock;
use gateway_core::config::Target;
use gateway_core::failover::{Budget, Progress, Source};
use gateway_core::handover::REFUSED_HEADER;
use gateway_core::headers::REQUEST_ID;
use gateway_core::invoke::Invoke;
use gateway_core::limits::{BODY_BYTES_MAX, INTEGRATION_PATIENCE, REPLAY_BYTES_MAX};
use gateway_core::refusal::Refusal;
use gateway_core::resolve::{Plan, Question, Verdict};
use gateway_core::session::Sessions;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::{Instant, timeout_at};

use crate::admit::{Admitted, Door, admit};
use crate::body::{Answer, Body, collect};
use crate::counters::{Counters, Open};
use crate::exchange::{Trouble, upload_refusal};
use crate::ids::Ids;
use crate::pool::Pool;
use crate::room::{Held, Room};
use crate::seen::Seen;
use crate::snapshot::Snapshot;

/// What all requests share.
pub(crate) struct Shared<I> {
    pub(crate) region: RegionName,
    pub(crate) seen: Seen,
    pub(crate) functions: Arc<I>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) snapshot: Arc<ArcSwap<Snapshot>>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) budget: Mutex<Budget>,
    pub(crate) room: Room,
    pub(crate) ids: Ids,
}

/// A request that is being served.
struct Call<'c> {
    snapshot: &'c Snapshot,
    admitted: &'c Admitted,
    plan: &'c Plan<'c, 'c>,
    deadline: Instant,
}

/// The body of a request.
enum Coming<'r> {
    /// It comes from the client.
    Client(Incoming),
    /// It was read, and has its room.
    Read(Bytes, Held<'r>),
}

/// A refusal, and how far the request had come.
struct Refused {
    refusal: Refusal,
    progress: Progress,
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        Self {
            refusal,
            progress: Progress::Unsent,
        }
    }
}

impl<I: Invoke> Shared<I> {
    /// Serves one request, which is under way until its response is sent.
    pub(crate) async fn serve_counted(
        &self,
        door: Door,
        request: Request<Incoming>,
    ) -> Response<Answer> {
        let open = Open::new(&self.counters);
        let response = self.serve(door, request).await;
        response.map(|body| Answer::new(body, open))
    }

    /// Serves one request.
    pub(crate) async fn serve(&self, door: Door, request: Request<Incoming>) -> Response<Body> {
        self.counters.requests.up();
        let snapshot = self.snapshot.load_full();
        let (head, incoming) = request.into_parts();
        let arrival = door.arrival(self.ids.next(), self.clock.wall());
        let (mut response, id) = match admit(&snapshot, arrival, head) {
            Ok(admitted) => {
                let response = self.answer(&snapshot, &admitted, incoming).await;
                (response, admitted.arrival.id)
            }
            Err(refusal) => (refuse(&refusal.into(), Source::Client), arrival.id),
        };
        if let Ok(id) = HeaderValue::from_str(id.as_str()) {
            response.headers_mut().insert(REQUEST_ID, id);
        }
        self.counters.response(response.status());
        response
    }

    async fn answer(
        &self,
        snapshot: &Snapshot,
        admitted: &Admitted,
        incoming: Incoming,
    ) -> Response<Body> {
        match admitted.source {
            Source::Client => self.lock_budget().earn(),
            Source::Gateway => self.counters.handed_to_us.up(),
        }
        let head = &admitted.head;
        let verdict = snapshot.config.resolve(Question {
            method: &head.method,
            authority: &admitted.authority,
            path: head.uri.path(),
            headers: &head.headers,
        });
        let plan = match verdict {
            Verdict::Serve(plan) => plan,
            Verdict::Preflight(cors) => {
                let mut response = empty(StatusCode::NO_CONTENT);
                *response.headers_mut() = cors.preflight(&head.headers);
                return response;
            }
            Verdict::Nothing => return empty(StatusCode::NO_CONTENT),
            Verdict::Refuse(refusal) => return refuse(&refusal.into(), admitted.source),
        };
        let patience = plan.route.integration.as_ref().map(|own| own.patience);
        let patience = patience.unwrap_or(INTEGRATION_PATIENCE).min(admitted.left);
        let call = Call {
            snapshot,
            admitted,
            plan: &plan,
            deadline: Instant::now() + patience,
        };
        let answered = match plan.sessions {
            Sessions::On => self.run_session(&call, incoming).await,
            Sessions::Off => self.run(&call, Coming::Client(incoming)).await,
        };
        let mut response = match answered {
            Ok(response) => response,
            Err(refused) => refuse(&refused, admitted.source),
        };
        if let Some(cors) = &plan.api.cors {
            cors.apply(&head.headers, response.headers_mut());
        }
        without_content(&head.method, response)
    }

    /// Asks the local backend, and other regions where that fails.
    async fn run<'r>(
        &'r self,
        call: &Call<'_>,
        coming: Coming<'r>,
    ) -> Result<Response<Body>, Refused> {
        let integration = call.plan.route.integration.as_ref();
        // The room is held until the request is answered.
        let (trouble, _held) = match integration.map(|integration| &integration.target) {
            Some(Target::Function { name, payload }) => {
                let (body, held) = self.read_body(coming, call.deadline).await?;
                match self.call_function(call, name, *payload, &body).await {
                    Ok(response) => return Ok(of_backend(response)),
                    Err(refused) if refused.refusal == Refusal::BadReply => return Err(refused),
                    Err(refused) => {
                        let trouble = Trouble {
                            refusal: refused.refusal,
                            progress: refused.progress,
                            body: Some(Body::kept(body)),
                        };
                        (trouble, held)
                    }
                }
            }
            Some(Target::Http { uri, method }) => {
                let (body, held) = self.upload(coming, call.deadline).await?;
                match self.call_server(call, uri, method.as_ref(), body).await {
                    Ok(response) => return Ok(of_backend(response)),
                    Err(trouble) => (trouble, held),
                }
            }
            None => {
                let (body, held) = self.upload(coming, call.deadline).await?;
                let trouble = Trouble {
                    refusal: Refusal::BrokenIntegration,
                    progress: Progress::Unsent,
                    body: Some(body),
                };
                (trouble, held)
            }
        };
        self.ask_other_regions(call, trouble).await
    }

    /// Reads the body for a function, which gets it whole. What has not come by `deadline` would
    /// find no time left to be worked on.
    async fn read_body<'r>(
        &'r self,
        coming: Coming<'r>,
        deadline: Instant,
    ) -> Result<(Bytes, Held<'r>), Refusal> {
        let incoming = match coming {
            Coming::Client(incoming) => incoming,
            Coming::Read(body, held) => return Ok((body, held)),
        };
        if incoming.is_end_stream() {
            return Ok((Bytes::new(), Held::default()));
        }
        let reading = collect(incoming, BODY_BYTES_MAX.as_u64(), &self.room);
        match timeout_at(deadline, reading).await {
            Ok(read) => read.map_err(|error| upload_refusal(&error)),
            Err(_) => Err(Refusal::BodyIncomplete),
        }
    }

    /// Keeps a small body in memory, so that it can be sent again, and streams any other.
    async fn upload<'r>(
        &'r self,
        coming: Coming<'r>,
        deadline: Instant,
    ) -> Result<(Body, Held<'r>), Refusal> {
        let incoming = match coming {
            Coming::Client(incoming) => incoming,
            Coming::Read(body, held) => return Ok((Body::kept(body), held)),
        };
        if incoming.is_end_stream() {
            return Ok((Body::Kept(None), Held::default()));
        }
        let size = incoming.size_hint();
        if size.lower() > BODY_BYTES_MAX.as_u64() {
            return Err(Refusal::BodyTooLarge);
        }
        let small = size
            .upper()
            .is_some_and(|most| most <= REPLAY_BYTES_MAX.as_u64());
        if small {
            let coming = Coming::Client(incoming);
            let (body, held) = self.read_body(coming, deadline).await?;
            return Ok((Body::kept(body), held));
        }
        let body = Body::upload(incoming, BODY_BYTES_MAX.as_u64());
        Ok((body, Held::default()))
    }

    fn lock_budget(&self) -> MutexGuard<'_, Budget> {
        self.budget.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Call<'_> {
    fn left(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }
}

/// Takes out of a backend's response what only a gateway may say: another region's gateway would
/// believe it, and have done again what was done.
fn of_backend(mut response: Response<Body>) -> Response<Body> {
    response.headers_mut().remove(REFUSED_HEADER);
    response
}

fn refuse(refused: &Refused, source: Source) -> Response<Body> {
    let body = Bytes::from_static(refused.refusal.body().as_bytes());
    let mut response = Response::new(Body::kept(body));
    *response.status_mut() = refused.refusal.status();
    let headers: &mut HeaderMap = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if matches!(source, Source::Gateway) {
        let progress = match refused.progress {
            Progress::Unsent => "unsent",
            Progress::Sent => "sent",
        };
        headers.insert(REFUSED_HEADER, HeaderValue::from_static(progress));
    }
    response
}

fn empty(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::Kept(None));
    *response.status_mut() = status;
    response
}

/// Takes the body out of a response to HEAD, and leaves its length.
fn without_content(method: &Method, response: Response<Body>) -> Response<Body> {
    if method != Method::HEAD {
        return response;
    }
    let (mut head, body) = response.into_parts();
    if let Body::Kept(Some(bytes)) = body {
        head.headers
            .insert(CONTENT_LENGTH, HeaderValue::from(bytes.len()));
    }
    Response::from_parts(head, Body::Kept(None))
}
