//! The header by which one region's gateway hands a request to another's.
//!
//! It sends nothing. Only a holder of the project's key can write one, for one request, for a
//! short while; a request that was handed over is never handed on, so none can go in a circle.

use std::fmt::Write;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use base::region::RegionName;
use clock::time::WallTime;
use http::{HeaderName, HeaderValue, Method};

use crate::arrival::{Arrival, RequestId};
use crate::limits::HANDOVER_AGE_MAX;
use crate::uri::Security;

/// The request header that carries a handover.
pub const REQUEST_HEADER: HeaderName = HeaderName::from_static("hither-handover");

/// The response header by which a gateway says that the refusal is its own, and how far the
/// request had come: `unsent` or `sent`.
pub const REFUSED_HEADER: HeaderName = HeaderName::from_static("hither-refused");

/// The version of the header's form.
const VERSION: &str = "v1";

/// The key that the gateways of a project share.
#[derive(Clone)]
pub struct HandoverKey([u8; 32]);

/// What the first gateway tells the next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handover {
    /// The region that hands over.
    pub from: RegionName,
    /// How the request reached the first gateway.
    pub arrival: Arrival,
    /// How long the client still waits.
    pub left: Duration,
}

/// What a handover is bound to, besides its own fields.
#[derive(Clone, Copy, Debug)]
pub struct Bound<'r> {
    /// The request's method.
    pub method: &'r Method,
    /// The request's host and port.
    pub authority: &'r str,
    /// The request's path and query.
    pub path_and_query: &'r str,
}

/// Why a handover is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHandover {
    /// It has another form.
    #[error("read the handover")]
    Malformed,
    /// It is not signed with the project's key for this request.
    #[error("verify the handover's signature")]
    Forged,
    /// It was written too long ago, or by a clock far ahead.
    #[error("accept a handover of another time")]
    Stale,
}

impl HandoverKey {
    /// Derives the key from the project's secret.
    pub fn derive(project_secret: &[u8]) -> Self {
        Self(blake3::derive_key(
            "hither 2026 gateway handover",
            project_secret,
        ))
    }
}

impl std::fmt::Debug for HandoverKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HandoverKey")
    }
}

impl Handover {
    /// Writes the header's value.
    pub fn sign(&self, now: WallTime, key: &HandoverKey, bound: Bound<'_>) -> HeaderValue {
        let Arrival {
            client,
            security,
            port,
            id,
            at,
        } = self.arrival;
        let tls = matches!(security, Security::Tls);
        let mut text = format!(
            "{VERSION};{};{};{client};{};{port};{id};{};{}",
            now.as_millis(),
            self.from,
            u8::from(tls),
            at.as_micros(),
            self.left.as_millis(),
        );
        let mac = mac(key, &text, bound);
        write!(text, ";{}", mac.to_hex()).expect("a string takes any text");
        HeaderValue::from_str(&text).expect("every field is of visible ASCII characters")
    }

    /// Reads and verifies a header's value.
    ///
    /// Errors: [`BadHandover`]; the request is then an ordinary client's.
    pub fn verify(
        now: WallTime,
        key: &HandoverKey,
        bound: Bound<'_>,
        value: &HeaderValue,
    ) -> Result<Self, BadHandover> {
        let text = value.to_str().map_err(|_| BadHandover::Malformed)?;
        let (signed, theirs) = text.rsplit_once(';').ok_or(BadHandover::Malformed)?;
        let theirs = blake3::Hash::from_hex(theirs).map_err(|_| BadHandover::Malformed)?;
        // This comparison takes the same time wherever the two differ.
        if mac(key, signed, bound) != theirs {
            return Err(BadHandover::Forged);
        }
        let (written, handover) = Self::read(signed).ok_or(BadHandover::Malformed)?;
        let age = now.as_millis().abs_diff(written);
        if Duration::from_millis(age) > HANDOVER_AGE_MAX {
            return Err(BadHandover::Stale);
        }
        Ok(handover)
    }

    fn read(text: &str) -> Option<(i64, Self)> {
        let mut fields = text.split(';');
        let mut next = || fields.next();
        if next()? != VERSION {
            return None;
        }
        let written = next()?.parse().ok()?;
        let from = RegionName::parse(next()?).ok()?;
        let client = IpAddr::from_str(next()?).ok()?;
        let security = match next()? {
            "0" => Security::Plain,
            "1" => Security::Tls,
            _ => return None,
        };
        let port = next()?.parse().ok()?;
        let id = RequestId::parse(next()?)?;
        let at = WallTime::from_micros(next()?.parse().ok()?);
        let left = Duration::from_millis(next()?.parse().ok()?);
        let arrival = Arrival {
            client,
            security,
            port,
            id,
            at,
        };
        let handover = Self {
            from,
            arrival,
            left,
        };
        next().is_none().then_some((written, handover))
    }
}

fn mac(key: &HandoverKey, text: &str, bound: Bound<'_>) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new_keyed(&key.0);
    let parts = [
        text,
        bound.method.as_str(),
        bound.authority,
        bound.path_and_query,
    ];
    for part in parts {
        // The length keeps two lists of parts with the same text apart.
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        hasher.update(&length.to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finalize()
}

#[cfg(test)]
mod tests;
