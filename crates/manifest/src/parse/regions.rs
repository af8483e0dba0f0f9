//! `[regions]`: names, addresses and ports.
//!
//! Whether a port is free is not asked here; see `surroundings`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::Range;

use base::limits::REGIONS_MAX;
use base::region::{RegionId, RegionName};

use crate::model::{Port, Ports, Region, Site, Transport};
use crate::parse::section::{Entry, Section};
use crate::problem::Code;

pub(super) fn read(root: &Section<'_>) -> Vec<Region> {
    let Some(section) = root
        .required("regions", EXAMPLE)
        .and_then(|entry| entry.names(EXAMPLE))
    else {
        return Vec::new();
    };
    let entries = section.entries();
    if entries.is_empty() {
        section.missing("us-east-1", "us-east-1 = {}");
    }
    if REGIONS_MAX < entries.len() {
        let message = format!("[regions] has more than {REGIONS_MAX} regions");
        let (span, fix) = (section.span.clone(), "leave some out");
        let ctx = section.ctx;
        ctx.problem(Code::TooMany, span, message, "too many in here", fix);
    }
    let mut regions = Vec::new();
    let mut places = Places::default();
    for (at, entry) in entries.iter().take(REGIONS_MAX).enumerate() {
        if let Some(region) = region(entry, at) {
            places.admit(entry, &region);
            regions.push(region);
        }
    }
    regions
}

fn region(entry: &Entry<'_>, at: usize) -> Option<Region> {
    let name = RegionName::parse(entry.key.value);
    if name.is_err() {
        entry.bad_name(
            "region",
            "2 to 32 characters of a-z, 0-9 and -, a letter first",
        );
    }
    let mut known = vec!["address"];
    known.extend(Port::ALL.map(Port::key));
    let section = entry.section(&known, "us-east-1 = { address = \"198.51.100.10\" }")?;
    let address = section.entry("address").and_then(|entry| address(&entry));

    let mut laptop = Site {
        address: address
            .filter(IpAddr::is_loopback)
            .unwrap_or_else(|| laptop_address(at)),
        ports: Ports::LAPTOP,
    };
    let mut site = address
        .filter(|address| !address.is_loopback())
        .map(|address| Site {
            address,
            ports: Ports::PRODUCTION,
        });
    for port in Port::ALL {
        let Some(entry) = section.entry(port.key()) else {
            continue;
        };
        let example = format!("{} = {}", port.key(), Ports::LAPTOP.of(port));
        let Some(number) = entry.integer((1, 65_535), &example) else {
            continue;
        };
        let number = u16::try_from(number).expect("integer() checked the bounds");
        laptop.ports.set(port, number);
        if let Some(site) = &mut site {
            site.ports.set(port, number);
        }
    }
    ports_twice(&section, &laptop.ports);
    Some(Region {
        name: name.ok()?,
        span: entry.key.span.clone(),
        laptop,
        site,
    })
}

fn address(entry: &Entry<'_>) -> Option<IpAddr> {
    let text = entry.text("address = \"198.51.100.10\"")?.value;
    let parsed: Option<IpAddr> = text.parse().ok();
    let usable = parsed.filter(|address| !address.is_unspecified() && !address.is_multicast());
    if usable.is_none() {
        let (message, label) = match parsed {
            Some(_) => (
                format!("`{text}` is not the address of one machine"),
                "not a host's",
            ),
            None => (format!("`{text}` is no IP address"), "not an address"),
        };
        let fix = "give the region's public IPv4 or IPv6 address, or leave it out on a laptop";
        entry.problem(Code::BadAddress, message, label, fix);
    }
    usable
}

/// The loopback address of the region at position `at`: 127.0.0.11, 127.0.0.12 and so on.
fn laptop_address(at: usize) -> IpAddr {
    let last = u8::try_from(at).unwrap_or(u8::MAX).saturating_add(11);
    IpAddr::V4(Ipv4Addr::new(127, 0, 0, last))
}

fn ports_twice(section: &Section<'_>, ports: &Ports) {
    let mut seen: BTreeMap<(Transport, u16), Port> = BTreeMap::new();
    for port in Port::ALL {
        for transport in port.transports() {
            let number = ports.of(port);
            let Some(other) = seen.insert((*transport, number), port) else {
                continue;
            };
            let message = format!(
                "port {number}/{transport} is both `{}` and `{}`",
                other.key(),
                port.key()
            );
            // One of the two may be a default, which stands nowhere in the file.
            let span = section
                .entry(port.key())
                .or_else(|| section.entry(other.key()))
                .map_or_else(|| section.span.clone(), |entry| entry.span());
            let fix = "give one of the two another number";
            section
                .ctx
                .problem(Code::BadPort, span, message, "used twice", fix);
        }
    }
}

/// What earlier regions hold: numbers and sockets.
#[derive(Default)]
struct Places {
    numbers: BTreeMap<RegionId, (RegionName, Range<usize>)>,
    sockets: BTreeMap<(Transport, SocketAddr), (RegionName, Range<usize>)>,
}

impl Places {
    fn admit(&mut self, entry: &Entry<'_>, region: &Region) {
        let owner = (region.name.clone(), region.span.clone());
        if let Some((other, span)) = self.numbers.insert(region.name.id(), owner.clone()) {
            let message = format!(
                "regions `{other}` and `{}` have the same number {}",
                region.name,
                region.name.id()
            );
            let fix = "rename one of them: the number of an own name is a hash of it";
            let ctx = entry.ctx;
            ctx.push(
                ctx.start(Code::RegionNumberCollision, region.span.clone(), message)
                    .label("the same number")
                    .also(span, "as this one")
                    .fix(fix),
            );
        }
        let mut shared = None;
        for site in std::iter::once(&region.laptop).chain(&region.site) {
            for port in Port::ALL {
                let socket = site.socket(port);
                for transport in port.transports() {
                    let before = self.sockets.insert((*transport, socket), owner.clone());
                    let other = before.filter(|(name, _)| *name != region.name);
                    shared = shared.or_else(|| other.map(|other| (socket, other)));
                }
            }
        }
        if let Some((socket, (other, span))) = shared {
            let message = format!("`{}` and `{other}` both listen on {socket}", region.name);
            let ctx = entry.ctx;
            ctx.push(
                ctx.start(Code::AddressTwice, region.span.clone(), message)
                    .label("the same address and port")
                    .also(span, "as this region")
                    .fix("give one of them another address, or other ports"),
            );
        }
    }
}

const EXAMPLE: &str = "[regions] with us-east-1 = {}";
