//! The story: near customers, one table in three places, a cut, and a region that dies.
//!
//! Each chapter measures what it tells; nothing is assumed.

mod chapters;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};

use base::region::RegionName;
use clock::port::Clock;
use clock::time::Moment;
use clock::wall::System;
use manifest::model::{Manifest, Port};
use net::tls::{Alpn, Trust};
use wan::relay::Relay;

use crate::demo::narrator::Narrator;
use crate::demo::report::Report;
use crate::demo::shopper::{City, v4};
use crate::laptop::Laptop;

/// How long anything may take to come true. 60 s: then the story ends with what was seen last.
pub(crate) const PATIENCE: Duration = Duration::from_mins(1);

/// The stage: cities at their distances, and what customers trust.
pub(crate) struct Stage {
    pub(crate) domain: String,
    pub(crate) cities: Vec<Arc<City>>,
    /// The nearest region of each city by the published figures.
    pub(crate) nearest: BTreeMap<String, RegionName>,
    pub(crate) tls: Arc<rustls::ClientConfig>,
    _relays: Vec<Relay>,
}

/// Tells the whole story into `report`.
///
/// Errors: those of the first chapter that could not be told; the report has those before it.
pub(crate) async fn tell(
    manifest: &Manifest,
    laptop: &mut Laptop,
    narrator: &Narrator,
    report: &mut Report,
) -> anyhow::Result<()> {
    let stage = Stage::build(manifest, laptop)?;
    chapters::wait_for_dns(&stage, laptop, narrator).await?;
    narrator.heading("Time to first byte of a customer's first request");
    report.cities = chapters::first_bytes(&stage, laptop, narrator).await?;
    narrator.heading("A write in Tokyo, read in London");
    report.replication = chapters::replication(laptop, narrator).await?;
    narrator.heading("A cut: Tokyo is alone, and both sides change the same item");
    report.conflict = chapters::race(laptop, narrator).await?;
    chapters::wait_for_dns(&stage, laptop, narrator).await?;
    narrator.heading("kill -9 of a region under load");
    report.failover = chapters::failover(&stage, laptop, narrator).await?;
    narrator.heading("Are all replicas equal?");
    report.digests = chapters::digests(laptop, narrator).await?;
    Ok(())
}

impl Stage {
    /// Opens relays from each of the manifest's cities to each region.
    fn build(manifest: &Manifest, laptop: &Laptop) -> anyhow::Result<Self> {
        let domain = manifest
            .domains
            .first()
            .context("the demo has a domain")?
            .name
            .clone();
        let mut cities = Vec::new();
        let mut relays = Vec::new();
        let mut nearest = BTreeMap::new();
        for client in &manifest.clients {
            let place = format!("c-{}", client.name);
            let near = client.rtt.iter().min_by_key(|(_, rtt)| *rtt);
            let near = &near.context("each city has round trips")?.0;
            let mut gateways = BTreeMap::new();
            for region in laptop.names() {
                let site = laptop.site(&region)?;
                let target = site.socket(Port::Https);
                let relay = Relay::tcp(&laptop.links, &place, region.as_str(), target)?;
                gateways.insert(v4(site.address)?, (region, relay.address()));
                relays.push(relay);
            }
            let target = laptop.site(near)?.socket(Port::Dns);
            let resolver = Relay::tcp_and_udp(&laptop.links, &place, near.as_str(), target)?;
            cities.push(Arc::new(City {
                name: client.name.clone(),
                subnet: client.subnet,
                resolver: resolver.address(),
                gateways,
            }));
            relays.push(resolver);
            nearest.insert(client.name.clone(), near.clone());
        }
        let roots = net::tls::roots(laptop.ca_pem.as_bytes())?;
        let tls = net::tls::client_config(Trust::Roots(roots), Alpn::Http1)?;
        Ok(Self {
            domain,
            cities,
            nearest,
            tls,
            _relays: relays,
        })
    }
}

/// Waits until `holds` says so, asking again and again; returns how long it took.
///
/// Shape: `None` after [`PATIENCE`], and what was seen last is told: a claim that has not held.
pub(crate) async fn held<F>(
    narrator: &Narrator,
    what: &str,
    pause: Duration,
    holds: F,
) -> Option<Duration>
where
    F: AsyncFnMut() -> anyhow::Result<Result<(), String>>,
{
    match until(what, pause, holds).await {
        Ok(took) => Some(took),
        Err(error) => {
            narrator.line(&format!("{error:#}"));
            None
        }
    }
}

/// Waits until `holds` says so, asking again and again; returns how long it took.
///
/// Errors: after [`PATIENCE`], with what was seen last.
pub(crate) async fn until<F>(what: &str, pause: Duration, mut holds: F) -> anyhow::Result<Duration>
where
    F: AsyncFnMut() -> anyhow::Result<Result<(), String>>,
{
    let start: Moment = System.now();
    loop {
        let seen = match holds().await {
            Ok(Ok(())) => return Ok(System.now().since(start)),
            Ok(Err(seen)) => seen,
            Err(error) => format!("{error:#}"),
        };
        if PATIENCE < System.now().since(start) {
            bail!("wait until {what}: after {PATIENCE:?} it is not so; last seen: {seen}");
        }
        tokio::time::sleep(pause).await;
    }
}
