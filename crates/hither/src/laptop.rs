//! The regions of a manifest on one machine: a process each, relays with delays between them.
//!
//! It deploys nothing. Each region thinks it is alone on its host; a dial table leads what it
//! sends to the others through the relays.

mod process;

mod restarts;

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, bail};

use base::region::RegionName;
use clock::port::Entropy;
use clock::wall::System;
use manifest::model::{Manifest, Port, Site};
use wan::links::Links;
use wan::relay::Relay;

use crate::authority::Authority;
use crate::laptop::process::{Orders, Region};
use crate::progress::Progress;
use crate::project;

/// How long a region may take to drain when all end. 30 s.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// The regions of a manifest on this machine.
pub(crate) struct Laptop {
    /// The delays and cuts between regions, and to client cities.
    pub(crate) links: Links,
    /// Where everything is kept.
    pub(crate) state_dir: PathBuf,
    /// The certificate of the authority that signs the domains.
    pub(crate) ca_pem: String,
    /// The authority itself.
    pub(crate) authority: Authority,
    orders: Orders,
    regions: BTreeMap<RegionName, Region>,
    /// Closed with the laptop.
    relays: Vec<Relay>,
}

/// What becomes of a region whose process failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Restart {
    /// It is started again, a few times.
    OnFailure,
    /// It is left dead.
    Never,
}

impl Laptop {
    /// Makes what the regions are started with: directories, keys, relays between them.
    ///
    /// Errors: when one of these cannot be made.
    pub(crate) fn prepare(
        manifest: &Manifest,
        manifest_file: &Path,
        state_dir: &Path,
        links: Links,
        hosts: Vec<String>,
    ) -> anyhow::Result<Self> {
        let orders = Orders {
            program: std::env::current_exe().context("find this program's own file")?,
            manifest: manifest_file.to_owned(),
            project_key: state_dir.join("project.key"),
            hosts,
        };
        project::key(&orders.project_key, &System as &dyn Entropy)?;
        let authority = Authority::open(state_dir, &manifest.project.name)?;
        let mut laptop = Self {
            links,
            state_dir: state_dir.to_owned(),
            ca_pem: authority.pem.clone(),
            authority,
            orders,
            regions: BTreeMap::new(),
            relays: Vec::new(),
        };
        for region in &manifest.regions {
            let directory = state_dir.join(region.name.as_str());
            std::fs::create_dir_all(&directory)
                .with_context(|| format!("make {}", directory.display()))?;
            let (name, site) = (region.name.clone(), region.laptop.clone());
            let region = Region::new(name.clone(), site, directory);
            laptop.regions.insert(name, region);
        }
        laptop.openrelays()?;
        Ok(laptop)
    }

    /// Starts all regions, and waits until each serves.
    ///
    /// Errors: when one does not; all end with the laptop.
    pub(crate) async fn start(&mut self, progress: &Progress) -> anyhow::Result<()> {
        let bar = progress.counts("starting regions", self.regions.len());
        for region in self.regions.values_mut() {
            region.spawn(&self.orders)?;
        }
        for (at, region) in self.regions.values_mut().enumerate() {
            bar.says(format!("starting {}", region.name));
            region.wait_until_serving().await?;
            bar.reached(at + 1);
        }
        Ok(())
    }

    /// Returns whether a region was started, so that there is a log to read.
    pub(crate) fn has_logs(&self) -> bool {
        self.regions
            .values()
            .any(|region| region.log_file().exists())
    }

    /// Returns the names of the regions.
    pub(crate) fn names(&self) -> Vec<RegionName> {
        self.regions.keys().cloned().collect()
    }

    /// Returns the addresses and ports of a region.
    pub(crate) fn site(&self, region: &RegionName) -> anyhow::Result<&Site> {
        Ok(&self.region(region)?.site)
    }

    /// Returns where a region's AWS APIs answer.
    pub(crate) fn api(&self, region: &RegionName) -> anyhow::Result<SocketAddr> {
        Ok(self.site(region)?.socket(Port::Api))
    }

    /// Ends a region at once, as a power cut does to its processes (SIGKILL).
    pub(crate) async fn kill(&mut self, region: &RegionName) -> anyhow::Result<()> {
        self.region_mut(region)?.kill().await
    }

    /// Starts a region again that was ended, and waits until it serves.
    pub(crate) async fn start_region(&mut self, region: &RegionName) -> anyhow::Result<()> {
        let started = self.regions.get_mut(region);
        let started = started.with_context(|| format!("there is no region {region}"))?;
        started.spawn(&self.orders)?;
        started.wait_until_serving().await
    }

    /// Watches over the regions' processes, and starts them again where `restart` says so.
    ///
    /// Errors: when none of them is left that runs or will; without restarts it goes on for ever.
    pub(crate) async fn supervise(&mut self, restart: Restart) -> anyhow::Result<()> {
        let orders = &self.orders;
        let mut watches: Vec<Pin<Box<dyn Future<Output = ()> + Send + '_>>> = Vec::new();
        for region in self.regions.values_mut() {
            watches.push(Box::pin(region.supervise(orders, restart)));
        }
        let all = std::future::poll_fn(|context| {
            watches.retain_mut(|watch| watch.as_mut().poll(context).is_pending());
            if watches.is_empty() {
                return Poll::Ready(());
            }
            Poll::Pending
        });
        all.await;
        match restart {
            Restart::OnFailure => bail!("keep the regions running: none of them is left"),
            // Whoever asked for this may start them by hand.
            Restart::Never => std::future::pending().await,
        }
    }

    /// Tells of regions that have ended by themselves while nobody watched over them.
    pub(crate) fn tell_ended(&mut self) {
        self.regions.values_mut().for_each(Region::tell_if_ended);
    }

    /// Ends all regions, each drained.
    pub(crate) async fn stop(mut self) {
        self.regions.values_mut().for_each(Region::dismiss);
        for region in self.regions.values_mut() {
            region.gone(STOP_PATIENCE).await;
        }
    }

    fn region(&self, name: &RegionName) -> anyhow::Result<&Region> {
        self.regions
            .get(name)
            .with_context(|| format!("there is no region {name}"))
    }

    fn region_mut(&mut self, name: &RegionName) -> anyhow::Result<&mut Region> {
        self.regions
            .get_mut(name)
            .with_context(|| format!("there is no region {name}"))
    }

    /// Opens the relays of every pair of regions, and writes each region's dial table.
    fn openrelays(&mut self) -> anyhow::Result<()> {
        for (from, own) in &self.regions {
            let mut table = serde_json::Map::new();
            for (to, other) in self.regions.iter().filter(|(to, _)| *to != from) {
                for port in Port::ALL {
                    let target = other.site.socket(port);
                    let (from, to) = (from.as_str(), to.as_str());
                    let relay = match port {
                        Port::Gossip => Relay::udp(&self.links, from, to, target),
                        Port::Dns => Relay::tcp_and_udp(&self.links, from, to, target),
                        Port::Api | Port::Dynamodb | Port::Https | Port::Http | Port::Link => {
                            Relay::tcp(&self.links, from, to, target)
                        }
                    };
                    let relay = relay.with_context(|| format!("join {from} and {to}"))?;
                    table.insert(target.to_string(), relay.address().to_string().into());
                    self.relays.push(relay);
                }
            }
            let file = own.directory.join("via.json");
            std::fs::write(&file, serde_json::Value::Object(table).to_string())
                .with_context(|| format!("write {}", file.display()))?;
        }
        Ok(())
    }
}
