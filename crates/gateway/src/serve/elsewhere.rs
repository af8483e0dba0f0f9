//! Handing a failed request to another region's gateway.
//!
//! Whether and to which one is gateway-core's decision.

use base::region::RegionName;
use gateway_core::failover::{Failed, Peer, Progress, Replay, next_region};
use gateway_core::handover::{Bound, Handover, REFUSED_HEADER, REQUEST_HEADER};
use gateway_core::headers::strip_hop_by_hop;
use gateway_core::invoke::Invoke;
use gateway_core::refusal::Refusal;
use http::{Request, Response};

use super::{Call, Refused, Shared};
use crate::body::Body;
use crate::exchange::{Trouble, exchange};
use crate::pool::Backend;

/// The mark of a response that another region's gateway made.
#[derive(Clone, Copy, Debug)]
pub(super) struct OfPeer;

impl<I: Invoke> Shared<I> {
    /// Hands a failed request to the nearest healthy region, and to the next if that fails too.
    pub(super) async fn ask_other_regions(
        &self,
        call: &Call<'_>,
        trouble: Trouble,
    ) -> Result<Response<Body>, Refused> {
        let Trouble {
            refusal,
            mut progress,
            mut body,
        } = trouble;
        let mut asked: Vec<RegionName> = Vec::new();
        loop {
            let failed = Failed {
                method: &call.admitted.head.method,
                progress,
                left: call.left(),
                body: body.as_ref().map_or(Replay::Gone, |_| Replay::Kept),
                source: call.admitted.source,
                named: call.plan.named,
            };
            let peers = &call.snapshot.peers;
            let next = next_region(peers, &asked, failed, &mut self.lock_budget());
            let id = call.admitted.arrival.id;
            let (peer, sending) = match (next, body.take()) {
                (Ok(peer), Some(sending)) => (peer, sending),
                (Ok(_), None) => return Err(Refused { refusal, progress }),
                (Err(stop), _) => {
                    tracing::debug!(%id, %refusal, %stop, "no other region serves the request");
                    return Err(Refused { refusal, progress });
                }
            };
            self.counters.handed_on.up();
            asked.push(peer.region.clone());
            match self.hand_over(call, peer, sending).await {
                Ok(response) => {
                    tracing::info!(%id, region = %peer.region, %refusal, "another region served");
                    self.counters.rescued.up();
                    return Ok(response);
                }
                Err(trouble) => {
                    // What one backend saw stays seen, whatever the others say.
                    if matches!(trouble.progress, Progress::Sent) {
                        progress = Progress::Sent;
                    }
                    body = trouble.body;
                }
            }
        }
    }

    /// Sends a request to another region's gateway, signed.
    pub(super) async fn hand_over(
        &self,
        call: &Call<'_>,
        peer: &Peer,
        body: Body,
    ) -> Result<Response<Body>, Trouble> {
        let admitted = call.admitted;
        let head = &admitted.head;
        let path = head.uri.path_and_query();
        let signed = Handover {
            from: self.region.clone(),
            arrival: admitted.arrival,
            // The peer gives up a little before this side does.
            left: call.left().saturating_sub(peer.delay * 2),
        };
        let bound = Bound {
            method: &head.method,
            authority: &admitted.authority,
            path_and_query: path.map_or("/", |path| path.as_str()),
        };
        let key = &call.snapshot.handover_key;
        let signed = signed.sign(self.clock.wall(), key, bound);
        let backend = Backend::Gateway {
            region: peer.region.clone(),
            address: peer.address,
        };
        let copy = body.copy();
        let build = |body| {
            let mut request = Request::new(body);
            *request.method_mut() = head.method.clone();
            if let Some(path) = path {
                *request.uri_mut() = path.clone().into();
            }
            *request.headers_mut() = head.headers.clone();
            let headers = request.headers_mut();
            headers.insert(REQUEST_HEADER, signed.clone());
            request
        };
        let mut response = exchange(&self.pool, &backend, call.deadline, body, build).await?;
        let headers = response.headers_mut();
        strip_hop_by_hop(headers);
        match headers.remove(REFUSED_HEADER) {
            None => {
                response.extensions_mut().insert(OfPeer);
                Ok(response)
            }
            Some(how) => Err(Trouble {
                refusal: Refusal::Unavailable,
                progress: if how == "unsent" {
                    Progress::Unsent
                } else {
                    Progress::Sent
                },
                body: copy,
            }),
        }
    }
}
