//! The facade: a request in, Route 53's answer out.
//!
//! It holds nothing but what it reads from; every region's facade answers alike.

use std::sync::Arc;

use api_protocol::caller::Caller;
use api_protocol::fault::Fault;
use api_protocol::rest_xml::{self, ROUTE53};
use api_protocol::uri::{self, Parameters};
use api_protocol::xml::{Element, XmlWriter};
use bytes::Bytes;
use control::control::{Control, Position};
use control::dns::check::{Report, Wanted};
use dns_core::view::View;
use http::header::LOCATION;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode};
use store::port::Store;
use tokio::sync::{Mutex, watch};

use crate::change_id::ChangeId;
use crate::operation::{Operation, operation};

/// Route 53 over a region's resources.
pub struct Route53<S> {
    pub(crate) control: Control<S>,
    pub(crate) live: Live,
    /// One change of record sets at a time: each is checked against what the last one left.
    pub(crate) changing: Mutex<()>,
}

/// What no resource holds: what is answered and seen at the moment.
#[derive(Clone)]
pub struct Live {
    /// What DNS answers from, for `TestDNSAnswer`.
    pub views: watch::Receiver<Arc<View>>,
    /// What the regions last saw of a health check.
    pub reports: Arc<Reports>,
}

/// Returns what the regions last saw of the health check with this id.
pub type Reports = dyn Fn(&str, Wanted) -> Vec<Report> + Send + Sync;

/// A request, taken apart.
pub(crate) struct Call<'r> {
    pub(crate) caller: &'r Caller,
    pub(crate) parameters: Parameters,
    body: &'r [u8],
}

impl Call<'_> {
    /// Reads the body.
    pub(crate) fn document(&self, root: &str) -> Result<Element, Fault> {
        rest_xml::read(self.body, root)
    }
}

/// An answer that is no failure.
pub(crate) struct Reply {
    status: StatusCode,
    document: Bytes,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Reply {
    /// Answers with a document whose root is `root`.
    pub(crate) fn document(root: &str, inside: impl FnOnce(&mut XmlWriter)) -> Self {
        let mut xml = XmlWriter::declared();
        xml.open_in(root, ROUTE53);
        inside(&mut xml);
        Self {
            status: StatusCode::OK,
            document: xml.finish(),
            headers: Vec::new(),
        }
    }

    /// Says that something was created, and where it is.
    pub(crate) fn created(mut self, path: &str) -> Self {
        self.status = StatusCode::CREATED;
        self.with_header(LOCATION, &format!("{HOME}/2013-04-01/{path}"))
    }

    /// Adds a header, where its text can stand in one.
    pub(crate) fn with_header(mut self, name: HeaderName, text: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(text) {
            self.headers.push((name, value));
        }
        self
    }
}

/// Where Route 53 says its resources are.
const HOME: &str = "https://route53.amazonaws.com";

impl<S: Store> Route53<S> {
    /// Makes the facade of a region.
    pub fn new(control: Control<S>, live: Live) -> Self {
        Self {
            control,
            live,
            changing: Mutex::new(()),
        }
    }

    /// Answers a request.
    pub async fn handle(&self, caller: &Caller, request: Request<Bytes>) -> Response<Bytes> {
        let segments = uri::segments(request.uri().path());
        let answered = match operation(request.method(), &segments) {
            Some(operation) => {
                let call = Call {
                    caller,
                    parameters: Parameters::of_uri(request.uri()),
                    body: request.body(),
                };
                self.answer(operation, &call).await
            }
            None => {
                let what = format!("{} {}", request.method(), request.uri().path());
                Err(Fault::unknown_operation(&what))
            }
        };
        match answered {
            Ok(reply) => {
                let mut response = rest_xml::reply(caller, reply.status, reply.document);
                response.headers_mut().extend(reply.headers);
                response
            }
            Err(fault) => rest_xml::fault(caller, ROUTE53, &fault),
        }
    }

    async fn answer(&self, operation: Operation, call: &Call<'_>) -> Result<Reply, Fault> {
        if let Some(resource) = operation.resource() {
            let action = format!("route53:{}", operation.name());
            call.caller.check(&action, &resource)?;
        }
        match operation {
            Operation::CreateHostedZone => self.create_hosted_zone(call).await,
            Operation::ListHostedZones => self.list_hosted_zones(call),
            Operation::ListHostedZonesByName => self.list_hosted_zones_by_name(call),
            Operation::GetHostedZoneCount => Ok(self.hosted_zone_count(call)),
            Operation::GetHostedZone(id) => self.hosted_zone(call, &id),
            Operation::UpdateHostedZoneComment(id) => self.update_comment(call, &id).await,
            Operation::DeleteHostedZone(id) => self.delete_hosted_zone(call, &id).await,
            Operation::GetHostedZoneLimit(id, limit) => self.hosted_zone_limit(call, &id, &limit),
            Operation::GetAccountLimit(limit) => self.account_limit(call, &limit),
            Operation::GetDnssec(id) => self.dnssec(call, &id),
            Operation::ChangeResourceRecordSets(id) => self.change_records(call, &id).await,
            Operation::ListResourceRecordSets(id) => self.list_records(call, &id),
            Operation::GetChange(id) => self.change(&id),
            Operation::TestDnsAnswer => self.test_answer(call),
            Operation::CreateHealthCheck => self.create_check(call).await,
            Operation::ListHealthChecks => self.list_checks(call),
            Operation::GetHealthCheckCount => Ok(self.check_count(call)),
            Operation::GetHealthCheck(id) => self.check(call, &id),
            Operation::UpdateHealthCheck(id) => self.update_check(call, &id).await,
            Operation::DeleteHealthCheck(id) => self.delete_check(call, &id).await,
            Operation::GetHealthCheckStatus(id) => self.check_status(call, &id, Wanted::Last),
            Operation::GetHealthCheckLastFailureReason(id) => {
                self.check_status(call, &id, Wanted::LastFailure)
            }
            Operation::GetCheckerIpRanges => Ok(self.checker_ranges()),
            Operation::ChangeTagsForResource(kind, id) => self.change_tags(call, &kind, &id).await,
            Operation::ListTagsForResource(kind, id) => self.list_tags(call, &kind, &id),
            Operation::ListTagsForResources(kind) => self.list_tags_of_several(call, &kind),
            Operation::CreateCidrCollection => self.create_collection(call).await,
            Operation::ListCidrCollections => self.list_collections(call),
            Operation::ChangeCidrCollection(id) => self.change_collection(call, &id).await,
            Operation::ListCidrLocations(id) => self.list_locations(call, &id),
            Operation::ListCidrBlocks(id) => self.list_blocks(call, &id),
            Operation::DeleteCidrCollection(id) => self.delete_collection(call, &id).await,
            Operation::Unsupported(name) => Err(Fault::unknown_operation(name)),
        }
    }

    /// Writes what became of a change that was just made.
    pub(crate) fn write_change(
        &self,
        position: Position,
        comment: Option<&str>,
        xml: &mut XmlWriter,
    ) {
        let submitted = self.control.clock().wall();
        let id = ChangeId {
            position,
            submitted,
        };
        self.write_change_info(id, comment, xml);
    }

    /// Writes what became of a change: in sync once every live region answers by it.
    pub(crate) fn write_change_info(
        &self,
        id: ChangeId,
        comment: Option<&str>,
        xml: &mut XmlWriter,
    ) {
        let status = if self.control.has_reached_all(id.position) {
            "INSYNC"
        } else {
            "PENDING"
        };
        xml.within("ChangeInfo", |xml| {
            xml.leaf("Id", &format!("/change/{}", id.as_text()));
            xml.leaf("Status", status);
            let submitted = api_protocol::timestamp::iso_millis(id.submitted);
            xml.leaf("SubmittedAt", &submitted);
            if let Some(comment) = comment {
                xml.leaf("Comment", comment);
            }
        });
    }
}
