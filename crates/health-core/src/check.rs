//! Health checks as configured: what to probe, how often, what counts.
//!
//! It holds no state of a check. Everything here is checked once, when it is made.
//! Source: Route 53 API reference, `HealthCheckConfig`; what AWS has no field for comes from tags.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::limits::{
    BODY, CHECK_ID_BYTES_MAX, CHECKS_MAX, CHILDREN_MAX, CONNECT_HTTP, CONNECT_TCP,
    INTERVAL_AWS_MIN, INTERVAL_MAX, INTERVAL_MIN, PROBE_TOTAL_MIN, STATUS, TEXT_BYTES_MAX,
};
use crate::seal::hash64;

/// All checks of a project, as one version of the configuration.
#[derive(Clone, Debug, Default)]
pub struct Checks {
    generation: u64,
    specs: Vec<Arc<CheckSpec>>,
}

impl Checks {
    /// Makes a set of checks. A higher generation replaces a lower one, never the reverse.
    ///
    /// Errors: [`BadCheck::TooMany`] above [`CHECKS_MAX`]; [`BadCheck::Twice`] for a repeated id.
    pub fn try_new(generation: u64, specs: Vec<Arc<CheckSpec>>) -> Result<Self, BadCheck> {
        if specs.len() > CHECKS_MAX {
            return Err(BadCheck::TooMany(specs.len()));
        }
        let mut keys: Vec<CheckKey> = specs.iter().map(|spec| spec.id.key()).collect();
        keys.sort_unstable();
        if let Some(pair) = keys.windows(2).find(|pair| pair.first() == pair.last()) {
            let id = specs.iter().find(|spec| pair.contains(&spec.id.key()));
            return Err(BadCheck::Twice(
                id.map(|spec| spec.id.to_string()).unwrap_or_default(),
            ));
        }
        Ok(Self { generation, specs })
    }

    /// Returns the version of the configuration.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Returns the checks, in the order they were given.
    pub fn specs(&self) -> &[Arc<CheckSpec>] {
        &self.specs
    }
}

/// A check that cannot be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCheck {
    /// The id is empty or too long.
    #[error("health check id {0:?} must have 1 to {CHECK_ID_BYTES_MAX} characters")]
    Id(String),
    /// Two checks have one id.
    #[error("health check {0} is given twice")]
    Twice(String),
    /// There are too many.
    #[error("{0} health checks are more than the {CHECKS_MAX} a project may have")]
    TooMany(usize),
    /// A calculated check has too many children.
    #[error("{0} child health checks are more than {CHILDREN_MAX}")]
    TooManyChildren(usize),
    /// Neither an address nor a name.
    #[error("a health check needs an IP address or a domain name")]
    NoTarget,
    /// The failure threshold lies outside 1 to 10.
    #[error("failure threshold {0} must be 1 to 10")]
    Threshold(u8),
    /// The interval lies outside the limits.
    #[error("interval {0:?} must lie between {INTERVAL_MIN:?} and {INTERVAL_MAX:?}")]
    Interval(Duration),
    /// A path, name or search string that no request can carry.
    #[error("{what} {text:?} must be 1 to {TEXT_BYTES_MAX} visible characters")]
    Text {
        /// `path`, `domain name` or `search string`.
        what: &'static str,
        /// The text refused.
        text: String,
    },
}

/// The id of a check, as Route 53 gives it out.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckId(Arc<str>);

impl CheckId {
    /// Reads an id.
    ///
    /// Errors: [`BadCheck::Id`] for an empty or too long text.
    pub fn parse(text: &str) -> Result<Self, BadCheck> {
        if (1..=CHECK_ID_BYTES_MAX).contains(&text.len()) {
            Ok(Self(text.into()))
        } else {
            Err(BadCheck::Id(text.to_owned()))
        }
    }

    /// Returns the id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the id's short form on the wire.
    pub fn key(&self) -> CheckKey {
        CheckKey(hash64(self.0.as_bytes()))
    }
}

impl fmt::Display for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for CheckId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The first 64 bits of the hash of a check's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CheckKey(pub u64);

/// One health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckSpec {
    /// The check's id.
    pub id: CheckId,
    /// What it looks at.
    pub kind: CheckKind,
    /// Whether healthy and unhealthy change places.
    pub inverted: bool,
    /// Whether probing is switched off; the check counts as healthy then, before any inversion.
    pub disabled: bool,
}

/// What a check looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckKind {
    /// An endpoint that is probed.
    Endpoint(EndpointCheck),
    /// Other checks that are counted.
    Calculated(CalculatedCheck),
}

/// A check that counts other checks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalculatedCheck {
    children: Vec<CheckId>,
    threshold: u16,
}

impl CalculatedCheck {
    /// Makes a check that is healthy while at least `threshold` of `children` are.
    ///
    /// Shape: threshold 0 is always healthy, one above the number of children never.
    /// Errors: [`BadCheck::TooManyChildren`] above [`CHILDREN_MAX`].
    pub fn try_new(children: Vec<CheckId>, threshold: u16) -> Result<Self, BadCheck> {
        if children.len() > CHILDREN_MAX {
            return Err(BadCheck::TooManyChildren(children.len()));
        }
        Ok(Self {
            children,
            threshold,
        })
    }

    /// Returns the checks that are counted.
    pub fn children(&self) -> &[CheckId] {
        &self.children
    }

    /// Returns how many of them must be healthy.
    pub fn threshold(&self) -> u16 {
        self.threshold
    }
}

/// An endpoint to probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointCheck {
    /// How to ask.
    pub protocol: Protocol,
    /// Whom to ask.
    pub target: Target,
    /// At which port.
    pub port: u16,
    /// How long from an answer to the next question.
    pub interval: Interval,
    /// How many equal answers in a row change the verdict.
    pub threshold: FailureThreshold,
}

/// How an endpoint is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `HTTP` and `HTTP_STR_MATCH`.
    Http(HttpProbe),
    /// `HTTPS` and `HTTPS_STR_MATCH`.
    Https(HttpProbe, Sni),
    /// `TCP`: a connection is enough.
    Tcp,
}

/// Whether the TLS handshake names the host. Certificates are never verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sni {
    /// The domain name is sent, if there is one.
    On,
    /// No name is sent.
    Off,
}

/// The request of an HTTP check and what its answer must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpProbe {
    path: String,
    search: Option<String>,
}

impl HttpProbe {
    /// Makes a request for `path`, whose body must hold `search` where one is given.
    ///
    /// Shape: an empty path is `/`; a path without a slash in front gets one, as on Route 53.
    /// Errors: [`BadCheck::Text`] for a text that is too long or would break the request.
    pub fn try_new(path: &str, search: Option<&str>) -> Result<Self, BadCheck> {
        if let Some(text) = search
            && !(1..=TEXT_BYTES_MAX).contains(&text.len())
        {
            return Err(bad_text("search string", text));
        }
        let path = if path.starts_with('/') {
            path.to_owned()
        } else {
            format!("/{path}")
        };
        if path.len() > TEXT_BYTES_MAX || !path.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(bad_text("path", &path));
        }
        Ok(Self {
            path,
            search: search.map(str::to_owned),
        })
    }

    /// Returns the path and query to ask for.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the text that the answer's body must hold.
    pub fn search(&self) -> Option<&str> {
        self.search.as_deref()
    }
}

/// Where an endpoint is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// An address alone.
    Address(IpAddr),
    /// A name, resolved before each probe to an IPv4 address.
    Name(String),
    /// An address, and the name that the request carries.
    AddressNamed(IpAddr, String),
}

impl Target {
    /// Makes a target from what a configuration gives.
    ///
    /// Errors: [`BadCheck::NoTarget`] without both; [`BadCheck::Text`] for a name no request holds.
    pub fn try_new(address: Option<IpAddr>, name: Option<&str>) -> Result<Self, BadCheck> {
        if let Some(name) = name {
            let plain = |byte: u8| byte.is_ascii_graphic() && byte != b'/' && byte != b':';
            if !(1..=TEXT_BYTES_MAX).contains(&name.len()) || !name.bytes().all(plain) {
                return Err(bad_text("domain name", name));
            }
        }
        match (address, name) {
            (Some(address), None) => Ok(Self::Address(address)),
            (None, Some(name)) => Ok(Self::Name(name.to_owned())),
            (Some(address), Some(name)) => Ok(Self::AddressNamed(address, name.to_owned())),
            (None, None) => Err(BadCheck::NoTarget),
        }
    }

    /// Returns the name that requests carry, if there is one.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Address(_) => None,
            Self::Name(name) | Self::AddressNamed(_, name) => Some(name),
        }
    }
}

/// How long from an answer to the next question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Interval(Duration);

impl Interval {
    /// Makes an interval.
    ///
    /// Errors: [`BadCheck::Interval`] outside [`INTERVAL_MIN`] to [`INTERVAL_MAX`].
    pub fn try_new(duration: Duration) -> Result<Self, BadCheck> {
        if (INTERVAL_MIN..=INTERVAL_MAX).contains(&duration) {
            Ok(Self(duration))
        } else {
            Err(BadCheck::Interval(duration))
        }
    }

    /// Returns the duration.
    pub fn as_duration(self) -> Duration {
        self.0
    }
}

/// How many equal answers in a row change a region's verdict, either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FailureThreshold(u8);

impl FailureThreshold {
    /// Makes a threshold.
    ///
    /// Errors: [`BadCheck::Threshold`] outside 1 to 10.
    pub fn try_new(answers: u8) -> Result<Self, BadCheck> {
        if (1..=10).contains(&answers) {
            Ok(Self(answers))
        } else {
            Err(BadCheck::Threshold(answers))
        }
    }

    /// Returns the number of answers.
    pub fn answers(self) -> u8 {
        self.0
    }
}

/// How long each step of a probe may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Until the connection stands.
    pub connect: Duration,
    /// From there to the status line, TLS included.
    pub status: Duration,
    /// From there to the search string.
    pub body: Duration,
    /// All of it.
    pub total: Duration,
}

impl EndpointCheck {
    /// Returns how long each step may take: Route 53's limits at its own intervals, and no more
    /// than two intervals in all at shorter ones.
    pub fn patience(&self) -> Patience {
        let (connect, total) = match &self.protocol {
            Protocol::Http(probe) | Protocol::Https(probe, _) => {
                let searched = probe.search().map_or(Duration::ZERO, |_| BODY);
                (CONNECT_HTTP, CONNECT_HTTP + STATUS + searched)
            }
            Protocol::Tcp => (CONNECT_TCP, CONNECT_TCP),
        };
        let interval = self.interval.as_duration();
        let total = if interval < INTERVAL_AWS_MIN {
            total.min((interval * 2).max(PROBE_TOTAL_MIN))
        } else {
            total
        };
        Patience {
            connect: connect.min(total),
            status: STATUS.min(total),
            body: BODY.min(total),
            total,
        }
    }

    /// Returns the `Host` header: the name, with its port unless it is the protocol's own, or the
    /// address where there is no name.
    ///
    /// Source: Route 53 API reference, `HealthCheckConfig.FullyQualifiedDomainName`.
    pub fn host_header(&self) -> String {
        let usual = match self.protocol {
            Protocol::Http(_) => self.port == 80,
            Protocol::Https(..) => self.port == 443,
            Protocol::Tcp => false,
        };
        match (&self.target, usual) {
            (Target::Address(IpAddr::V4(address)), _) => address.to_string(),
            (Target::Address(IpAddr::V6(address)), _) => format!("[{address}]"),
            (Target::Name(name) | Target::AddressNamed(_, name), true) => name.clone(),
            (Target::Name(name) | Target::AddressNamed(_, name), false) => {
                format!("{name}:{}", self.port)
            }
        }
    }
}

fn bad_text(what: &'static str, text: &str) -> BadCheck {
    BadCheck::Text {
        what,
        text: text.to_owned(),
    }
}

#[cfg(test)]
mod tests;
