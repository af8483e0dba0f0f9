//! `[clients.*]`: networks and their round trips, entries of the latency map.
//!
//! Where a client's network is not listed, the map falls back to what it knows of the world.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use base::region::RegionName;

use crate::limits::{CLIENTS_MAX, RTT_MAX};
use crate::model::{Client, Region, Subnet};
use crate::parse::section::{Entry, Section};
use crate::parse::{find_region, value};
use crate::problem::Code;

pub(super) fn read(root: &Section<'_>, regions: &[Region]) -> Vec<Client> {
    let example = "[clients.tokyo]";
    let Some(section) = root.entry("clients").and_then(|entry| entry.names(example)) else {
        return Vec::new();
    };
    let entries = section.entries();
    if CLIENTS_MAX < entries.len() {
        let message = format!("[clients] has more than {CLIENTS_MAX} networks");
        let span = section.span.clone();
        let ctx = section.ctx;
        ctx.problem(
            Code::TooMany,
            span,
            message,
            "too many in here",
            "leave some out",
        );
    }
    let mut clients = Vec::new();
    let mut seen: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for entry in entries.iter().take(CLIENTS_MAX) {
        let Some((client, span)) = client(entry, regions) else {
            continue;
        };
        if let Some(other) = seen.insert(client.subnet.to_string(), span.clone()) {
            let message = format!("`{}` is given twice", client.subnet);
            let ctx = entry.ctx;
            ctx.push(
                ctx.start(Code::SubnetTwice, span, message)
                    .label("the same network")
                    .also(other, "as here")
                    .fix("merge the two"),
            );
        }
        clients.push(client);
    }
    clients
}

fn client(entry: &Entry<'_>, regions: &[Region]) -> Option<(Client, Range<usize>)> {
    let name = entry.key.value;
    if !value::is_plain_name(name, 64) {
        entry.bad_name(
            "client",
            "1 to 64 characters of a-z, 0-9 and -, a letter first",
        );
    }
    let section = entry.section(&["subnet", "rtt"], "[clients.tokyo]")?;
    let subnet = section
        .required("subnet", "subnet = \"203.0.113.0/24\"")
        .and_then(|entry| Some((subnet(&entry)?, entry.span())));
    let rtt = section
        .required("rtt", RTT_EXAMPLE)
        .map_or_else(Vec::new, |entry| rtt(&entry, regions));
    let (subnet, span) = subnet?;
    let client = Client {
        name: name.to_owned(),
        subnet,
        rtt,
    };
    Some((client, span))
}

fn subnet(entry: &Entry<'_>) -> Option<Subnet> {
    let text = entry.text("subnet = \"203.0.113.0/24\"")?.value;
    match value::subnet(text) {
        Ok(subnet) => Some(subnet),
        Err((why, meant)) => {
            let message = format!("`{text}` is no network: {why}");
            let fix = match meant {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "write, for example: \"203.0.113.0/24\" or \"2001:db8::/56\"".to_owned(),
            };
            entry.problem(Code::BadSubnet, message, "not understood", &fix);
            None
        }
    }
}

fn rtt(entry: &Entry<'_>, regions: &[Region]) -> Vec<(RegionName, Duration)> {
    let mut measured = Vec::new();
    let entries = entry.names(RTT_EXAMPLE).map(|section| section.entries());
    for entry in entries.unwrap_or_default() {
        let duration = entry.duration((Duration::ZERO, RTT_MAX), "us-east-1 = \"74ms\"");
        let name = entry.key.value;
        match find_region(regions, name) {
            Some(region) => measured.extend(duration.map(|duration| (region, duration))),
            None => {
                let span = entry.key.span.clone();
                entry.ctx.unknown_region(span, name, regions);
            }
        }
    }
    measured
}

const RTT_EXAMPLE: &str = "rtt = { us-east-1 = \"74ms\" }";
