//! The names by which a node may be asked that does not ask its callers who they are.
//!
//! It looks nothing up. A page of any site can have its own name lead to loopback, and then make
//! a visitor's browser call what listens there; only the name that it called by gives it away.
//! Source: Fetch standard, "HTTP CORS protocol", which sees no other origin then; RFC 6761 §6.3
//! for `localhost`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use http::header::HOST;
use http::uri::Authority;
use http::{HeaderValue, Request};

/// Names by which a node may be asked beside those that lead to this machine or to AWS alone.
#[derive(Clone, Debug, Default)]
pub struct Hosts {
    named: BTreeSet<String>,
}

impl Hosts {
    /// Accepts these names too, whatever their case.
    pub fn new(named: impl IntoIterator<Item = String>) -> Self {
        let named = named.into_iter();
        Self {
            named: named.map(|name| name.to_ascii_lowercase()).collect(),
        }
    }

    /// Returns the name that a request was sent to, where it is none of ours.
    ///
    /// Shape: `None` for a request that names no host, as HTTP/1.0 allows and no browser does.
    pub fn foreign<B>(&self, request: &Request<B>) -> Option<String> {
        let target = request.uri().authority().map(Authority::as_str);
        let named = request.headers().get_all(HOST).into_iter();
        target
            .into_iter()
            .map(str::as_bytes)
            .chain(named.map(HeaderValue::as_bytes))
            .find(|host| !self.is_ours(host))
            .map(|host| String::from_utf8_lossy(host).into_owned())
    }

    fn is_ours(&self, host: &[u8]) -> bool {
        let Ok(authority) = Authority::try_from(host) else {
            return false;
        };
        let name = authority.host().to_ascii_lowercase();
        let name = name.strip_suffix('.').unwrap_or(&name);
        is_of_this_machine(name)
            || AWS.iter().any(|aws| name.ends_with(aws))
            || self.named.contains(name)
    }
}

/// Returns whether a host is an address or a name of this machine, as it stands in a URI.
pub fn is_of_this_machine(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host.ends_with(".localhost")
        || address.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Names that nobody but AWS, or this project, can lead anywhere: some clients send them to the
/// endpoint that they are given.
const AWS: [&str; 4] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".api.aws",
    ".hither.internal",
];

#[cfg(test)]
mod tests;
