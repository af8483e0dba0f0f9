//! Two regions of ours, joined directly or by relays of a delay.
//!
//! It writes nothing but the table's definition.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use tokio::runtime::Runtime;
use wan::links::Links;
use wan::relay::Relay;

use crate::bench::dynamodb::{call, make_table};
use crate::bench::process::Process;
use crate::bench::region::{self, Binary, Ports, Start};
use crate::bench::replication::client::Server;
use crate::bench::{folder, http};

/// Two regions.
pub(super) struct Pair {
    pub(super) near: Side,
    pub(super) far: Side,
    links: Links,
    /// Dropped after the regions.
    _relays: Vec<Relay>,
}

/// One of them.
pub(super) struct Side {
    pub(super) ports: Ports,
    pub(super) process: Process,
}

impl Pair {
    /// Starts both; a delay is one way's.
    pub(super) fn start(
        binary: &Binary,
        runtime: &Runtime,
        delay: Option<Duration>,
    ) -> Result<Self> {
        let folder = folder("replication")?;
        let (near, far) = (Ports::find(0)?, Ports::find(1)?);
        let manifest = region::manifest(&folder, &[(NEAR, near), (FAR, far)])?;
        let links = Links::none()?;
        let mut relays = Vec::new();
        if let Some(delay) = delay {
            links.set_rtt(NEAR, FAR, 2 * delay);
            let _inside = runtime.enter();
            relays = join(&links, &folder, (near, far))?;
        }
        let start = |name, ports, via: PathBuf| {
            let start = Start {
                via: delay.is_some().then_some(&*via),
                name,
                ..Start::alone(binary, &folder, &manifest, ports)
            };
            let process = start.start()?;
            anyhow::Ok(Side { ports, process })
        };
        Ok(Self {
            near: start(NEAR, near, folder.join("near.json"))?,
            far: start(FAR, far, folder.join("far.json"))?,
            links,
            _relays: relays,
        })
    }

    /// Makes the table, in the near region alone.
    pub(super) async fn make_table(&self) -> Result<()> {
        make_table(self.near.ports.api()).await
    }

    /// Adds the far replica and waits until it is active.
    ///
    /// Errors: where that takes more than ten minutes.
    pub(super) async fn replicate(&self) -> Result<()> {
        let update = format!(
            r#"{{"TableName":"bench","ReplicaUpdates":[{{"Create":{{"RegionName":"{FAR}"}}}}]}}"#
        );
        call(self.near.ports.api(), "UpdateTable", &update).await?;
        let began = Instant::now();
        while !self.is_active().await? {
            anyhow::ensure!(began.elapsed() < PATIENCE, "the replica is not active");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    async fn is_active(&self) -> Result<bool> {
        let near = self.near.ports.api();
        let text = call(near, "DescribeTable", r#"{"TableName":"bench"}"#).await?;
        let described: serde_json::Value = serde_json::from_str(&text)?;
        let replicas = described["Table"]["Replicas"].as_array();
        let replica = replicas.into_iter().flatten();
        let mut far = replica.filter(|replica| replica["RegionName"] == FAR);
        Ok(far.any(|replica| replica["ReplicaStatus"] == "ACTIVE"))
    }

    /// Returns where to write and where to look.
    pub(super) fn clients(&self) -> (Server, Server) {
        (
            Server::Hither(NEAR, self.near.ports.api()),
            Server::Hither(FAR, self.far.ports.api()),
        )
    }

    /// Lets nothing through between them.
    pub(super) fn cut(&self) {
        self.links.cut(NEAR, FAR);
    }

    /// Lets all through again.
    pub(super) fn heal(&self) {
        self.links.heal(NEAR, FAR);
    }
}

impl Side {
    /// Returns the sum of one of its Prometheus counters.
    pub(super) async fn counter(&self, name: &str) -> Result<f64> {
        let api = self.ports.api();
        let host = api.to_string();
        let request = http::request("GET", "/_hither/metrics", &[("host", &host)], "");
        let response = http::once(api, &request).await?;
        let text = String::from_utf8(response.body).context("metrics are text")?;
        let lines = text.lines().filter_map(|line| line.rsplit_once(' '));
        let mine = lines.filter(|(series, _)| series.split('{').next() == Some(name));
        let values: Vec<f64> = mine.filter_map(|(_, value)| value.parse().ok()).collect();
        anyhow::ensure!(!values.is_empty(), "there is no metric {name}");
        Ok(values.iter().sum())
    }
}

/// Opens the relays between two regions and writes the dial table of each.
fn join(links: &Links, folder: &Path, (near, far): (Ports, Ports)) -> Result<Vec<Relay>> {
    let mut relays = Vec::new();
    let ways = [("near.json", NEAR, FAR, far), ("far.json", FAR, NEAR, near)];
    for (file, from, to, target) in ways {
        let mut table = BTreeMap::new();
        for address in [target.api(), target.http(), target.https(), target.link()] {
            let relay = Relay::tcp(links, from, to, address)?;
            table.insert(address.to_string(), relay.address().to_string());
            relays.push(relay);
        }
        let gossip = target.gossip();
        let relay = Relay::udp(links, from, to, gossip)?;
        table.insert(gossip.to_string(), relay.address().to_string());
        relays.push(relay);
        let table = serde_json::to_string(&table)?;
        std::fs::write(folder.join(file), table).context("write a dial table")?;
    }
    Ok(relays)
}

pub(super) const NEAR: &str = "us-east-1";

const FAR: &str = "eu-west-1";

/// How long a replica may take to be filled. Ten minutes.
const PATIENCE: Duration = Duration::from_mins(10);
