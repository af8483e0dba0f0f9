//! Sessions at this node: what its tables have of all logs, and the header of API calls.
//!
//! What a session is, gateway-core says.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use tokio::sync::watch;

use base::region::RegionId;
use control::control::Control;
use gateway::seen::Seen;
use gateway_core::limits::SESSION_PATIENCE;
use gateway_core::session::{self, Log, Positions, SESSION_HEADER, Session, SessionKey, State};
use health_core::limits::MISS_AFTER;
use health_core::view::HealthView;
use replica_core::vector::VersionVector;
use store::port::Store;
use table::tables::Tables;

/// The logs as the tables have them.
struct Logs<S> {
    tables: Tables<S>,
    health: watch::Receiver<Arc<HealthView>>,
}

impl<S: Store> Log for Logs<S> {
    fn applied(&self) -> Positions {
        positions(&self.tables.applied())
    }

    fn touched(&self) -> Positions {
        let mut touched = positions(&self.tables.touched());
        touched.join(&positions(&self.tables.applied()));
        touched
    }

    fn hears(&self, region: RegionId) -> bool {
        let health = self.health.borrow();
        let verdict = health.regions.get(&region);
        let silence = verdict.and_then(|verdict| verdict.silence);
        silence.is_some_and(|silence| silence < MISS_AFTER)
    }
}

fn positions(vector: &VersionVector) -> Positions {
    let entries = vector.iter();
    entries.map(|(origin, seq)| (origin, seq.0)).collect()
}

/// Returns what sessions of a node are decided by.
pub(crate) fn seen<S: Store>(
    control: &Control<S>,
    health: &watch::Receiver<Arc<HealthView>>,
) -> Seen {
    let tables = control.tables();
    let logs = Logs {
        tables: tables.clone(),
        health: health.clone(),
    };
    Seen {
        here: tables.region(),
        log: Arc::new(logs),
        progress: tables.progress(),
        key: SessionKey::derive(&control.project().key.0),
    }
}

/// A call whose caller asked for sessions.
pub(crate) struct Asked(Option<(Session, State)>);

/// Waits for what a caller has seen, where its call has the header; `None` where it has not. A
/// header without a token of this project asks for the first.
pub(crate) async fn wait(seen: &Seen, headers: &HeaderMap) -> Option<Asked> {
    let token = headers.get(SESSION_HEADER)?.to_str().unwrap_or_default();
    let Ok(session) = Session::open(token, &seen.key) else {
        return Some(Asked(None));
    };
    let state = seen.reach(&session.seen, SESSION_PATIENCE).await;
    Some(Asked(Some((session, state))))
}

impl Asked {
    /// Gives the answer the token of all that it can tell of.
    pub(crate) fn tell(self, seen: &Seen, headers: &mut HeaderMap<HeaderValue>) {
        let state = self.0.as_ref().map(|(_, state)| *state);
        session::tell(headers, &seen.token(self.0), state);
    }
}
