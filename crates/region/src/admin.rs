//! The calls of Hither itself, under `/_hither/`: status, metrics, digests, conflicts, comparisons,
//! the latency map, the drain of the region, invitations, faults on purpose, and the deletion of
//! all tables.
//!
//! They are not AWS's, and nothing that AWS has a call for is done here. They are for callers on
//! this machine only.

mod conflicts;

mod drain;

mod invitations;

mod metrics;

mod testing;

mod verify;

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use hyper::body::Incoming;
use serde_json::{Value, json};

use api_dynamodb::facade::DynamoDb;
use api_protocol::cors;
use api_protocol::hosts::Hosts;
use base::name::TableId;
use base::region::RegionId;
use clock::port::{Clock, Entropy};
use control::dns::LatencyEntry;
use control::resource::Change;
use item::key::KeySchema;
use store::port::Store;
use table::def::TableDef;

use crate::bodies::{Room, whole};
use crate::config::{Access, Durability, NodeConfig};
use crate::draining::UnderWay;
use crate::limits::ADMIN_BODY_BYTES_MAX;
use crate::proof::Proofs;
use crate::status::Sources;

/// Serves the calls of Hither itself.
pub(crate) struct Admin<S: Store> {
    sources: Sources<S>,
    dynamodb: Arc<DynamoDb<S>>,
    /// Where this node listens: what asks for it from here comes from it, too.
    own: IpAddr,
    version: String,
    mode: Mode,
    proofs: Proofs,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    durability: Durability,
    hosts: Hosts,
}

/// What a region is for, as it decides whether it may be made to fail, and be emptied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Development,
    /// Its callers must sign, and its operator said that it is for tests.
    Tests,
    Production,
}

impl<S: Store> Admin<S> {
    /// Makes them for a node.
    pub(crate) fn new(
        sources: Sources<S>,
        dynamodb: &Arc<DynamoDb<S>>,
        config: &NodeConfig,
        (clock, entropy): (&Arc<dyn Clock>, &Arc<dyn Entropy>),
    ) -> Self {
        let own = config.project.own().api.ip();
        Self {
            sources,
            dynamodb: Arc::clone(dynamodb),
            own,
            version: config.version.clone(),
            mode: match (&config.access, config.is_for_tests()) {
                (Access::Development, _) => Mode::Development,
                (_, true) => Mode::Tests,
                (_, false) => Mode::Production,
            },
            proofs: Proofs::new(&config.project.key),
            clock: Arc::clone(clock),
            entropy: Arc::clone(entropy),
            durability: config.durability,
            hosts: hosts(&config.hosts, own),
        }
    }

    /// Returns where calls of the AWS APIs are counted.
    pub(crate) const fn under_way(&self) -> &UnderWay {
        &self.sources.under_way
    }

    /// Answers one call.
    pub(crate) async fn serve(
        &self,
        client: SocketAddr,
        request: Request<Incoming>,
        room: &Room,
    ) -> Response<Bytes> {
        let path = request.uri().path().to_owned();
        if matches!(path.as_str(), "/_hither/health" | "/_localstack/health") {
            return self.health();
        }
        if !is_here(client.ip(), self.own) {
            let error = json!({"message": "this call is answered on its own machine only"});
            return answer(StatusCode::FORBIDDEN, &error);
        }
        if !is_ours(&self.hosts, &request) {
            let error = json!({"message": "pages of other machines may not make this call"});
            return answer(StatusCode::FORBIDDEN, &error);
        }
        let (request, _held) = match whole(request, ADMIN_BODY_BYTES_MAX, room).await {
            Ok(request) => request,
            Err(refused) => {
                let fault = refused.fault;
                return answer(fault.status, &json!({"message": fault.message}));
            }
        };
        let shows_items = ["/_hither/conflicts", "/_hither/verify"];
        let shows_items = shows_items.iter().any(|call| path.starts_with(call));
        if shows_items && !self.may_see_items(&request) {
            return conflicts::refused();
        }
        let query = parameters(request.uri().query().unwrap_or_default());
        let table = query.get("table").map(String::as_str).unwrap_or_default();
        match (request.method(), path.as_str()) {
            (&Method::GET, "/_hither/status") => answer(StatusCode::OK, &self.status()),
            (&Method::GET, "/_hither/metrics") => self.metrics(),
            (&Method::GET, "/_hither/digest") => match self.sources.digest(table) {
                Some(digest) => answer(StatusCode::OK, &digest),
                None => no_table(table),
            },
            (&Method::GET, "/_hither/conflicts") => self.conflicts(table, &query).await,
            (&Method::GET, "/_hither/conflicts/one") => self.conflict(table, &query).await,
            (&Method::POST, "/_hither/conflicts/restore") => self.restore(table, &query).await,
            (&Method::POST, "/_hither/verify") => self.verify(table).await,
            (&Method::PUT, "/_hither/latency") => self.put_latency(request.body()).await,
            (method @ &(Method::GET | Method::PUT | Method::DELETE), "/_hither/drain") => {
                self.drain(method, query.get("region")).await
            }
            (&Method::POST, "/_hither/invitations") => self.invite(&request, &query),
            (&Method::GET, "/_hither/faults") => self.faults(),
            (&Method::PUT, "/_hither/faults") => self.set_faults(table, request.body()).await,
            (&Method::DELETE, "/_hither/faults") => self.clear_faults(query.get("table")).await,
            (&Method::POST, "/_hither/reset") => self.reset(query.get("confirm")).await,
            (_, path) => {
                let error = json!({"message": format!("there is no call {path} here")});
                answer(StatusCode::NOT_FOUND, &error)
            }
        }
    }

    fn status(&self) -> Value {
        let mut status = self.sources.read();
        status["version"] = self.version.as_str().into();
        status["mode"] = self.mode.word().into();
        status["durability"] = self.durability.word().into();
        status
    }

    fn health(&self) -> Response<Bytes> {
        let problem = self.sources.failure.borrow().clone();
        let (status, state) = match problem {
            None => (StatusCode::OK, "running"),
            Some(_) => (StatusCode::SERVICE_UNAVAILABLE, "error"),
        };
        let served = ["dynamodb", "route53", "apigateway", "lambda", "acm", "sts"];
        let services: BTreeMap<&str, &str> =
            served.into_iter().map(|service| (service, state)).collect();
        let health = json!({
            "services": services,
            "edition": "hither",
            "version": self.version,
            "region": self.sources.control.project().region.as_str(),
            "problem": problem.map(|problem| problem.to_string()),
        });
        answer(status, &health)
    }

    /// Returns the number and the key of a table of this region, or of a system table.
    fn table(&self, name: &str) -> Option<(TableId, KeySchema)> {
        let id = self.sources.table_id(name)?;
        let schema = match self.sources.control.table_named(name) {
            Some(view) if view.table.id() == id => view.table.schema()?,
            Some(_) | None => TableDef::system(id, []).schema,
        };
        Some((id, schema))
    }

    /// Returns a region's name, or its number where the project has no such region any more.
    fn name_of(&self, id: RegionId) -> String {
        let mut regions = self.sources.control.project().regions.iter();
        let named = regions.find(|region| region.name.id() == id);
        named.map_or_else(|| id.to_string(), |region| region.name.to_string())
    }

    async fn put_latency(&self, body: &[u8]) -> Response<Bytes> {
        let entries: Vec<LatencyEntry> = match serde_json::from_slice(body) {
            Ok(entries) => entries,
            Err(error) => {
                let text = format!("read the latency entries: {error}");
                return answer(StatusCode::BAD_REQUEST, &json!({"message": text}));
            }
        };
        let problems = entries
            .iter()
            .filter_map(LatencyEntry::problem)
            .collect::<Vec<_>>();
        if !problems.is_empty() {
            return answer(
                StatusCode::BAD_REQUEST,
                &json!({"message": problems.join("; ")}),
            );
        }
        let changes = entries.iter().map(Change::put).collect();
        match self.sources.control.change(changes).await {
            Ok(position) => answer(StatusCode::OK, &json!({"position": position})),
            Err(error) => {
                let error = json!({"message": error.to_string()});
                answer(StatusCode::INTERNAL_SERVER_ERROR, &error)
            }
        }
    }
}

fn no_table(name: &str) -> Response<Bytes> {
    let error = json!({"message": format!("this region has no table {name:?}")});
    answer(StatusCode::NOT_FOUND, &error)
}

fn answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(format!("{body}\n")));
    *response.status_mut() = status;
    let kind = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}

/// Returns whether a client is on this machine. Whoever connects to an address of its own machine
/// does so from that address, unless it binds another.
fn is_here(client: IpAddr, own: IpAddr) -> bool {
    let client = client.to_canonical();
    client.is_loopback() || client == own.to_canonical()
}

/// Returns the names by which these calls may be asked for: those of the node, and its address as
/// it stands in a URI.
fn hosts(named: &[String], own: IpAddr) -> Hosts {
    let address = match own {
        IpAddr::V4(own) => own.to_string(),
        IpAddr::V6(own) => format!("[{own}]"),
    };
    Hosts::new(named.iter().cloned().chain([address]))
}

/// Returns whether a request comes from no page, or from one of this machine: a page anywhere can
/// make a browser here call, under a name of its own that leads to loopback.
fn is_ours<B>(hosts: &Hosts, request: &Request<B>) -> bool {
    let origin = request.headers().get(header::ORIGIN);
    origin.is_none_or(cors::is_of_this_machine) && hosts.foreign(request).is_none()
}

/// Reads `name=value` pairs; what is escaped stays so, since no name needs it.
fn parameters(query: &str) -> BTreeMap<String, String> {
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[cfg(test)]
mod tests;
