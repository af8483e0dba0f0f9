//! The facade of CloudWatch: one call in, one answer out, in the protocol of the call.
//!
//! It serves its own region's metrics. Source: CloudWatch's service model, version 2010-08-01.

use std::sync::Arc;

use api_protocol::caller::Caller;
use api_protocol::cbor::{self, QUERY_ERROR, Writer};
use api_protocol::fault::Fault;
use api_protocol::json::{self, Exchange};
use api_protocol::query;
use api_protocol::uri::{Parameters, segments};
use bytes::Bytes;
use control::control::Control;
use http::{Request, Response, StatusCode};
use serde_json::Value;
use store::port::Store;

use crate::answer::Node;
use crate::port::Figures;
use crate::request::{self, Members};

/// The facade of CloudWatch.
pub struct CloudWatch<S: Store> {
    pub(crate) control: Control<S>,
    pub(crate) figures: Arc<dyn Figures>,
}

/// How a call is written.
enum Protocol {
    Cbor,
    Json(Exchange),
    Query(Parameters),
}

impl<S: Store> CloudWatch<S> {
    /// Makes the facade over what a region has and measures.
    pub fn new(control: Control<S>, figures: Arc<dyn Figures>) -> Self {
        Self { control, figures }
    }

    /// Answers one call.
    pub fn handle(&self, caller: &Caller, request: &Request<Bytes>) -> Response<Bytes> {
        let headers = request.headers();
        let protocol = if cbor::is_spoken(headers) {
            Protocol::Cbor
        } else if headers.contains_key(json::TARGET) {
            Protocol::Json(Exchange::open(json::CLOUDWATCH, caller, headers))
        } else {
            Protocol::Query(query::parameters(request))
        };
        let path = segments(request.uri().path());
        let operation = match &protocol {
            Protocol::Cbor => match path.as_slice() {
                [service, prefix, operation, name]
                    if service == "service"
                        && prefix == json::CLOUDWATCH.target_prefix
                        && operation == "operation" =>
                {
                    Ok(&**name)
                }
                _ => Err(Fault::unknown_operation(request.uri().path())),
            },
            Protocol::Json(_) => json::CLOUDWATCH.operation(headers),
            Protocol::Query(parameters) => parameters
                .first("Action")
                .ok_or_else(|| Fault::unknown_operation("no Action")),
        };
        let answered = operation.and_then(|operation| {
            let node = self.answer(caller, operation, &protocol, request.body())?;
            Ok((operation, node))
        });
        match answered {
            Ok((operation, node)) => protocol.reply(caller, operation, &node),
            Err(fault) => protocol.fault(caller, &fault),
        }
    }

    fn answer(
        &self,
        caller: &Caller,
        operation: &str,
        protocol: &Protocol,
        body: &[u8],
    ) -> Result<Node, Fault> {
        caller.check(&format!("cloudwatch:{operation}"), "*")?;
        let call = match operation {
            "GetMetricData" => Self::get_metric_data,
            "GetMetricStatistics" => Self::get_metric_statistics,
            "ListMetrics" => Self::list_metrics,
            other => return Err(Fault::unknown_operation(other)),
        };
        let request = match protocol {
            Protocol::Cbor => cbor::parse(body)?,
            Protocol::Json(_) => json::parse::<Value>(body)?,
            Protocol::Query(parameters) => request::of_form(parameters)?,
        };
        call(self, Members::of(&request)?)
    }
}

impl Protocol {
    fn reply(&self, caller: &Caller, operation: &str, node: &Node) -> Response<Bytes> {
        match self {
            Self::Cbor => {
                let mut writer = Writer::default();
                node.cbor(&mut writer);
                cbor::reply(caller, StatusCode::OK, writer.finish())
            }
            Self::Json(exchange) => exchange.ok(node.json().to_string()),
            Self::Query(_) => {
                query::reply(caller, query::CLOUDWATCH, operation, |xml| node.xml(xml))
            }
        }
    }

    fn fault(&self, caller: &Caller, fault: &Fault) -> Response<Bytes> {
        let shape = shape(&fault.code);
        match self {
            Self::Cbor => cbor::fault(caller, &format!("{NAMESPACE}#{shape}"), fault),
            Self::Json(exchange) => {
                let mut named = fault.clone();
                named.code = shape.to_owned().into();
                let mut response = exchange.fault(&named);
                if let Some(code) = cbor::query_error(fault) {
                    response.headers_mut().insert(QUERY_ERROR, code);
                }
                response
            }
            Self::Query(_) => query::fault(caller, query::CLOUDWATCH, fault),
        }
    }
}

/// Returns the name in the model of an exception by its code in the query protocol.
fn shape(code: &str) -> &str {
    match code {
        "InvalidParameterValue" => "InvalidParameterValueException",
        "InvalidParameterCombination" => "InvalidParameterCombinationException",
        "MissingParameter" => "MissingRequiredParameterException",
        "ValidationError" => "ValidationException",
        other => other,
    }
}

const NAMESPACE: &str = "com.amazonaws.cloudwatch";

#[cfg(test)]
mod tests;
