//! A request of a session: it waits for what its client has seen, or goes where that is.
//!
//! What a session is, gateway-core says.

use gateway_core::failover::{Health, Peer, Progress, Source};
use gateway_core::invoke::Invoke;
use gateway_core::limits::{REPLAY_BYTES_MAX, SESSION_PATIENCE};
use gateway_core::resolve::Named;
use gateway_core::session::{self, Session, State};
use http::Response;
use http_body::Body as _;
use hyper::body::Incoming;
use tokio::time::Instant;

use super::elsewhere::OfPeer;
use super::{Call, Coming, Refused, Shared};
use crate::body::Body;

impl<I: Invoke> Shared<I> {
    /// Serves a request of a client that has sessions.
    pub(super) async fn run_session(
        &self,
        call: &Call<'_>,
        incoming: Incoming,
    ) -> Result<Response<Body>, Refused> {
        let headers = &call.admitted.head.headers;
        let id = call.admitted.arrival.id;
        let opened = session::token(headers).and_then(|token| {
            let refused = |error| tracing::info!(%id, %error, "no session");
            Session::open(token, &self.seen.key).map_err(refused).ok()
        });
        let Some(session) = opened else {
            let response = self.run(call, Coming::Client(incoming)).await;
            return self.with_token(call, response, None);
        };
        // Half of what is left stays for whoever serves.
        let patience = SESSION_PATIENCE.min(call.left() / 2);
        let state = self.seen.reach(&session.seen, patience).await;
        let response = match (state, self.holder(call, &session, &incoming)) {
            (State::Unmet, Some(peer)) => self.ask_holder(call, peer, incoming).await,
            (State::Met, _) | (State::Unmet, None) => {
                self.run(call, Coming::Client(incoming)).await
            }
        };
        self.with_token(call, response, Some((session, state)))
    }

    /// Returns the region that gave a session's token, where the request may go there.
    fn holder<'c>(
        &self,
        call: &Call<'c>,
        session: &Session,
        incoming: &Incoming,
    ) -> Option<&'c Peer> {
        let most = incoming.size_hint().upper();
        let is_small = most.is_some_and(|most| most <= REPLAY_BYTES_MAX.as_u64());
        let may_go = matches!(call.admitted.source, Source::Client)
            && matches!(call.plan.named, Named::Domain)
            && is_small;
        let mut peers = call.snapshot.peers.iter();
        let holder = peers.find(|peer| peer.region.id() == session.holder)?;
        // Who is cut off from the others holds none of them for down.
        let in_reach = matches!(holder.health, Health::Healthy)
            && self.seen.log.hears(session.holder)
            && holder.delay * 2 < call.left();
        (may_go && in_reach).then_some(holder)
    }

    /// Hands a request to the region that has what its client has seen; serves it here where that
    /// does not answer, and it is sure that nothing was done there.
    async fn ask_holder(
        &self,
        call: &Call<'_>,
        peer: &Peer,
        incoming: Incoming,
    ) -> Result<Response<Body>, Refused> {
        let coming = Coming::Client(incoming);
        let (body, held) = self.read_body(coming, call.deadline).await?;
        // Half of what is left stays for this region, should the other be cut off unnoticed.
        let there = Call {
            deadline: Instant::now() + call.left() / 2,
            ..*call
        };
        self.counters.handed_on.up();
        match self.hand_over(&there, peer, Body::kept(body.clone())).await {
            Ok(response) => Ok(response),
            Err(trouble)
                if matches!(trouble.progress, Progress::Sent)
                    && !call.admitted.head.method.is_idempotent() =>
            {
                let (refusal, progress) = (trouble.refusal, trouble.progress);
                Err(Refused { refusal, progress })
            }
            Err(_) => self.run(call, Coming::Read(body, held)).await,
        }
    }

    /// Gives a response the token of all that it can tell of. One that another region made has
    /// that region's, and a refusal tells of nothing: its client's token stays good.
    fn with_token(
        &self,
        call: &Call<'_>,
        response: Result<Response<Body>, Refused>,
        before: Option<(Session, State)>,
    ) -> Result<Response<Body>, Refused> {
        let mut response = response?;
        if response.extensions().get::<OfPeer>().is_some() {
            return Ok(response);
        }
        let state = before.as_ref().map(|(_, state)| *state);
        let token = self.seen.token(before);
        let headers = response.headers_mut();
        session::tell(headers, &token, state);
        session::set_cookie(headers, &token, call.admitted.arrival.security);
        Ok(response)
    }
}
