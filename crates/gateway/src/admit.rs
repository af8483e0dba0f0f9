//! The first look at a request: whom it names, where it came from, whether it is well formed.
//!
//! It finds no route.

use std::net::IpAddr;
use std::time::Duration;

use clock::time::WallTime;
use gateway_core::arrival::{Arrival, RequestId};
use gateway_core::failover::Source;
use gateway_core::handover::{Bound, Handover, REQUEST_HEADER};
use gateway_core::headers::{forward, size, strip_hop_by_hop};
use gateway_core::limits::{HEADER_BYTES_MAX, INTEGRATION_PATIENCE};
use gateway_core::refusal::Refusal;
use gateway_core::uri::Security;
use http::header::HOST;
use http::request::Parts;
use http::{HeaderValue, Method};

use crate::snapshot::Snapshot;

/// By which door a connection came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Door {
    pub(crate) client: IpAddr,
    pub(crate) security: Security,
    pub(crate) port: u16,
}

/// A request that may be served.
#[derive(Debug)]
pub(crate) struct Admitted {
    /// The head, its headers prepared for a backend.
    pub(crate) head: Parts,
    /// Host and port.
    pub(crate) authority: String,
    /// How it reached the first gateway.
    pub(crate) arrival: Arrival,
    /// Who sent it.
    pub(crate) source: Source,
    /// How long its sender waits.
    pub(crate) left: Duration,
}

impl Door {
    /// Returns the arrival of a request by this door.
    pub(crate) fn arrival(self, id: RequestId, at: WallTime) -> Arrival {
        Arrival {
            client: self.client,
            security: self.security,
            port: self.port,
            id,
            at,
        }
    }
}

/// Looks at a request's head.
///
/// Errors: the [`Refusal`] of a request that no route could serve.
pub(crate) fn admit(
    snapshot: &Snapshot,
    arrival: Arrival,
    mut head: Parts,
) -> Result<Admitted, Refusal> {
    if head.method == Method::CONNECT {
        return Err(Refusal::Tunnel);
    }
    if size(&head.method, &head.uri, &head.headers) > HEADER_BYTES_MAX.as_u64() {
        return Err(Refusal::HeadersTooLarge);
    }
    let authority = authority(&head)?;
    let host = HeaderValue::from_str(&authority).map_err(|_| Refusal::NoHost)?;
    head.headers.insert(HOST, host);
    let handed = head.headers.remove(REQUEST_HEADER);
    let handed = handed.and_then(|value| {
        let bound = Bound {
            method: &head.method,
            authority: &authority,
            path_and_query: head.uri.path_and_query().map_or("/", |path| path.as_str()),
        };
        let handover = Handover::verify(arrival.at, &snapshot.handover_key, bound, &value);
        let refused = |error| tracing::warn!(id = %arrival.id, %error, "no handover");
        handover.map_err(refused).ok()
    });
    let (arrival, source, left) = match handed {
        // The first gateway has prepared the headers already.
        Some(handover) => {
            strip_hop_by_hop(&mut head.headers);
            (handover.arrival, Source::Gateway, handover.left)
        }
        None => {
            forward(&mut head.headers, &arrival);
            (arrival, Source::Client, INTEGRATION_PATIENCE)
        }
    };
    Ok(Admitted {
        head,
        authority,
        arrival,
        source,
        left,
    })
}

/// Returns host and port. A request must name one host; RFC 9112 §3.2.2 lets the request line
/// win over the header, and RFC 9113 §8.3.1 wants both to agree.
fn authority(head: &Parts) -> Result<String, Refusal> {
    let mut hosts = head.headers.get_all(HOST).iter();
    let header = hosts.next();
    if hosts.next().is_some() {
        return Err(Refusal::NoHost);
    }
    let header = match header {
        Some(value) => Some(value.to_str().map_err(|_| Refusal::NoHost)?),
        None => None,
    };
    let line = head.uri.authority().map(http::uri::Authority::as_str);
    match (line, header) {
        (Some(line), Some(header)) if line.eq_ignore_ascii_case(header) => Ok(line.to_owned()),
        (Some(line), None) => Ok(line.to_owned()),
        (None, Some(header)) => Ok(header.to_owned()),
        (Some(_), Some(_)) | (None, None) => Err(Refusal::NoHost),
    }
}
