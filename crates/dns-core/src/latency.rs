//! Round-trip times from networks of clients to regions, found by longest prefix.
//!
//! It measures nothing: entries come from configuration and from what gateways saw.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use base::region::RegionId;

/// A round-trip time.
///
/// Units: microseconds, at most a little over an hour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rtt(u32);

impl Rtt {
    /// Farther than everything that was measured.
    pub const UNKNOWN: Self = Self(u32::MAX);

    /// Makes a round-trip time; one of more than an hour counts as an hour.
    pub fn from_duration(duration: Duration) -> Self {
        Self(u32::try_from(duration.as_micros()).unwrap_or(u32::MAX - 1))
    }

    /// Returns the time; that of [`Rtt::UNKNOWN`] is meaningless.
    pub const fn as_duration(self) -> Duration {
        Duration::from_micros(self.0 as u64)
    }
}

impl fmt::Display for Rtt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::UNKNOWN {
            f.write_str("unknown")
        } else {
            write!(f, "{:.1} ms", f64::from(self.0) / 1e3)
        }
    }
}

/// A network of clients and how far the regions are from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Network {
    /// An address in the network; its bits past `prefix` do not matter.
    pub address: IpAddr,
    /// How many bits of the address name the network.
    pub prefix: u8,
    /// How far each region is.
    pub rtts: Vec<(RegionId, Rtt)>,
}

impl Network {
    /// Returns the longest prefix that an address of its family has.
    pub fn prefix_max(&self) -> u8 {
        key_of(self.address).0.bits()
    }

    /// Returns the first and last address as keys, and whether they are IPv4.
    fn range(&self) -> (Family, u128, u128) {
        let (family, key) = key_of(self.address);
        let bits = self.prefix.min(family.bits());
        let host = u128::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
        (family, key & !host, key | host)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    V4,
    V6,
}

impl Family {
    const fn bits(self) -> u8 {
        match self {
            Self::V4 => 32,
            Self::V6 => 128,
        }
    }
}

/// Puts an address into the high bits, so that both families share the arithmetic of prefixes.
fn key_of(address: IpAddr) -> (Family, u128) {
    match address.to_canonical() {
        IpAddr::V4(address) => (Family::V4, u128::from(u32::from(address)) << 96),
        IpAddr::V6(address) => (Family::V6, u128::from(address)),
    }
}

/// All networks, laid out for lookup.
#[derive(Clone, Debug, Default)]
pub struct Latency {
    networks: Vec<Network>,
    v4: Vec<Span>,
    v6: Vec<Span>,
}

/// Where a run of addresses begins to which the same network is the closest. It ends where the
/// next begins.
#[derive(Clone, Copy, Debug)]
struct Span {
    start: u128,
    network: Option<u32>,
}

/// What is known of a client's place.
#[derive(Clone, Copy, Debug)]
pub struct Located<'l> {
    /// The network with the longest prefix that holds the client.
    pub network: Option<&'l Network>,
    /// Bits of the client's address that decided: clients that share them get the same answer.
    pub scope: u8,
}

impl Latency {
    /// Lays out networks; of two with the same prefix the first counts.
    pub fn new(networks: Vec<Network>) -> Self {
        let layout = |wanted: Family| {
            let mut ranges: Vec<(u128, u128, u32)> = networks
                .iter()
                .zip(0_u32..)
                .filter_map(|(network, at)| {
                    let (family, start, end) = network.range();
                    (family == wanted).then_some((start, end, at))
                })
                .collect();
            // A network comes before those inside it.
            ranges.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
            ranges.dedup_by_key(|(start, end, _)| (*start, *end));
            lay_out(&ranges)
        };
        Self {
            v4: layout(Family::V4),
            v6: layout(Family::V6),
            networks,
        }
    }

    /// Returns the networks, as they came.
    pub fn networks(&self) -> &[Network] {
        &self.networks
    }

    /// Finds the network of a client.
    ///
    /// Shape: `scope` is the shortest prefix within which every address has this same result; it
    /// exceeds the network's own prefix where a smaller network lies beside the client in it.
    /// Source: RFC 7871 §7.2.1.
    pub fn locate(&self, client: IpAddr) -> Located<'_> {
        let (family, key) = key_of(client);
        let spans = match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        };
        let after = spans.partition_point(|span| span.start <= key);
        let span = after.checked_sub(1).and_then(|at| spans.get(at));
        let start = span.map_or(0, |span| span.start);
        let next = spans.get(after).map(|span| span.start);
        let network = span
            .and_then(|span| span.network)
            .and_then(|at| self.networks.get(usize::try_from(at).ok()?));
        // The block around the client must leave out its neighbours on both sides.
        let apart = |other: u128| (key ^ other).leading_zeros() + 1;
        let below = start.checked_sub(1).map_or(0, apart);
        let above = next.map_or(0, apart);
        let scope = u8::try_from(below.max(above)).unwrap_or(u8::MAX);
        Located {
            network,
            scope: scope.min(family.bits()),
        }
    }
}

/// Turns nested ranges, outer before inner, into spans side by side.
fn lay_out(ranges: &[(u128, u128, u32)]) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::with_capacity(ranges.len() * 2);
    let mut open: Vec<(u128, u32)> = Vec::new();
    let begin = |start: u128, network: Option<u32>, spans: &mut Vec<Span>| match spans.last_mut() {
        Some(last) if last.start == start => last.network = network,
        _ => spans.push(Span { start, network }),
    };
    for &(start, end, network) in ranges {
        while let Some(&(closing, _)) = open.last()
            && closing < start
        {
            open.pop();
            begin(closing + 1, open.last().map(|(_, at)| *at), &mut spans);
        }
        begin(start, Some(network), &mut spans);
        open.push((end, network));
    }
    while let Some((closing, _)) = open.pop() {
        if let Some(start) = closing.checked_add(1) {
            begin(start, open.last().map(|(_, at)| *at), &mut spans);
        }
    }
    debug_assert!(spans.is_sorted_by_key(|span| span.start));
    spans
}

#[cfg(test)]
mod tests;
