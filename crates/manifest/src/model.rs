//! What a manifest says, resolved: every default is written out.
//!
//! It is a plain value; nothing here reads a file. Values that a later check may have to point
//! at keep their place in the file ([`Located`]).

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::time::Duration;

use base::name::{AccountId, TableName};
use base::region::RegionName;
use base::units::{ByteCount, Ttl};

use crate::problem::Source;

/// Everything that one `hither.toml` says.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file it was read from.
    pub source: Source,
    /// `[project]`.
    pub project: Project,
    /// `[regions]`, in the order of the file; at least one.
    pub regions: Vec<Region>,
    /// `[tables.*]`, in the order of the file.
    pub tables: Vec<Table>,
    /// `[functions.*]`, in the order of the file.
    pub functions: Vec<Function>,
    /// `[domains.*]`, in the order of the file.
    pub domains: Vec<Domain>,
    /// `[clients.*]`, in the order of the file.
    pub clients: Vec<Client>,
}

impl Manifest {
    /// Returns the region of that name.
    pub fn region(&self, name: &RegionName) -> Option<&Region> {
        self.regions.iter().find(|region| region.name == *name)
    }

    /// Returns the function of that name.
    pub fn function(&self, name: &str) -> Option<&Function> {
        self.functions.iter().find(|function| function.name == name)
    }
}

/// A value and where it stands in the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// The value.
    pub value: T,
    /// Its bytes in the file.
    pub span: Range<usize>,
}

/// `[project]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// The project's name: 1..=64 characters of `a-z`, `0-9` and `-`.
    pub name: String,
    /// The AWS account number under which resources are named.
    pub account: AccountId,
    /// When writes count as done.
    pub durability: Durability,
    /// How much memory a region takes for what it has read from its disk.
    pub cache: ByteCount,
}

/// When writes count as done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Durability {
    /// Once they are on disk.
    #[default]
    Disk,
    /// Once the operating system has them.
    Async,
}

/// One entry of `[regions]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// The region's name.
    pub name: RegionName,
    /// Where the name stands in the file.
    pub span: Range<usize>,
    /// Where it listens when all regions run on one machine.
    pub laptop: Site,
    /// Where it listens on its own machine; `None` when the file gives no public address.
    pub site: Option<Site>,
}

/// The address and ports of one region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The address that every port is bound to.
    pub address: IpAddr,
    /// The ports.
    pub ports: Ports,
}

impl Site {
    /// Returns the socket address of one port.
    pub fn socket(&self, port: Port) -> SocketAddr {
        SocketAddr::new(self.address, self.ports.of(port))
    }
}

/// What a region listens for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Port {
    /// The AWS services, over TCP.
    Api,
    /// DynamoDB alone, where tools expect DynamoDB Local, over TCP.
    Dynamodb,
    /// The gateway with TLS, over TCP.
    Https,
    /// The gateway without TLS, over TCP.
    Http,
    /// Authoritative DNS, over UDP and TCP.
    Dns,
    /// Replication between regions, over TCP.
    Link,
    /// Health gossip between regions, over UDP.
    Gossip,
}

impl Port {
    /// All ports, in the order of their keys in the reference.
    pub const ALL: [Self; 7] = [
        Self::Api,
        Self::Dynamodb,
        Self::Https,
        Self::Http,
        Self::Dns,
        Self::Link,
        Self::Gossip,
    ];

    /// Returns the key of the port in the manifest.
    pub fn key(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Dynamodb => "dynamodb",
            Self::Https => "https",
            Self::Http => "http",
            Self::Dns => "dns",
            Self::Link => "link",
            Self::Gossip => "gossip",
        }
    }

    /// Returns the transports that the port is bound on.
    pub fn transports(self) -> &'static [Transport] {
        match self {
            Self::Api | Self::Dynamodb | Self::Https | Self::Http | Self::Link => &[Transport::Tcp],
            Self::Dns => &[Transport::Udp, Transport::Tcp],
            Self::Gossip => &[Transport::Udp],
        }
    }
}

/// A transport protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Transport {
    /// TCP.
    Tcp,
    /// UDP.
    Udp,
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// The port numbers of one region.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// The AWS services.
    pub api: u16,
    /// DynamoDB alone.
    pub dynamodb: u16,
    /// The gateway with TLS.
    pub https: u16,
    /// The gateway without TLS.
    pub http: u16,
    /// Authoritative DNS.
    pub dns: u16,
    /// Replication between regions.
    pub link: u16,
    /// Health gossip between regions.
    pub gossip: u16,
}

impl Ports {
    /// The ports of a region that shares a machine with others: none needs a privilege.
    pub const LAPTOP: Self = Self {
        api: 4566,
        dynamodb: 8000,
        https: 8443,
        http: 8080,
        dns: 5300,
        link: 7100,
        gossip: 7101,
    };

    /// The ports of a region on its own machine: those that browsers and resolvers expect.
    pub const PRODUCTION: Self = Self {
        https: 443,
        http: 80,
        dns: 53,
        ..Self::LAPTOP
    };

    /// Returns the number of one port.
    pub fn of(&self, port: Port) -> u16 {
        match port {
            Port::Api => self.api,
            Port::Dynamodb => self.dynamodb,
            Port::Https => self.https,
            Port::Http => self.http,
            Port::Dns => self.dns,
            Port::Link => self.link,
            Port::Gossip => self.gossip,
        }
    }

    pub(crate) fn set(&mut self, port: Port, number: u16) {
        *match port {
            Port::Api => &mut self.api,
            Port::Dynamodb => &mut self.dynamodb,
            Port::Https => &mut self.https,
            Port::Http => &mut self.http,
            Port::Dns => &mut self.dns,
            Port::Link => &mut self.link,
            Port::Gossip => &mut self.gossip,
        } = number;
    }
}

/// One `[tables.*]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// The table's name.
    pub name: TableName,
    /// The attribute whose hash places an item.
    pub partition_key: KeyAttribute,
    /// The attribute that orders the items of one partition key.
    pub sort_key: Option<KeyAttribute>,
    /// What the table's stream carries; `None` for no stream.
    pub stream: Option<StreamView>,
    /// The regions that hold a replica, in the order of the file; all of them by default.
    pub regions: Vec<RegionName>,
    /// The attribute that holds an item's expiry in seconds since 1970.
    pub ttl: Option<String>,
    /// Tags, in the order of the file.
    pub tags: Vec<(String, String)>,
}

/// A key attribute of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttribute {
    /// The attribute's name.
    pub name: String,
    /// The attribute's type.
    pub kind: KeyType,
}

/// The types that a key attribute may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyType {
    /// `S`.
    String,
    /// `N`.
    Number,
    /// `B`.
    Binary,
}

impl KeyType {
    /// Returns the letter that AWS uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }
}

/// What a stream record carries of the item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamView {
    /// The keys.
    KeysOnly,
    /// The item as it is after the change.
    NewImage,
    /// The item as it was before.
    OldImage,
    /// Both.
    NewAndOldImages,
}

impl StreamView {
    /// All views, in AWS's order.
    pub const ALL: [Self; 4] = [
        Self::NewImage,
        Self::OldImage,
        Self::NewAndOldImages,
        Self::KeysOnly,
    ];

    /// Returns AWS's `StreamViewType`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

/// One `[functions.*]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// The function's name.
    pub name: String,
    /// The runtime, as Lambda names it.
    pub runtime: String,
    /// The zip, directory or `bootstrap` file, relative to the manifest's folder.
    pub code: Located<String>,
    /// The handler that the runtime is told.
    pub handler: String,
    /// Environment variables, in the order of the file.
    pub environment: Vec<(String, String)>,
    /// How long one invocation may take.
    pub timeout: Duration,
    /// Units: MiB.
    pub memory_mib: u32,
    /// Most instances in one region; `None` for no bound of its own.
    pub concurrency: Option<u32>,
}

/// One `[domains.*]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// The name that clients ask for, in lower case, without the final dot.
    pub name: String,
    /// Where requests go, in the order of the file; at least one.
    pub routes: Vec<Route>,
    /// How each region's own endpoint is probed; `None` for a domain that never fails over.
    pub health: Option<Health>,
    /// How one region is picked.
    pub routing: Routing,
    /// How long clients may keep an answer.
    pub ttl: Ttl,
    /// Whether a client is shown nothing older than what it has seen, in whatever region.
    pub sessions: bool,
    /// The certificate; `None` for one of the project's own authority.
    pub certificate: Option<Certificate>,
}

/// One route of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// What it matches.
    pub key: RouteKey,
    /// Where it leads.
    pub target: RouteTarget,
}

/// What a route matches; prints as API Gateway writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteKey {
    /// `$default`: everything that no other route matches.
    Default,
    /// A method (or `ANY`) and a path.
    Path {
        /// `ANY` or an HTTP method in upper case.
        method: &'static str,
        /// The path; `{name}` stands for one segment, a final `{name+}` for all that follow.
        path: String,
    },
}

impl fmt::Display for RouteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("$default"),
            Self::Path { method, path } => write!(f, "{method} {path}"),
        }
    }
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteTarget {
    /// A function of this manifest, by name.
    Function(String),
    /// An HTTP server.
    Url(String),
}

/// How a region's own endpoint is probed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The path that is asked for; it starts with a slash.
    pub path: String,
    /// The pause between two probes.
    pub interval: Duration,
    /// How many probes in a row change the verdict.
    pub failures: u32,
}

/// How one region is picked for a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Routing {
    /// The healthy region with the least round trip.
    Latency,
}

/// A certificate and its private key, as PEM files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// The chain, leaf first, relative to the manifest's folder.
    pub cert: Located<String>,
    /// The private key, relative to the manifest's folder.
    pub key: Located<String>,
}

/// One `[clients.*]`: an entry of the latency map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// What the clients are called in reports.
    pub name: String,
    /// The network that they come from.
    pub subnet: Subnet,
    /// Round trips to regions, in the order of the file.
    pub rtt: Vec<(RegionName, Duration)>,
}

/// A network in CIDR notation; bits beyond the prefix are zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subnet {
    /// The first address.
    pub address: IpAddr,
    /// The length of the prefix in bits.
    pub prefix: u8,
}

impl fmt::Display for Subnet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}
