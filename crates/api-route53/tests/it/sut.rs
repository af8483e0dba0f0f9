//! A region's facade over a node in memory, and requests to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use api_protocol::caller::{Caller, Service};
use api_protocol::request_id::RequestId;
use api_protocol::xml::{self, Element};
use api_route53::facade::{Live, Route53};
use base::name::AccountId;
use base::region::RegionId;
use bytes::Bytes;
use clock::time::WallTime;
use control::control::{PeerReach, Reach};
use control::dns;
use control::dns::check::{Report, Wanted};
use control::testing::{Node, pull};
use dns_core::health::Health;
use dns_core::view::{Generation, View, ViewSource};
use http::Request;
use store::memory::MemStore;
use tokio::sync::watch;

/// A region: its node, its facade, and what it answers from.
pub(crate) struct Region {
    pub(crate) node: Node,
    facade: Route53<MemStore>,
    views: watch::Sender<Arc<View>>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) document: Element,
}

impl Region {
    pub(crate) async fn open(name: &str) -> Self {
        let node = Node::open(name).await;
        let (views, watch) = watch::channel(Arc::new(view(&node)));
        let live = Live {
            views: watch,
            reports: Arc::new(reports),
        };
        Self {
            facade: Route53::new(node.control.clone(), live),
            node,
            views,
        }
    }

    /// Answers from what is stored at the moment.
    pub(crate) fn publish(&self) {
        self.views.send_replace(Arc::new(view(&self.node)));
    }

    /// Takes over all that another region wrote.
    pub(crate) async fn catch_up(&self, from: &Self) {
        pull(&self.node, &from.node).await;
        self.node.control.refresh().await.unwrap();
    }

    /// Says how far another region has come: as far as this one.
    pub(crate) fn reached(&self, peer: &Self, live: bool) {
        let applied = peer.node.control.tables().applied();
        let mut reach: Reach = (**self.node.reach.borrow()).clone();
        reach.insert(
            peer.node.id(),
            PeerReach {
                live,
                applied,
                ..PeerReach::default()
            },
        );
        self.node.reach.send_replace(Arc::new(reach));
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send_as(AccountId::DEFAULT, method, path, body).await
    }

    pub(crate) async fn send_as(
        &self,
        account: AccountId,
        method: &str,
        path: &str,
        body: &str,
    ) -> Answer {
        let mut caller = self.caller();
        caller.account = account;
        self.send_by(&caller, method, path, body).await
    }

    /// Makes a caller who may do all.
    pub(crate) fn caller(&self) -> Caller {
        let region = self.node.control.project().region.clone();
        Caller::internal(Service::Route53, region, RequestId::from_bits([1; 4]))
    }

    pub(crate) async fn send_by(
        &self,
        caller: &Caller,
        method: &str,
        path: &str,
        body: &str,
    ) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(format!("/2013-04-01/{path}"))
            .body(Bytes::from(body.to_owned()))
            .unwrap();
        let response = self.facade.handle(caller, request).await;
        let headers = response.headers().iter();
        Answer {
            status: response.status().as_u16(),
            headers: headers
                .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
                .collect(),
            document: xml::parse(response.body()).unwrap(),
        }
    }

    /// Makes a zone and returns its id.
    pub(crate) async fn zone(&self, name: &str) -> String {
        let body = format!(
            "<CreateHostedZoneRequest><Name>{name}</Name><CallerReference>{name}</CallerReference>\
             </CreateHostedZoneRequest>"
        );
        let answer = self.send("POST", "hostedzone", &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let id = answer.text("HostedZone/Id");
        id.strip_prefix("/hostedzone/").unwrap().to_owned()
    }

    /// Changes a zone's record sets.
    pub(crate) async fn change(&self, zone: &str, changes: &[String]) -> Answer {
        let body = format!(
            "<ChangeResourceRecordSetsRequest><ChangeBatch><Changes>{}</Changes></ChangeBatch>\
             </ChangeResourceRecordSetsRequest>",
            changes.concat()
        );
        self.send("POST", &format!("hostedzone/{zone}/rrset/"), &body)
            .await
    }
}

/// Writes one change of a batch.
pub(crate) fn change(action: &str, name: &str, record_type: &str, rest: &str) -> String {
    format!(
        "<Change><Action>{action}</Action><ResourceRecordSet><Name>{name}</Name>\
         <Type>{record_type}</Type>{rest}</ResourceRecordSet></Change>"
    )
}

/// Writes a time to live and one value.
pub(crate) fn value(value: &str) -> String {
    format!(
        "<TTL>60</TTL><ResourceRecords><ResourceRecord><Value>{value}</Value></ResourceRecord>\
         </ResourceRecords>"
    )
}

impl Answer {
    /// Returns the text at a path below the root, as in `HostedZone/Id`.
    #[track_caller]
    pub(crate) fn text(&self, path: &str) -> String {
        let mut at = &self.document;
        for name in path.split('/') {
            let found = at.child(name);
            at = found.unwrap_or_else(|| panic!("no {path} in {:?}", self.document));
        }
        at.text.clone()
    }

    /// Returns the texts of `leaf` in each member of a list.
    pub(crate) fn texts(&self, list: &str, member: &str, leaf: &str) -> Vec<String> {
        let members = self.document.members(list, member);
        members
            .filter_map(|member| Some(member.text_of(leaf)?.to_owned()))
            .collect()
    }

    /// Returns status, code and message of a failure.
    pub(crate) fn failure(&self) -> (u16, String, String) {
        assert_eq!(self.document.name, "ErrorResponse");
        (
            self.status,
            self.text("Error/Code"),
            self.text("Error/Message"),
        )
    }
}

fn view(node: &Node) -> View {
    let (zones, problems) = dns::zones(&node.control);
    assert_eq!(problems, []);
    let (latency, problems) = dns::latency(&node.control);
    assert_eq!(problems, []);
    View::new(ViewSource {
        generation: Generation(1),
        region: node.id(),
        zones: Arc::new(zones),
        health: Arc::new(Health::default()),
        latency: Arc::new(latency),
        delays: Vec::new(),
    })
}

/// What two regions saw of any check.
fn reports(_: &str, wanted: Wanted) -> Vec<Report> {
    let report = |region, status: &str| Report {
        region: RegionId(region),
        status: status.to_owned(),
        at: WallTime::from_micros(1_780_000_000_000_000),
    };
    match wanted {
        Wanted::Last => vec![
            report(1, "Success: HTTP Status Code 200, OK"),
            report(6, "Failure: x"),
        ],
        Wanted::LastFailure => vec![report(6, "Failure: x")],
    }
}
