//! Why an answer is what it is: every step, in order, readable.
//!
//! It decides nothing; the steps are taken down by the code that answers, when somebody asks.

use std::fmt;
use std::net::IpAddr;

use base::region::RegionName;

use crate::health::Verdict;
use crate::latency::Rtt;
use crate::zone::{Policy, Role};

/// The steps to an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Because(pub Vec<Step>);

/// One step to an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// No zone of ours holds the name.
    NotOurs,
    /// A zone holds the name.
    Zone {
        /// The zone's id.
        id: String,
        /// The name at its top.
        apex: String,
    },
    /// The name exists.
    Name(String),
    /// A wildcard stands for the name.
    Wildcard(String),
    /// The name is delegated to other servers.
    Delegated(String),
    /// The name does not exist.
    NoSuchName,
    /// No record set of the name fits the client.
    NoneFits,
    /// The name has no records of the type asked for.
    NoSuchType,
    /// The question is for everything, which nobody is given.
    Anything,
    /// Where the client is.
    Client {
        /// The address that was looked up.
        address: IpAddr,
        /// Who told it.
        told_by: ToldBy,
        /// The network found, or none.
        network: Option<String>,
        /// How many bits of the address decided.
        scope: u8,
    },
    /// A record set that may be chosen.
    Candidate {
        /// Its set identifier.
        set_identifier: String,
        /// What its policy goes by.
        by: By,
        /// Whether it is healthy.
        verdict: Verdict,
    },
    /// Nothing is healthy, so everything counts as healthy.
    FailedOpen,
    /// A record set was chosen.
    Chosen {
        /// Its set identifier.
        set_identifier: String,
        /// The policy that chose.
        policy: Policy,
    },
    /// The record set answers what another name answers.
    Alias(String),
    /// The alias leads nowhere.
    DeadAlias(String),
    /// The name is another's alias: the search goes on there.
    Cname(String),
}

/// Who told a client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// The resolver, by the client subnet option.
    Subnet,
    /// The packet: it is the resolver's own.
    Packet,
}

/// What a policy goes by for one record set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// Nothing: it is the only one.
    Nothing,
    /// Its weight.
    Weight(u8),
    /// Its region's distance.
    Distance(RegionName, Rtt),
    /// Its role.
    Role(Role),
    /// Chance.
    Chance,
    /// Its location.
    Location(String),
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotOurs => f.write_str("no zone here holds the name"),
            Self::Zone { id, apex } => write!(f, "zone {apex} ({id}) holds the name"),
            Self::Name(name) => write!(f, "{name} exists"),
            Self::Wildcard(name) => write!(f, "{name} stands for the name"),
            Self::Delegated(name) => write!(f, "{name} is delegated to other servers"),
            Self::NoSuchName => f.write_str("the name does not exist"),
            Self::NoneFits => f.write_str("no record set fits the client, and none is the default"),
            Self::NoSuchType => f.write_str("the name has no records of this type"),
            Self::Anything => f.write_str("a question for everything gets one fixed record"),
            Self::Client {
                address,
                told_by,
                network,
                scope,
            } => {
                let told_by = match told_by {
                    ToldBy::Subnet => "client subnet",
                    ToldBy::Packet => "resolver's address",
                };
                let network = network.as_deref().unwrap_or("no known network");
                write!(f, "{told_by} {address} lies in {network} (scope /{scope})")
            }
            Self::Candidate {
                set_identifier,
                by,
                verdict,
            } => {
                let verdict = match verdict {
                    Verdict::Healthy => "healthy",
                    Verdict::Unhealthy => "unhealthy",
                };
                write!(f, "candidate {set_identifier:?}: {by}, {verdict}")
            }
            Self::FailedOpen => f.write_str("none is healthy, so all count as healthy"),
            Self::Chosen {
                set_identifier,
                policy,
            } => write!(f, "chosen {set_identifier:?} by {policy} routing"),
            Self::Alias(name) => write!(f, "it answers what {name} answers"),
            Self::DeadAlias(name) => write!(f, "it answers what {name} answers: nothing"),
            Self::Cname(name) => write!(f, "the name is an alias of {name}"),
        }
    }
}

impl fmt::Display for By {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("the only one"),
            Self::Weight(weight) => write!(f, "weight {weight}"),
            Self::Distance(region, rtt) => write!(f, "{region} at {rtt}"),
            Self::Role(Role::Primary) => f.write_str("primary"),
            Self::Role(Role::Secondary) => f.write_str("secondary"),
            Self::Chance => f.write_str("at random"),
            Self::Location(location) => write!(f, "location {location}"),
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Simple => "simple",
            Self::Weighted => "weighted",
            Self::Latency => "latency",
            Self::Failover => "failover",
            Self::Multivalue => "multivalue",
            Self::Cidr => "IP-based",
        })
    }
}

/// Takes down steps, or does not: answers in bulk pay nothing for reasons nobody reads.
pub(crate) trait Explain {
    /// Takes down what `step` makes.
    fn note(&mut self, step: impl FnOnce() -> Step);
}

/// Takes down nothing.
pub(crate) struct Silent;

impl Explain for Silent {
    fn note(&mut self, _: impl FnOnce() -> Step) {}
}

impl Explain for Because {
    fn note(&mut self, step: impl FnOnce() -> Step) {
        self.0.push(step());
    }
}
