//! Networks laid out for lookup by longest prefix, with the scope that each result holds for.
//!
//! It knows what is said of no network: users keep that beside it, by the network's position.

use std::net::IpAddr;

/// The two families of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    /// Returns the family of an address; an IPv4 address mapped into IPv6 is one of IPv4.
    pub(crate) fn of(address: IpAddr) -> Self {
        key_of(address).0
    }

    /// Returns how many bits its addresses have.
    pub(crate) const fn bits(self) -> u8 {
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

/// Returns a network's first and last address as keys.
pub(crate) fn range(address: IpAddr, prefix: u8) -> (Family, u128, u128) {
    let (family, key) = key_of(address);
    let bits = prefix.min(family.bits());
    let host = u128::MAX.checked_shr(u32::from(bits)).unwrap_or(0);
    (family, key & !host, key | host)
}

/// Networks, laid out for lookup.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prefixes {
    v4: Vec<Span>,
    v6: Vec<Span>,
    /// The smallest network around each.
    outer: Vec<Option<u32>>,
}

/// Where a run of addresses begins to which the same network is the closest. It ends where the
/// next begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u128,
    network: Option<u32>,
}

/// What holds an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// The position of the network with the longest prefix that holds it.
    pub(crate) at: Option<usize>,
    /// The shortest prefix within which every address has this same result; it exceeds the
    /// network's own prefix where a smaller network lies beside the address in it.
    pub(crate) scope: u8,
}

impl Prefixes {
    /// Lays out networks; of two with the same prefix the first counts.
    pub(crate) fn new(networks: impl Iterator<Item = (IpAddr, u8)>) -> Self {
        let mut v4 = Vec::new();
        let mut v6 = Vec::new();
        let mut count = 0;
        for ((address, prefix), at) in networks.zip(0_u32..) {
            let (family, start, end) = range(address, prefix);
            match family {
                Family::V4 => v4.push((start, end, at)),
                Family::V6 => v6.push((start, end, at)),
            }
            count += 1;
        }
        let mut outer = vec![None; count];
        let mut layout = |mut ranges: Vec<(u128, u128, u32)>| {
            // A network comes before those inside it.
            ranges.sort_by(|a, b| a.0.cmp(&b.0).then(b.1.cmp(&a.1)).then(a.2.cmp(&b.2)));
            ranges.dedup_by_key(|(start, end, _)| (*start, *end));
            lay_out(&ranges, &mut outer)
        };
        Self {
            v4: layout(v4),
            v6: layout(v6),
            outer,
        }
    }

    /// Finds what holds an address.
    ///
    /// Source: RFC 7871 §7.2.1, for the scope.
    pub(crate) fn find(&self, client: IpAddr) -> Held {
        let (family, key) = key_of(client);
        let spans = match family {
            Family::V4 => &self.v4,
            Family::V6 => &self.v6,
        };
        let after = spans.partition_point(|span| span.start <= key);
        let span = after.checked_sub(1).and_then(|at| spans.get(at));
        let start = span.map_or(0, |span| span.start);
        let next = spans.get(after).map(|span| span.start);
        // The block around the client must leave out its neighbours on both sides.
        let apart = |other: u128| (key ^ other).leading_zeros() + 1;
        let below = start.checked_sub(1).map_or(0, apart);
        let above = next.map_or(0, apart);
        let scope = u8::try_from(below.max(above)).unwrap_or(u8::MAX);
        Held {
            at: span
                .and_then(|span| span.network)
                .and_then(|at| usize::try_from(at).ok()),
            scope: scope.min(family.bits()),
        }
    }

    /// Returns the smallest network around one.
    pub(crate) fn outer(&self, at: usize) -> Option<usize> {
        let outer = self.outer.get(at).copied().flatten()?;
        usize::try_from(outer).ok()
    }
}

/// Turns nested ranges, outer before inner, into spans side by side.
fn lay_out(ranges: &[(u128, u128, u32)], outer: &mut [Option<u32>]) -> Vec<Span> {
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
        let around = open.last().map(|(_, at)| *at);
        if let Some(outer) = usize::try_from(network)
            .ok()
            .and_then(|at| outer.get_mut(at))
        {
            *outer = around;
        }
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
