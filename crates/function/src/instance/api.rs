//! The Lambda Runtime API of one instance, as HTTP.
//!
//! It keeps no state: [`crate::instance::turn`] says what each call may do.
//! Source: Lambda developer guide, "Using the Lambda runtime API" (2018-06-01); statuses and
//! bodies are those of the Runtime Interface Emulator.

pub(crate) mod body;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use tokio::time::Instant;

use crate::call::Ending;
use crate::instance::api::body::Body;
use crate::instance::turn::{Next, Refused};
use crate::instance::{Running, Seat};
use crate::limits::{ANSWER_BYTES_MAX, STOP_GRACE};
use crate::report::error_body;

type Reply = Response<Full<Bytes>>;

/// Answers one request of the runtime.
pub(crate) async fn answer(seat: &Arc<Seat>, request: Request<Incoming>) -> Reply {
    let (parts, incoming) = request.into_parts();
    // Read before anything is refused: a connection that is answered before it has sent all is
    // closed, and its runtime would see that in place of the answer.
    let Ok(body) = body::read(incoming).await else {
        let message = "HTTP request detected as truncated";
        return refuse(StatusCode::BAD_REQUEST, "TruncatedHTTPRequest", message);
    };
    match Call::parse(&parts.method, parts.uri.path()) {
        Call::Next => next(seat).await,
        Call::Response(id) => finish(seat, id, "InvocationResponse", &parts.headers, body),
        Call::Error(id) => finish(seat, id, "InvocationErrorResponse", &parts.headers, body),
        Call::InitError => init_error(seat, body),
        Call::Ping => reply(StatusCode::OK, TEXT, Bytes::from_static(b"pong")),
        Call::Extension => {
            let message = "this environment runs no extensions";
            refuse(StatusCode::FORBIDDEN, "Extension.NotSupported", message)
        }
        Call::Unknown => {
            let body = Bytes::from_static(b"404 page not found\n");
            reply(StatusCode::NOT_FOUND, TEXT, body)
        }
    }
}

/// What a runtime may ask for.
enum Call<'a> {
    Next,
    Response(&'a str),
    Error(&'a str),
    InitError,
    Ping,
    Extension,
    Unknown,
}

impl<'a> Call<'a> {
    fn parse(method: &Method, path: &'a str) -> Self {
        if path.starts_with("/2020-01-01/extension/") {
            return Self::Extension;
        }
        let Some(call) = path.strip_prefix("/2018-06-01/") else {
            return Self::Unknown;
        };
        match (method.as_str(), call) {
            ("GET", "runtime/invocation/next") => Self::Next,
            ("GET", "ping") => Self::Ping,
            ("POST", "runtime/init/error") => Self::InitError,
            ("POST", _) => {
                let rest = call.strip_prefix("runtime/invocation/");
                match rest.and_then(|rest| rest.split_once('/')) {
                    Some((id, "response")) => Self::Response(id),
                    Some((id, "error")) => Self::Error(id),
                    _ => Self::Unknown,
                }
            }
            _ => Self::Unknown,
        }
    }
}

async fn next(seat: &Arc<Seat>) -> Reply {
    loop {
        let asked = seat.state.with(|state| match state.turn.next() {
            Ok(Next::JustReady) => {
                state.limit = None;
                Ok(Asked::JustReady)
            }
            Ok(Next::Wait) => Ok(Asked::Wait),
            Ok(Next::Take(running)) => Ok(Asked::Event(event(seat, running))),
            Err(refused) => Err(refused),
        });
        match asked {
            Ok(Asked::JustReady) => seat.became_ready(),
            Ok(Asked::Wait) => seat.wake.notified().await,
            Ok(Asked::Event(reply)) => return reply,
            Err(refused) => return refusal(&refused),
        }
    }
}

enum Asked {
    JustReady,
    Wait,
    Event(Reply),
}

fn event(seat: &Seat, running: &Running) -> Reply {
    let work = &running.work;
    let mut response = reply(StatusCode::OK, JSON, work.payload.clone());
    let headers = response.headers_mut();
    let mut set = |name, text: &str| {
        // Only a client's context can hold what is no header; it is then left out.
        if let Ok(value) = HeaderValue::from_bytes(text.as_bytes()) {
            headers.insert(name, value);
        }
    };
    set(REQUEST_ID, &work.request_id);
    set(DEADLINE_MS, &running.deadline_ms.to_string());
    set(FUNCTION_ARN, &seat.spec.arn);
    set(TRACE_ID, &work.trace_id);
    if let Some(context) = &work.client_context {
        set(CLIENT_CONTEXT, context);
    }
    response
}

fn finish(
    seat: &Arc<Seat>,
    id: &str,
    state: &'static str,
    headers: &HeaderMap,
    body: Body,
) -> Reply {
    let running = match seat.state.with(|s| s.turn.answer(id, state)) {
        Ok(running) => running,
        Err(refused) => return refusal(&refused),
    };
    seat.dispatch.answered(seat.id);
    if body.is_too_large {
        let most = ANSWER_BYTES_MAX.as_u64();
        let message =
            format!("Response payload size exceeded maximum allowed payload size ({most} bytes).");
        let payload = error_body("Function.ResponseSizeTooLarge", &message);
        seat.finish(running, payload, Ending::TooLarge);
        let message = format!("Exceeded maximum allowed payload size ({most} bytes).");
        let status = StatusCode::PAYLOAD_TOO_LARGE;
        return refuse(status, "RequestEntityTooLarge", &message);
    }
    if state == "InvocationErrorResponse" {
        let payload = match body.bytes {
            bytes if bytes.is_empty() => error_body(error_type(headers), ""),
            bytes => bytes,
        };
        seat.finish(running, payload, Ending::Reported);
        return accepted();
    }
    match headers.get(RESPONSE_MODE).map(HeaderValue::as_bytes) {
        None | Some(b"streaming") => {}
        Some(_) => {
            let payload = error_body("Runtime.InvalidResponseModeHeader", "");
            seat.finish(running, payload, Ending::Reported);
            let message = "Invalid function response mode";
            let status = StatusCode::BAD_REQUEST;
            return refuse(status, "InvalidFunctionResponseMode", message);
        }
    }
    // A streamed answer may turn out to be an error after its first part.
    match body.trailers.filter(|t| t.contains_key(ERROR_TYPE)) {
        Some(trailers) => {
            let detail = trailers.get(ERROR_BODY).map(HeaderValue::as_bytes);
            let detail = detail.and_then(|text| STANDARD.decode(text).ok());
            let payload = detail.map(Bytes::from);
            let payload = payload.unwrap_or_else(|| error_body(error_type(&trailers), ""));
            seat.finish(running, payload, Ending::Reported);
        }
        None => seat.finish(running, body.bytes, Ending::Returned),
    }
    accepted()
}

fn init_error(seat: &Arc<Seat>, body: Body) -> Reply {
    let noted = seat.state.with(|state| {
        state.turn.init_error()?;
        state.init_error = Some(body.bytes);
        // It says that it ends; it gets no longer than one that is asked to.
        state.limit = Some(Instant::now() + STOP_GRACE);
        Ok(())
    });
    seat.alarm.wake();
    match noted {
        Ok(()) => accepted(),
        Err(refused) => refusal(&refused),
    }
}

fn error_type(headers: &HeaderMap) -> &str {
    let named = headers
        .get(ERROR_TYPE)
        .and_then(|value| value.to_str().ok());
    named.unwrap_or("Runtime.Unknown")
}

fn refusal(refused: &Refused) -> Reply {
    match refused {
        Refused::InvalidRequestId => {
            let status = StatusCode::BAD_REQUEST;
            refuse(status, "InvalidRequestID", "Invalid request ID")
        }
        Refused::Transition(from, to) => {
            let message = format!(
                "State transition from {from} to {to} failed for runtime. \
                 Error: State transition is not allowed"
            );
            refuse(StatusCode::FORBIDDEN, "InvalidStateTransition", &message)
        }
    }
}

fn refuse(status: StatusCode, error_type: &str, message: &str) -> Reply {
    reply(status, JSON, error_body(error_type, message))
}

fn accepted() -> Reply {
    let body = Bytes::from_static(b"{\"status\":\"OK\"}\n");
    reply(StatusCode::ACCEPTED, JSON, body)
}

fn reply(status: StatusCode, content_type: &'static str, body: Bytes) -> Reply {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static(content_type);
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

const REQUEST_ID: HeaderName = HeaderName::from_static("lambda-runtime-aws-request-id");
const DEADLINE_MS: HeaderName = HeaderName::from_static("lambda-runtime-deadline-ms");
const FUNCTION_ARN: HeaderName = HeaderName::from_static("lambda-runtime-invoked-function-arn");
const TRACE_ID: HeaderName = HeaderName::from_static("lambda-runtime-trace-id");
const CLIENT_CONTEXT: HeaderName = HeaderName::from_static("lambda-runtime-client-context");
const RESPONSE_MODE: HeaderName = HeaderName::from_static("lambda-runtime-function-response-mode");
const ERROR_TYPE: HeaderName = HeaderName::from_static("lambda-runtime-function-error-type");
const ERROR_BODY: HeaderName = HeaderName::from_static("lambda-runtime-function-error-body");
