//! The door of the API endpoint: who comes in, as whom, and what needs no facade.
//!
//! It listens on nothing: the server hands it whole requests. Sources: DynamoDB's own answers
//! to probes and to what is no call, as compatible servers record them.
//!
//! ```text
//! target() ─► another region's? the server forwards it as it came
//!      └────► admit(): host ─► origin ─► probe, preflight ─► signature ─► unpacked body ─► facade
//! ```

use std::net::IpAddr;
use std::sync::Arc;

use base::limits::API_BODY_BYTES_MAX;
use base::name::AccountId;
use bytes::Bytes;
use clock::port::{Clock, Entropy};
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};

use crate::caller::{Authority, Caller, Circumstances, Service, Wire};
use crate::cors::Cors;
use crate::dispatch::{self, Regions, Target, TargetRegion};
use crate::fault::Fault;
use crate::gzip::{InflateError, inflate};
use crate::hosts::Hosts;
use crate::request_id::{RequestId, RequestIds};
use crate::sigv4::{Scope, SignatureError, Verifier, credential};
use crate::{cbor, json, query, rest_json, rest_xml};

/// The door of one node.
pub struct Front {
    regions: Regions,
    authentication: Authentication,
    ids: RequestIds,
    clock: Arc<dyn Clock>,
}

/// How callers prove who they are.
#[derive(Debug)]
pub enum Authentication {
    /// They need not: any key is taken, and so are unsigned requests. Whoever chooses this must
    /// listen on loopback alone. They must call by one of these names.
    Development(Hosts),
    /// By a signature that the verifier finds right.
    Signed(Verifier),
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Admission {
    /// It goes to the facade of its service.
    Call(Box<Call>),
    /// It is answered at the door.
    Answer(Response<Bytes>),
}

/// A request that is let in.
#[derive(Debug)]
pub struct Call {
    /// Who sent it, and what for.
    pub caller: Caller,
    /// The request, its body unpacked.
    pub request: Request<Bytes>,
    /// What its answer must carry for browsers.
    pub cors: Cors,
}

impl Front {
    /// Makes the door of a node.
    pub fn new(
        regions: Regions,
        authentication: Authentication,
        clock: Arc<dyn Clock>,
        entropy: &dyn Entropy,
    ) -> Self {
        Self {
            regions,
            authentication,
            ids: RequestIds::new(entropy),
            clock,
        }
    }

    /// Returns what a request is for: one for another region is to be forwarded as it came.
    pub fn target(&self, request: &Request<Bytes>) -> Target {
        dispatch::target(&self.regions, request)
    }

    /// Lets a request from `source` in as a call for `target`, or answers it.
    ///
    /// A body is parsed only behind the door, once its signature is right. DynamoDB itself says
    /// first that a body is no JSON; nobody but strangers can tell the difference.
    pub fn admit(
        &self,
        target: Target,
        source: Option<IpAddr>,
        request: Request<Bytes>,
    ) -> Admission {
        let request_id = self.ids.next();
        if let Authentication::Development(hosts) = &self.authentication
            && let Some(host) = hosts.foreign(&request)
        {
            let caller = self.nobody(target.service, request_id);
            return Admission::Answer(answer(&caller, request.headers(), &foreign_host(&host)));
        }
        let cors = match &self.authentication {
            Authentication::Development(_) => Cors::of_loopback(request.headers()),
            Authentication::Signed(_) => Some(Cors::of_any(request.headers())),
        };
        let Some(cors) = cors else {
            return Admission::Answer(foreign_origin(request_id));
        };
        let answered = match *request.method() {
            Method::OPTIONS => Some(cors.preflight(request.headers())),
            Method::GET | Method::HEAD if is_probe(&request) => Some(self.healthy(request_id)),
            _ if !is_json_call(&target.service, &request) => {
                Some(no_json_call(request_id, request.headers()))
            }
            _ => None,
        };
        let admission = match answered {
            Some(response) => Admission::Answer(response),
            None => {
                let mut caller = self.nobody(target.service, request_id);
                caller.circumstances.source = source;
                self.authenticate(caller, target.region, request, cors.clone())
            }
        };
        match admission {
            Admission::Call(call) => Admission::Call(call),
            Admission::Answer(mut response) => {
                cors.apply(&mut response);
                Admission::Answer(response)
            }
        }
    }

    /// Answers a request with a failure of which the door knows nothing, in the way its service
    /// writes.
    pub fn refuse(&self, service: Service, headers: &HeaderMap, fault: &Fault) -> Response<Bytes> {
        answer(&self.nobody(service, self.ids.next()), headers, fault)
    }

    fn authenticate(
        &self,
        mut caller: Caller,
        region: TargetRegion,
        request: Request<Bytes>,
        cors: Cors,
    ) -> Admission {
        let sent = match region {
            TargetRegion::Known(region) => {
                caller.region = region;
                self.identify(&mut caller, &request)
            }
            TargetRegion::Unknown(name) => Err(SignatureError::Region(name)),
        };
        let unpacked = match sent {
            Ok(()) => unpacked(&request),
            Err(error) => Err(error.fault(Writing::of(&caller.service, request.headers()).wire())),
        };
        match unpacked {
            Ok(body) => Admission::Call(Box::new(Call {
                caller,
                request: with_unpacked(request, body),
                cors,
            })),
            Err(fault) => Admission::Answer(answer(&caller, request.headers(), &fault)),
        }
    }

    /// Returns a caller of whom nothing is known.
    fn nobody(&self, service: Service, request_id: RequestId) -> Caller {
        Caller {
            access_key: String::new(),
            account: AccountId::DEFAULT,
            region: self.regions.own.clone(),
            service,
            request_id,
            authority: Authority::Unchecked,
            circumstances: Circumstances::default(),
        }
    }

    /// Finds out who sent a request.
    fn identify(
        &self,
        caller: &mut Caller,
        request: &Request<Bytes>,
    ) -> Result<(), SignatureError> {
        match &self.authentication {
            Authentication::Signed(verifier) => {
                let now = self.clock.wall();
                let verified = verifier.verify(now, request)?;
                caller.access_key = verified.access_key;
                caller.account = verified.identity.account;
                caller.authority = Authority::Checked(verified.identity);
                caller.circumstances.now = now;
                caller.circumstances.user_agent = request.headers().get(USER_AGENT).cloned();
            }
            Authentication::Development(_) => {
                let credential = credential(request);
                let scope = credential.as_deref().and_then(Scope::parse);
                let access_key = scope.map_or("", |scope| scope.access_key);
                access_key.clone_into(&mut caller.access_key);
                caller.account = AccountId::parse(access_key).unwrap_or(AccountId::DEFAULT);
            }
        }
        Ok(())
    }

    fn healthy(&self, request_id: RequestId) -> Response<Bytes> {
        let body = format!("healthy: dynamodb.{}.amazonaws.com ", self.regions.own);
        plain(request_id, StatusCode::OK, "text/plain", body)
    }
}

/// Answers a call with a failure, in the way its service writes.
///
/// Shape: a service that is not known is guessed at from the headers.
pub fn answer(caller: &Caller, headers: &HeaderMap, fault: &Fault) -> Response<Bytes> {
    match Writing::of(&caller.service, headers) {
        Writing::Json(dialect) => json::Exchange::open(dialect, caller, headers).fault(fault),
        Writing::RestJson(dialect) => rest_json::fault(dialect, caller, fault),
        Writing::RestXml => rest_xml::fault(caller, rest_xml::ROUTE53, fault),
        Writing::Query(namespace) => query::fault(caller, namespace, fault),
        Writing::Cbor => cbor::fault(caller, &fault.code, fault),
    }
}

/// Refuses a call of a service that nobody here serves, by name.
pub fn unknown_service(caller: &Caller, request: &Request<Bytes>) -> Response<Bytes> {
    let headers = request.headers();
    let target = headers
        .get(json::TARGET)
        .and_then(|value| value.to_str().ok());
    let what = match (target, caller.service.signing_name()) {
        (Some(target), _) => target.to_owned(),
        (None, "") => format!("{} {}", request.method(), request.uri().path()),
        (None, name) => format!("{name} {} {}", request.method(), request.uri().path()),
    };
    answer(caller, headers, &Fault::unknown_operation(&what))
}

/// How a service's failures are written.
#[derive(Clone, Copy)]
enum Writing {
    Json(json::Dialect),
    RestJson(rest_json::Dialect),
    RestXml,
    Query(&'static str),
    Cbor,
}

impl Writing {
    fn of(service: &Service, headers: &HeaderMap) -> Self {
        match service {
            Service::DynamoDb => Self::Json(json::DYNAMODB),
            Service::DynamoDbStreams => Self::Json(json::DYNAMODB_STREAMS),
            Service::Acm => Self::Json(json::ACM),
            Service::Lambda => Self::RestJson(rest_json::Dialect::Lambda),
            Service::ApiGateway | Service::ExecuteApi => {
                Self::RestJson(rest_json::Dialect::ApiGateway)
            }
            Service::Route53 => Self::RestXml,
            Service::Sts => Self::Query(query::STS),
            Service::Iam => Self::Query(query::IAM),
            Service::CloudWatch if cbor::is_spoken(headers) => Self::Cbor,
            Service::CloudWatch if headers.contains_key(json::TARGET) => {
                Self::Json(json::CLOUDWATCH)
            }
            Service::CloudWatch => Self::Query(query::CLOUDWATCH),
            Service::Unknown(_) if headers.contains_key(json::TARGET) => Self::Json(json::ACM),
            Service::Unknown(_) if is_form(headers) => Self::Query(query::STS),
            Service::Unknown(_) => Self::RestJson(rest_json::Dialect::ApiGateway),
        }
    }

    fn wire(self) -> Wire {
        match self {
            Self::Json(_) => Wire::Json10,
            Self::RestJson(_) => Wire::RestJson,
            Self::RestXml => Wire::RestXml,
            Self::Query(_) | Self::Cbor => Wire::Query,
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    headers
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/x-www-form"))
}

/// Returns whether a request's body is sent packed: it may take up to [`API_BODY_BYTES_MAX`] once
/// it is let in.
pub fn is_packed(headers: &HeaderMap) -> bool {
    let coding = headers.get(CONTENT_ENCODING);
    coding.is_some_and(|coding| coding.as_bytes().eq_ignore_ascii_case(b"gzip"))
}

/// Returns the body of a request that was sent packed; `None` where it was not.
fn unpacked(request: &Request<Bytes>) -> Result<Option<Bytes>, Fault> {
    if !is_packed(request.headers()) {
        return Ok(None);
    }
    inflate(request.body(), API_BODY_BYTES_MAX)
        .map(Some)
        .map_err(|error| match error {
            InflateError::TooLarge(_) => {
                Fault::caller("RequestEntityTooLargeException", error.to_string())
                    .with_status(StatusCode::PAYLOAD_TOO_LARGE)
            }
            InflateError::Damaged(_) => Fault::serialization(error.to_string()),
        })
}

fn with_unpacked(mut request: Request<Bytes>, body: Option<Bytes>) -> Request<Bytes> {
    if let Some(body) = body {
        let headers = request.headers_mut();
        headers.remove(CONTENT_ENCODING);
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        *request.body_mut() = body;
    }
    request
}

/// Returns whether a load balancer or a person asks whether anybody is at home.
fn is_probe(request: &Request<Bytes>) -> bool {
    matches!(request.uri().path(), "" | "/" | "/ping")
        && request.uri().query().is_none()
        && credential(request).is_none()
}

/// Returns whether a request has the outer form of a call, where its service is an AWS JSON one.
fn is_json_call(service: &Service, request: &Request<Bytes>) -> bool {
    match service.wire() {
        Some(Wire::Json10 | Wire::Json11) => {
            let kind = request.headers().get(CONTENT_TYPE);
            let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
            let media = kind.split(';').next().unwrap_or_default().trim();
            request.method() == Method::POST && json::is_media(media)
        }
        Some(Wire::RestJson | Wire::RestXml | Wire::Query) | None => true,
    }
}

/// Answers as AWS does, with XML and no word of what is wrong; to a call that names an operation,
/// as `curl -d` makes one of a form's type, it says what is.
fn no_json_call(request_id: RequestId, headers: &HeaderMap) -> Response<Bytes> {
    let body = if headers.contains_key(json::TARGET) {
        "<UnknownOperationException><Message>An operation is called by POST, with the Content-Type \
         application/x-amz-json-1.0 or 1.1</Message></UnknownOperationException>\n"
    } else {
        "<UnknownOperationException/>\n"
    };
    let body = body.to_owned();
    plain(request_id, StatusCode::NOT_FOUND, "application/xml", body)
}

fn foreign_host(host: &str) -> Fault {
    let message = format!(
        "In development a node answers to addresses and names of its own machine only, and \
         {host:?} is none: call it as localhost or by its address, or start it with --allow-host"
    );
    Fault::caller("AccessDeniedException", message).with_status(StatusCode::FORBIDDEN)
}

fn foreign_origin(request_id: RequestId) -> Response<Bytes> {
    let body = "In development, browsers may call from pages of this machine only.\n".to_owned();
    plain(request_id, StatusCode::FORBIDDEN, "text/plain", body)
}

fn plain(
    request_id: RequestId,
    status: StatusCode,
    media: &'static str,
    body: String,
) -> Response<Bytes> {
    let length = HeaderValue::from(body.len());
    let checksum = HeaderValue::from(crc32fast::hash(body.as_bytes()));
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(json::REQUEST_ID, request_id.base32_header());
    headers.insert(json::CRC32, checksum);
    response
}

#[cfg(test)]
mod tests;
