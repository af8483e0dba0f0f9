//! Regions of ours under measurement, and the calls that set them up.
//!
//! They are started as an operator starts them, from the release binary.

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::bench::http::{self, Response};
use crate::bench::process::{Process, accepts, free_port};
use crate::root;
use crate::run;
use crate::tools::target;

/// The release binary.
pub(super) struct Binary(PathBuf);

/// Builds the release binary, or does nothing when it is fresh; `HITHER_BIN` names another.
pub(super) fn build() -> Result<Binary> {
    if let Some(other) = std::env::var_os("HITHER_BIN") {
        return Ok(Binary(other.into()));
    }
    let mut cargo = Command::new(env!("CARGO"));
    cargo
        .args(["build", "--release", "--quiet", "-p", "hither"])
        .current_dir(root());
    run::must(&mut cargo)?;
    Ok(Binary(target().join("release/hither")))
}

/// The ports that a region of a benchmark listens on, at a loopback address of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ports {
    pub(super) address: IpAddr,
    api: u16,
    dynamodb: u16,
    https: u16,
    http: u16,
    dns: u16,
    link: u16,
    gossip: u16,
}

impl Ports {
    /// Finds free ports for the region at position `at`.
    pub(super) fn find(at: u8) -> Result<Self> {
        let address = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 21 + at));
        let port = || free_port(address);
        Ok(Self {
            address,
            api: port()?,
            dynamodb: port()?,
            https: port()?,
            http: port()?,
            dns: port()?,
            link: port()?,
            gossip: port()?,
        })
    }

    pub(super) fn api(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.api)
    }

    pub(super) fn http(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.http)
    }

    pub(super) fn https(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.https)
    }

    pub(super) fn dns(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.dns)
    }

    pub(super) fn link(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.link)
    }

    pub(super) fn gossip(&self) -> SocketAddr {
        SocketAddr::new(self.address, self.gossip)
    }
}

/// Writes a manifest of these regions into a folder.
pub(super) fn manifest(folder: &Path, regions: &[(&str, Ports)]) -> Result<PathBuf> {
    let mut text = "[project]\nname = \"bench\"\n\n[regions]\n".to_owned();
    for (name, ports) in regions {
        let Ports {
            address,
            api,
            dynamodb,
            https,
            http,
            dns,
            link,
            gossip,
        } = ports;
        _ = writeln!(
            text,
            "{name} = {{ address = \"{address}\", api = {api}, dynamodb = {dynamodb}, \
             https = {https}, http = {http}, dns = {dns}, link = {link}, gossip = {gossip} }}"
        );
    }
    let path = folder.join("hither.toml");
    std::fs::write(&path, text).context("write a manifest")?;
    Ok(path)
}

/// How one region is started.
pub(super) struct Start<'a> {
    pub(super) binary: &'a Binary,
    pub(super) folder: &'a Path,
    pub(super) manifest: &'a Path,
    pub(super) name: &'a str,
    pub(super) ports: Ports,
    /// Addresses to dial in place of others, by relays.
    pub(super) via: Option<&'a Path>,
    /// Whose signatures it takes; in development it asks for none.
    pub(super) credentials: Option<&'a Path>,
    /// The memory for what was read from disk, in MiB; what a region takes by itself without.
    pub(super) cache_mib: Option<u64>,
}

impl<'a> Start<'a> {
    /// A region without others, in development.
    pub(super) fn alone(
        binary: &'a Binary,
        folder: &'a Path,
        manifest: &'a Path,
        ports: Ports,
    ) -> Self {
        Self {
            binary,
            folder,
            manifest,
            name: REGION,
            ports,
            via: None,
            credentials: None,
            cache_mib: None,
        }
    }

    /// Starts the region and waits until it answers.
    pub(super) fn start(&self) -> Result<Process> {
        let mut process = self.spawn()?;
        let api = self.ports.api();
        process
            .wait_for(START_PATIENCE, || accepts(api))
            .with_context(|| format!("see {}", self.log().display()))?;
        Ok(process)
    }

    /// Starts the region and does not wait.
    pub(super) fn spawn(&self) -> Result<Process> {
        let mut command = Command::new(&self.binary.0);
        command
            .args(["serve", "--region", self.name, "--manifest"])
            .arg(self.manifest)
            .arg("--data-dir")
            .arg(self.folder.join(self.name))
            .arg("--project-key")
            .arg(self.folder.join("project.key"))
            .env("HITHER_LOG", "error");
        if let Some(via) = self.via {
            command.arg("--via").arg(via);
        }
        if let Some(mib) = self.cache_mib {
            command.args(["--cache", &mib.to_string()]);
        }
        if let Some(credentials) = self.credentials {
            command.arg("--credentials").arg(credentials);
        }
        Process::start(&mut command, &self.log())
    }

    fn log(&self) -> PathBuf {
        self.folder.join(format!("{}.log", self.name))
    }
}

/// A region alone, with the folder that it lives in.
pub(super) struct Alone {
    pub(super) process: Process,
    pub(super) ports: Ports,
    /// From its start until it accepted connections.
    pub(super) started: Duration,
}

/// Starts one region alone, in development.
pub(super) fn alone(binary: &Binary, folder: &Path) -> Result<Alone> {
    alone_with(binary, folder, Unusual::default())
}

/// What of a region that is alone is not as usual.
#[derive(Clone, Copy, Default)]
pub(super) struct Unusual<'a> {
    /// With a file of credentials, it asks for signatures.
    pub(super) credentials: Option<&'a Path>,
    /// Its cache, in MiB.
    pub(super) cache_mib: Option<u64>,
}

/// Starts one region alone that is not as usual.
pub(super) fn alone_with(binary: &Binary, folder: &Path, unusual: Unusual<'_>) -> Result<Alone> {
    let ports = Ports::find(0)?;
    let manifest = manifest(folder, &[(REGION, ports)])?;
    let start = Start {
        credentials: unusual.credentials,
        cache_mib: unusual.cache_mib,
        ..Start::alone(binary, folder, &manifest, ports)
    };
    let began = Instant::now();
    Ok(Alone {
        process: start.start()?,
        ports,
        started: began.elapsed(),
    })
}

/// Calls an AWS API that takes its parameters in the path and the body.
pub(super) async fn rest(
    address: SocketAddr,
    service: &str,
    (method, path): (&str, &str),
    body: &str,
) -> Result<Response> {
    let scope = authorization(REGION, service);
    let host = address.to_string();
    let headers = [
        ("host", &*host),
        ("authorization", &*scope),
        ("x-amz-date", DATE),
    ];
    let response = http::once(address, &http::request(method, path, &headers, body)).await?;
    let text = String::from_utf8_lossy(&response.body);
    let code = response.status;
    anyhow::ensure!((200..300).contains(&code), "{method} {path}: {code} {text}");
    Ok(response)
}

/// Calls an AWS API of JSON over REST, and reads the JSON of the answer.
pub(super) async fn rest_json(
    address: SocketAddr,
    service: &str,
    target: (&str, &str),
    body: &Value,
) -> Result<Value> {
    let response = rest(address, service, target, &body.to_string()).await?;
    serde_json::from_slice(&response.body).context("an answer in JSON")
}

/// Writes the header that tells service and region; in development its signature is not asked.
pub(super) fn authorization(region: &str, service: &str) -> String {
    format!(
        "AWS4-HMAC-SHA256 Credential=000000000000/20260101/{region}/{service}/aws4_request, \
         SignedHeaders=host;x-amz-date, Signature={:064}",
        0
    )
}

/// The region of benchmarks that need one.
pub(super) const REGION: &str = "us-east-1";

/// The date that goes with the credential scope.
pub(super) const DATE: &str = "20260101T000000Z";

/// How long a region may take to answer for the first time. 20 s.
const START_PATIENCE: Duration = Duration::from_secs(20);
