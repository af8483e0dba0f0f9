//! Functions invoked.
//!
//! It runs none; the region's [`Runner`] does.
//! Source: Lambda API reference, `Invoke`.

use std::time::Duration;

use api_protocol::fault::Fault;
use api_protocol::rest_json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Response, StatusCode};
use serde::de::IgnoredAny;
use store::port::Store;

use crate::fault;
use crate::lambda::{Call, Lambda};
use crate::limits::{CLIENT_CONTEXT_BYTES_MAX, EVENT_BYTES_MAX, PATIENCE_EXTRA, PAYLOAD_BYTES_MAX};
use crate::port::{Invocation, LogWanted, Outcome, Runner};

enum Kind {
    RequestResponse,
    Event,
    DryRun,
}

impl<S: Store, R: Runner> Lambda<S, R> {
    pub(crate) async fn invoke(&self, call: &Call<'_>) -> Result<Response<Bytes>, Fault> {
        let kind = kind(call)?;
        let log = log_wanted(call)?;
        let client_context = client_context(call)?;
        let function = self.function(call)?;
        let bytes_max = match kind {
            Kind::RequestResponse | Kind::DryRun => PAYLOAD_BYTES_MAX,
            Kind::Event => EVENT_BYTES_MAX,
        };
        if bytes_max < call.body.len() {
            return Err(fault::too_large("InvokeFunction", bytes_max));
        }
        let invocation = Invocation {
            function: function.name,
            request_id: call.caller.request_id.as_uuid(),
            payload: payload(call.body)?,
            client_context,
            trace_id: header(call, "x-amzn-trace-id").map(str::to_owned),
            log,
            patience: Duration::from_secs(u64::from(function.timeout_secs)) + PATIENCE_EXTRA,
        };
        let name = invocation.function.clone();
        let refuse = |error| fault::of_run(&error, self.region(), call.caller.account, &name);
        match kind {
            Kind::DryRun => Ok(call.no_content()),
            Kind::Event => {
                self.runner.accept(invocation).map_err(refuse)?;
                Ok(rest_json::reply(
                    call.caller,
                    StatusCode::ACCEPTED,
                    Bytes::new(),
                ))
            }
            Kind::RequestResponse => {
                let outcome = self.runner.run(invocation).await.map_err(refuse)?;
                Ok(answer(call, outcome))
            }
        }
    }
}

fn answer(call: &Call<'_>, outcome: Outcome) -> Response<Bytes> {
    let mut response = rest_json::reply(call.caller, StatusCode::OK, outcome.payload);
    let headers = response.headers_mut();
    let version = HeaderValue::from_static(outcome.executed_version);
    headers.insert(EXECUTED_VERSION, version);
    if let Some(error) = outcome.function_error {
        headers.insert(FUNCTION_ERROR, HeaderValue::from_static(error));
    }
    if let Some(tail) = outcome.log_tail {
        let encoded = STANDARD.encode(tail);
        let encoded = HeaderValue::try_from(encoded).expect("base64 makes a header value");
        headers.insert(LOG_RESULT, encoded);
    }
    response
}

fn kind(call: &Call<'_>) -> Result<Kind, Fault> {
    match header(call, "x-amz-invocation-type") {
        None | Some("RequestResponse" | "") => Ok(Kind::RequestResponse),
        Some("Event") => Ok(Kind::Event),
        Some("DryRun") => Ok(Kind::DryRun),
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [Event, RequestResponse, DryRun]";
            Err(fault::validation(other, "invocationType", constraint))
        }
    }
}

fn log_wanted(call: &Call<'_>) -> Result<LogWanted, Fault> {
    match header(call, "x-amz-log-type") {
        None | Some("None" | "") => Ok(LogWanted::None),
        Some("Tail") => Ok(LogWanted::Tail),
        Some(other) => {
            let constraint = "Member must satisfy enum value set: [None, Tail]";
            Err(fault::validation(other, "logType", constraint))
        }
    }
}

fn client_context(call: &Call<'_>) -> Result<Option<String>, Fault> {
    let Some(encoded) = header(call, "x-amz-client-context") else {
        return Ok(None);
    };
    if CLIENT_CONTEXT_BYTES_MAX < encoded.len() {
        return Err(fault::invalid(format!(
            "Client context must be no more than {CLIENT_CONTEXT_BYTES_MAX} bytes when \
             base64-encoded"
        )));
    }
    let decoded = STANDARD.decode(encoded).ok();
    let text = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let is_json = |text: &String| serde_json::from_str::<IgnoredAny>(text).is_ok();
    match text.filter(is_json) {
        Some(text) => Ok(Some(text)),
        None => {
            let message = "Client context must be a valid Base64-encoded JSON object.";
            Err(Fault::caller("InvalidRequestContentException", message))
        }
    }
}

/// Returns what the function gets; an empty object where nothing was sent.
fn payload(body: &Bytes) -> Result<Bytes, Fault> {
    if body.is_empty() {
        return Ok(Bytes::from_static(b"{}"));
    }
    let refuse = |why: String| {
        let message = format!(
            "Could not parse request body into json: Could not parse payload into json: {why}"
        );
        Fault::caller("InvalidRequestContentException", message)
    };
    api_protocol::json::check_depth(body).map_err(|fault| refuse(fault.message))?;
    match serde_json::from_slice::<IgnoredAny>(body) {
        Ok(_) => Ok(body.clone()),
        Err(error) => Err(refuse(error.to_string())),
    }
}

fn header<'a>(call: &'a Call<'_>, name: &str) -> Option<&'a str> {
    call.headers.get(name).and_then(|value| value.to_str().ok())
}

const EXECUTED_VERSION: HeaderName = HeaderName::from_static("x-amz-executed-version");
const FUNCTION_ERROR: HeaderName = HeaderName::from_static("x-amz-function-error");
const LOG_RESULT: HeaderName = HeaderName::from_static("x-amz-log-result");
