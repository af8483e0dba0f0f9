//! The regions of a manifest on one machine: a process each, relays with delays between them.
//!
//! It deploys nothing. Each region thinks it is alone on its host; a dial table leads what it
//! sends to the others through the relays.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use tokio::process::{Child, ChildStdin, Command};

use base::region::RegionName;
use clock::port::Entropy;
use clock::wall::System;
use manifest::model::{Manifest, Port, Site};
use wan::links::Links;
use wan::relay::Relay;

use crate::authority::Authority;
use crate::http_get;
use crate::project;

/// How long a region may take from its start to its first answer. 20 s, for a loaded machine.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// How long a region may take to drain when all end. 30 s.
const STOP_PATIENCE: Duration = Duration::from_secs(30);

/// How often a starting region is asked. 10 ms.
const START_PAUSE: Duration = Duration::from_millis(10);

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
    manifest_file: PathBuf,
    regions: BTreeMap<RegionName, Region>,
    /// Closed with the laptop.
    relays: Vec<Relay>,
}

struct Region {
    site: Site,
    directory: PathBuf,
    process: Option<Child>,
    /// Held open while the region is to run; waiting for the process would close its own copy.
    input: Option<ChildStdin>,
}

impl Laptop {
    /// Starts all regions, and waits until each serves.
    ///
    /// Errors: when one does not; all are stopped then.
    pub(crate) async fn start(
        manifest: &Manifest,
        manifest_file: &Path,
        state_dir: &Path,
        links: Links,
    ) -> anyhow::Result<Self> {
        project::key(&state_dir.join("project.key"), &System as &dyn Entropy)?;
        let authority = Authority::open(state_dir, &manifest.project.name)?;
        let mut laptop = Self {
            links,
            state_dir: state_dir.to_owned(),
            ca_pem: authority.pem.clone(),
            authority,
            manifest_file: manifest_file.to_owned(),
            regions: BTreeMap::new(),
            relays: Vec::new(),
        };
        for region in &manifest.regions {
            let directory = state_dir.join(region.name.as_str());
            std::fs::create_dir_all(&directory)
                .with_context(|| format!("make {}", directory.display()))?;
            let site = region.laptop.clone();
            laptop.regions.insert(
                region.name.clone(),
                Region {
                    site,
                    directory,
                    process: None,
                    input: None,
                },
            );
        }
        laptop.openrelays()?;
        let names: Vec<RegionName> = laptop.regions.keys().cloned().collect();
        for name in &names {
            laptop.spawn(name)?;
        }
        for name in &names {
            laptop.wait_until_serving(name).await?;
        }
        Ok(laptop)
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
        let process = self.region_mut(region)?.process.take();
        let mut process = process.with_context(|| format!("kill {region}: it does not run"))?;
        process
            .start_kill()
            .with_context(|| format!("kill {region}"))?;
        process
            .wait()
            .await
            .with_context(|| format!("wait for {region}"))?;
        Ok(())
    }

    /// Starts a region again that was ended, and waits until it serves.
    pub(crate) async fn start_region(&mut self, region: &RegionName) -> anyhow::Result<()> {
        self.spawn(region)?;
        self.wait_until_serving(region).await
    }

    /// Ends all regions, each drained.
    pub(crate) async fn stop(mut self) {
        for region in self.regions.values_mut() {
            // Its standard input ends, which tells it to drain and end.
            region.input = None;
        }
        for (name, region) in &mut self.regions {
            if let Some(process) = &mut region.process
                && tokio::time::timeout(STOP_PATIENCE, process.wait())
                    .await
                    .is_err()
            {
                eprintln!("{name} did not end within {STOP_PATIENCE:?}; killing it");
                drop(process.kill().await);
            }
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

    fn spawn(&mut self, name: &RegionName) -> anyhow::Result<()> {
        let hither = std::env::current_exe().context("find this program's own file")?;
        let (manifest, key) = (
            self.manifest_file.clone(),
            self.state_dir.join("project.key"),
        );
        let region = self.region_mut(name)?;
        let log_file = region.directory.join("node.log");
        let log = File::options()
            .create(true)
            .append(true)
            .open(&log_file)
            .with_context(|| format!("write {}", log_file.display()))?;
        let mut command = Command::new(hither);
        command
            .arg("serve")
            .args(["--region", name.as_str(), "--laptop", "--until-stdin-ends"])
            .arg("--manifest")
            .arg(manifest)
            .arg("--data-dir")
            .arg(&region.directory)
            .arg("--project-key")
            .arg(key)
            .arg("--via")
            .arg(region.directory.join("via.json"))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().context("share a log file")?)
            .stderr(log)
            // A signal to the terminal's group is for the parent, which drains its children.
            .process_group(0)
            .kill_on_drop(true);
        let mut process = command.spawn().with_context(|| format!("start {name}"))?;
        region.input = process.stdin.take();
        region.process = Some(process);
        Ok(())
    }

    async fn wait_until_serving(&mut self, name: &RegionName) -> anyhow::Result<()> {
        let api = self.api(name)?;
        let region = self.region_mut(name)?;
        let log_file = region.directory.join("node.log");
        let process = region.process.as_mut().context("it was started")?;
        let id = process.id();
        let answers = async {
            // The process itself must answer: another one may have the address.
            loop {
                let status = http_get::get(api, "/_hither/status").await;
                if status.is_ok_and(|status| status["pid"].as_u64() == id.map(u64::from)) {
                    return;
                }
                tokio::time::sleep(START_PAUSE).await;
            }
        };
        let why = tokio::select! {
            () = answers => return Ok(()),
            ended = process.wait() => format!("it ended: {}", ended.context("wait for it")?),
            () = tokio::time::sleep(START_PATIENCE) => {
                format!("no answer within {START_PATIENCE:?}")
            }
        };
        let log = std::fs::read_to_string(&log_file).unwrap_or_default();
        let tail: Vec<&str> = log.lines().rev().take(8).collect();
        let tail: Vec<&str> = tail.into_iter().rev().collect();
        bail!(
            "start {name}: {why}\n{}\nhint: the whole log is {}",
            tail.join("\n"),
            log_file.display()
        )
    }
}
