//! Asking the backend that a route names in this region.
//!
//! A failure is only told, not mended.

use bytes::Bytes;
use gateway_core::config::PayloadFormat;
use gateway_core::event::{Event, payload};
use gateway_core::failover::{self, Progress};
use gateway_core::headers::{forward_to_http, strip_hop_by_hop};
use gateway_core::invoke::{FunctionName, Invoke, InvokeError};
use gateway_core::refusal::Refusal;
use gateway_core::reply;
use gateway_core::route::Fit;
use gateway_core::uri::UriTemplate;
use http::header::HOST;
use http::{HeaderValue, Method, Request, Response};
use tokio::time::timeout_at;

use super::{Call, Refused, Shared};
use crate::body::Body;
use crate::exchange::{Trouble, exchange};
use crate::pool::Backend;

impl<I: Invoke> Shared<I> {
    /// Runs a function with the request as its payload.
    pub(super) async fn call_function(
        &self,
        call: &Call<'_>,
        name: &FunctionName,
        format: PayloadFormat,
        body: &Bytes,
    ) -> Result<Response<Body>, Refused> {
        let head = &call.admitted.head;
        let payload = payload(
            format,
            &Event {
                plan: call.plan,
                method: &head.method,
                version: head.version,
                path: head.uri.path(),
                query: head.uri.query(),
                headers: &head.headers,
                body,
                arrival: &call.admitted.arrival,
            },
        );
        let deadline = self.clock.now() + call.left();
        let running = self.functions.invoke(name, payload, deadline);
        let answer = timeout_at(call.deadline, running).await;
        let answer = answer.unwrap_or(Err(InvokeError::TimedOut));
        let id = call.admitted.arrival.id;
        let answer = answer.map_err(|error| {
            tracing::warn!(function = %name, %id, %error, "a function gave no answer");
            Refused {
                progress: failover::progress(&error),
                refusal: function_refusal(&error),
            }
        })?;
        reply::read(format, &answer)
            .map(|response| response.map(Body::kept))
            .map_err(|error| {
                tracing::warn!(function = %name, %id, %error, "a function's answer is malformed");
                Refused {
                    refusal: Refusal::BadReply,
                    progress: Progress::Sent,
                }
            })
    }

    /// Sends the request on to an HTTP server.
    pub(super) async fn call_server(
        &self,
        call: &Call<'_>,
        uri: &UriTemplate,
        method: Option<&Method>,
        body: Body,
    ) -> Result<Response<Body>, Trouble> {
        let (head, plan) = (&call.admitted.head, call.plan);
        let tail = matches!(plan.fit, Fit::Default).then_some(&*plan.path);
        let Ok(target) = uri.fill(&plan.variables, tail, head.uri.query()) else {
            return Err(Trouble {
                refusal: Refusal::BadPath,
                progress: Progress::Unsent,
                body: None,
            });
        };
        let backend = Backend::Server {
            security: uri.security,
            authority: uri.authority.clone(),
            port: uri.port,
        };
        let build = |body| {
            let mut headers = head.headers.clone();
            if let Ok(host) = HeaderValue::from_str(uri.authority.as_str()) {
                headers.insert(HOST, host);
            }
            forward_to_http(&mut headers, &call.admitted.arrival, &plan.domain);
            let mut request = Request::new(body);
            *request.method_mut() = method.unwrap_or(&head.method).clone();
            *request.uri_mut() = target.clone();
            *request.headers_mut() = headers;
            request
        };
        let mut response = exchange(&self.pool, &backend, call.deadline, body, build).await?;
        strip_hop_by_hop(response.headers_mut());
        Ok(response)
    }
}

/// What the client is told when a function gave no answer.
fn function_refusal(error: &InvokeError) -> Refusal {
    match error {
        InvokeError::NotFound => Refusal::BrokenIntegration,
        InvokeError::Throttled | InvokeError::Unavailable => Refusal::Unavailable,
        InvokeError::TimedOut => Refusal::TimedOut,
        InvokeError::Crashed(_) => Refusal::Failed,
    }
}
